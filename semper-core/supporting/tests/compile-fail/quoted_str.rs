//! A quotation lends no string that outlives its drawing.

use semper_supporting::tinguin::Quoted;

fn keep(quoted: &Quoted) -> Option<&str> {
    let mut kept = None;
    quoted.draw(|paragraph| kept = Some(paragraph));
    kept
}

fn main() {}
