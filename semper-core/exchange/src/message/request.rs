//! What a party asks of the third party.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, Statement},
};
use semper_transfer::package::LeafPath;
use serde::{Deserialize, Serialize};

use super::{Common, signable};

/// ABORT: undo what can be undone, or complete if it is too late for that.
///
/// OFFER, ACCEPT if there is one, and the chains travel beside it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Abort {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of OFFER.
    pub offer: Digest,
    /// SHA-256 of ACCEPT, if the requester has one.
    pub accept: Option<Digest>,
    /// Why.
    pub reason: Reason,
    /// SHA-256 of every message of this run that the requester has received.
    pub seen: Vec<Digest>,
}

/// RESOLVE: complete if the responder's transfers have happened.
///
/// OFFER, ACCEPT, the chains and the escrow blobs travel beside it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Resolve {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of OFFER.
    pub offer: Digest,
    /// SHA-256 of ACCEPT, if the requester has one.
    pub accept: Option<Digest>,
    /// Why.
    pub reason: Reason,
    /// SHA-256 of every message of this run that the requester has received.
    pub seen: Vec<Digest>,
    /// SHA-256 of the requester's own items, where it supplies them.
    pub own: BTreeMap<LeafPath, Digest>,
    /// SHA-256 of what speaks for it: records, and items that did not match.
    pub evidence: Vec<Digest>,
}

/// STATUS: what became of this run?
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Status {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of OFFER.
    pub offer: Digest,
}

/// Why a party turns to the third party.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The other side declined.
    Declined,
    /// What came does not match what was agreed.
    Mismatch,
    /// The third party had answered NOT-YET.
    NotYet,
    /// The authority refused our transfer.
    Refused,
    /// Time is up.
    Timer,
    /// The user gave up waiting.
    User,
}

signable!(Abort, "t/abort");
signable!(Resolve, "t/resolve");
signable!(Status, "t/status");
