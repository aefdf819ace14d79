//! A transfer without fairness (`xfer/1`): one message, and its receipt when one was asked for.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::Confidentiality,
    evidence::{Signable, Statement},
};
use semper_transfer::package::LeafPath;
use serde::{Deserialize, Serialize};

use super::{Common, signable};

/// MESSAGE: a package on its way, with the evidence of its origin.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Message {
    /// The common lines. Its sender is the originator; `cert-t` and `agr` are absent.
    #[serde(rename = "")]
    pub common: Common,
    /// The cell of the terms of business that it fills; absent in a deal without any, as the next three.
    pub cell: Option<String>,
    /// The move of the terms of business that it is.
    #[serde(rename = "move")]
    pub step: Option<String>,
    /// The configuration of the deal it starts from.
    pub conf: Option<Digest>,
    /// SHA-256 of the signed terms of business.
    pub terms: Option<Digest>,
    /// The descriptions of the leaves, by hash.
    pub leaf: BTreeMap<LeafPath, Digest>,
    /// SHA-256 of each leaf's content.
    pub content: BTreeMap<LeafPath, Digest>,
    /// The third party it travels through, which signs its delivery; absent for the direct way.
    pub via: Option<Digest>,
    /// What the transfer guarantees.
    pub sec: Security,
}

/// What a transfer guarantees beyond its arrival.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Security {
    /// How the content is protected on its way.
    pub confidentiality: Confidentiality,
    /// Whether the receiver owes a CLOSE.
    pub receipt: bool,
}

/// CLOSE of a transfer: the receiver has the package, and it is what MESSAGE describes.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Close {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// Always `yes`.
    pub received: bool,
    /// SHA-256 of MESSAGE.
    pub message: Digest,
}

signable!(Message, "x/xfer/message");
signable!(Close, "x/xfer/close");
