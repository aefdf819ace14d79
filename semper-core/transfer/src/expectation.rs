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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::tests::{data, one_of_each, receipt};

    fn at_most(sum: &str) -> Expectation {
        PaymentExpectation {
            at_least: None,
            at_most: Money::parse(sum).ok(),
            mode: None,
            payee: None,
            module: None,
        }
        .into()
    }

    /// XTS 12.50 without fees, or with those given.
    fn payment(fees: Option<&str>) -> Description {
        let [_, _, Description::Payment(payment), _] = one_of_each() else {
            panic!("the third is a payment")
        };
        PaymentDescription { fees: fees.and_then(|fees| Money::parse(fees).ok()), ..payment }.into()
    }

    #[test]
    fn what_is_absent_may_be_anything_of_the_kind() {
        let any = Expectation::from(DataExpectation::default());
        assert!(any.is_satisfied_by(&data("x").into()));
        assert!(!any.is_satisfied_by(&receipt().into()));
        let named = DataExpectation { title: Some("y".into()), ..DataExpectation::default() };
        assert!(!Expectation::from(named).is_satisfied_by(&data("x").into()));
        let short = DataExpectation { at_most: Some(48_212), ..DataExpectation::default() };
        assert!(!Expectation::from(short).is_satisfied_by(&data("x").into()));
    }

    #[test]
    fn a_bound_on_money_holds_in_its_own_currency_and_counts_fees() {
        assert!(at_most("XTS 12.50").is_satisfied_by(&payment(None)));
        assert!(!at_most("XTS 12.49").is_satisfied_by(&payment(None)));
        assert!(!at_most("EUR 20.00").is_satisfied_by(&payment(None)));
        assert!(!at_most("XTS 12.50").is_satisfied_by(&payment(Some("XTS 0.01"))));
        assert!(!at_most("XTS 20.00").is_satisfied_by(&payment(Some("EUR 0.01"))));
    }

    #[test]
    fn a_statement_for_anybody_serves_whoever_wants_one() {
        let wanted = |addressee| {
            Expectation::from(StatementExpectation {
                addressee: Some(addressee),
                ..StatementExpectation::default()
            })
        };
        let mine = wanted(Addressee::Certificate(Digest::of(b"buyer")));
        assert!(mine.is_satisfied_by(&receipt().into()));
        assert!(
            mine.is_satisfied_by(&StatementDescription { addressee: Addressee::Anybody, ..receipt() }.into())
        );
        assert!(!wanted(Addressee::Anybody).is_satisfied_by(&receipt().into()));
    }

    #[test]
    fn a_package_holds_exactly_what_is_wanted_where_it_is_wanted() {
        let package = Package::flat([data("a").into(), receipt().into()]).unwrap();
        let path = |at| LeafPath::new(&[at]).unwrap();
        let (data, statement): (Expectation, Expectation) =
            (DataExpectation::default().into(), StatementExpectation::default().into());
        let (first, second, third) = (path(0), path(1), path(2));
        assert!(satisfies(&package, [(&first, &data), (&second, &statement)]));
        assert!(!satisfies(&package, [(&first, &data)]));
        assert!(!satisfies(&package, [(&first, &statement), (&second, &data)]));
        assert!(!satisfies(&package, [(&first, &data), (&second, &statement), (&third, &data)]));
    }
}
