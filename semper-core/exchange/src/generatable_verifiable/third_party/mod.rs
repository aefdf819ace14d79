//! The third party of `gxv/1`, one machine for each run it is asked about.
//!
//! ```text
//! Open --ABORT: freeze / RESOLVE: peek--> Observing --all happened--> Generating --all made--> Decided
//!  ^                                        |    \                        |
//!  +---------- NOT-YET, E-OWN --------------+     \-- not all --+     bad seal
//!                                                               v         v
//!                                                              Revoking ----------> Decided
//! ```
//!
//! **Invariant.** One DECISION for each agreement, in the state before it is spoken, the same bytes for
//! everybody. *Aborted* is said only when the authorities have made sure that what has not happened never
//! will, and have undone what had; *completed* only with everything made that is due.
//!
//! A run has one agreement unless its originator signed two OFFERs for it. Then each row keeps the other OFFER
//! as proof; the responder's ACCEPT decides which agreement it holds, so an OFFER nobody accepted can be
//! decided first without touching the one that was.

mod admission;
mod deciding;
mod generating;
mod input;
mod observing;

use std::collections::{BTreeMap, BTreeSet};

use semper_supporting::{
    crypto::digest::Digest,
    deal::Xid,
    machine::{Machine, Refused, Step},
    party::Role,
    time::{Moment, Span},
};
use semper_transfer::{
    description::Semantics,
    package::LeafPath,
    property::{Binding, GenGrade, GenerationPermit, Look, Side},
};
use serde::{Deserialize, Serialize};

use crate::{
    generatable_verifiable::{
        plan::Plan,
        rule::{Seen, Wish},
    },
    message::{Cheat, Common, Draft, Outcome, Proposal, Spoken},
    run::{Run, Speaker},
};

pub use self::{
    admission::MOST_REQUESTS,
    input::{Case, Event, Input, Output, Request},
};

/// The third party about one run.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ThirdParty {
    /// Its certificate and key.
    pub me: Speaker,
    /// How long it takes at most to answer a request, as its capabilities say.
    pub answer_within: Span,
    /// The run.
    pub xid: Xid,
    /// One row for each agreement: at most one that was decided upon without ACCEPT, and one with it.
    pub rows: Vec<Row>,
}

/// What is known about one agreement.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Row {
    /// SHA-256 of OFFER.
    pub agr: Digest,
    /// Who takes part.
    pub run: Run,
    /// Both packages.
    pub plan: Plan,
    /// What OFFER says of each leaf.
    pub offer: Box<Proposal>,
    /// ACCEPT, once somebody has brought it.
    pub accept: Option<Accepted>,
    /// The escrows that were brought and fit their hashes.
    pub blobs: BTreeSet<Digest>,
    /// For each certificate about an escrow that was brought, the escrow it is about.
    pub certified: BTreeMap<Digest, Digest>,
    /// What was answered to each request.
    pub answered: BTreeMap<Digest, Answered>,
    /// Requests that wait for a decision.
    pub waiting: Vec<Asked>,
    /// Who is shown to have broken the protocol.
    pub cheats: BTreeSet<Cheat>,
    /// How far it is.
    pub stage: Stage,
}

/// ACCEPT, as far as the third party acts on it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Accepted {
    /// SHA-256 of ACCEPT.
    pub digest: Digest,
    /// The responder's permits.
    pub permits: BTreeMap<LeafPath, GenerationPermit>,
}

/// What was answered to one request, to be said again in the same bytes when it is repeated.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Answered {
    /// Who asked.
    pub role: Role,
    /// RECEIPT.
    pub receipt: Draft,
    /// NOT-YET, PENDING or REJECT, if that was the answer.
    pub answer: Option<Draft>,
}

/// A request that is to be answered.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Asked {
    /// SHA-256 of the request.
    pub request: Digest,
    /// Who asks.
    pub role: Role,
    /// For what.
    pub wish: Wish,
}

/// How far an agreement is.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Stage {
    /// Nothing is decided, and nothing is going on.
    Open,
    /// The authorities are being asked.
    Observing {
        /// For whom.
        asked: Asked,
        /// How.
        look: Look,
        /// What they have said so far, with the hash of the record.
        seen: BTreeMap<LeafPath, (Seen, Option<Digest>)>,
    },
    /// The originator's items are being made.
    Generating {
        /// For whom.
        asked: Asked,
        /// The records that the transfers have happened.
        records: Vec<Digest>,
        /// What was made so far.
        made: BTreeMap<(Side, LeafPath), Made>,
    },
    /// What happened is being undone.
    Revoking {
        /// For whom.
        asked: Asked,
        /// The records so far.
        records: Vec<Digest>,
        /// The transfers whose undoing is not confirmed.
        open: BTreeSet<LeafPath>,
        /// Whether anything was undone.
        undone: bool,
        /// Whether something that happened stays.
        stuck: bool,
        /// What proves that a seal was bad.
        bad_seal: Option<Digest>,
    },
    /// The decision, which never changes.
    Decided(Verdict),
}

/// A decision and what was made under it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Verdict {
    /// DECISION, as it is signed.
    pub decision: Draft,
    /// How it ended.
    pub outcome: Outcome,
    /// The records it rests on.
    pub records: Vec<Digest>,
    /// What was made.
    pub made: BTreeMap<(Side, LeafPath), Made>,
}

/// What was made in place of one item.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Made {
    /// By which mechanism.
    pub grade: GenGrade,
    /// SHA-256 of what was made.
    pub content: Digest,
    /// For a statement that is attested: its text, signer and purpose.
    pub attested: Option<(Digest, Digest, Semantics)>,
}

type Orders = Vec<Output>;

impl Machine for ThirdParty {
    type Input = Input;
    type Output = Output;

    fn step(mut self, input: Input) -> Step<Self> {
        let before = self.clone();
        let Input { at, journal_index, journal_prev, event } = input;
        let clock = Clock { at: at.whole_seconds(), journal_index, journal_prev };
        let taken = match event {
            Event::Requested(case) => self.requested(*case, &clock),
            Event::Observed { agr, leaf, look, observation } => {
                self.row(agr).and_then(|row| row.observed(leaf, look, observation, &clock))
            }
            Event::Generated { agr, side, leaf, result } => {
                self.row(agr).and_then(|row| row.generated(side, leaf, result, &clock))
            }
            Event::Revoked { agr, leaf, result } => {
                self.row(agr).and_then(|row| row.revoked(leaf, result, &clock))
            }
            Event::Elapsed(agr) => self.row(agr).and_then(|row| row.ask_again()),
        };
        match taken {
            Ok(outputs) => Step::to(self).orders(outputs),
            Err(why) => Step::refuse(before, why),
        }
    }
}

/// The third party's clock and journal at one step.
struct Clock {
    at: Moment,
    journal_index: u64,
    journal_prev: Digest,
}

impl ThirdParty {
    /// A third party that has heard nothing of run `xid` so far.
    pub fn new(me: Speaker, answer_within: Span, xid: Xid) -> Self {
        Self { me, answer_within, xid, rows: Vec::new() }
    }

    /// The decision about an agreement, if there is one.
    pub fn verdict(&self, agr: &Digest) -> Option<&Verdict> {
        self.rows.iter().find(|row| row.agr == *agr).and_then(|row| match &row.stage {
            Stage::Decided(verdict) => Some(verdict),
            Stage::Open | Stage::Observing { .. } | Stage::Generating { .. } | Stage::Revoking { .. } => None,
        })
    }

    fn row(&mut self, agr: Digest) -> Result<&mut Row, Refused> {
        self.rows.iter_mut().find(|row| row.agr == agr).ok_or(Refused::OutOfPlace)
    }
}

impl Row {
    /// Answers a request with something short of a decision.
    fn answer(&mut self, asked: Asked, answer: Draft) -> Output {
        if let Some(answered) = self.answered.get_mut(&asked.request) {
            answered.answer = Some(answer.clone());
        }
        send(asked.role, answer, Vec::new())
    }

    fn binding(&self, giver: Side, leaf: &LeafPath) -> Result<Binding, Refused> {
        self.plan.binding(&self.run, self.agr, giver, leaf).ok_or(Refused::OutOfPlace)
    }

    fn common(&self, to: Role, prev: Option<Digest>, at: Moment) -> Result<Common, Refused> {
        self.run.common(Role::ThirdParty, to, Some(self.agr), prev, at).ok_or(Refused::OutOfPlace)
    }
}

fn draft<T: Spoken>(statement: &T) -> Result<Draft, Refused> {
    Draft::of(statement).map_err(|_| Refused::Mismatch)
}

fn send(to: Role, draft: Draft, beside: Vec<Digest>) -> Output {
    Output::Send { to, draft, beside }
}
