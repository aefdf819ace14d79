//! S15, a prompt that was stopped.

use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use semper_supporting::tinguin::Fact;
use semper_tinguin::prompts::stopped::{self, Stopped, StoppedCommand};

use crate::kit::{WINDOW, assert_element, click, names, open, press, shows};
use crate::{asked, sample};

fn scene(data: Stopped) -> Harness<'static, Vec<StoppedCommand>> {
    let mut bar = None;
    let mut harness = open(WINDOW, Vec::new(), move |ui, theme, texts, commands: &mut Vec<_>| {
        let bar = bar.get_or_insert_with(|| sample::bar(ui.ctx()));
        commands.extend(stopped::ui(ui, theme, texts, bar, &data, asked::zone));
    });
    harness.run();
    harness
}

fn changed(again: bool) -> Stopped {
    let (old, new) = (asked::swap("XTS 24.90", "XTS 36.30"), asked::swap("XTS 29.90", "XTS 31.30"));
    let differ = |one: &[Fact], other: &[Fact]| -> Vec<Fact> {
        one.iter().filter(|fact| !other.contains(fact)).cloned().collect()
    };
    let (old, new) = (old.prompt().facts(), new.prompt().facts());
    Stopped::Changed { before: differ(old, new), after: differ(new, old), again }
}

#[test]
fn a_change_shows_old_and_new_of_every_fact_that_differs() {
    let harness = scene(changed(true));
    assert_element(&harness, Role::Heading, "Stopped: the offer changed while you were looking");
    for text in [
        "Amount, until now",
        "XTS\u{A0}24.90",
        "Amount, now",
        "XTS\u{A0}29.90",
        "Left in the purse, until now",
        "Left in the purse, now",
        "Nothing was signed",
    ] {
        assert!(shows(&harness, text), "{text}");
    }
    assert!(!shows(&harness, "Other party, now"));
}

#[test]
fn no_way_leads_from_here_to_a_confirmation() {
    let harness = scene(changed(true));
    let buttons = names(&harness, Role::Button);
    assert_eq!(buttons, ["Lock now", "Back to the deal", "Look at the new offer"]);
    let mut harness = scene(changed(true));
    click(&mut harness, Role::Button, "Look at the new offer");
    click(&mut harness, Role::Button, "Back to the deal");
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Escape);
    let expected = [StoppedCommand::Look, StoppedCommand::Back, StoppedCommand::Back];
    assert_eq!(*harness.state(), expected);
}

#[test]
fn every_reason_has_its_sentence() {
    let all = [
        (changed(false), "Stopped: the offer changed while you were looking"),
        (Stopped::Expired { time: "14:05".into() }, "Time ran out at 14:05. Nothing was signed"),
        (Stopped::Withdrawn { party: "Fogra".into() }, "Fogra took the request back. Nothing was signed"),
        (Stopped::Restarted, "TINGUIN restarted. Look again before you confirm"),
        (Stopped::Gone, "Stopped: the deal no longer needs this. Nothing was signed"),
    ];
    for (data, sentence) in all {
        let harness = scene(data);
        assert_element(&harness, Role::Heading, sentence);
        assert_eq!(names(&harness, Role::Button), ["Lock now", "Back to the deal"]);
    }
}
