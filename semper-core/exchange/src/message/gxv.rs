//! What originator and responder say to each other once OFFER is out (`gxv/1`).

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, Statement},
};
use semper_transfer::package::LeafPath;
use serde::{Deserialize, Serialize};

use super::{Common, signable};

/// DECLINE: the responder commits to nothing.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Decline {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// Why.
    pub reason: DeclineReason,
}

/// Why an offer was declined.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclineReason {
    /// The user said no.
    User,
    /// The user did not answer in time.
    Timer,
    /// The offer did not pass the responder's checks.
    Checks,
}

/// MOVED: the responder has ordered its transfers. A hint: the originator trusts the authority's record.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Moved {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// What was ordered, leaf by leaf; the responder's generatable leaves travel beside it in clear.
    pub leaf: BTreeMap<LeafPath, MovedLeaf>,
}

/// One leaf of MOVED.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct MovedLeaf {
    /// The payment's reference or, for a leaf sent in clear, the hash of its content.
    #[serde(rename = "ref")]
    pub reference: Digest,
    /// SHA-256 of the authority's certificate; absent for a leaf sent in clear.
    pub authority: Option<Digest>,
    /// SHA-256 of the authority's record, when it has come already.
    pub record: Option<Digest>,
}

/// ITEM: the originator gives its package. The contents travel beside it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Item {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of each leaf's content: a signed statement, or the key of sealed data.
    pub content: BTreeMap<LeafPath, Digest>,
}

/// CLOSE: the responder has received the originator's package, and it is what was agreed.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Close {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// Always `yes`: a CLOSE that says anything else is refused.
    pub received: bool,
    /// SHA-256 of ITEM.
    pub item: Digest,
}

signable!(Decline, "x/gxv/decline");
signable!(Moved, "x/gxv/moved");
signable!(Item, "x/gxv/item");
signable!(Close, "x/gxv/close");
