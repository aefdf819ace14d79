//! The properties that make a transfer fit for a fair exchange, and what follows for whole packages
//! (Schunter, Waidner, Whinnett 1999, 3.4; Asokan, Schunter, Waidner 1997).
//!
//! A transfer is *generatable* when a third party can make it happen, *externally verifiable* when it can
//! find out whether it happened, and *revocable* when it can undo it. Each comes in grades, with the time
//! until which it holds and the authority on which it rests.
//!
//! For one run, a leaf is used as one [`Class`]. An exchange is fair without deadlines if over both sides at
//! most one leaf is a pivot, none is weaker than sealed, and whoever relies on a sealed leaf gives only what
//! can be made or undone. What can be undone moves first, then the pivot, then what can be made: the
//! compensate, pivot, retry pattern of sagas.

mod contract;
mod grade;
mod outcome;
mod permit;

use semper_supporting::{crypto::digest::Digest, deal::Xid, party::Role};
use serde::{Deserialize, Serialize};

pub use self::{
    contract::{ExchangeEnabled, TtpItem},
    grade::{
        Class, GenGrade, Grade, NotAdmissible, Props, Reliance, RevGrade, VerGrade, admissible,
        delivery_order,
    },
    outcome::{
        Accepted, Answer, Begun, Decided, Delivered, Generated, Got, Look, Observation, Order, Record,
        RecordStatus, Replacement, TooLate, Transfer,
    },
    permit::{Attached, BadPermit, Capabilities, Certificates, GenerationPermit, Permitted, ThirdPartyKeys},
};
use crate::package::LeafPath;

/// What one transfer is part of: one leaf of one agreement in one run, in one direction.
///
/// Every transfer, permit, record and replacement is made under a binding and satisfies no other.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Binding {
    /// The run of the exchange.
    pub xid: Xid,
    /// SHA-256 of the signed offer; absent only while the offer, whose hash it is, is still being built.
    #[serde(rename = "agr")]
    pub agreement: Option<Digest>,
    /// The leaf in the giver's package.
    pub leaf: LeafPath,
    /// Who gives it.
    #[serde(rename = "dir")]
    pub giver: Side,
    /// The giver's certificate: SHA-256 of its DER.
    pub owner: Digest,
    /// The hash of the leaf's description.
    #[serde(rename = "desc")]
    pub description: Digest,
}

impl Binding {
    /// Whether `other` is the same binding, or the same one before the agreement had a hash.
    pub fn continues(&self, earlier: &Self) -> bool {
        let agreement = earlier.agreement.is_none() || earlier.agreement == self.agreement;
        agreement && *self == Self { agreement: self.agreement, ..earlier.clone() }
    }

    /// The only role to which a third party may disclose what it opens or makes under this binding.
    pub fn receiver(&self) -> Role {
        match self.giver {
            Side::Originator => Role::Responder,
            Side::Responder => Role::Originator,
        }
    }
}

/// One of the two parties of an exchange.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Side {
    /// The originator.
    #[serde(rename = "o")]
    Originator,
    /// The responder.
    #[serde(rename = "r")]
    Responder,
}

impl Side {
    /// The other party.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Originator => Self::Responder,
            Self::Responder => Self::Originator,
        }
    }

    /// The role of this party in messages.
    pub fn role(self) -> Role {
        match self {
            Self::Originator => Role::Originator,
            Self::Responder => Role::Responder,
        }
    }
}
