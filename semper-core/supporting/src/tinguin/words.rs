//! From facts to words: the text whose digest a signed statement carries.
//!
//! The same facts and the same catalogue give the same text to the signer, to the merchant, to the arbiter
//! and to a judge. Facts are derived from the statement without the three lines that name the text, so that
//! the text can be named in what it is derived from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::{ChoiceKey, Fact, FactValue, Source};
use crate::crypto::digest::Digest;

/// The three lines of a statement that say which text its signer was shown. They come last, inlined.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Shown {
    /// SHA-256 of the text.
    pub text_sha256: Option<Digest>,
    /// The language of the text.
    pub locale: Option<String>,
    /// The rules by which facts become text: 1 for those of this module.
    pub facts_profile: Option<u32>,
}

/// The rules by which facts become text.
pub const PROFILE: u32 = 1;

/// The words of one language.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Words {
    locale: ChoiceKey,
    words: BTreeMap<String, String>,
    digest: Digest,
}

/// A word is missing in the catalogue.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the catalogue has no text {0}")]
pub struct NoWord(pub String);

impl Words {
    /// The plain messages of a catalogue in Fluent's format: one line each, without variables.
    pub fn read(locale: ChoiceKey, source: &str) -> Self {
        let words = source.lines().filter_map(|line| {
            let (key, word) = line.split_once(" = ")?;
            let plain = crate::evidence::statement::is_segment(key) && !word.contains(['{', '}']);
            plain.then(|| (key.to_owned(), word.trim_end().to_owned()))
        });
        Self { locale, words: words.collect(), digest: Digest::of(source.as_bytes()) }
    }

    /// The language.
    pub fn locale(&self) -> &ChoiceKey {
        &self.locale
    }

    /// The digest of the catalogue, for the record of what was displayed.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The word of this id.
    ///
    /// # Errors
    /// [`NoWord`].
    pub fn word(&self, key: &str) -> Result<&str, NoWord> {
        self.words.get(key).map(String::as_str).ok_or_else(|| NoWord(key.to_owned()))
    }

    /// The text of these facts: one line each, `label: value (provenance)`.
    ///
    /// # Errors
    /// [`NoWord`].
    pub fn text<'a>(&self, facts: impl IntoIterator<Item = &'a Fact>) -> Result<String, NoWord> {
        facts.into_iter().try_fold(String::new(), |text, fact| {
            let label = self.word(&format!("fact-{}", fact.key.name()))?;
            let value = self.value(&fact.value)?;
            let from = self.source(fact.from.source())?;
            Ok(format!("{text}{label}: {value} ({from})\n"))
        })
    }

    /// The three lines that name the text of these facts.
    ///
    /// # Errors
    /// [`NoWord`].
    pub fn shown<'a>(&self, facts: impl IntoIterator<Item = &'a Fact>) -> Result<Shown, NoWord> {
        Ok(Shown {
            text_sha256: Some(Digest::of(self.text(facts)?.as_bytes())),
            locale: Some(self.locale.as_str().to_owned()),
            facts_profile: Some(PROFILE),
        })
    }

    fn value(&self, value: &FactValue) -> Result<String, NoWord> {
        Ok(match value {
            FactValue::Money(money) => money.to_string(),
            FactValue::Party(name) => name.to_string(),
            FactValue::Text(quoted) => self.quoted(quoted),
            FactValue::Lines(lines) => {
                let lines =
                    lines.iter().map(|l| format!("{} × {} {}", l.count, self.quoted(&l.title), l.each));
                lines.collect::<Vec<_>>().join("; ")
            }
            FactValue::Count(count) => count.to_string(),
            FactValue::Date(moment) => moment.to_string(),
            FactValue::Span(span) => format!("{} s", span.as_millis() / 1000),
            FactValue::Digest(digest) => digest.to_string(),
            FactValue::File(file) => {
                format!("{}, {} B, {}", file.name.as_str(), file.size, self.word(file.media.as_str())?)
            }
            FactValue::Means(means) => {
                format!("{} {}", self.word(means.system.as_str())?, self.quoted(&means.purse))
            }
            FactValue::Data(items) => {
                let items = items.iter().map(|item| {
                    Ok(format!("{} {}", self.word(item.name.as_str())?, self.quoted(&item.value)))
                });
                items.collect::<Result<Vec<_>, NoWord>>()?.join("; ")
            }
            FactValue::Choice(key) => self.word(key.as_str())?.to_owned(),
        })
    }

    fn quoted(&self, quoted: &super::text::Quoted) -> String {
        let mut paragraphs = Vec::new();
        quoted.draw(|paragraph| paragraphs.push(format!("“{paragraph}”")));
        paragraphs.join(" ")
    }

    fn source(&self, source: &Source) -> Result<String, NoWord> {
        Ok(match source {
            Source::Entered => self.word("from-entered")?.to_owned(),
            Source::Signed(name) => format!("{} {name}", self.word("from-signed")?),
            Source::Certified(name) => format!("{} {name}", self.word("from-certified")?),
            Source::Checked(check) => {
                format!("{}: {}", self.word("from-checked")?, self.word(check.as_str())?)
            }
            Source::Claimed(name) => format!("{} {name}", self.word("from-claimed")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tinguin::{
        facts::{FactKey, Facts, Provenance},
        text::{Quote, Untrusted},
    };

    const ENGLISH: &str = include_str!("../../../../assets/locale/en/facts.ftl");

    pub(crate) fn english() -> Words {
        Words::read(ChoiceKey::new("en").unwrap(), ENGLISH)
    }

    #[test]
    fn every_fact_has_a_label() {
        for key in FactKey::ALL {
            let id = format!("fact-{}", key.name());
            assert!(english().word(&id).is_ok(), "{id}");
        }
    }

    #[test]
    fn the_text_says_each_fact_with_its_provenance() {
        let fogra = Untrusted::new("Fogra").name().unwrap();
        let text = Untrusted::new("two books").quote(Quote::Line).unwrap();
        let facts = Facts::new()
            .critical(
                FactKey::Counterparty,
                FactValue::Party(fogra.clone()),
                Provenance::certified(fogra.clone()),
            )
            .critical(FactKey::Items, FactValue::Text(text), Provenance::claimed(fogra));
        assert_eq!(
            english().text(facts.iter()).unwrap(),
            "Other party: Fogra (certified by Fogra)\nItems: “two books” (according to Fogra)\n"
        );
        let unknown = Facts::new().critical(
            FactKey::Binds,
            FactValue::Choice(ChoiceKey::new("no-such-word").unwrap()),
            Provenance::entered(),
        );
        assert_eq!(english().text(unknown.iter()), Err(NoWord("no-such-word".to_owned())));
    }
}
