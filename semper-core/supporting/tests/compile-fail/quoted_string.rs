//! A quotation is no string.

use semper_supporting::tinguin::Quoted;

fn copy(quoted: &Quoted) -> String {
    quoted.to_string()
}

fn main() {}
