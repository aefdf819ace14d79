//! The frame of every screen: bar, navigation, status line, shortcuts.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::Harness;
use semper_tinguin::widgets::bar::{Line, Slot};
use semper_tinguin::widgets::chip::Anonymity;
use semper_tinguin::window::{Place, Window, WindowCommand, window};

use crate::kit::{WINDOW, assert_element, click, focus, name, names, nodes, open, press, shows, tab_order};
use crate::sample;

struct Scene {
    change: fn(&mut Window),
    data: Option<Window>,
    commands: Vec<WindowCommand>,
    content: bool,
}

fn scene(size: Vec2, change: fn(&mut Window)) -> Harness<'static, Scene> {
    let state = Scene { change, data: None, commands: Vec::new(), content: false };
    let mut harness = open(size, state, |ui, theme, texts, scene: &mut Scene| {
        let change = scene.change;
        let data = scene.data.get_or_insert_with(|| {
            let mut data = sample::window(ui.ctx(), Place::Home);
            change(&mut data);
            data
        });
        let (command, content) = window(ui, theme, texts, data, |ui| {
            ui.label("the content");
        });
        scene.commands.extend(command);
        scene.content = content.is_some();
    });
    harness.run();
    harness
}

const PLACES: [&str; 9] = [
    "Waiting for you (2)",
    "Home",
    "Purses",
    "Archive",
    "Contacts",
    "Terms",
    "Statements",
    "Log",
    "Settings",
];

#[test]
fn every_element_is_found_by_role_and_name() {
    for width in [1120.0, 1600.0] {
        let harness = scene(vec2(width, 900.0), |_| {});
        assert_element(&harness, Role::Image, "Your picture");
        assert!(shows(&harness, "Your words: amber lighthouse"));
        assert!(shows(&harness, "Only TINGUIN can show your picture and words"));
        assert_element(&harness, Role::Status, "Fogra knows you as amber-17");
        assert_element(&harness, Role::Status, "Play money");
        assert_element(&harness, Role::Status, "Online");
        assert_element(&harness, Role::Button, "Lock now");
        for place in PLACES {
            assert_element(&harness, Role::Link, place);
        }
        assert_element(&harness, Role::Link, "Last event: Fogra confirmed your order");
    }
}

#[test]
fn the_seal_is_read_first() {
    let harness = scene(WINDOW, |_| {});
    let all: Vec<String> = nodes(&harness).iter().map(name).filter(|name| !name.is_empty()).collect();
    assert_eq!(all[..2], ["Your picture", "Your words: amber lighthouse"]);
}

#[test]
fn before_unlocking_there_are_words_and_no_picture() {
    let harness = scene(WINDOW, |data| {
        let (words, hue) = (sample::words(), semper_tinguin::theme::FrameHue::new(1));
        data.bar.slot = Slot::Door { words, hue };
    });
    assert!(names(&harness, Role::Image).is_empty());
    assert!(shows(&harness, "These are your two words. Type your password only when you see them"));
    assert!(names(&harness, Role::Button).iter().all(|name| name != "Lock now"));
}

#[test]
fn each_chip_says_what_it_means() {
    let offline = scene(WINDOW, |data| data.bar.line = Some(Line::Offline { since: "13:40".into() }));
    assert_element(&offline, Role::Status, "Offline since 13:40");
    type Case = (fn(&mut Window), &'static str);
    let cases: [Case; 3] = [
        (
            |data| data.bar.anonymity = Some(Anonymity::Identified { shop: "Fogra".into() }),
            "Fogra knows your name",
        ),
        (
            |data| data.bar.anonymity = Some(Anonymity::Anonymous { shop: "Fogra".into() }),
            "Fogra cannot recognise you again",
        ),
        (
            |data| data.bar.anonymity = Some(Anonymity::Degraded { leak: "your card".into() }),
            "Less anonymous: your card",
        ),
    ];
    for (change, text) in cases {
        assert_element(&scene(WINDOW, change), Role::Status, text);
    }
}

#[test]
fn each_place_is_reached_by_pointer_and_by_its_shortcut() {
    let keys =
        [Key::J, Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8];
    for ((label, place), key) in PLACES.into_iter().zip(Place::ALL).zip(keys) {
        let mut harness = scene(WINDOW, |_| {});
        click(&mut harness, Role::Link, label);
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        harness.run();
        assert_eq!(harness.state().commands, [WindowCommand::Go(place); 2], "{label}");
    }
}

#[test]
fn the_other_shortcuts_give_their_commands() {
    let cases = [
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::L, WindowCommand::Lock),
        (Modifiers::COMMAND, Key::L, WindowCommand::LogDrawer),
        (Modifiers::COMMAND, Key::F, WindowCommand::Search),
        (Modifiers::COMMAND, Key::K, WindowCommand::GoTo),
        (Modifiers::COMMAND, Key::D, WindowCommand::Discreet),
        (Modifiers::COMMAND, Key::Q, WindowCommand::Quit),
        (Modifiers::COMMAND, Key::Plus, WindowCommand::ZoomIn),
        (Modifiers::COMMAND, Key::Minus, WindowCommand::ZoomOut),
        (Modifiers::COMMAND, Key::Num0, WindowCommand::ZoomReset),
        (Modifiers::NONE, Key::F1, WindowCommand::Help),
    ];
    for (modifiers, key, command) in cases {
        let mut harness = scene(WINDOW, |_| {});
        harness.key_press_modifiers(modifiers, key);
        harness.run();
        assert_eq!(harness.state().commands, [command], "{key:?}");
    }
}

#[test]
fn locking_and_the_log_are_one_click_away() {
    let mut harness = scene(WINDOW, |_| {});
    click(&mut harness, Role::Button, "Lock now");
    click(&mut harness, Role::Link, "Last event: Fogra confirmed your order");
    assert_eq!(harness.state().commands, [WindowCommand::Lock, WindowCommand::Go(Place::Log)]);
}

#[test]
fn enter_does_nothing_here() {
    let mut harness = scene(WINDOW, |_| {});
    for (role, name) in [(Role::Button, "Lock now"), (Role::Link, "Purses")] {
        focus(&mut harness, role, name);
        press(&mut harness, Key::Enter);
    }
    assert!(harness.state().commands.is_empty());
}

#[test]
fn the_tab_key_goes_from_the_bar_down_the_rail_to_the_status_line() {
    let mut harness = scene(WINDOW, |_| {});
    press(&mut harness, Key::Tab);
    let order = tab_order(&mut harness);
    assert_eq!(order[0], "Lock now");
    assert_eq!(order[1..=PLACES.len()], PLACES);
    assert_eq!(order.last().map(String::as_str), Some("Last event: Fogra confirmed your order"));
}

#[test]
fn a_narrow_window_hides_the_rail_behind_a_menu() {
    let mut harness = scene(vec2(560.0, 600.0), |_| {});
    assert!(names(&harness, Role::Link).iter().all(|name| name != "Purses"));
    click(&mut harness, Role::Button, "Menu");
    assert_eq!(harness.state().commands, [WindowCommand::Menu(true)]);
    assert!(harness.state().content);
    let mut harness = scene(vec2(560.0, 900.0), |data| data.menu_open = true);
    assert!(!harness.state().content);
    click(&mut harness, Role::Link, "Purses");
    assert_eq!(harness.state().commands, [WindowCommand::Go(Place::Purses)]);
}

#[test]
fn a_wrong_clock_is_told_on_every_screen() {
    let harness = scene(WINDOW, |data| data.clock_off = Some("3 minutes".into()));
    assert!(shows(
        &harness,
        "The clock of this computer differs by 3 minutes from signed time. Signing stops above 5 minutes"
    ));
}

#[test]
fn without_an_event_the_status_line_says_so() {
    let harness = scene(WINDOW, |data| data.status = None);
    assert_element(&harness, Role::Link, "Last event: Nothing has happened since start");
}

#[test]
fn the_present_place_is_marked() {
    let harness = scene(WINDOW, |_| {});
    let all = nodes(&harness);
    let current = all.iter().filter(|node| {
        let inner = egui_kittest::kittest::NodeT::accesskit_node(*node);
        inner.data().aria_current() == Some(egui::accesskit::AriaCurrent::Page)
    });
    assert_eq!(current.map(name).collect::<Vec<_>>(), ["Home"]);
}
