//! OFFER and ACCEPT: the agreement about one exchange.
//!
//! OFFER repeats everything the negotiation came to, so that nothing counts that is not under a signature:
//! protocol, third party and its escrow key, both packages, what each leaf is relied on as, and the
//! originator's permits. Its SHA-256 is the agreement's name, `agr`.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, Statement, Verified, statement::LARGE_LIMIT},
    time::Moment,
};
use semper_transfer::{
    attribute::Strengthening,
    package::{LeafPath, Package},
    property::{GenGrade, GenerationPermit, Reliance, Side},
};
use serde::{Deserialize, Serialize};

use super::{Common, signable};
use crate::{deadlines::Deadlines, select::Level, xid::Nonce};

/// OFFER: what the originator proposes to be bound by.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Proposal {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// The protocol with its version, `gxv/1`.
    pub proto: String,
    /// The version of the exchange layer that both sides speak.
    pub version: u16,
    /// The cell of the terms of business this exchange fills.
    pub cell: String,
    /// The move of the terms of business it belongs to.
    #[serde(rename = "move")]
    pub step: String,
    /// The configuration of the deal it starts from.
    pub conf: Digest,
    /// The originator's nonce.
    pub nonce_o: Nonce,
    /// The responder's nonce.
    pub nonce_r: Nonce,
    /// SHA-256 of PROPOSE and ANSWER, one after the other.
    pub neg: Digest,
    /// SHA-256 of the signed terms of business; absent for a deal without any.
    pub terms: Option<Digest>,
    /// SHA-256 of the clause that gives the third party's replacements their effect.
    pub clause: Digest,
    /// The third party's name, as in its certificate.
    pub ttp_name: String,
    /// SHA-256 of the third party's escrow key.
    pub ttp_escrow_key: Digest,
    /// SHA-256 of the third party's policy.
    pub ttp_policy: Digest,
    /// What the originator gives.
    pub give_o: Package,
    /// What the responder gives.
    pub give_r: Package,
    /// The hash of the originator's tree.
    pub tree_o: Digest,
    /// The hash of the responder's tree.
    pub tree_r: Digest,
    /// What each leaf is relied on as.
    pub prop: Sides<BTreeMap<LeafPath, Reliance>>,
    /// The originator's permits.
    pub permit: BTreeMap<LeafPath, GenerationPermit>,
    /// The order in which leaves move.
    pub order: Vec<Turn>,
    /// How long the originator waits for ACCEPT, in seconds: advice.
    pub t_accept: u64,
    /// How long either waits for the other's items, in seconds: advice.
    pub t_item: u64,
    /// How long the originator waits for CLOSE, in seconds: advice.
    pub t_close: u64,
    /// The third party's deadline, in timed protocols.
    pub t_enforced: Option<Moment>,
    /// How long the third party waits for an answer to its inquiry, in seconds, in timed protocols.
    pub grace: Option<u64>,
    /// How long the third party keeps what it holds, in days.
    pub t_retain: u64,
    /// How fair the exchange is.
    pub level: Level,
    /// Whether both accept that the loser of a bad seal may be left with proof only.
    pub weak_consent: bool,
    /// What parts of the packages strengthen beyond the deal.
    pub sec: Sides<BTreeMap<LeafPath, Strengthening>>,
}

impl Proposal {
    /// Its advice for timers.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines { t_accept: self.t_accept, t_item: self.t_item, t_close: self.t_close }
    }
}

/// One thing of each side.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Sides<T> {
    /// The originator's.
    pub o: T,
    /// The responder's.
    pub r: T,
}

impl<T> Sides<T> {
    /// That of `side`.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Originator => &self.o,
            Side::Responder => &self.r,
        }
    }

    /// That of `side`, to be changed.
    pub fn of_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Originator => &mut self.o,
            Side::Responder => &mut self.r,
        }
    }
}

/// Whose leaf moves.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Turn {
    /// The giver.
    pub side: Side,
    /// The leaf in the giver's package.
    pub leaf: LeafPath,
}

/// ACCEPT: the responder is bound by OFFER.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Accept {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// Always `yes`: an ACCEPT that says anything else is refused.
    pub accept: bool,
    /// The responder's permits.
    pub permit: BTreeMap<LeafPath, GenerationPermit>,
    /// What the responder found the originator's permits to be worth.
    pub grade: BTreeMap<LeafPath, GenGrade>,
}

/// OFFER and the ACCEPT that answers it: both are bound.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Agreement {
    offer: Verified<Proposal>,
    accept: Verified<Accept>,
}

impl Agreement {
    /// The agreement of these two; nothing if the second does not accept the first.
    pub fn of(offer: Verified<Proposal>, accept: Verified<Accept>) -> Option<Self> {
        let agr = Some(offer.digest());
        (accept.accept
            && accept.common.agr == agr
            && accept.common.prev == agr
            && accept.common.xid == offer.common.xid)
            .then_some(Self { offer, accept })
    }

    /// OFFER.
    pub fn offer(&self) -> &Verified<Proposal> {
        &self.offer
    }

    /// ACCEPT.
    pub fn accept(&self) -> &Verified<Accept> {
        &self.accept
    }
}

signable!(Proposal, "x/gxv/offer", LARGE_LIMIT);
signable!(Accept, "x/gxv/accept");
