//! The responder of `gxv/1`: it usually pays, and moves first.
//!
//! ```text
//! Idle --OFFER checked--> Asking --ACCEPT signed--> Agreed --Go--> Moving --all happened--> Waiting
//!                            |                        |               |  \                     |
//!                         no, time               stop, time     refused,  wrong ITEM     time, stop,
//!                            v                        |        stop, time      \         wrong ITEM
//!                         Declined                    v               v         v              v
//!                                                 Aborting <----------+------ Resolving <------+
//!                                                     +------- DECISION ---------+
//!                                                     v                          v
//!                                                 Aborted | Claim | CompletedByT
//!
//! Moving, Waiting, Resolving, Aborting --ITEM matches, own records: all happened--> Completed
//! ```
//!
//! **Invariant.** A transfer starts only after our ACCEPT is out, one leaf after the other, what can be undone
//! first. Once one has started, only ITEM with our own records, or a DECISION with what it calls for, ends the
//! run. One OFFER is taken up per run, ever.

mod appealing;
mod trading;

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::Verified,
    machine::{Machine, Refused, Step},
    party::Role,
};
use semper_transfer::{
    package::LeafPath,
    property::{Accepted, GenerationPermit},
};
use serde::{Deserialize, Serialize};

use appealing::{aborting, resolving};
use trading::{agreed, asking, idle, moving, waiting};

use super::{
    Input, Output,
    desk::{Answer, Desk, Recorded, Recourse, Verdicts},
    originator::late,
};
use crate::{
    check::Checked,
    deadlines::Timer,
    message::{Accept, DeclineReason, Draft, Item, Outcome},
    run::Run,
};

/// Where the responder stands. Journaled before any output of the step that led here.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Responder {
    /// Negotiated; no OFFER yet.
    Idle(Run),
    /// The user is being asked to sign ACCEPT.
    Asking(Desk, Draft),
    /// Both are bound; nothing has moved.
    Agreed(Desk),
    /// Our transfers are under way; ITEM may have come early.
    Moving(Desk, Early),
    /// Our transfers have happened; the originator owes ITEM.
    Waiting(Desk),
    /// The third party is to undo, or to complete if it is too late for that.
    Aborting(Desk, Recourse, Early),
    /// The third party is to complete.
    Resolving(Desk, Recourse, Early),
    /// Both packages have changed hands.
    Completed(Desk, Draft),
    /// The third party has completed the exchange.
    CompletedByT(Desk),
    /// Nothing has changed hands for good, by the third party's word and the authorities'.
    Aborted(Desk, Outcome),
    /// The other side cheated and what moved cannot be undone; we hold the proof.
    Claim(Desk),
    /// We committed to nothing.
    Declined(Desk, DeclineReason),
}

/// An ITEM that came before the authorities' records about our own transfers.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Early(Option<(Digest, BTreeMap<LeafPath, Accepted>)>);

/// Everything that can happen to a responder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// An OFFER that passed our checks; with our permits, and the hashes of what MOVED will hand over.
    Offered(Box<Checked>, BTreeMap<LeafPath, GenerationPermit>, BTreeMap<LeafPath, Digest>),
    /// Our ACCEPT, signed under a permit of the user.
    Signed(Box<Verified<Accept>>),
    /// The user says no.
    Refused,
    /// Go on.
    Go,
    /// An authority's record about one of our transfers.
    Recorded(Recorded),
    /// ITEM, and what our managers found of what came beside it.
    Delivered(Verified<Item>, Verdicts),
    /// The third party answers.
    Answered(Box<Answer>),
    /// A timer has run out.
    Elapsed(Timer),
    /// The user gives up waiting.
    Stopped,
}

type Taken = Result<Step<Responder>, Refused>;

impl Machine for Responder {
    type Input = Input<Event>;
    type Output = Output;

    fn step(self, input: Self::Input) -> Step<Self> {
        let before = self.clone();
        let Input { at, event } = input;
        let taken = match self {
            Self::Idle(run) => idle(run, event, at),
            Self::Asking(desk, accept) => asking(desk, accept, event, at),
            Self::Agreed(desk) => agreed(desk, event, at),
            Self::Moving(desk, early) => moving(desk, early, event, at),
            Self::Waiting(desk) => waiting(desk, event, at),
            Self::Aborting(desk, recourse, early) => aborting(desk, recourse, early, event, at),
            Self::Resolving(desk, recourse, early) => resolving(desk, recourse, early, event, at),
            ended @ (Self::Completed(..)
            | Self::CompletedByT(_)
            | Self::Aborted(..)
            | Self::Claim(_)
            | Self::Declined(..)) => ended.after(event),
        };
        taken.unwrap_or_else(|why| Step::refuse(before, why))
    }
}

impl Responder {
    /// Waits for the OFFER of `run`.
    pub fn new(run: Run) -> Self {
        Self::Idle(run)
    }

    /// What this party keeps about its run, once there is an OFFER.
    pub fn desk(&self) -> Option<&Desk> {
        match self {
            Self::Idle(_) => None,
            Self::Asking(desk, _)
            | Self::Agreed(desk)
            | Self::Moving(desk, _)
            | Self::Waiting(desk)
            | Self::Aborting(desk, ..)
            | Self::Resolving(desk, ..)
            | Self::Completed(desk, _)
            | Self::CompletedByT(desk)
            | Self::Aborted(desk, _)
            | Self::Claim(desk)
            | Self::Declined(desk, _) => Some(desk),
        }
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        matches!(
            self,
            Self::Completed(..)
                | Self::CompletedByT(_)
                | Self::Aborted(..)
                | Self::Claim(_)
                | Self::Declined(..)
        )
    }

    /// The run has ended: CLOSE is sent again if ITEM comes again, and a further DECISION is kept.
    fn after(self, event: Event) -> Taken {
        match (self, event) {
            (Self::Completed(desk, close), Event::Delivered(item, _))
                if desk.log.has_heard(&item.digest()) =>
            {
                let again = Output::Send { to: Role::Originator, draft: close.clone(), beside: Vec::new() };
                Ok(Step {
                    refused: Some(Refused::Repeated),
                    ..Step::to(Self::Completed(desk, close)).order(again)
                })
            }
            (Self::CompletedByT(mut desk), Event::Answered(answer)) => {
                let outputs = late(&mut desk, *answer)?;
                Ok(Step::to(Self::CompletedByT(desk)).orders(outputs))
            }
            (Self::Aborted(mut desk, outcome), Event::Answered(answer)) => {
                let outputs = late(&mut desk, *answer)?;
                Ok(Step::to(Self::Aborted(desk, outcome)).orders(outputs))
            }
            (Self::Claim(mut desk), Event::Answered(answer)) => {
                let outputs = late(&mut desk, *answer)?;
                Ok(Step::to(Self::Claim(desk)).orders(outputs))
            }
            (state, Event::Offered(checked, ..)) => another(state.desk(), &checked),
            (
                Self::Completed(..)
                | Self::CompletedByT(_)
                | Self::Aborted(..)
                | Self::Claim(_)
                | Self::Declined(..)
                | Self::Idle(_)
                | Self::Asking(..)
                | Self::Agreed(_)
                | Self::Moving(..)
                | Self::Waiting(_)
                | Self::Aborting(..)
                | Self::Resolving(..),
                Event::Signed(_)
                | Event::Refused
                | Event::Go
                | Event::Recorded(_)
                | Event::Delivered(..)
                | Event::Answered(_)
                | Event::Elapsed(_)
                | Event::Stopped,
            ) => Err(Refused::OutOfPlace),
        }
    }
}

/// An OFFER for a run that has one already: the same again, or proof that the originator offers twice.
fn another(desk: Option<&Desk>, checked: &Checked) -> Taken {
    let same = desk.is_some_and(|desk| desk.agr == checked.offer().digest());
    Err(if same { Refused::Repeated } else { Refused::Mismatch })
}
