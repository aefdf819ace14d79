//! Preferences as a person writes and reads them: `money.per_deal`, `EUR 200.00`, `10 min`, `yes`.

use std::fmt;

use super::{Key, Value};
use crate::{
    deal::{Anonymity, EvidenceLevel},
    money::Money,
    time::Span,
};

/// What stands between the words of a list.
const BETWEEN: &str = ", ";
/// The unit of spans.
const MINUTES: &str = " min";
const ANONYMITY: [(Anonymity, &str); 3] = [
    (Anonymity::Identified, "identified"),
    (Anonymity::Pseudonymous, "pseudonymous"),
    (Anonymity::Anonymous, "anonymous"),
];
const EVIDENCE: [(EvidenceLevel, &str); 4] = [
    (EvidenceLevel::None, "none"),
    (EvidenceLevel::Origin, "origin"),
    (EvidenceLevel::Full, "full"),
    (EvidenceLevel::Notarised, "notarised"),
];

impl Key {
    /// The preference of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// Reads a value of its type; nothing for any other text. Whether it is within its range is seen when it is set.
    pub fn read(self, text: &str) -> Option<Value> {
        Some(match self.default() {
            Value::Flag(_) => Value::Flag(word(&[(true, "yes"), (false, "no")], text)?),
            Value::Money(_) => Value::Money(Money::parse(text).ok()?),
            Value::Span(_) => Value::Span(Span::minutes(number(text.strip_suffix(MINUTES)?)?.into())),
            Value::Number(_) => Value::Number(number(text)?),
            Value::Anonymity(_) => Value::Anonymity(word(&ANONYMITY, text)?),
            Value::Evidence(_) => Value::Evidence(word(&EVIDENCE, text)?),
            Value::Word(_) => Value::Word(text.to_owned()),
            Value::Words(_) if text.is_empty() => Value::Words(Vec::new()),
            Value::Words(_) => Value::Words(text.split(BETWEEN).map(str::to_owned).collect()),
        })
    }
}

impl fmt::Display for Value {
    /// Writes it as [`Key::read`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Money(money) => write!(f, "{money}"),
            Self::Span(span) => write!(f, "{}{MINUTES}", span.as_millis() / 60_000),
            Self::Number(number) => write!(f, "{number}"),
            Self::Anonymity(anonymity) => f.write_str(name(&ANONYMITY, anonymity)),
            Self::Evidence(level) => f.write_str(name(&EVIDENCE, level)),
            Self::Word(word) => f.write_str(word),
            Self::Words(words) => f.write_str(&words.join(BETWEEN)),
        }
    }
}

/// A number as we would write it, so that nobody means another one.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number: &u32| number.to_string() == text)
}

fn word<T: Copy>(table: &[(T, &str)], text: &str) -> Option<T> {
    table.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

fn name<T: PartialEq>(table: &[(T, &'static str)], value: &T) -> &'static str {
    table.iter().find(|(known, _)| known == value).map_or("", |(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_read_as_it_is_written() {
        for key in Key::ALL {
            assert_eq!(Key::named(key.name()), Some(*key));
            let default = key.default();
            assert_eq!(key.read(&default.to_string()), Some(default), "{}", key.name());
        }
        assert_eq!(Key::named("money"), None);
    }

    #[test]
    fn other_ways_of_writing_are_not_guessed_at() {
        for (key, text) in [
            (Key::LockAfter, "10"),
            (Key::LockAfter, "010 min"),
            (Key::LockAfter, "-1 min"),
            (Key::LockAfter, "4294967296 min"),
            (Key::MoneyPerDeal, "200"),
            (Key::MoneyPerDeal, "EUR 200"),
            (Key::SignPasswordEach, "true"),
            (Key::EvidenceMin, "Full"),
            (Key::AnonymityDefault, ""),
            (Key::BackupRemindDays, "7 days"),
        ] {
            assert_eq!(key.read(text), None, "{text}");
        }
        let both = Value::Words(vec!["a.example".into(), "b.example".into()]);
        assert_eq!(Key::ThirdArbiters.read("a.example, b.example"), Some(both));
    }
}
