//! S07, the door.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use semper_tinguin::views::door::{self, Door, DoorCommand, DoorState, Help};
use semper_tinguin::widgets::secret::SecretBuf;

use crate::kit::{WINDOW, assert_element, click, focus, name, names, nodes, open, press, shows, tab_order};
use crate::sample;

struct Scene {
    data: Door,
    secret: SecretBuf,
    commands: Vec<DoorCommand>,
}

fn scene(data: Door) -> Harness<'static, Scene> {
    let state = Scene { data, secret: SecretBuf::new(), commands: Vec::new() };
    let mut harness = open(WINDOW, state, |ui, theme, texts, scene: &mut Scene| {
        scene.commands.extend(door::ui(ui, theme, texts, &scene.data, &mut scene.secret));
    });
    harness.run();
    harness
}

fn at(state: DoorState) -> Harness<'static, Scene> {
    scene(sample::door(state))
}

fn type_password(harness: &mut Harness<'_, Scene>) {
    harness.event(egui::Event::Text("Correct horse".to_owned()));
    harness.run();
}

#[test]
fn every_element_is_found_by_role_and_name() {
    let harness = at(DoorState::Ready);
    assert_element(&harness, Role::Heading, "amber lighthouse");
    assert_element(
        &harness,
        Role::Label,
        "These are your two words. Type your password only when you see them",
    );
    assert_element(&harness, Role::PasswordInput, "Password");
    assert_element(&harness, Role::Button, "Unlock");
    for link in ["Not your words? This is not your TINGUIN", "Forgot the password", "About"] {
        assert_element(&harness, Role::Link, link);
    }
}

#[test]
fn the_two_words_are_read_first() {
    let harness = at(DoorState::Ready);
    let first = nodes(&harness).iter().map(name).find(|name| !name.is_empty());
    assert_eq!(first.as_deref(), Some("amber lighthouse"));
}

#[test]
fn the_password_has_the_focus_at_once() {
    let mut harness = at(DoorState::Ready);
    type_password(&mut harness);
    assert_eq!(harness.state().secret.expose(), "Correct horse");
}

#[test]
fn unlock_takes_a_click() {
    let mut harness = at(DoorState::Ready);
    type_password(&mut harness);
    click(&mut harness, Role::Button, "Unlock");
    assert_eq!(harness.state().commands, [DoorCommand::Unlock]);
}

#[test]
fn unlock_takes_enter_in_the_field_and_on_the_button() {
    let mut harness = at(DoorState::Wrong);
    type_password(&mut harness);
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().commands, [DoorCommand::Unlock]);
    focus(&mut harness, Role::Button, "Unlock");
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().commands, [DoorCommand::Unlock; 2]);
}

#[test]
fn without_a_password_there_is_nothing_to_unlock_with() {
    let mut harness = at(DoorState::Ready);
    press(&mut harness, Key::Enter);
    click(&mut harness, Role::Button, "Unlock");
    assert!(harness.state().commands.is_empty());
}

#[test]
fn enter_on_a_link_does_nothing() {
    let mut harness = at(DoorState::Ready);
    focus(&mut harness, Role::Link, "About");
    press(&mut harness, Key::Enter);
    assert!(harness.state().commands.is_empty());
    press(&mut harness, Key::Space);
    assert_eq!(harness.state().commands, [DoorCommand::About]);
}

#[test]
fn each_state_says_what_it_is() {
    let texts = [
        (DoorState::Wrong, "Wrong password. Nothing was opened"),
        (DoorState::Throttled { seconds: 8 }, "Next try in 8 s"),
        (DoorState::Deriving { elapsed: 1_400 }, "Opening your archive"),
        (
            DoorState::Damaged { part: "2026-11".into() },
            "The archive has a damaged part (2026-11). Intact evidence can be opened read-only",
        ),
        (DoorState::SecondInstance, "TINGUIN is already running. Look for its window in the task bar"),
    ];
    for (state, text) in texts {
        let harness = at(state.clone());
        assert!(shows(&harness, text), "{state:?}: {:?}", names(&harness, Role::Label));
    }
}

#[test]
fn while_throttled_or_busy_nothing_can_be_tried() {
    for state in [DoorState::Throttled { seconds: 4 }, DoorState::Deriving { elapsed: 0 }] {
        let mut harness = at(state);
        type_password(&mut harness);
        press(&mut harness, Key::Enter);
        click(&mut harness, Role::Button, "Unlock");
        assert!(harness.state().commands.is_empty());
        assert_eq!(harness.state().secret.expose(), "Correct horse", "letters are kept");
    }
}

#[test]
fn a_second_window_asks_for_no_password() {
    let harness = at(DoorState::SecondInstance);
    assert!(names(&harness, Role::PasswordInput).is_empty());
}

#[test]
fn a_damaged_archive_opens_read_only() {
    let mut harness = at(DoorState::Damaged { part: "2026-11".into() });
    click(&mut harness, Role::Button, "Open read-only");
    assert_eq!(harness.state().commands, [DoorCommand::OpenReadOnly]);
}

#[test]
fn a_waiting_page_is_announced_without_any_of_its_words() {
    let text = "A page asks to open a deal. You will see it after unlocking";
    assert!(!shows(&at(DoorState::Ready), text));
    assert!(shows(&scene(Door { link_waits: true, ..sample::door(DoorState::Ready) }), text));
}

#[test]
fn a_wrong_clock_is_told() {
    let data = Door { clock_off: Some("7 minutes".into()), ..sample::door(DoorState::Ready) };
    let text =
        "The clock of this computer differs by 7 minutes from signed time. Signing stops above 5 minutes";
    assert!(shows(&scene(data), text));
}

#[test]
fn explanations_open_and_close() {
    let mut harness = at(DoorState::Ready);
    click(&mut harness, Role::Link, "Not your words? This is not your TINGUIN");
    assert_eq!(harness.state().commands, [DoorCommand::Help(Some(Help::NotMine))]);
    harness.state_mut().data.help = Some(Help::NotMine);
    harness.run();
    assert!(shows(
        &harness,
        "If these are not your two words, close this window. Start TINGUIN from your own menu"
    ));
    click(&mut harness, Role::Link, "Not your words? This is not your TINGUIN");
    assert_eq!(harness.state().commands.last(), Some(&DoorCommand::Help(None)));
    click(&mut harness, Role::Link, "Forgot the password");
    assert_eq!(harness.state().commands.last(), Some(&DoorCommand::Help(Some(Help::Forgot))));
}

#[test]
fn the_tab_key_goes_from_the_password_to_the_links() {
    let mut harness = at(DoorState::Ready);
    type_password(&mut harness);
    let order = tab_order(&mut harness);
    let expected =
        ["Password", "Unlock", "Not your words? This is not your TINGUIN", "Forgot the password", "About"];
    assert_eq!(order, expected);
}

#[test]
fn a_refused_button_says_why() {
    let harness = at(DoorState::Throttled { seconds: 4 });
    let all = nodes(&harness);
    let button = all.iter().find(|node| name(node) == "Unlock").expect("the button is there");
    let inner = egui_kittest::kittest::NodeT::accesskit_node(button);
    assert!(inner.is_disabled());
    assert_eq!(inner.data().description(), Some("Wait until the time is up"));
}
