//! Rules about Rust source: a file's purpose, the window's manners, texts for users.

use crate::repository::Files;
use crate::scan::Scan;

/// Folders whose files speak for themselves.
const PROOF: [&str; 4] = ["tests", "benches", "examples", "fuzz_targets"];

/// The crates whose texts a user reads.
const WINDOW: &str = "wallet/";

/// Orders to the window system that would push the window before the user, or hide it.
const GRABS: [&str; 4] = ["Focus", "WindowLevel", "Visible", "Fullscreen"];

/// Calls whose literals would be drawn.
const DRAWN: [&str; 26] = [
    ".label(",
    ".heading(",
    ".button(",
    ".small_button(",
    ".strong(",
    ".weak(",
    ".small(",
    ".monospace(",
    ".code(",
    ".colored_label(",
    ".selectable_label(",
    ".selectable_value(",
    ".toggle_value(",
    ".checkbox(",
    ".radio(",
    ".radio_value(",
    ".link(",
    ".hyperlink_to(",
    ".collapsing(",
    ".menu_button(",
    ".on_hover_text(",
    ".on_disabled_hover_text(",
    ".hint_text(",
    "RichText::new(",
    "Button::new(",
    "Label::new(",
];

/// Every file that is not a test, benchmark or example begins with `//!`.
pub(crate) fn purposes(files: &Files) -> Vec<String> {
    product(files, "")
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| format!("{path} does not begin with a `//!` line that says what it is for."))
        .collect()
}

/// The wallet never asks for attention, and never opens a second window.
pub(crate) fn grabs(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in product(files, WINDOW) {
        let code = Scan::of(text).dense();
        let behind: Vec<&str> = code.split("ViewportCommand::").skip(1).collect();
        for order in GRABS {
            let named = behind.iter().any(|rest| match rest.strip_prefix('{') {
                Some(group) => group
                    .split(['}', ';'])
                    .next()
                    .is_some_and(|group| group.split(',').any(|name| name == order)),
                None => rest.strip_prefix(order).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)),
            });
            if named {
                findings
                    .push(format!("{path} uses {order}: the trusted window stays where the user put it."));
            }
        }
        if behind.iter().any(|rest| rest.starts_with('*')) || code.contains("ViewportCommandas") {
            findings
                .push(format!("{path} renames the window's orders, so that nobody can see which it uses."));
        }
        if code.contains("show_viewport_") {
            findings.push(format!("{path} opens a further window: there is one trusted window."));
        }
    }
    findings
}

/// What the wallet draws comes from `assets/locale`, by key.
pub(crate) fn literal_texts(files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in product(files, WINDOW) {
        let scan = Scan::of(text).before_tests();
        for call in DRAWN {
            for place in scan.places(call) {
                let drawn = scan.arguments(place + call.len());
                findings.extend(drawn.into_iter().filter(|literal| is_text(literal)).map(|literal| {
                    format!(
                        "{path}:{} draws {literal:?} itself: give it a key in assets/locale.",
                        scan.line(place)
                    )
                }));
            }
        }
    }
    findings
}

/// Whether a literal is words for a reader rather than a key or a pattern: letters with white space, or a
/// capital followed by a small letter. What stands between braces is no word.
fn is_text(literal: &str) -> bool {
    let mut depth = 0_i32;
    let mut words = String::new();
    for character in literal.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            character if depth == 0 => words.push(character),
            _ => {}
        }
    }
    let mut letters = words.trim().chars();
    let capital =
        letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase);
    capital || (words.trim().contains(char::is_whitespace) && words.contains(char::is_alphabetic))
}

/// The source files below `start` that are part of a product.
pub(crate) fn product<'a>(files: &'a Files, start: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    files
        .iter()
        .filter(move |(path, _)| path.ends_with(".rs") && path.starts_with(start))
        .filter(|(path, _)| !path.split('/').any(|folder| PROOF.contains(&folder)))
        .map(|(path, text)| (path.as_str(), text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Files {
        Files::from([(path.to_string(), text.to_string())])
    }

    #[test]
    fn a_file_without_a_purpose_is_caught_outside_tests() {
        assert_eq!(purposes(&file("wallet/src/app.rs", "use egui;\n//! late\n")).len(), 1);
        assert!(purposes(&file("wallet/src/app.rs", "//! The app.\n")).is_empty());
        assert!(purposes(&file("wallet/tests/app.rs", "use egui;\n")).is_empty());
    }

    #[test]
    fn a_window_that_comes_forward_is_caught_however_it_is_written() {
        for line in [
            "send(ViewportCommand::Focus)",
            "send(egui::ViewportCommand::\n    Visible(true))",
            "use egui::ViewportCommand::{Close, Fullscreen};",
            "use egui::ViewportCommand::*;",
            "use egui::ViewportCommand as Order;",
            "ctx.show_viewport_immediate(id)",
        ] {
            assert_eq!(grabs(&file("wallet/tinguin/src/window.rs", line)).len(), 1, "{line}");
            assert!(grabs(&file("ttp-daemon/src/main.rs", line)).is_empty(), "{line}");
        }
        let fine =
            "// never ViewportCommand::Focus\nsend(ViewportCommand::Close); send(ViewportCommand::FocusLost)";
        assert_eq!(grabs(&file("wallet/src/app.rs", fine)), Vec::<String>::new());
    }

    #[test]
    fn a_text_that_is_drawn_without_a_key_is_caught() {
        for line in [
            "ui.label(\"Your bank has not answered.\")",
            "ui.button(format!(\"Pay {amount}\"))",
            "ui\n    .heading(\n        \"Purses\")",
            "RichText::new(\"no answer yet\").small()",
        ] {
            let findings = literal_texts(&file("wallet/src/views/home.rs", line));
            assert_eq!(findings.len(), 1, "{line}: {findings:?}");
        }
    }

    #[test]
    fn keys_patterns_comments_and_tests_are_no_texts() {
        for line in [
            "ui.label(texts.get(\"payment-receipt-overdue\"))",
            "ui.label(format!(\"{amount} · {purse}\"))",
            "// ui.label(\"Never do this.\")",
            "ui.menu_button(texts.get(\"menu\"), |ui| tracing::debug!(\"menu was opened\"))",
            "#[cfg(test)] mod tests { fn f() { ui.label(\"Made up for a test.\") } }",
        ] {
            assert_eq!(
                literal_texts(&file("wallet/src/views/home.rs", line)),
                Vec::<String>::new(),
                "{line}"
            );
        }
    }
}
