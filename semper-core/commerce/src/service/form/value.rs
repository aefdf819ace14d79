//! What stands in a field: one value, in the one text that is hashed, sent and kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use semper_supporting::{
    crypto::digest::Digest,
    money::{Currency, Money},
    time::Moment,
};
use serde::{Deserialize, Serialize};

use super::{
    fault::FormFault,
    parts::{Address, Descriptor, FileRef, Line},
    rules, text,
};
use crate::service::{
    duration::Duration,
    expression,
    statechart::{Field, FieldKind},
};

/// What stands in a field.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Value {
    /// Yes or no: `yes`, `no`.
    Bool(bool),
    /// Some of some values, one in a row, in byte order.
    Choices(BTreeSet<String>),
    /// The SHA-256 of the text that the user ticked.
    Consent(Digest),
    /// A day, by its beginning in UTC: `2026-03-01`.
    Date(Moment),
    /// A point in time: `2026-03-01T10:00:00Z`.
    Datetime(Moment),
    /// What goods are.
    Descriptor(Descriptor),
    /// A span of time: `P14D`.
    Duration(Duration),
    /// A file.
    File(FileRef),
    /// A whole number.
    Int(i64),
    /// Lines of an order, one in a row.
    Lines(Vec<Line>),
    /// A sum of money: `EUR 12.50`.
    Money(Money),
    /// An address for post.
    Address(Address),
    /// Text: also names, numbers of articles and of accounts, references.
    Text(String),
}

/// What was verified about credentials, proofs and texts, outside the form.
#[derive(Clone, Debug, Default)]
pub struct Proofs {
    /// Credentials that verify, by type and reference; proofs of attributes, by attribute and reference.
    pub credentials: BTreeSet<(String, String)>,
    /// The digests of the texts that can be ticked, in every language, by their file in the terms.
    pub texts: BTreeMap<String, BTreeSet<Digest>>,
}

/// The word shown for the field `name`.
pub fn label(name: &str, field: &Field) -> String {
    field.says.clone().unwrap_or_else(|| name.to_owned())
}

impl Value {
    /// Reads what somebody typed, or what [`Display`](fmt::Display) wrote, for `field`, and checks it.
    ///
    /// Spaces at the ends are not part of a value, and letters are brought to normal form C. An account number
    /// may be typed in groups, a sum without its currency where the field has one.
    ///
    /// # Errors
    /// What [`Value::check`] finds, and the fault of the type for what cannot be read. Consent is never typed.
    pub fn read(name: &str, field: &Field, typed: &str, proofs: &Proofs) -> Result<Self, FormFault> {
        let label = label(name, field);
        let typed = text::tidied(typed);
        let not = |what| FormFault::Text { label: label.clone(), what };
        let date = |what| FormFault::Date { label: label.clone(), what };
        let value = match &field.kind {
            FieldKind::Text { .. }
            | FieldKind::Choice { .. }
            | FieldKind::Sku
            | FieldKind::PartyRef
            | FieldKind::CredentialRef { .. }
            | FieldKind::PersonName
            | FieldKind::AttributeProof { .. } => Self::Text(typed),
            FieldKind::Email => Self::Text(typed),
            FieldKind::Phone => Self::Text(text::without(&typed, " -/().")),
            FieldKind::VatId | FieldKind::Iban => {
                Self::Text(text::without(&typed, " .-").to_ascii_uppercase())
            }
            FieldKind::Country { .. } => Self::Text(typed.to_ascii_uppercase()),
            FieldKind::Int { min, max } => match typed.parse() {
                Ok(number) => Self::Int(number),
                Err(_) => return Err(rules::range(label, *min, *max)),
            },
            FieldKind::Bool => match typed.as_str() {
                "yes" => Self::Bool(true),
                "no" => Self::Bool(false),
                _ => return Err(FormFault::NotAChoice { label, list: "yes, no".to_owned() }),
            },
            FieldKind::ChoiceSet { .. } => Self::Choices(typed.split('\n').map(str::to_owned).collect()),
            FieldKind::Money { currency } => Self::Money(sum(&label, *currency, &typed)?),
            FieldKind::Date => {
                let moment = Moment::parse(&format!("{typed}T00:00:00Z"));
                Self::Date(moment.map_err(|_| date("a day of the form 2026-03-01"))?)
            }
            FieldKind::Datetime => {
                let moment = Moment::parse(&typed);
                Self::Datetime(moment.map_err(|_| date("a time of the form 2026-03-01T10:00:00Z"))?)
            }
            FieldKind::Duration => {
                Self::Duration(Duration::parse(&typed).map_err(|_| date("a span of time of the form P14D"))?)
            }
            FieldKind::OrderLines { .. } => {
                let lines: Option<Vec<Line>> = typed.split('\n').map(Line::read).collect();
                Self::Lines(lines.ok_or_else(|| not("an order"))?)
            }
            FieldKind::ContentDescriptor => {
                Self::Descriptor(Descriptor::read(&typed).ok_or_else(|| not("a description of content"))?)
            }
            FieldKind::File { .. } => Self::File(FileRef::read(&typed).ok_or_else(|| not("a file"))?),
            FieldKind::PostalAddress { .. } => {
                Self::Address(Address::read(&typed).ok_or_else(|| not("an address"))?)
            }
            FieldKind::Consent { .. } => return Err(FormFault::Consent { label }),
        };
        value.check(name, field, proofs)?;
        Ok(value)
    }

    /// Reads what [`Display`](fmt::Display) wrote, consent included, and nothing else.
    ///
    /// # Errors
    /// As [`Value::read`], and [`FormFault::Text`] for what is not exactly in its one form.
    pub fn canonical(name: &str, field: &Field, written: &str, proofs: &Proofs) -> Result<Self, FormFault> {
        let value = match &field.kind {
            FieldKind::Consent { .. } => {
                let consent = Digest::parse(written)
                    .map(Self::Consent)
                    .map_err(|_| FormFault::Consent { label: label(name, field) })?;
                consent.check(name, field, proofs)?;
                consent
            }
            _ => Self::read(name, field, written, proofs)?,
        };
        if value.to_string() == written {
            return Ok(value);
        }
        Err(FormFault::Text { label: label(name, field), what: "written as forms write it" })
    }

    /// Whether this can stand in `field`.
    ///
    /// # Errors
    /// [`FormFault`].
    pub fn check(&self, name: &str, field: &Field, proofs: &Proofs) -> Result<(), FormFault> {
        rules::check(&label(name, field), &field.kind, self, proofs)
    }

    /// Its value in expressions, where they can name it.
    pub fn in_expressions(&self, kind: &FieldKind) -> Option<expression::Value> {
        let value = match self {
            Self::Bool(value) => expression::Value::Bool(*value),
            Self::Date(moment) | Self::Datetime(moment) => expression::Value::Time(*moment),
            Self::Descriptor(one) => expression::Value::Descriptor(one.clone()),
            Self::Duration(one) => expression::Value::Span(*one),
            Self::Int(value) => expression::Value::Int(*value),
            Self::Lines(lines) => expression::Value::Lines(lines.iter().map(|line| line.amount).collect()),
            Self::Money(sum) => expression::Value::Money(*sum),
            Self::Text(text) if *kind == FieldKind::PartyRef => expression::Value::Party(text.clone()),
            Self::Text(text) => expression::Value::Text(text.clone()),
            Self::Address(_) | Self::Choices(_) | Self::Consent(_) | Self::File(_) => return None,
        };
        (expression::Kind::of(kind) == Some(value.kind())).then_some(value)
    }
}

fn sum(label: &str, currency: Option<Currency>, typed: &str) -> Result<Money, FormFault> {
    let with = match currency {
        Some(currency) if typed.starts_with(|c: char| c.is_ascii_digit()) => format!("{currency} {typed}"),
        _ => typed.to_owned(),
    };
    Money::parse(&with).map_err(|_| rules::no_sum(label, currency))
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => f.write_str(if *value { "yes" } else { "no" }),
            Self::Choices(chosen) => rows(f, chosen.iter()),
            Self::Consent(digest) => digest.fmt(f),
            Self::Date(day) => f.write_str(day.to_string().get(..10).unwrap_or_default()),
            Self::Datetime(moment) => moment.fmt(f),
            Self::Descriptor(one) => one.fmt(f),
            Self::Duration(one) => one.fmt(f),
            Self::File(one) => one.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Lines(lines) => rows(f, lines.iter()),
            Self::Money(sum) => sum.fmt(f),
            Self::Address(one) => one.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn rows<T: fmt::Display>(f: &mut fmt::Formatter<'_>, rows: impl Iterator<Item = T>) -> fmt::Result {
    for (index, row) in rows.enumerate() {
        write!(f, "{}{row}", if index > 0 { "\n" } else { "" })?;
    }
    Ok(())
}
