//! What a person is asked in a sale: the statement that would be signed, with everything its facts are
//! derived from and held against.
//!
//! A machine orders [`Output::Ask`](super::Output::Ask) with the bytes alone. The program that asks takes the
//! question from the machine, which holds every document that came before and what it was checked against.

use semper_exchange::{
    message::{Accept, Proposal},
    prompt::{About, AcceptContext, PurseFacts, ThirdPartyName},
};
use semper_supporting::{
    crypto::digest::Digest,
    evidence::Statement as _,
    tinguin::{
        Critical, Words,
        gate::{Confirmable as _, GateError, Part},
    },
};
use semper_transfer::payment::Purse;

use super::Arbiter;
use crate::deal::{DealOpen, DealOpenContext};

/// One question to a person.
#[derive(Clone, Debug, PartialEq)]
pub enum SaleQuestion {
    /// Whether the deal is opened. To a buyer.
    DealOpen {
        /// What would be signed.
        statement: DealOpen,
        /// What it is held against.
        context: Box<DealOpenContext>,
    },
    /// Whether the exchange is agreed to, which pays. To a buyer.
    Accept {
        /// What would be signed.
        statement: Accept,
        /// What it is held against.
        context: Box<AcceptContext>,
    },
    /// Whether the exchange is offered. To a seller.
    Offer {
        /// What would be signed.
        statement: Box<Proposal>,
        /// What it is held against.
        context: Box<About>,
    },
}

impl SaleQuestion {
    /// The type of what would be signed.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DealOpen { .. } => DealOpen::TYPE,
            Self::Accept { .. } => Accept::TYPE,
            Self::Offer { .. } => Proposal::TYPE,
        }
    }

    /// The family of the prompt.
    pub fn family(&self) -> Critical {
        match self {
            Self::DealOpen { .. } => DealOpen::FAMILY,
            Self::Accept { .. } => Accept::FAMILY,
            Self::Offer { .. } => Proposal::FAMILY,
        }
    }

    /// Says who certified the other party, which the program knows from the chain it verified.
    #[must_use]
    pub fn certified_by(mut self, certifier: impl Into<String>) -> Self {
        let place = match &mut self {
            Self::DealOpen { context, .. } => &mut context.certifier,
            Self::Accept { context, .. } => &mut context.about.certifier,
            Self::Offer { context, .. } => &mut context.certifier,
        };
        *place = Some(certifier.into());
        self
    }

    /// The act that the gate asks about, its facts derived and held against the context.
    ///
    /// # Errors
    /// [`GateError`]; the statement is then refused, as if the person had said no.
    pub fn part(self, words: &Words) -> Result<Part, GateError> {
        match self {
            Self::DealOpen { statement, context } => Part::new(statement, &context, words),
            Self::Accept { statement, context } => Part::new(statement, &context, words),
            Self::Offer { statement, context } => Part::new(*statement, &context, words),
        }
    }
}

/// The third party of this certificate among those that were verified.
pub(super) fn third_party(arbiters: &[Arbiter], certificate: Digest) -> Option<ThirdPartyName> {
    let named = arbiters.iter().find(|one| one.certificate == certificate)?;
    Some(ThirdPartyName { certificate, name: named.name.clone() })
}

/// What a prompt shows of a purse.
pub(super) fn facts_of(purse: &Purse) -> PurseFacts {
    PurseFacts { system: purse.system.sys.clone(), name: purse.name.clone(), available: purse.available() }
}
