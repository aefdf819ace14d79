//! The field for secrets against the clipboard, composed input and assistive technologies.

use egui::accesskit::Role;
use egui::{Event, ImeEvent, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use semper_tinguin::widgets::secret::{SecretBuf, SecretField};

use crate::kit::{WINDOW, nodes, open, press, shows};

struct Scene {
    secret: SecretBuf,
    left_over: String,
    submitted: u32,
}

fn scene() -> Harness<'static, Scene> {
    let state = Scene { secret: SecretBuf::new(), left_over: String::new(), submitted: 0 };
    let mut harness = open(WINDOW, state, |ui, theme, texts, scene: &mut Scene| {
        let shown = SecretField::new(&mut scene.secret, "PIN").show(ui, theme, texts);
        scene.submitted += u32::from(shown.submitted);
        if let Some(hint) = semper_tinguin::widgets::secret::hint(&scene.secret, texts) {
            ui.label(hint);
        }
        ui.ctx().input(|input| {
            scene.left_over.push_str(&format!("{:?}{:?}", input.events, input.raw.events));
        });
    });
    harness.get_by_role_and_label(Role::PasswordInput, "PIN").focus();
    harness.run();
    harness
}

fn send(harness: &mut Harness<'_, Scene>, event: Event) {
    harness.event(event);
    harness.run();
}

#[test]
fn nothing_pasted_composed_or_set_gets_in() {
    let mut harness = scene();
    let field = harness.get_by_role_and_label(Role::PasswordInput, "PIN");
    let pos = field.rect().center();
    field.set_text_value_accesskit("intruder");
    harness.run();
    harness.get_by_role_and_label(Role::PasswordInput, "PIN").replace_selected_text_accesskit("intruder");
    harness.run();
    harness.hover_at(pos);
    for event in [
        Event::Paste("intruder".into()),
        Event::MiddleClickPaste { pos, text: "intruder".into() },
        Event::Ime(ImeEvent::Commit("intruder".into())),
        Event::Copy,
        Event::Cut,
    ] {
        send(&mut harness, event);
        assert!(harness.state().secret.is_empty());
    }
}

#[test]
fn what_is_typed_gets_in_and_can_be_taken_back() {
    let mut harness = scene();
    send(&mut harness, Event::Text("açb".into()));
    press(&mut harness, Key::Backspace);
    assert_eq!(harness.state().secret.expose(), "aç");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Backspace);
    harness.run();
    assert!(harness.state().secret.is_empty());
}

#[test]
fn enter_submits_and_is_used_up() {
    let mut harness = scene();
    send(&mut harness, Event::Text("123456".into()));
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().submitted, 1);
    assert!(!harness.state().left_over.contains("Enter"));
}

#[test]
fn what_was_typed_is_left_nowhere_in_the_input() {
    let mut harness = scene();
    send(&mut harness, Event::Text("canary".into()));
    send(&mut harness, Event::Paste("canary".into()));
    assert!(!harness.state().left_over.contains("canary"), "{}", harness.state().left_over);
}

#[test]
fn screen_readers_learn_that_it_is_filled_and_nothing_more() {
    let mut harness = scene();
    send(&mut harness, Event::Text("canary".into()));
    for node in nodes(&harness) {
        assert!(!format!("{:?}", node.accesskit_node().data()).contains("canary"));
    }
    let field = harness.get_by_role_and_label(Role::PasswordInput, "PIN");
    assert_eq!(field.value(), None);
    assert_eq!(field.accesskit_node().data().description(), Some("Filled in"));
}

#[test]
fn its_width_does_not_tell_the_length() {
    let mut harness = scene();
    let width = |harness: &Harness<'_, Scene>| {
        harness.get_by_role_and_label(Role::PasswordInput, "PIN").rect().width()
    };
    let shapes = |harness: &Harness<'_, Scene>| harness.output().shapes.len();
    send(&mut harness, Event::Text("a".into()));
    let one = (width(&harness), shapes(&harness));
    send(&mut harness, Event::Text("bcdefghijklmnopqrstuvwxyz".into()));
    assert_eq!((width(&harness), shapes(&harness)), one);
}

#[test]
fn caps_lock_and_a_full_field_are_told() {
    let mut harness = scene();
    send(&mut harness, Event::Text("ABC".into()));
    assert!(shows(&harness, "Caps Lock is on"));
    send(&mut harness, Event::Text("x".repeat(200)));
    assert!(shows(&harness, "This field takes no more letters"));
}

#[test]
fn shortcuts_and_the_tab_key_pass_through() {
    let mut harness = scene();
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    harness.run();
    assert!(harness.state().left_over.contains("key: L"));
    press(&mut harness, Key::Tab);
    assert!(harness.state().left_over.contains("key: Tab"));
}
