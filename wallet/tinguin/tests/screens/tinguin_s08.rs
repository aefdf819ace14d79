//! S08, home.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use semper_tinguin::views::DealKey;
use semper_tinguin::views::home::{self, Directory, Home, HomeCommand};
use semper_tinguin::widgets::state::ViewState;

use crate::kit::{assert_element, click, focus, names, open, press, shows, tab_order};
use crate::sample;

struct Scene {
    data: Home,
    query: String,
    commands: Vec<HomeCommand>,
}

fn scene(data: Home) -> Harness<'static, Scene> {
    let state = Scene { data, query: String::new(), commands: Vec::new() };
    // High enough that nothing has to be scrolled.
    let mut harness = open(egui::vec2(1120.0, 1400.0), state, |ui, theme, texts, scene: &mut Scene| {
        scene.commands.extend(home::ui(ui, theme, texts, &scene.data, &mut scene.query));
    });
    harness.run();
    harness
}

fn named(state: &str) -> Harness<'static, Scene> {
    let (_, data) = sample::homes().into_iter().find(|(name, _)| *name == state).expect("a known state");
    scene(data)
}

#[test]
fn every_element_is_found_by_role_and_name() {
    let harness = named("deals");
    for heading in ["Deals in progress", "Money", "Recently ended"] {
        assert_element(&harness, Role::Heading, heading);
    }
    assert_element(&harness, Role::Button, "Find a shop…");
    assert_element(&harness, Role::Button, "Pay now: Fogra · 2 documents");
    assert_element(&harness, Role::Link, "Open Fogra · 2 documents");
    assert_element(&harness, Role::ProgressIndicator, "Step 4 of 5: Payment");
    assert_element(&harness, Role::Button, "Cash purse, XTS\u{A0}61.20");
    assert_element(&harness, Role::Button, "Card, ready");
    for text in [
        "Fogra · 2 documents",
        "XTS\u{A0}24.90",
        "Waiting for OPL Books",
        "09:41 left",
        "by 9\u{A0}May",
        "Fogra knows you as amber-17",
        "Eurocom course: completed",
        "Actimédia: declined by you",
        "Fogra: undone, nothing was paid",
    ] {
        assert!(shows(&harness, text), "{text}: {:?}", names(&harness, Role::Label));
    }
}

#[test]
fn each_control_gives_its_one_command() {
    let cases = [
        (Role::Button, "Pay now: Fogra · 2 documents", HomeCommand::Act(DealKey(1))),
        (Role::Link, "Open OPL Books · 1 book", HomeCommand::OpenDeal(DealKey(2))),
        (Role::Button, "Cash purse, XTS\u{A0}61.20", HomeCommand::OpenPurse(1)),
        (Role::Link, "Open Eurocom course", HomeCommand::OpenDeal(DealKey(11))),
        (Role::Button, "Find a shop…", HomeCommand::OpenDirectory),
    ];
    for (role, name, command) in cases {
        let mut harness = named("deals");
        click(&mut harness, role, name);
        assert_eq!(harness.state().commands, [command], "{name}");
    }
}

#[test]
fn what_cannot_be_used_is_shown_without_a_control() {
    let data = Home { directory: Directory::Absent, can_open_purse: false, ..sample::home() };
    let harness = scene(data);
    let buttons = names(&harness, Role::Button);
    assert!(buttons.iter().all(|name| name != "Find a shop…" && !name.contains("purse")), "{buttons:?}");
    assert!(shows(&harness, "Cash purse, XTS\u{A0}61.20"));
}

#[test]
fn enter_does_nothing_here_and_space_does() {
    let mut harness = named("deals");
    for (role, name) in [
        (Role::Button, "Pay now: Fogra · 2 documents"),
        (Role::Link, "Open Fogra · 2 documents"),
        (Role::Button, "Cash purse, XTS\u{A0}61.20"),
        (Role::Button, "Find a shop…"),
    ] {
        focus(&mut harness, role, name);
        press(&mut harness, Key::Enter);
        assert!(harness.state().commands.is_empty(), "{name}");
    }
    press(&mut harness, Key::Space);
    assert_eq!(harness.state().commands, [HomeCommand::OpenDirectory]);
}

#[test]
fn what_ends_soonest_stands_first() {
    let harness = named("deals");
    let verbs: Vec<String> =
        names(&harness, Role::Link).into_iter().filter(|name| name.starts_with("Open ")).take(3).collect();
    let expected = [
        "Open Fogra · 2 documents",
        "Open OPL Books · 1 book",
        "Open Otto Versand · winter coat, wool, size 52, and 2 more",
    ];
    assert_eq!(verbs, expected);
}

#[test]
fn an_overdue_deal_stands_before_all_others() {
    let mut data = sample::home();
    if let Some(deadline) = &mut data.deals[0].deadline {
        deadline.left = None;
    }
    let harness = scene(data);
    assert!(shows(&harness, "overdue"));
    assert_eq!(names(&harness, Role::Link)[0], "Open OPL Books · 1 book");
}

#[test]
fn the_tab_key_goes_row_by_row() {
    let mut harness = named("deals");
    press(&mut harness, Key::Tab);
    let order = tab_order(&mut harness);
    let expected = [
        "Find a shop…",
        "Pay now: Fogra · 2 documents",
        "Open Fogra · 2 documents",
        "Open OPL Books · 1 book",
        "Review and order: Otto Versand · winter coat, wool, size 52, and 2 more",
    ];
    assert_eq!(order[..expected.len()], expected);
}

#[test]
fn each_state_says_what_it_is() {
    let texts = [
        ("empty", "No deals under way"),
        (
            "offline",
            "You are offline. You can still read deals, evidence and purses. Sending waits until you are back",
        ),
        ("skeleton", "Loading"),
        ("loading", "Reading your deals (2 of 5)"),
        ("slow", "Still working, 12 s so far"),
        ("error", "Your deals could not be read"),
        ("error", "Check that the disk is connected, then start TINGUIN again"),
        ("resuming", "Resuming 2 deals after a restart. Nothing is signed twice"),
        (
            "unshown",
            "A question waits for you, and this version of the window cannot show it. Nothing is signed without your answer",
        ),
        ("no-directory", "The directory does not answer. Shops you know are under Contacts"),
    ];
    for (state, text) in texts {
        assert!(shows(&named(state), text), "{state}: {text}");
    }
}

#[test]
fn for_a_moment_loading_shows_nothing() {
    let state = ViewState::Loading { step: "Reading".into(), number: 1, of: 2, elapsed: 100 };
    let harness = scene(Home { state, ..sample::home() });
    assert!(!shows(&harness, "Loading") && !shows(&harness, "Reading (1 of 2)"));
    assert!(!shows(&harness, "Fogra · 2 documents"));
}

#[test]
fn a_slow_start_can_be_cancelled() {
    let mut harness = named("slow");
    click(&mut harness, Role::Button, "Cancel");
    assert_eq!(harness.state().commands, [HomeCommand::Cancel]);
    assert!(names(&named("loading"), Role::Button).iter().all(|name| name != "Cancel"));
}

#[test]
fn offline_the_deals_are_still_there() {
    assert!(shows(&named("offline"), "Fogra · 2 documents"));
}

#[test]
fn a_shop_is_found_and_opened() {
    let mut harness = named("directory");
    focus(&mut harness, Role::TextInput, "Name of a shop, or what it sells");
    harness.event(egui::Event::Text("books".into()));
    harness.run();
    assert_eq!(harness.state().query, "books");
    assert_eq!(harness.state().commands, [HomeCommand::Search]);
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().commands.len(), 1, "Enter sends nothing");
    click(&mut harness, Role::Button, "Open OPL Books");
    assert_eq!(harness.state().commands.last(), Some(&HomeCommand::OpenShop(2)));
    click(&mut harness, Role::Button, "Close the search");
    assert_eq!(harness.state().commands.last(), Some(&HomeCommand::CloseDirectory));
}

#[test]
fn a_query_without_an_answer_says_so() {
    let mut harness = scene(Home { directory: Directory::Open(Vec::new()), ..sample::home() });
    assert!(!shows(&harness, "No shop matches"));
    harness.state_mut().query = "zzz".into();
    harness.run();
    assert!(shows(&harness, "No shop matches"));
}
