//! The originator of `gxv/1`: it holds the package the third party can make, and gives last.
//!
//! ```text
//!  Draft --OFFER signed--> Offered --ACCEPT--> Agreed
//!    |                        |  \                |  \
//!   stop                      |   \-- records ----|---+--> Delivered --CLOSE / t-close--> Completed
//!    v                        |                   |
//! Declined        timer, stop, DECLINE        wrong leaf
//!                             v                   v
//!                         Aborting <--NOT-YET-- Resolving
//!                             |                   |
//!                             +---- DECISION -----+---> Aborted | CompletedByT
//! ```
//!
//! **Invariant.** ITEM leaves only once the authorities' own records show that every recorded leaf of the
//! responder has happened, and never after the third party was asked. Once OFFER is out, only CLOSE-or-time
//! after delivery or a DECISION ends the run: time alone never does, since the responder may have paid.

mod appealing;
mod trading;

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::Verified,
    machine::{Machine, Refused, Step},
};
use semper_transfer::{
    package::LeafPath,
    property::{GenGrade, Side},
};
use serde::{Deserialize, Serialize};

use appealing::{aborting, resolving};
use trading::{agreed, delivered, drafting, offered};

use super::{
    Input, Output,
    desk::{Answer, Desk, Heeded, Recorded, Recourse, Verdicts},
    plan::{BadPlan, Plan},
};
use crate::{
    deadlines::Timer,
    message::{Accept, Close, Decline, Draft, Moved, Outcome, Proposal},
    run::{Log, Run},
};

/// Where the originator stands. Journaled before any output of the step that led here.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Originator {
    /// OFFER is written, not signed.
    Draft(Desk, Draft),
    /// OFFER is out: the responder can take it up.
    Offered(Desk),
    /// Both are bound.
    Agreed(Desk, Misfit),
    /// ITEM is out; the responder's transfers have happened.
    Delivered(Desk, Draft),
    /// The third party is to undo, or to complete if it is too late for that.
    Aborting(Desk, Recourse),
    /// The third party is to complete.
    Resolving(Desk, Recourse),
    /// Both packages have changed hands.
    Completed(Desk, Receipted),
    /// The third party has completed the exchange.
    CompletedByT(Desk),
    /// Nothing has changed hands for good, by the third party's word.
    Aborted(Desk, Outcome),
    /// OFFER never left.
    Declined(Desk),
}

/// Whether something the responder sent in clear was not what was agreed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Misfit {
    /// Nothing so far.
    None,
    /// MOVED came with a leaf that does not match; this is its SHA-256.
    Seen(Digest),
}

/// Whether the responder has signed that it received our package.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Receipted {
    /// By this CLOSE.
    By(Digest),
    /// Not in time; the authority's record is our evidence.
    No,
}

/// Everything that can happen to an originator.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// The run begins.
    Begin,
    /// Our OFFER, signed under a permit of the user.
    Signed(Box<Verified<Proposal>>),
    /// ACCEPT, and which grade each permit in it has by our manager's check.
    Accepted(Verified<Accept>, BTreeMap<LeafPath, GenGrade>),
    /// DECLINE.
    Declined(Verified<Decline>),
    /// MOVED, and what our managers found of the leaves that came beside it.
    Moved(Verified<Moved>, Verdicts),
    /// An authority's record about one of the responder's transfers.
    Recorded(Recorded),
    /// CLOSE.
    Closed(Verified<Close>),
    /// The third party answers.
    Answered(Box<Answer>),
    /// A timer has run out.
    Elapsed(Timer),
    /// The user gives up waiting.
    Stopped,
}

type Taken = Result<Step<Originator>, Refused>;

impl Machine for Originator {
    type Input = Input<Event>;
    type Output = Output;

    fn step(self, input: Self::Input) -> Step<Self> {
        let before = self.clone();
        let Input { at, event } = input;
        let taken = match self {
            Self::Draft(desk, offer) => drafting(desk, offer, event),
            Self::Offered(desk) => offered(desk, event, at),
            Self::Agreed(desk, misfit) => agreed(desk, misfit, event, at),
            Self::Delivered(desk, item) => delivered(desk, item, event),
            Self::Aborting(desk, recourse) => aborting(desk, recourse, event, at),
            Self::Resolving(desk, recourse) => resolving(desk, recourse, event, at),
            ended @ (Self::Completed(..) | Self::CompletedByT(_) | Self::Aborted(..) | Self::Declined(_)) => {
                ended.after(event)
            }
        };
        taken.unwrap_or_else(|why| Step::refuse(before, why))
    }
}

impl Originator {
    /// Prepares the run of `offer`; `contents` are the hashes of what ITEM will deliver.
    ///
    /// # Errors
    /// [`BadPlan`] if the offer is no plan of this protocol, or lacks the content of a leaf.
    pub fn new(run: Run, offer: &Proposal, contents: BTreeMap<LeafPath, Digest>) -> Result<Self, BadPlan> {
        let plan = Plan::of(offer)?;
        if !plan.leaves.o.keys().eq(contents.keys()) {
            return Err(BadPlan::Permits);
        }
        let draft = Draft::of(offer).map_err(|_| BadPlan::Tree)?;
        let desk = Desk {
            run,
            me: Side::Originator,
            plan,
            agr: draft.digest(),
            deadlines: offer.deadlines(),
            contents,
            accept: None,
            records: BTreeMap::new(),
            items: BTreeMap::new(),
            ruling: None,
            log: Log::default(),
        };
        Ok(Self::Draft(desk, draft))
    }

    /// What this party keeps about its run.
    pub fn desk(&self) -> &Desk {
        match self {
            Self::Draft(desk, _)
            | Self::Offered(desk)
            | Self::Agreed(desk, _)
            | Self::Delivered(desk, _)
            | Self::Aborting(desk, _)
            | Self::Resolving(desk, _)
            | Self::Completed(desk, _)
            | Self::CompletedByT(desk)
            | Self::Aborted(desk, _)
            | Self::Declined(desk) => desk,
        }
    }

    /// Whether nothing can change any more.
    pub fn has_ended(&self) -> bool {
        matches!(self, Self::Completed(..) | Self::CompletedByT(_) | Self::Aborted(..) | Self::Declined(_))
    }

    /// The run has ended: only a further DECISION or a late replacement still says something.
    fn after(self, event: Event) -> Taken {
        match (self, event) {
            (Self::CompletedByT(mut desk), Event::Answered(answer)) => {
                let outputs = late(&mut desk, *answer)?;
                Ok(Step::to(Self::CompletedByT(desk)).orders(outputs))
            }
            (Self::Aborted(mut desk, outcome), Event::Answered(answer)) => {
                let outputs = late(&mut desk, *answer)?;
                Ok(Step::to(Self::Aborted(desk, outcome)).orders(outputs))
            }
            (
                Self::Completed(..) | Self::CompletedByT(_) | Self::Aborted(..) | Self::Declined(_),
                Event::Begin
                | Event::Signed(_)
                | Event::Accepted(..)
                | Event::Declined(_)
                | Event::Moved(..)
                | Event::Recorded(_)
                | Event::Closed(_)
                | Event::Answered(_)
                | Event::Elapsed(_)
                | Event::Stopped,
            )
            | (
                Self::Draft(..)
                | Self::Offered(_)
                | Self::Agreed(..)
                | Self::Delivered(..)
                | Self::Aborting(..)
                | Self::Resolving(..),
                _,
            ) => Err(Refused::OutOfPlace),
        }
    }
}

/// A DECISION after the end, which must be the one we know, or a replacement that was owed.
pub(super) fn late(desk: &mut Desk, answer: Answer) -> Result<Vec<Output>, Refused> {
    let heeded = match answer {
        Answer::Decision(decision) => desk.rule(&decision)?,
        Answer::Replacement(message, verdict) => desk.replace(&message, verdict)?,
        Answer::Affidavit(message, verdict) => desk.replace(&message, verdict)?,
        Answer::Receipt(_) | Answer::NotYet(_) | Answer::Pending(_) | Answer::Reject(_) => {
            return Err(Refused::OutOfPlace);
        }
    };
    match heeded {
        Heeded::Wait(outputs) | Heeded::Settle(outputs) => Ok(outputs),
        Heeded::NotYet | Heeded::Supply => Err(Refused::OutOfPlace),
    }
}
