//! Text from outside cannot be shown as it is.

use semper_supporting::tinguin::Untrusted;

fn show(text: &Untrusted) -> String {
    format!("{text}")
}

fn main() {}
