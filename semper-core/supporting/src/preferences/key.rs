//! Every preference: its type, range, default, and which way means less security.

use serde::{Deserialize, Serialize};

use crate::{
    deal::{Anonymity, EvidenceLevel},
    money::{Currency, Money},
    time::Span,
};

/// The value of a preference.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A sum.
    Money(Money),
    /// A length of time.
    Span(Span),
    /// A number of years or days.
    Number(u32),
    /// What a peer learns.
    Anonymity(Anonymity),
    /// What is proved.
    Evidence(EvidenceLevel),
    /// One word of a closed list.
    Word(String),
    /// Several words, in order.
    Words(Vec<String>),
}

/// What a change does to security.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Direction {
    /// It stays as it was.
    Level,
    /// More security.
    Up,
    /// Less security: a critical act.
    Down,
}

macro_rules! keys {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)*) => {
        /// A preference.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum Key {
            $($(#[$meta])* $name,)*
        }

        impl Key {
            /// All preferences.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name, as files and logs write it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

keys! {
    /// The most that one deal may cost.
    MoneyPerDeal = "money.per_deal",
    /// The most that one day may cost.
    MoneyPerDay = "money.per_day",
    /// Sums above this are asked about; zero asks always.
    MoneyAskAbove = "money.ask_above",
    /// The most real money for a service that nobody certified.
    UncertifiedRealMoney = "grade0.real_money",
    /// What a shop learns, unless a deal says otherwise.
    AnonymityDefault = "anonymity.default",
    /// The proxy of hidden deals: host and port, or nothing.
    NetworkProxy = "network.proxy",
    /// Whether deals hide the network address unless they say otherwise.
    NetworkHiddenDefault = "network.hidden_default",
    /// The least that is proved.
    EvidenceMin = "evidence.min",
    /// The third parties that may decide.
    ThirdArbiters = "third.arbiters",
    /// The order in which means of payment are preferred.
    PaymentOrder = "payment.order",
    /// The language.
    Language = "language",
    /// After how long without use the archive is locked.
    LockAfter = "lock.after",
    /// Whether every signature asks for the password.
    SignPasswordEach = "sign.password_each",
    /// For how many years evidence is kept.
    ArchiveKeepYears = "archive.keep_years",
    /// What happens with an invitation from outside.
    UriAccept = "uri.accept",
    /// The types of document that may be opened outside.
    OpenTypes = "open.types",
    /// After how many days a missing backup is mentioned.
    BackupRemindDays = "backup.remind_days",
}

/// The longest list and the longest word of a preference.
const LIST_LIMIT: usize = 64;
const WORD_LIMIT: usize = 128;

impl Key {
    /// The id of the text that explains it.
    pub fn help(self) -> String {
        format!("pref-{}", self.name().replace(['.', '_'], "-"))
    }

    /// Its value where nobody chose one.
    pub fn default(self) -> Value {
        match self {
            Self::MoneyPerDeal => euro(20_000),
            Self::MoneyPerDay => euro(50_000),
            Self::MoneyAskAbove | Self::UncertifiedRealMoney => euro(0),
            Self::AnonymityDefault => Value::Anonymity(Anonymity::Pseudonymous),
            Self::NetworkProxy => Value::Word(String::new()),
            Self::NetworkHiddenDefault | Self::SignPasswordEach => Value::Flag(false),
            Self::EvidenceMin => Value::Evidence(EvidenceLevel::Full),
            Self::ThirdArbiters | Self::PaymentOrder | Self::OpenTypes => Value::Words(Vec::new()),
            Self::Language => Value::Word("en".to_owned()),
            Self::LockAfter => Value::Span(Span::minutes(10)),
            Self::ArchiveKeepYears => Value::Number(10),
            Self::UriAccept => Value::Word("ask".to_owned()),
            Self::BackupRemindDays => Value::Number(14),
        }
    }

    /// Whether `value` is of its type and within its range.
    pub(super) fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::MoneyPerDeal | Self::MoneyPerDay, Value::Money(money)) => in_euro(*money, 1_000_000),
            (Self::MoneyAskAbove, Value::Money(money)) => in_euro(*money, 5_000),
            (Self::UncertifiedRealMoney, Value::Money(money)) => in_euro(*money, 1_000),
            (Self::AnonymityDefault, Value::Anonymity(_)) => true,
            (Self::NetworkHiddenDefault | Self::SignPasswordEach, Value::Flag(_)) => true,
            (Self::EvidenceMin, Value::Evidence(level)) => *level >= EvidenceLevel::Origin,
            (Self::NetworkProxy, Value::Word(word)) => word.is_empty() || is_address(word),
            (Self::Language, Value::Word(word)) => ["de", "el", "en", "fr", "nl"].contains(&word.as_str()),
            (Self::UriAccept, Value::Word(word)) => ["never", "ask"].contains(&word.as_str()),
            (Self::ThirdArbiters | Self::PaymentOrder | Self::OpenTypes, Value::Words(words)) => {
                is_list(words)
            }
            (Self::LockAfter, Value::Span(span)) => (Span::minutes(1)..=Span::minutes(60)).contains(span),
            (Self::ArchiveKeepYears, Value::Number(years)) => (1..=50).contains(years),
            (Self::BackupRemindDays, Value::Number(days)) => (1..=90).contains(days),
            // Any other value is of another type than the key.
            (
                _,
                Value::Flag(_)
                | Value::Money(_)
                | Value::Span(_)
                | Value::Number(_)
                | Value::Anonymity(_)
                | Value::Evidence(_)
                | Value::Word(_)
                | Value::Words(_),
            ) => false,
        }
    }

    /// What changing `before` to `after`, both of its type, does to security.
    pub(super) fn direction(self, before: &Value, after: &Value) -> Direction {
        if before == after {
            return Direction::Level;
        }
        let down = match self {
            // More money, later questions, later locks: less security.
            Self::MoneyPerDeal | Self::MoneyPerDay | Self::MoneyAskAbove | Self::UncertifiedRealMoney => {
                money(after) > money(before)
            }
            Self::LockAfter => span(after) > span(before),
            Self::BackupRemindDays => number(after) > number(before),
            Self::ArchiveKeepYears => number(after) < number(before),
            Self::AnonymityDefault => anonymity(after) < anonymity(before),
            Self::EvidenceMin => evidence(after) < evidence(before),
            Self::NetworkHiddenDefault | Self::SignPasswordEach => *after == Value::Flag(false),
            Self::UriAccept => *after == Value::Word("ask".to_owned()),
            // Another proxy sees where hidden deals go.
            Self::NetworkProxy => true,
            Self::ThirdArbiters | Self::OpenTypes => has_new(before, after),
            Self::PaymentOrder | Self::Language => return Direction::Level,
        };
        if down { Direction::Down } else { Direction::Up }
    }
}

fn euro(minor: u64) -> Value {
    Value::Money(Money::new(minor, Currency::EUR).unwrap_or(Money::zero(Currency::EUR)))
}

fn in_euro(money: Money, most: u64) -> bool {
    money.currency == Currency::EUR && money.minor() <= most
}

fn is_address(word: &str) -> bool {
    let Some((host, port)) = word.rsplit_once(':') else { return false };
    let host_ok = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-[]:".contains(c));
    host_ok && word.len() <= WORD_LIMIT && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_list(words: &[String]) -> bool {
    let plain = |word: &String| word.len() <= WORD_LIMIT && crate::evidence::statement::is_plain(word);
    let double = |(index, word)| words.iter().take(index).any(|earlier| earlier == word);
    words.len() <= LIST_LIMIT && words.iter().all(plain) && !words.iter().enumerate().any(double)
}

fn money(value: &Value) -> Option<u64> {
    if let Value::Money(money) = value { Some(money.minor()) } else { None }
}

fn span(value: &Value) -> Option<Span> {
    if let Value::Span(span) = value { Some(*span) } else { None }
}

fn number(value: &Value) -> Option<u32> {
    if let Value::Number(number) = value { Some(*number) } else { None }
}

fn anonymity(value: &Value) -> Option<Anonymity> {
    if let Value::Anonymity(anonymity) = value { Some(*anonymity) } else { None }
}

fn evidence(value: &Value) -> Option<EvidenceLevel> {
    if let Value::Evidence(level) = value { Some(*level) } else { None }
}

fn has_new(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Words(before), Value::Words(after)) => after.iter().any(|word| !before.contains(word)),
        _ => true,
    }
}
