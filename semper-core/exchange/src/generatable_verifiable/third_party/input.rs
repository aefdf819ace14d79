//! What the third party hears and what it orders.

use semper_supporting::{
    crypto::digest::Digest,
    evidence::Verified,
    party::Role,
    time::{Moment, Span},
};
use semper_transfer::{
    package::LeafPath,
    property::{BadPermit, Binding, Generated, GenerationPermit, Look, Observation, Record, Side, TooLate},
};
use serde::{Deserialize, Serialize};

use super::Asked;
use crate::{
    generatable_verifiable::rule::Wish,
    message::{Abort, Accept, Common, Draft, Proposal, Resolve, Spoken, Status},
    run::Keys,
};

/// Something that happens to the third party: when, and where in its journal it will stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// The third party's clock.
    pub at: Moment,
    /// The index of the journal entry of this step.
    pub journal_index: u64,
    /// The head of the journal before it.
    pub journal_prev: Digest,
    /// What happens.
    pub event: Event,
}

/// Everything that can happen to a third party.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A party asks.
    Requested(Box<Case>),
    /// An authority answers.
    Observed {
        /// The agreement.
        agr: Digest,
        /// The responder's leaf.
        leaf: LeafPath,
        /// How it was asked.
        look: Look,
        /// What it says.
        observation: Observation,
    },
    /// A replacement was made, or cannot be.
    Generated {
        /// The agreement.
        agr: Digest,
        /// Whose leaf.
        side: Side,
        /// Which leaf.
        leaf: LeafPath,
        /// What was made.
        result: Result<Generated, BadPermit>,
    },
    /// A transfer was undone, or cannot be.
    Revoked {
        /// The agreement.
        agr: Digest,
        /// The responder's leaf.
        leaf: LeafPath,
        /// The authority's answer.
        result: Result<Record, TooLate>,
    },
    /// It is time to ask the authorities again.
    Elapsed(Digest),
}

/// A request and what came beside it, each signature checked under the certificate it names.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The request.
    pub request: Request,
    /// OFFER.
    pub offer: Verified<Proposal>,
    /// ACCEPT.
    pub accept: Option<Verified<Accept>>,
    /// Escrows and sealed contents.
    pub blobs: Vec<Vec<u8>>,
    /// The keys of the certificates that came beside it, whose chains were verified.
    pub keys: Keys,
}

/// What a party asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// ABORT.
    Abort(Verified<Abort>),
    /// RESOLVE.
    Resolve(Verified<Resolve>),
    /// STATUS.
    Status(Verified<Status>),
}

/// What a third party orders.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Output {
    /// Ask the authority about the transfer of this binding.
    Observe(Binding, Look),
    /// Make the replacement this permit allows.
    Generate(Binding, GenerationPermit),
    /// Undo the transfer of this binding.
    Revoke(Binding),
    /// Keep this as evidence.
    Keep(Digest),
    /// Sign this and send it, with what these digests name beside it.
    Send {
        /// To whom.
        to: Role,
        /// The exact bytes to be signed.
        draft: Draft,
        /// What travels beside it.
        beside: Vec<Digest>,
    },
    /// Ask the authorities of this agreement again after a while.
    Retry(Digest, Span),
}

impl Request {
    /// The digest by which answers name it.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Abort(request) => request.digest(),
            Self::Resolve(request) => request.digest(),
            Self::Status(request) => request.digest(),
        }
    }

    /// Its common lines.
    pub fn common(&self) -> &Common {
        match self {
            Self::Abort(request) => request.value().common(),
            Self::Resolve(request) => request.value().common(),
            Self::Status(request) => request.value().common(),
        }
    }

    pub(super) fn signer(&self) -> semper_supporting::crypto::signature::Kid {
        match self {
            Self::Abort(request) => request.signer(),
            Self::Resolve(request) => request.signer(),
            Self::Status(request) => request.signer(),
        }
    }

    pub(super) fn offer(&self) -> Digest {
        match self {
            Self::Abort(request) => request.offer,
            Self::Resolve(request) => request.offer,
            Self::Status(request) => request.offer,
        }
    }

    pub(super) fn accept(&self) -> Option<Digest> {
        match self {
            Self::Abort(request) => request.accept,
            Self::Resolve(request) => request.accept,
            Self::Status(_) => None,
        }
    }

    pub(super) fn wants_decision(&self) -> bool {
        match self {
            Self::Abort(_) | Self::Resolve(_) => true,
            Self::Status(_) => false,
        }
    }

    pub(super) fn asked(&self) -> Asked {
        let wish = match self {
            Self::Abort(_) => Wish::Abort,
            Self::Resolve(_) | Self::Status(_) => Wish::Resolve,
        };
        Asked { request: self.digest(), role: self.common().from, wish }
    }
}
