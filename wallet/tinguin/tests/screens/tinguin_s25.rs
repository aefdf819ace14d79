//! S25, the live log.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use semper_tinguin::views::DealKey;
use semper_tinguin::views::log::{self, Log, LogCommand, LogLook};
use semper_tinguin::widgets::log_row::{Entry, Layer};

use crate::kit::{WINDOW, assert_element, click, focus, names, nodes, open, press, shows};
use crate::sample;

struct Scene {
    entries: Vec<Entry>,
    paused: Option<u32>,
    look: LogLook,
    commands: Vec<LogCommand>,
    can_export: bool,
}

fn scene(count: u64, paused: Option<u32>, look: LogLook) -> Harness<'static, Scene> {
    let state =
        Scene { entries: sample::entries(count), paused, look, commands: Vec::new(), can_export: true };
    let deals = sample::log_deals();
    let mut harness = open(WINDOW, state, move |ui, theme, texts, scene: &mut Scene| {
        let data = Log {
            entries: &scene.entries,
            paused: scene.paused,
            deals: &deals,
            can_export: scene.can_export,
        };
        scene.commands.extend(log::ui(ui, theme, texts, data, &mut scene.look));
    });
    harness.run();
    harness
}

fn rows<State>(harness: &Harness<'_, State>) -> Vec<String> {
    names(harness, Role::Button).into_iter().filter(|name| name.starts_with("14:05")).collect()
}

const FIRST: &str = "14:05:00.031, to Fogra, Commerce, Order, 1,204 B, signed by you";

#[test]
fn every_element_is_found_by_role_and_name() {
    let harness = scene(5, None, LogLook::default());
    assert_element(&harness, Role::Heading, "Live log");
    assert_element(&harness, Role::Button, "Pause");
    assert_element(&harness, Role::Button, "Export…");
    assert_element(&harness, Role::TextInput, "Search the log");
    assert_element(&harness, Role::ComboBox, "Deal");
    assert_element(&harness, Role::ComboBox, "Layer");
    let expected = [
        FIRST,
        "14:05:01.031, from Fogra, Exchange, Moved, 2,011 B, signature checked",
        "14:05:02.031, this computer, This computer, Evidence stored, 1 item, not signed",
        "14:05:03.031, to OPL Books Antiquariat und Verlag, Transfer, Payment agreement, third message of three, 1,048,576 B, not sent: no connection",
        "14:05:04.031, from Demo Bank, Communication, Session, 96 B, signature wrong",
    ];
    assert_eq!(rows(&harness), expected);
}

#[test]
fn an_empty_log_says_so() {
    assert!(shows(&scene(0, None, LogLook::default()), "Nothing sent or received since start"));
}

#[test]
fn each_control_gives_its_one_command() {
    let cases = [(None, "Pause", LogCommand::Pause), (None, "Export…", LogCommand::Export)];
    for (paused, name, command) in cases.into_iter().chain([(Some(3), "Follow", LogCommand::Follow)]) {
        let mut harness = scene(5, paused, LogLook::default());
        click(&mut harness, Role::Button, name);
        assert_eq!(harness.state().commands, [command]);
    }
}

#[test]
fn what_cannot_be_exported_is_not_offered() {
    let mut harness = scene(5, None, LogLook::default());
    harness.state_mut().can_export = false;
    harness.run();
    let buttons = names(&harness, Role::Button);
    assert!(buttons.iter().any(|name| name == "Pause") && buttons.iter().all(|name| name != "Export…"));
}

#[test]
fn a_pause_counts_what_came_since() {
    assert!(shows(&scene(5, Some(1), LogLook::default()), "Paused, 1 new line"));
    assert!(shows(&scene(5, Some(20), LogLook::default()), "Paused, 20 new lines"));
}

#[test]
fn following_shows_the_newest_line_and_pausing_stays() {
    let harness = scene(10_000, None, LogLook::default());
    assert!(rows(&harness).last().is_some_and(|row| row.starts_with("14:05:39")), "{:?}", rows(&harness));
    let harness = scene(10_000, Some(0), LogLook::default());
    assert_eq!(rows(&harness)[0], FIRST);
}

#[test]
fn only_lines_in_sight_are_laid_out() {
    let harness = scene(10_000, None, LogLook::default());
    let count = nodes(&harness).len();
    assert!(count < 80, "{count} nodes for 10,000 lines");
}

#[test]
fn a_line_opens_into_fields_and_bytes_and_closes() {
    let mut harness = scene(5, Some(0), LogLook::default());
    click(&mut harness, Role::Button, FIRST);
    assert_eq!(harness.state().look.open, Some(0));
    harness.run();
    for text in ["item", "2 documents", "TLS 1.3, key 7f3a 91bc 02de 5540"] {
        assert!(shows(&harness, text), "{text}");
    }
    click(&mut harness, Role::Button, "Hex");
    assert!(shows(&harness, "00 01 02 03  04 05 06 07  08 09 0a 0b  0c 0d 0e 0f"));
    click(&mut harness, Role::Button, "Fields");
    click(&mut harness, Role::Link, "Show in the deal");
    assert_eq!(harness.state().commands, [LogCommand::ShowInDeal(0)]);
    click(&mut harness, Role::Button, FIRST);
    assert_eq!(harness.state().look.open, None);
}

#[test]
fn a_line_that_stands_in_its_deal_is_not_led_there() {
    let look = LogLook { open: Some(0), deal: Some(DealKey(1)), ..LogLook::default() };
    let links = names(&scene(5, Some(0), look), Role::Link);
    assert!(links.iter().all(|name| name != "Show in the deal"), "{links:?}");
}

#[test]
fn a_secret_field_shows_that_it_stayed_here() {
    let look = LogLook { open: Some(0), ..LogLook::default() };
    let harness = scene(5, Some(0), look);
    assert!(shows(&harness, "pin") && shows(&harness, "[kept on this computer]"));
}

#[test]
fn enter_opens_nothing_and_space_does() {
    let mut harness = scene(5, Some(0), LogLook::default());
    focus(&mut harness, Role::Button, FIRST);
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().look.open, None);
    press(&mut harness, Key::Space);
    assert_eq!(harness.state().look.open, Some(0));
}

#[test]
fn filters_keep_what_they_name() {
    let layer = LogLook { layer: Some(Layer::Exchange), ..LogLook::default() };
    assert_eq!(rows(&scene(10, Some(0), layer)).len(), 2);
    let deal = LogLook { deal: Some(DealKey(2)), ..LogLook::default() };
    assert!(rows(&scene(10, Some(0), deal)).iter().all(|row| row.contains("OPL Books")));
    let search = LogLook { search: "EVIDENCE".into(), ..LogLook::default() };
    assert_eq!(rows(&scene(10, Some(0), search)).len(), 2);
    let nothing = LogLook { search: "zzz".into(), ..LogLook::default() };
    assert!(shows(&scene(10, Some(0), nothing), "No line matches"));
}

#[test]
fn a_filter_is_chosen_from_a_list() {
    let mut harness = scene(10, Some(0), LogLook::default());
    click(&mut harness, Role::ComboBox, "Layer");
    click(&mut harness, Role::Button, "Exchange");
    assert_eq!(harness.state().look.layer, Some(Layer::Exchange));
}

#[test]
fn a_search_is_typed() {
    let mut harness = scene(10, Some(0), LogLook::default());
    focus(&mut harness, Role::TextInput, "Search the log");
    harness.event(egui::Event::Text("moved".into()));
    harness.run();
    assert_eq!(rows(&harness).len(), 2);
}
