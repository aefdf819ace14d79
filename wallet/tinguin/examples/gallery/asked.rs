//! Made-up questions, sealed by the real gate: a shop, a buyer, play money.

#![allow(dead_code, reason = "pictures and tests each use their part")]

use semper_supporting::{
    crypto::digest::Digest,
    deal::DealId,
    evidence::Statement,
    money::Money,
    time::{Moment, Span},
    tinguin::{
        Ask, Confirmable, Critical, FactKey, FactValue, Facts, Gate, Part, PromptId, Provenance, Quote,
        SealedPrompt, Untrusted, Words,
        facts::{ChoiceKey, FactError, Line, Means},
        gate::{Counts, Pending},
        prompt::Warning,
        risk::{Circumstances, Thresholds},
        text::{PartyName, Quoted},
    },
};
use semper_tinguin::format::Civil;
use semper_tinguin::prompts::Program;
use semper_tinguin::widgets::stepper::Steps;
use serde::{Deserialize, Serialize};

/// When all this happens.
pub(crate) const NOW: Moment = Moment::from_seconds(1_809_000_000);
pub(crate) const DEAL: DealId = DealId::from_bytes([7; 32]);

/// A statement that says how much, with the facts given beside it; made for pictures and tests.
macro_rules! statement {
    ($name:ident, $kind:literal, $family:expr) => {
        #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
        pub(crate) struct $name {
            subject: String,
        }

        impl Statement for $name {
            const TYPE: &'static str = $kind;
        }

        impl Confirmable for $name {
            const FAMILY: Critical = $family;
            type Context = Facts;

            fn facts(&self, facts: &Facts) -> Result<Facts, FactError> {
                Ok(facts.clone())
            }
        }
    };
}

statement!(Order, "order", Critical::Sign);
statement!(Swap, "x/accept", Critical::Exchange);
statement!(Load, "purse/load", Critical::PurseMove);

pub(crate) fn name(text: &str) -> PartyName {
    Untrusted::new(text).name().expect("a name")
}

fn quoted(text: &str) -> Quoted {
    Untrusted::new(text).quote(Quote::Item).expect("a title")
}

fn word(key: &'static str) -> FactValue {
    FactValue::Choice(ChoiceKey::of(key))
}

fn checked(key: &'static str) -> Provenance {
    Provenance::checked(ChoiceKey::of(key))
}

fn money(text: &str) -> FactValue {
    FactValue::Money(Money::parse(text).expect("a sum"))
}

pub(crate) const FOGRA: &str = "Fogra Forschungsgesellschaft Druck e.V.";

/// An order of two documents for this price, as facts.
pub(crate) fn order_facts(price: &str) -> Facts {
    let line = |title: &str, count, each: &str| Line {
        title: quoted(title),
        count,
        each: Money::parse(each).expect("a sum"),
    };
    let lines = vec![
        line("Abstract: Density measurement 1997", 2, "XTS 11.90"),
        line("Delivery on line", 1, "XTS 1.10"),
    ];
    Facts::new()
        .critical(FactKey::Document, word("item-order"), checked("check-statement"))
        .critical(FactKey::Counterparty, FactValue::Party(name(FOGRA)), Provenance::certified(name("GMD CA")))
        .critical(FactKey::Amount, money(price), checked("check-sum"))
        .critical(FactKey::Items, FactValue::Lines(lines), Provenance::claimed(name("Fogra")))
        .critical(
            FactKey::SignedAs,
            FactValue::Party(name("Maria Papadopoulou")),
            checked("check-own-certificate"),
        )
        .critical(FactKey::Binds, word("binds-accept"), checked("check-statement"))
        .detail(FactKey::Terms, FactValue::Digest(Digest::of(b"terms")), checked("check-agreed"))
}

/// A fair exchange of money against a file, as facts.
pub(crate) fn swap_facts(price: &str, left: &str) -> Facts {
    let means = Means { system: ChoiceKey::of("means-sim"), purse: quoted("Cash purse") };
    let settled = NOW.after(Span::hours(24));
    Facts::new()
        .critical(FactKey::Counterparty, FactValue::Party(name(FOGRA)), Provenance::certified(name("GMD CA")))
        .critical(FactKey::Amount, money(price), checked("check-sum"))
        .critical(
            FactKey::InReturn,
            FactValue::Text(quoted("Colour management, an introduction")),
            checked("check-agreed"),
        )
        .critical(FactKey::Gives, word("item-receipt"), checked("check-agreed"))
        .critical(FactKey::Means, FactValue::Means(means), Provenance::entered())
        .critical(FactKey::BalanceAfter, money(left), checked("check-balance"))
        .critical(FactKey::Finality, word("finality-always"), checked("check-undo"))
        .critical(
            FactKey::ThirdParty,
            FactValue::Party(name("Consumer Arbitration")),
            checked("check-third-party"),
        )
        .critical(FactKey::Deadline, FactValue::Date(settled), checked("check-deadlines"))
        .critical(FactKey::Protocol, word("exchange-level-s3"), checked("check-selection"))
        .detail(FactKey::Document, word("document-accept"), checked("check-statement"))
        .detail(FactKey::Binds, word("binds-accept"), checked("check-statement"))
        .detail(FactKey::Fingerprint, FactValue::Digest(Digest::of(b"file")), checked("check-agreed"))
}

fn words() -> Words {
    Words::read(ChoiceKey::of("en"), include_str!("../../../../assets/locale/en/facts.ftl"))
}

fn seal<T: Confirmable<Context = Facts>>(
    statement: T,
    facts: Facts,
    number: u8,
    warnings: &[&'static str],
) -> Pending {
    let warnings =
        warnings.iter().map(|key| Warning { key: ChoiceKey::of(key), about: None }).collect::<Vec<_>>();
    let ask = Ask {
        parts: vec![Part::new(statement, &facts, &words()).expect("an act")],
        deal: Some(DEAL),
        revision: u64::from(number),
        peer: None,
        deadline: Some(NOW.after(Span::seconds(596))),
        circumstances: Circumstances::default(),
        warnings,
    };
    let gate = Gate { counts: Counts::Person, thresholds: Thresholds::default() };
    gate.open(ask, PromptId::from_bytes([number; 16]), NOW).expect("a question")
}

/// An order for this price, with these warnings.
pub(crate) fn order(price: &str, warnings: &[&'static str]) -> Pending {
    seal(Order { subject: price.into() }, order_facts(price), 1, warnings)
}

/// A fair exchange for this price.
pub(crate) fn swap(price: &str, left: &str) -> Pending {
    seal(Swap { subject: price.into() }, swap_facts(price, left), 2, &[])
}

/// A purse to be loaded.
pub(crate) fn load(price: &str) -> Pending {
    let facts = Facts::new()
        .critical(FactKey::Move, word("move-load"), checked("check-statement"))
        .critical(
            FactKey::Counterparty,
            FactValue::Party(name("Demo Bank")),
            Provenance::certified(name("GMD CA")),
        )
        .critical(FactKey::Amount, money(price), checked("check-sum"))
        .critical(
            FactKey::Means,
            FactValue::Means(Means { system: ChoiceKey::of("means-sim"), purse: quoted("Cash purse") }),
            Provenance::entered(),
        );
    seal(Load { subject: price.into() }, facts, 3, &[])
}

/// The questions of a tray.
pub(crate) fn tray() -> Vec<SealedPrompt> {
    [swap("XTS 24.90", "XTS 36.30"), order("XTS 61.00", &[]), load("XTS 20.00")]
        .iter()
        .map(|pending| pending.prompt().clone())
        .collect()
}

pub(crate) fn program() -> Program {
    let words = words();
    Program { language: words.locale().clone(), catalogue: words.digest(), build: Digest::of(b"gallery") }
}

pub(crate) fn steps() -> Steps {
    let names = ["Offer", "Order", "Contract", "Payment", "Delivery"].map(str::to_owned);
    Steps { names: names.to_vec(), done: 3 }
}

/// A day of the year 2027, whatever the moment: pictures and tests are the same everywhere.
pub(crate) fn zone(at: Moment) -> Civil {
    let minutes = at.seconds() / 60;
    let (hour, minute) =
        (u8::try_from(minutes / 60 % 24).expect("an hour"), u8::try_from(minutes % 60).expect("a minute"));
    Civil::new((2027, 4, 29), (hour, minute, 0, None), "CEST").expect("a date in range")
}
