//! What kinds of values expressions have.

use std::fmt;

use semper_supporting::{money::Money, time::Moment};

use crate::service::{duration::Duration, form::Descriptor, statechart::FieldKind};

/// A kind of value.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Yes or no.
    Bool,
    /// What goods are, before they are seen. Can only be named as a whole.
    Descriptor,
    /// A whole number of 64 bits with a sign.
    Int,
    /// Lines of an order; only `total` takes them.
    Lines,
    /// A sum of money.
    Money,
    /// Another party, compared with other parties only.
    Party,
    /// A span of time.
    Span,
    /// Text, compared for equality only.
    Text,
    /// A point in time; a date is its beginning in UTC.
    Time,
}

/// A value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// What goods are, before they are seen.
    Descriptor(Descriptor),
    /// A whole number.
    Int(i64),
    /// The amounts of the lines of an order.
    Lines(Vec<Money>),
    /// A sum of money.
    Money(Money),
    /// Another party.
    Party(String),
    /// A span of time.
    Span(Duration),
    /// Text.
    Text(String),
    /// A point in time.
    Time(Moment),
}

impl Kind {
    /// The kind of what `field` holds, or `None` where expressions cannot name it: sets, files, addresses,
    /// credentials, proofs and consents are checked by the form itself, and no rule of a shop reads them.
    pub fn of(field: &FieldKind) -> Option<Self> {
        match field {
            FieldKind::Bool => Some(Self::Bool),
            FieldKind::Int { .. } => Some(Self::Int),
            FieldKind::Money { .. } => Some(Self::Money),
            FieldKind::Date | FieldKind::Datetime => Some(Self::Time),
            FieldKind::Duration => Some(Self::Span),
            FieldKind::OrderLines { .. } => Some(Self::Lines),
            FieldKind::PartyRef => Some(Self::Party),
            FieldKind::ContentDescriptor => Some(Self::Descriptor),
            FieldKind::Text { .. }
            | FieldKind::Choice { .. }
            | FieldKind::Sku
            | FieldKind::PersonName
            | FieldKind::Email
            | FieldKind::Phone
            | FieldKind::Country { .. }
            | FieldKind::VatId
            | FieldKind::Iban => Some(Self::Text),
            FieldKind::ChoiceSet { .. }
            | FieldKind::CredentialRef { .. }
            | FieldKind::File { .. }
            | FieldKind::PostalAddress { .. }
            | FieldKind::AttributeProof { .. }
            | FieldKind::Consent { .. } => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "yes or no",
            Self::Descriptor => "a description of content",
            Self::Int => "a whole number",
            Self::Lines => "lines of an order",
            Self::Money => "money",
            Self::Party => "a party",
            Self::Span => "a span of time",
            Self::Text => "text",
            Self::Time => "a time",
        })
    }
}

impl Value {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bool(_) => Kind::Bool,
            Self::Descriptor(_) => Kind::Descriptor,
            Self::Int(_) => Kind::Int,
            Self::Lines(_) => Kind::Lines,
            Self::Money(_) => Kind::Money,
            Self::Party(_) => Kind::Party,
            Self::Span(_) => Kind::Span,
            Self::Text(_) => Kind::Text,
            Self::Time(_) => Kind::Time,
        }
    }
}
