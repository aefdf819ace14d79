//! Abstracts from tables: sentences of a topic put together, with numbers drawn.

use serde::Deserialize;

use super::{Abstract, Dice};

/// How many characters a title has at most.
const TITLE: usize = 80;
/// How many characters a line of a text file has at most.
const WIDTH: usize = 76;

/// What sentences are made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    pub(super) openings: Vec<String>,
    pub(super) closings: Vec<String>,
    titles: Vec<String>,
    authors: Vec<String>,
    topic: Vec<Topic>,
}

/// What is written about one field of work.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Topic {
    name: String,
    pub(super) title: String,
    pub(super) about: String,
    keywords: Vec<String>,
    pub(super) unit: String,
    pub(super) quantity: String,
    pub(super) subjects: Vec<String>,
    pub(super) influences: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) findings: Vec<String>,
    pub(super) advice: Vec<String>,
}

impl Tables {
    /// The topic of this name.
    pub(super) fn topic(&self, name: &str) -> Option<&Topic> {
        self.topic.iter().find(|topic| topic.name == name)
    }

    /// The title of the topic of this name, or the name.
    pub(super) fn topic_title<'a>(&'a self, name: &'a str) -> &'a str {
        self.topic(name).map_or(name, |topic| &topic.title)
    }

    /// Words by which articles of this topic are found.
    pub(super) fn keywords(&self, name: &str) -> Vec<String> {
        self.topic(name).map(|topic| topic.keywords.clone()).unwrap_or_default()
    }
}

/// `count` abstracts, as many of each topic as of any other, no two with the same subject and influence.
pub(super) fn abstracts(tables: &Tables, count: usize) -> Vec<Abstract> {
    let each = count / tables.topic.len().max(1);
    tables.topic.iter().flat_map(|topic| of_topic(tables, topic, each)).collect()
}

fn of_topic(tables: &Tables, topic: &Topic, count: usize) -> Vec<Abstract> {
    let mut dice = Dice::of(&format!("fogra abstracts {}", topic.name));
    let pairs =
        topic.subjects.iter().flat_map(|subject| topic.influences.iter().map(move |one| (subject, one)));
    let pairs = dice.shuffled(pairs.collect());
    pairs
        .into_iter()
        .take(count)
        .map(|(subject, influence)| one(tables, topic, &mut dice, (subject, influence)))
        .collect()
}

fn one(tables: &Tables, topic: &Topic, dice: &mut Dice, about: (&str, &str)) -> Abstract {
    let mut fitting: Vec<String> = tables.titles.iter().map(|title| filled(title, about, dice)).collect();
    fitting.retain(|title| title.chars().count() <= TITLE);
    let title = dice.one(&fitting).cloned().unwrap_or_else(|| about.0.to_owned());
    let mut authors = dice.shuffled(tables.authors.clone());
    authors.truncate(usize::try_from(dice.between(1, 3)).unwrap_or(1));
    let keywords = dice.shuffled(topic.keywords.clone());
    let mut text = vec![dice.one(&tables.openings).cloned().unwrap_or_default()];
    for (from, count) in
        [(&topic.methods, 1), (&topic.findings, 2), (&topic.advice, 1), (&tables.closings, 1)]
    {
        text.extend(dice.shuffled(from.clone()).into_iter().take(count));
    }
    Abstract {
        topic: topic.name.clone(),
        title,
        authors,
        keywords: keywords.into_iter().take(3).collect(),
        text: filled(&text.join(" "), about, dice),
    }
}

/// A sentence with its places filled: `{s}` and `{i}`, `{S}` with a capital, `{low..high}` by a number that is drawn.
pub(super) fn filled(pattern: &str, (subject, influence): (&str, &str), dice: &mut Dice) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let (place, after) = behind.split_once('}').unwrap_or((behind, ""));
        match place {
            "s" => text.push_str(subject),
            "i" => text.push_str(influence),
            "S" => text.push_str(&capital(subject)),
            _ => {
                let (low, high) = place.split_once("..").unwrap_or((place, place));
                let number = dice.between(low.parse().unwrap_or(0), high.parse().unwrap_or(0));
                text.push_str(&number.to_string());
            }
        }
        rest = after;
    }
    text.push_str(rest);
    sentences(&text)
}

/// The text with a capital at the beginning of each sentence, where a phrase was put there.
fn sentences(text: &str) -> String {
    text.split(". ").map(capital).collect::<Vec<_>>().join(". ")
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// An abstract as the text file that is sold.
pub(super) fn document(sku: &str, topic: &str, one: &Abstract) -> String {
    let line = "-".repeat(WIDTH);
    let (title, body) = (wrapped(&one.title), wrapped(&one.text));
    let (authors, keywords) = (one.authors.join(", "), one.keywords.join(", "));
    format!(
        "{sku}   {topic}\n{line}\n{title}\n{authors}\n\n{body}\nKeywords: {keywords}\n{line}\n\
         Fogra Trial Shop, Munich. Invented for demonstrations; no research stands behind it.\n"
    )
}

/// The text in lines of at most [`WIDTH`] characters, each with its end.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count().saturating_add(word.chars().count()) < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_sentences_begin_with_a_capital() {
        let text = filled("{s} by {i}. {i} took {4..4} hours.", ("drying", "heat"), &mut Dice::of("x"));
        assert_eq!(text, "Drying by heat. Heat took 4 hours.");
    }

    #[test]
    fn lines_are_no_longer_than_a_page_is_wide() {
        let text = wrapped(&"seven letters more ".repeat(40));
        assert!(text.lines().all(
            |line| line.len() <= WIDTH && line.len() > WIDTH - 10 || text.ends_with(&format!("{line}\n"))
        ));
    }
}
