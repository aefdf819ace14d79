//! What a party wants before anything is agreed: patterns that a description satisfies or not.
//!
//! A pattern is never signed as an agreement. It stands in a proposal (`wants/<path>`), and a party checks
//! with it that the descriptions it is about to sign are what it asked for.

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    money::Money,
};
use serde::{Deserialize, Serialize};

use crate::{
    description::{
        Addressee, CredentialDescription, DataDescription, Description, Mode, PaymentDescription, Semantics,
        StatementDescription,
    },
    item::{Kind, SysId},
    package::{LeafPath, Package},
    tagged::tagged,
};

/// A pattern for one item; what is absent may be anything.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Expectation {
    /// Of a credential.
    Credential(CredentialExpectation),
    /// Of data.
    Data(DataExpectation),
    /// Of a payment.
    Payment(PaymentExpectation),
    /// Of a statement.
    Statement(StatementExpectation),
}

tagged!(pub Expectation, Kind {
    Credential(CredentialExpectation),
    Data(DataExpectation),
    Payment(PaymentExpectation),
    Statement(StatementExpectation),
});

/// A pattern for a statement.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct StatementExpectation {
    /// What it is for.
    pub semantics: Option<Semantics>,
    /// The hash of its exact text.
    pub text: Option<Digest>,
    /// The signer's certificate.
    pub signer: Option<Digest>,
    /// Whom it must be usable by.
    #[serde(rename = "for")]
    pub addressee: Option<Addressee>,
}

/// A pattern for data.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DataExpectation {
    /// What it is called.
    pub title: Option<String>,
    /// Its media type.
    pub media: Option<String>,
    /// How long it may be at most, in bytes.
    pub at_most: Option<u64>,
    /// The hash of its content, if it is known beforehand.
    pub plain: Option<Digest>,
    /// The hash of the licence.
    pub licence: Option<Digest>,
}

/// A pattern for a payment.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct PaymentExpectation {
    /// The least sum the payee takes, in its currency.
    pub at_least: Option<Money>,
    /// The largest sum the payer gives, in its currency; fees count.
    pub at_most: Option<Money>,
    /// Directly or through an escrow.
    pub mode: Option<Mode>,
    /// Who is to be paid.
    pub payee: Option<String>,
    /// The payment system.
    pub module: Option<SysId>,
}

/// A pattern for a credential.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct CredentialExpectation {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The hash of its attributes.
    pub attributes: Option<Digest>,
    /// The issuer's certificate.
    pub issuer: Option<Digest>,
    /// The holder's key.
    pub holder_key: Option<Kid>,
}

impl Expectation {
    /// Whether `description` is what is wanted here.
    pub fn is_satisfied_by(&self, description: &Description) -> bool {
        match (self, description) {
            (Self::Credential(wanted), Description::Credential(got)) => wanted.is_satisfied_by(got),
            (Self::Data(wanted), Description::Data(got)) => wanted.is_satisfied_by(got),
            (Self::Payment(wanted), Description::Payment(got)) => wanted.is_satisfied_by(got),
            (Self::Statement(wanted), Description::Statement(got)) => wanted.is_satisfied_by(got),
            _ => false,
        }
    }
}

/// Whether `package` holds exactly the wanted items at the wanted places.
pub fn satisfies<'a>(
    package: &Package,
    wanted: impl IntoIterator<Item = (&'a LeafPath, &'a Expectation)>,
) -> bool {
    let mut wanted = wanted.into_iter();
    let all = package.leaves().all(|(path, description)| {
        wanted.next().is_some_and(|(at, expectation)| at == path && expectation.is_satisfied_by(description))
    });
    all && wanted.next().is_none()
}

impl StatementExpectation {
    fn is_satisfied_by(&self, got: &StatementDescription) -> bool {
        agrees(&self.semantics, &got.semantics)
            && agrees(&self.text, &got.text)
            && agrees(&self.signer, &got.signer)
            && (agrees(&self.addressee, &got.addressee) || got.addressee == Addressee::Anybody)
    }
}

impl DataExpectation {
    fn is_satisfied_by(&self, got: &DataDescription) -> bool {
        agrees(&self.title, &got.title)
            && agrees(&self.media, &got.media)
            && self.at_most.is_none_or(|most| got.length <= most)
            && agrees(&self.plain, &got.plain)
            && self.licence.is_none_or(|licence| got.licence == Some(licence))
    }
}

impl PaymentExpectation {
    fn is_satisfied_by(&self, got: &PaymentDescription) -> bool {
        let total = match got.fees {
            None => Some(got.amount),
            Some(fees) => got.amount.checked_add(fees).ok(),
        };
        // Sums of different currencies have no order, so neither bound holds between them.
        self.at_least.is_none_or(|least| got.amount >= least)
            && self.at_most.is_none_or(|most| total.is_some_and(|total| total <= most))
            && agrees_if_known(&self.mode, &got.mode)
            && agrees_if_known(&self.payee, &got.payee)
            && agrees_if_known(&self.module, &got.module)
    }
}

impl CredentialExpectation {
    fn is_satisfied_by(&self, got: &CredentialDescription) -> bool {
        agrees(&self.kind, &got.kind)
            && agrees(&self.attributes, &got.attributes)
            && agrees(&self.issuer, &got.issuer)
            && agrees(&self.holder_key, &got.holder_key)
    }
}

fn agrees<T: PartialEq>(wanted: &Option<T>, got: &T) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == got)
}

/// As [`agrees`]; what is wanted must be known.
fn agrees_if_known<T: PartialEq>(wanted: &Option<T>, got: &Option<T>) -> bool {
    wanted.is_none() || wanted == got
}
