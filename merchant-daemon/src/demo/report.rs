//! The reports as documents: a summary by hand, chapters from tables, one table of figures and one chart.

use super::{
    Dice, Report,
    compose::{Tables, Topic, filled},
    pdf::Document,
};

const PAPERS: [&str; 5] =
    ["Gloss coated 115", "Matt coated 150", "Uncoated 90", "Recycled 100", "Carton 300"];
const NOTICE: &str = "Fogra Trial Shop, Munich. Invented for demonstrations: the figures were drawn by a program, and no research stands behind them.";

/// The file of a report.
pub(super) fn document(tables: &Tables, report: &Report) -> Vec<u8> {
    let mut paper = Document::new(&report.title, &report.authors.join(", "));
    paper.skip(120);
    paper.note(&format!("Report {}", report.sku));
    paper.title(&report.title);
    paper.paragraph(&report.authors.join(", "));
    paper.skip(24);
    paper.paragraph(&report.summary);
    paper.skip(24);
    paper.note(NOTICE);
    if let Some(topic) = tables.topic(&report.topic) {
        chapters(&mut paper, tables, topic, &mut Dice::of(&format!("fogra report {}", report.sku)));
    }
    paper.finish()
}

fn chapters(paper: &mut Document, tables: &Tables, topic: &Topic, dice: &mut Dice) {
    let subjects = dice.shuffled(topic.subjects.clone());
    let influences = dice.shuffled(topic.influences.clone());
    let pairs: Vec<(&str, &str)> =
        subjects.iter().zip(&influences).map(|(one, other)| (one.as_str(), other.as_str())).take(4).collect();
    paper.turn();
    paper.heading("1  The question");
    paper.paragraph(&format!("{}: {}", topic.title, topic.about));
    for ((subject, influence), opening) in pairs.iter().zip(dice.shuffled(tables.openings.clone())) {
        paper.paragraph(&filled(&opening, (subject, influence), dice));
    }
    paper.heading("2  How it was looked at");
    for method in dice.shuffled(topic.methods.clone()) {
        paper.paragraph(&filled(&method, ("", ""), dice));
    }
    for (number, about) in pairs.iter().enumerate() {
        series(paper, topic, number.saturating_add(3), *about, dice);
    }
    paper.heading(&format!("{}  What follows", pairs.len().saturating_add(3)));
    for advice in dice.shuffled(topic.advice.clone()) {
        paper.paragraph(&filled(&advice, ("", ""), dice));
    }
    paper.heading(&format!("{}  What remains open", pairs.len().saturating_add(4)));
    for closing in dice.shuffled(tables.closings.clone()).into_iter().take(3) {
        paper.paragraph(&filled(&closing, ("", ""), dice));
    }
}

/// One series of measurements: what was found, a table of it, and a chart of the means.
fn series(
    paper: &mut Document,
    topic: &Topic,
    number: usize,
    (subject, influence): (&str, &str),
    dice: &mut Dice,
) {
    paper.heading(&format!("{number}  {}", filled("{S} and {i}", (subject, influence), dice)));
    for finding in dice.shuffled(topic.findings.clone()).into_iter().take(3) {
        paper.paragraph(&filled(&finding, (subject, influence), dice));
    }
    let columns: Vec<String> = ["low", "medium", "high", "mean"].iter().map(|&one| one.to_owned()).collect();
    let (mut rows, mut bars) = (Vec::new(), Vec::new());
    for name in PAPERS {
        let low = dice.between(4, 20);
        let medium = low.saturating_add(dice.between(0, 8));
        let high = medium.saturating_add(dice.between(1, 12));
        let mean = low.saturating_add(medium).saturating_add(high) / 3;
        let values = [low, medium, high, mean].iter().map(u64::to_string).collect();
        rows.push((name.to_owned(), values));
        bars.push((name.to_owned(), mean));
    }
    paper.note(&format!(
        "Table {number}: {} in {}, by paper, at three settings of {influence}.",
        topic.quantity, topic.unit
    ));
    paper.table(&columns, &rows);
    paper.bars(&bars, 40, &topic.unit);
}
