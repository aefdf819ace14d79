//! Facts: what a prompt shows, each with where it comes from.
//!
//! Facts are derived from the very value that will be signed or acted upon, decoded again from its bytes;
//! nobody passes them beside it. A critical fact never rests on somebody's mere words, and each family of
//! acts has facts without which it is not asked about at all.

mod name;

use serde::{Deserialize, Serialize};

pub use self::name::{ChoiceKey, NotAKey, SafeName};
use super::{
    prompt::Critical,
    text::{PartyName, Quoted},
};
use crate::{
    crypto::digest::Digest,
    evidence::Verified,
    money::Money,
    time::{Moment, Span},
};

/// One thing to know before confirming.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fact {
    /// What it is about; the label is text `fact-<name>`.
    pub key: FactKey,
    /// What is the case.
    pub value: FactValue,
    /// Where it comes from.
    pub from: Provenance,
    /// Whether it must be seen before the prompt can be confirmed.
    pub weight: Weight,
}

/// The facts of one act, in the order in which they are shown.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Facts(Vec<Fact>);

/// Whether a fact must be seen.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Weight {
    /// Never shortened, on screen before anything can be confirmed.
    Critical,
    /// Among the details.
    Detail,
}

/// A value that has one way to be shown.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum FactValue {
    /// A sum.
    Money(Money),
    /// A party, by its verified name.
    Party(PartyName),
    /// Somebody's words.
    Text(Quoted),
    /// What is bought, line by line.
    Lines(Vec<Line>),
    /// A number of things.
    Count(u32),
    /// A point in time.
    Date(Moment),
    /// A length of time.
    Span(Span),
    /// A digest.
    Digest(Digest),
    /// A file.
    File(FileFact),
    /// A means of payment.
    Means(Means),
    /// Personal data.
    Data(Vec<DataItem>),
    /// One of the words of the catalogue.
    Choice(ChoiceKey),
}

/// One line of an order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// The merchant's title: always shown inside quotation marks, after the merchant's name.
    pub title: Quoted,
    /// How many.
    pub count: u32,
    /// What one costs.
    pub each: Money,
}

/// A file, as a prompt shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileFact {
    /// Its name.
    pub name: SafeName,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, a word of the catalogue.
    pub media: ChoiceKey,
}

/// A means of payment, as a prompt shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Means {
    /// The payment system.
    pub system: ChoiceKey,
    /// The user's own name of the purse.
    pub purse: Quoted,
}

/// One piece of personal data.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DataItem {
    /// What it is, a word of the catalogue.
    pub name: ChoiceKey,
    /// What it says.
    pub value: Quoted,
    /// Whether it tells who the user is.
    pub personal: bool,
}

/// Where a fact comes from. Only a verified statement makes a *signed* one.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Provenance(Source);

/// The five provenances, as text.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Source {
    /// The user entered it.
    Entered,
    /// A statement that this party signed says so; the signature was checked here.
    Signed(PartyName),
    /// A certificate by this party says so; its chain was checked here.
    Certified(PartyName),
    /// It was computed or compared here.
    Checked(ChoiceKey),
    /// This party says so.
    Claimed(PartyName),
}

macro_rules! keys {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)*) => {
        /// What a fact is about.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum FactKey {
            $($(#[$meta])* $name,)*
        }

        impl FactKey {
            /// All keys.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name; the label is text `fact-<name>`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

keys! {
    /// The sum that leaves.
    Amount = "amount",
    /// What it costs besides.
    Fee = "fee",
    /// All that is taken from the purse.
    Total = "total",
    /// Who receives money.
    Payee = "payee",
    /// The means of payment.
    Means = "means",
    /// What the purse holds afterwards.
    BalanceAfter = "balance-after",
    /// What comes in return.
    InReturn = "in-return",
    /// What is given.
    Gives = "gives",
    /// Until when it can be taken back, or that it cannot.
    Finality = "finality",
    /// What the deal has cost so far.
    RunningTotal = "running-total",
    /// How long one can complain.
    DisputeWindow = "dispute-window",
    /// Who learns what from the payment.
    Anonymity = "anonymity",
    /// What the payment is for.
    Reference = "reference",
    /// What is signed: the kind of statement.
    Document = "document",
    /// The full text of what is signed.
    Content = "content",
    /// What the signature binds to.
    Binds = "binds",
    /// Under which name or key the signature is made.
    SignedAs = "signed-as",
    /// The lines of an order.
    Items = "items",
    /// The other party.
    Counterparty = "counterparty",
    /// The third party that decides after a fault.
    ThirdParty = "third-party",
    /// The latest moment at which both or none has everything.
    Deadline = "deadline",
    /// How the exchange is made fair.
    Protocol = "protocol",
    /// Who receives personal data.
    Recipient = "recipient",
    /// The personal data.
    Data = "data",
    /// What it is for.
    Purpose = "purpose",
    /// How long it is kept.
    Retention = "retention",
    /// Whether several deals can be linked by it.
    Linkability = "linkability",
    /// That it cannot be undone.
    Irrevocable = "irrevocable",
    /// The terms of business.
    Terms = "terms",
    /// What is believed of the terms or the module.
    Grade = "grade",
    /// What the terms need.
    Needs = "needs",
    /// What the checks of the terms found.
    Findings = "findings",
    /// Who published it.
    Publisher = "publisher",
    /// The fingerprint, in words.
    Fingerprint = "fingerprint",
    /// What a trusted party may do.
    Powers = "powers",
    /// The claim of a dispute.
    Claim = "claim",
    /// The evidence that goes along.
    Evidence = "evidence",
    /// The most for each use.
    PerUse = "per-use",
    /// The most in all.
    InAll = "in-all",
    /// When it ends.
    Until = "until",
    /// What is revoked.
    Revoked = "revoked",
    /// What no longer works afterwards.
    Consequence = "consequence",
    /// The file.
    File = "file",
    /// Where it goes.
    Destination = "destination",
    /// The setting.
    Setting = "setting",
    /// What it was.
    Before = "before",
    /// What it will be.
    After = "after",
    /// What moves between purses.
    Move = "move",
}

/// Why a prompt cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FactError {
    /// A fact without which this family is not asked about is missing.
    #[error("the fact {} is missing", .0.name())]
    Missing(FactKey),
    /// A critical fact rests on somebody's words only.
    #[error("the critical fact {} is only claimed", .0.name())]
    Claimed(FactKey),
    /// One fact is there twice.
    #[error("the fact {} is there twice", .0.name())]
    Twice(FactKey),
    /// A text or name in the value is refused.
    #[error(transparent)]
    Text(#[from] super::text::TextRefused),
    /// A sum in the value cannot be computed.
    #[error("a sum cannot be computed")]
    Sum,
    /// The value says something else than the context it is checked in.
    #[error("the value does not agree with what was verified")]
    Mismatch,
    /// A word is asked for by what is no id of a text.
    #[error(transparent)]
    Word(#[from] NotAKey),
}

impl FactError {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing(_) => "tinguin.missing-fact",
            Self::Claimed(_) => "tinguin.claimed-fact",
            Self::Twice(_) => "tinguin.double-fact",
            Self::Text(refused) => refused.code(),
            Self::Sum => "tinguin.sum",
            Self::Mismatch => "tinguin.mismatch",
            Self::Word(_) => "tinguin.no-word",
        }
    }
}

/// The facts that a prompt of this family must show as critical.
pub fn required(family: Critical) -> &'static [FactKey] {
    match family {
        Critical::Sign => &[FactKey::Document, FactKey::Counterparty, FactKey::Binds, FactKey::SignedAs],
        Critical::Pay => &[
            FactKey::Amount,
            FactKey::Payee,
            FactKey::Means,
            FactKey::InReturn,
            FactKey::Finality,
            FactKey::Anonymity,
        ],
        Critical::Exchange => &[
            FactKey::Gives,
            FactKey::InReturn,
            FactKey::Counterparty,
            FactKey::ThirdParty,
            FactKey::Deadline,
            FactKey::Protocol,
        ],
        Critical::PurseMove => &[FactKey::Move, FactKey::Means],
        Critical::Disclose => &[FactKey::Recipient, FactKey::Data, FactKey::Purpose],
        Critical::Install => &[FactKey::Terms, FactKey::Publisher, FactKey::Grade, FactKey::Needs],
        Critical::Trust => &[FactKey::Counterparty, FactKey::Fingerprint, FactKey::Powers],
        Critical::Dispute => &[FactKey::Claim, FactKey::Evidence, FactKey::ThirdParty],
        Critical::Allow => &[FactKey::Payee, FactKey::PerUse, FactKey::InAll, FactKey::Until],
        Critical::Revoke => &[FactKey::Revoked, FactKey::Consequence],
        Critical::Release => &[FactKey::File, FactKey::Destination],
        Critical::Setting => &[FactKey::Setting, FactKey::After],
    }
}

impl Facts {
    /// No facts yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a fact that must be seen.
    pub fn critical(mut self, key: FactKey, value: FactValue, from: Provenance) -> Self {
        self.0.push(Fact { key, value, from, weight: Weight::Critical });
        self
    }

    /// Adds a fact among the details.
    pub fn detail(mut self, key: FactKey, value: FactValue, from: Provenance) -> Self {
        self.0.push(Fact { key, value, from, weight: Weight::Detail });
        self
    }

    /// The facts in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Fact> {
        self.0.iter()
    }

    /// The value of a fact.
    pub fn get(&self, key: FactKey) -> Option<&FactValue> {
        self.0.iter().find(|fact| fact.key == key).map(|fact| &fact.value)
    }

    /// The sum that leaves: all that is taken, or else the amount.
    pub fn amount(&self) -> Option<Money> {
        [FactKey::Total, FactKey::Amount].into_iter().find_map(|key| match self.get(key) {
            Some(FactValue::Money(money)) => Some(*money),
            _ => None,
        })
    }

    /// Checks the facts of an act of `family`.
    ///
    /// # Errors
    /// [`FactError`]: a required fact is missing, one is there twice, a critical one is only claimed.
    pub fn check(&self, family: Critical) -> Result<(), FactError> {
        for (index, fact) in self.0.iter().enumerate() {
            if self.0.iter().take(index).any(|earlier| earlier.key == fact.key) {
                return Err(FactError::Twice(fact.key));
            }
            // Titles of lines are the merchant's words, and shown as such.
            let claimed = matches!(fact.from.0, Source::Claimed(_)) && fact.key != FactKey::Items;
            if fact.weight == Weight::Critical && claimed {
                return Err(FactError::Claimed(fact.key));
            }
        }
        let shown = |key: &FactKey| self.0.iter().any(|f| f.key == *key && f.weight == Weight::Critical);
        match required(family).iter().find(|key| !shown(key)) {
            Some(missing) => Err(FactError::Missing(*missing)),
            None => Ok(()),
        }
    }

    /// The union of both: facts that are equal appear once.
    pub(crate) fn join(mut self, other: Self) -> Self {
        for fact in other.0 {
            if !self.0.contains(&fact) {
                self.0.push(fact);
            }
        }
        self
    }
}

impl Provenance {
    /// The user entered it.
    pub fn entered() -> Self {
        Self(Source::Entered)
    }

    /// The verified statement says so; `name` is its signer's, from the certificate.
    pub fn signed<T>(_by: &Verified<T>, name: PartyName) -> Self {
        Self(Source::Signed(name))
    }

    /// A certificate whose chain was checked says so; `name` is its issuer's. For verifiers of certificates.
    pub fn certified(name: PartyName) -> Self {
        Self(Source::Certified(name))
    }

    /// It was computed or compared here, by the check of this name.
    pub fn checked(check: ChoiceKey) -> Self {
        Self(Source::Checked(check))
    }

    /// This party says so.
    pub fn claimed(name: PartyName) -> Self {
        Self(Source::Claimed(name))
    }

    /// Which of the five it is.
    pub fn source(&self) -> &Source {
        &self.0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{evidence::statement::is_segment, money::Currency, tinguin::text::Untrusted};

    /// Facts with which a family is asked about, for tests of gate and tray.
    pub(crate) fn complete(family: Critical, minor: u64) -> Facts {
        let name = Untrusted::new("Fogra").name().unwrap();
        let word = ChoiceKey::new("word").unwrap();
        required(family).iter().fold(Facts::new(), |facts, key| {
            let value = match key {
                FactKey::Amount => FactValue::Money(Money::new(minor, Currency::EUR).unwrap()),
                FactKey::Payee | FactKey::Counterparty => FactValue::Party(name.clone()),
                _ => FactValue::Choice(word.clone()),
            };
            facts.critical(*key, value, Provenance::checked(word.clone()))
        })
    }

    #[test]
    fn every_family_refuses_to_ask_without_each_of_its_facts() {
        for family in Critical::ALL {
            let facts = complete(family, 100);
            assert_eq!(facts.check(family), Ok(()));
            assert!(!required(family).is_empty());
            for key in required(family) {
                let without = Facts(facts.iter().filter(|fact| fact.key != *key).cloned().collect());
                assert_eq!(without.check(family), Err(FactError::Missing(*key)));
                let mut hidden = facts.clone();
                hidden.0.iter_mut().filter(|f| f.key == *key).for_each(|f| f.weight = Weight::Detail);
                assert_eq!(hidden.check(family), Err(FactError::Missing(*key)));
            }
        }
        assert_eq!(FactError::Missing(FactKey::Payee).code(), "tinguin.missing-fact");
    }

    #[test]
    fn what_somebody_says_is_never_a_critical_fact() {
        let says = Provenance::claimed(Untrusted::new("Fogra").name().unwrap());
        for key in FactKey::ALL {
            let mut facts = complete(Critical::Pay, 100);
            facts.0.retain(|fact| fact.key != *key);
            let facts = facts.critical(*key, FactValue::Count(1), says.clone());
            let checked = facts.check(Critical::Pay);
            if *key == FactKey::Items {
                assert_eq!(checked, Ok(()));
            } else {
                assert_eq!(checked, Err(FactError::Claimed(*key)));
            }
        }
    }

    #[test]
    fn one_fact_has_one_value() {
        let facts = complete(Critical::Pay, 100).join(complete(Critical::Pay, 200));
        assert_eq!(facts.check(Critical::Pay), Err(FactError::Twice(FactKey::Amount)));
        assert_eq!(complete(Critical::Pay, 1).join(complete(Critical::Pay, 1)), complete(Critical::Pay, 1));
    }

    #[test]
    fn names_of_keys_are_words_of_statements_and_never_double() {
        let names: std::collections::BTreeSet<_> = FactKey::ALL.iter().map(|key| key.name()).collect();
        assert_eq!(names.len(), FactKey::ALL.len());
        assert!(names.iter().all(|name| is_segment(name)));
        for bad in ["", "-a", "A", "a b", "ä", &"a".repeat(65)] {
            assert_eq!(ChoiceKey::new(bad), Err(NotAKey));
        }
        const KNOWN: ChoiceKey = ChoiceKey::of("exchange-level-s3");
        assert_eq!(ChoiceKey::new("exchange-level-s3"), Ok(KNOWN));
    }

    #[test]
    fn a_file_name_names_one_file_and_hides_nothing() {
        for good in ["colour.pdf", "Farbe und Druck (2).pdf", "βιβλίο.txt", "a_b-c.tar"] {
            assert!(SafeName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            ".bashrc",
            "../a",
            "a/b",
            "a\\b",
            "a:b",
            "con",
            "NUL.txt",
            "com1.pdf",
            "a.",
            "a..b",
            "a\u{202e}fdp.exe",
            " a",
            "a ",
            "a  b",
            "a\n",
            "a\0",
            "x*y",
            "a|b",
            "a?",
            "βook.pdf",
            "%2e",
            &"a".repeat(101),
        ] {
            assert_eq!(SafeName::new(bad), Err(NotAKey), "{bad:?}");
        }
    }
}
