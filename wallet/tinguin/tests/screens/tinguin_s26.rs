//! S26, everything that waits for the user.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use semper_supporting::tinguin::SealedPrompt;
use semper_tinguin::views::waiting::{self, WaitingCommand};

use crate::asked;
use crate::kit::{WINDOW, assert_element, click, focus, names, open, press, shows};

fn scene(prompts: Vec<SealedPrompt>) -> Harness<'static, Vec<WaitingCommand>> {
    let mut harness = open(WINDOW, Vec::new(), move |ui, theme, texts, commands: &mut Vec<_>| {
        commands.extend(waiting::ui(ui, theme, texts, &prompts, asked::NOW));
    });
    harness.run();
    harness
}

#[test]
fn each_question_has_its_line_and_opens_by_its_button_only() {
    let prompts = asked::tray();
    let mut harness = scene(prompts.clone());
    assert_element(&harness, Role::Heading, "Waiting for you");
    let party = "Fogra Forschungsgesellschaft Druck e.V.";
    let opens = [
        format!("Open: Exchange with {party}"),
        format!("Open: Order from {party}"),
        "Open: Load a purse".into(),
    ];
    assert_eq!(names(&harness, Role::Button), opens);
    for text in ["XTS\u{A0}24.90", "XTS\u{A0}61.00", "XTS\u{A0}20.00"] {
        assert!(shows(&harness, text), "{text}");
    }
    focus(&mut harness, Role::Button, &opens[0]);
    press(&mut harness, Key::Enter);
    assert!(harness.state().is_empty());
    click(&mut harness, Role::Button, &opens[1]);
    assert_eq!(*harness.state(), [WaitingCommand::Open(prompts[1].id())]);
}

#[test]
fn an_empty_tray_says_so() {
    assert!(shows(&scene(Vec::new()), "Nothing waits for you"));
}
