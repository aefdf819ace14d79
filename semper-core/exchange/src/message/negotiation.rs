//! PROPOSE and ANSWER: what each side gives, wants, can offer and is willing to rely on.
//!
//! Nothing in them counts until OFFER repeats it; they are signed so that nobody between the parties can make
//! the outcome weaker.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::Anonymity,
    evidence::{Signable, Statement, statement::LARGE_LIMIT},
    time::Moment,
};
use semper_transfer::{
    expectation::Expectation,
    package::{LeafPath, Package},
    property::{Class, Props},
};
use serde::{Deserialize, Serialize};

use super::{Common, Spoken};
use crate::{
    select::{Level, Selected, Unselectable},
    xid::Nonce,
};

/// PROPOSE: what the initiator brings.
///
/// In its common lines `xid`, `cert-t` and `agr` are absent, and `cert-o` is the initiator's.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Propose {
    /// All its lines.
    #[serde(rename = "")]
    pub view: View<Common>,
}

/// ANSWER: what the other side brings, and what follows.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Answer {
    /// The lines it shares with PROPOSE, and the hash of that.
    #[serde(rename = "")]
    pub view: View<Answering>,
    /// What both sides come to; absent if nothing is possible.
    pub result: Option<Selected>,
    /// Why nothing is possible.
    pub reason: Option<Unselectable>,
}

/// The first lines of ANSWER.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Answering {
    /// The common lines, as in PROPOSE.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of PROPOSE.
    pub propose: Digest,
}

/// One side's view of the exchange to come.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct View<H> {
    /// The first lines.
    #[serde(rename = "")]
    pub head: H,
    /// 32 fresh random bytes.
    pub nonce: Nonce,
    /// The versions of the exchange layer it speaks.
    pub versions: Vec<u16>,
    /// The protocols it runs, with version, in its order of preference.
    pub protos: Vec<String>,
    /// The third parties it trusts, in its order of preference: SHA-256 of their certificates.
    pub ttps: Vec<Digest>,
    /// What it gives; absent in a transfer it only receives.
    pub gives: Option<Package>,
    /// What it wants for it.
    pub wants: BTreeMap<LeafPath, Expectation>,
    /// For every leaf it gives, what its mechanisms can offer.
    pub props: BTreeMap<LeafPath, Ways>,
    /// For every leaf it wants, what it is willing to rely on.
    pub accepts: BTreeMap<LeafPath, Willing>,
    /// The weakest level it accepts.
    pub min_level: Level,
    /// How it shows itself.
    pub anonymity: Anonymity,
    /// The revocation list by which its certificate was good.
    pub status: Option<Stapled>,
    /// SHA-256 of the signed terms of business.
    pub terms: Option<Digest>,
}

/// What the mechanisms at hand can offer for one leaf.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Ways {
    /// One for each mechanism, best first.
    pub way: Vec<Props>,
}

/// What a side is willing to rely on for one leaf.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Willing {
    /// The classes it takes.
    pub class: Vec<Class>,
}

/// A revocation list, and when it was issued.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Stapled {
    /// SHA-256 of the list.
    pub list: Digest,
    /// When it was issued.
    pub issued: Moment,
}

/// How SHA-256 of PROPOSE and ANSWER together is named in OFFER.
pub fn digest(propose: &[u8], answer: &[u8]) -> Digest {
    Digest::of_parts([propose, answer])
}

impl Propose {
    /// Its common lines.
    pub fn common(&self) -> &Common {
        &self.view.head
    }
}

impl Answer {
    /// Its common lines.
    pub fn common(&self) -> &Common {
        &self.view.head.common
    }
}

macro_rules! negotiates {
    ($name:ident, $kind:literal) => {
        impl Statement for $name {
            const TYPE: &'static str = $kind;
            const LIMIT: usize = LARGE_LIMIT;
        }

        impl Signable for $name {
            fn signer(&self) -> Kid {
                self.common().signer
            }
        }

        impl Spoken for $name {
            fn common(&self) -> &Common {
                self.common()
            }
        }
    };
}

negotiates!(Propose, "x/neg/propose");
negotiates!(Answer, "x/neg/answer");
