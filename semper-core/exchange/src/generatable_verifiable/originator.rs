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

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::Verified,
    machine::{Machine, Refused, Step},
    party::Role,
    time::Moment,
};
use semper_transfer::{
    package::LeafPath,
    property::{GenGrade, Side},
};
use serde::{Deserialize, Serialize};

use super::{
    Input, Output,
    desk::{Answer, Desk, Heeded, Recorded, Recourse, Verdicts, asked_enough, keep},
    plan::{BadPlan, Plan},
};
use crate::{
    deadlines::{AGAIN, Timer},
    message::{Accept, Close, Decline, Draft, Item, Moved, Outcome, Proposal, Reason},
    run::{Log, Run},
    tell::Code,
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

fn drafting(mut desk: Desk, offer: Draft, event: Event) -> Taken {
    match event {
        Event::Begin => {
            let ask = Output::Ask(offer.clone());
            Ok(Step::to(Originator::Draft(desk, offer)).order(ask).order(Output::Tell(Code::U1)))
        }
        Event::Signed(signed) if signed.digest() == desk.agr => {
            desk.log.say(&offer);
            let blobs = desk.plan.leaves.o.values().filter_map(|leaf| leaf.basis).collect();
            let span = desk.deadlines.of(Timer::Accept);
            Ok(Step::to(Originator::Offered(desk))
                .order(Output::SendSigned {
                    to: Role::Responder,
                    signed: signed.bytes().clone(),
                    beside: blobs,
                })
                .order(Output::Set { timer: Timer::Accept, span })
                .order(Output::Tell(Code::U2)))
        }
        Event::Signed(_) => Err(Refused::Mismatch),
        Event::Stopped => Ok(Step::to(Originator::Declined(desk)).order(Output::Tell(Code::U17))),
        Event::Accepted(..)
        | Event::Declined(_)
        | Event::Moved(..)
        | Event::Recorded(_)
        | Event::Closed(_)
        | Event::Answered(_)
        | Event::Elapsed(_) => Err(Refused::OutOfPlace),
    }
}

fn offered(mut desk: Desk, event: Event, at: Moment) -> Taken {
    match event {
        Event::Accepted(accept, grades) => {
            take_accept(&mut desk, &accept, &grades)?;
            let span = desk.deadlines.of(Timer::Item);
            let kept = [keep(&accept), Output::Set { timer: Timer::Item, span }];
            if desk.all_happened() && has_forwards(&desk) {
                return deliver(desk, at).map(|step| step.order(keep(&accept)));
            }
            Ok(Step::to(Originator::Agreed(desk, Misfit::None)).orders(kept).order(Output::Tell(Code::U3)))
        }
        Event::Moved(moved, verdicts) => {
            desk.hear(&moved, Role::Responder)?;
            // What does not match is not taken; whether it matters shows once the transfer has happened.
            if let Ok(items) = desk.complete(desk.plan.forwards(), &verdicts) {
                desk.items = items;
            }
            deliver_if_due(Originator::Offered(desk), at).map(|step| step.order(keep(&moved)))
        }
        Event::Recorded(recorded) => {
            desk.note(&recorded)?;
            let evidence = Output::Keep(recorded.record.evidence.digest());
            deliver_if_due(Originator::Offered(desk), at).map(|step| step.order(evidence))
        }
        Event::Declined(decline) => {
            desk.hear(&decline, Role::Responder)?;
            abort(desk, Reason::Declined, at).map(|step| step.order(keep(&decline)))
        }
        Event::Elapsed(Timer::Accept) => abort(desk, Reason::Timer, at),
        Event::Stopped => abort(desk, Reason::User, at),
        Event::Begin
        | Event::Signed(_)
        | Event::Closed(_)
        | Event::Answered(_)
        | Event::Elapsed(Timer::Item | Timer::Close | Timer::Again | Timer::Answer) => {
            Err(Refused::OutOfPlace)
        }
    }
}

fn agreed(mut desk: Desk, misfit: Misfit, event: Event, at: Moment) -> Taken {
    match event {
        Event::Moved(moved, verdicts) => {
            desk.hear(&moved, Role::Responder)?;
            let misfit = match desk.complete(desk.plan.forwards(), &verdicts) {
                Ok(items) => {
                    desk.items = items;
                    misfit
                }
                Err(_) => Misfit::Seen(moved.digest()),
            };
            deliver_if_due(Originator::Agreed(desk, misfit), at).map(|step| step.order(keep(&moved)))
        }
        Event::Recorded(recorded) => {
            desk.note(&recorded)?;
            let evidence = Output::Keep(recorded.record.evidence.digest());
            deliver_if_due(Originator::Agreed(desk, misfit), at).map(|step| step.order(evidence))
        }
        Event::Declined(decline) => {
            desk.hear(&decline, Role::Responder)?;
            abort(desk, Reason::Declined, at).map(|step| step.order(keep(&decline)))
        }
        Event::Elapsed(Timer::Item) => abort(desk, Reason::Timer, at),
        Event::Stopped => abort(desk, Reason::User, at),
        Event::Accepted(accept, _) if desk.log.has_heard(&accept.digest()) => Err(Refused::Repeated),
        Event::Begin
        | Event::Signed(_)
        | Event::Accepted(..)
        | Event::Closed(_)
        | Event::Answered(_)
        | Event::Elapsed(Timer::Accept | Timer::Close | Timer::Again | Timer::Answer) => {
            Err(Refused::OutOfPlace)
        }
    }
}

fn delivered(mut desk: Desk, item: Draft, event: Event) -> Taken {
    match event {
        Event::Closed(close) if close.received && close.item == item.digest() => {
            desk.hear(&close, Role::Responder)?;
            let receipted = Receipted::By(close.digest());
            Ok(Step::to(Originator::Completed(desk, receipted)).order(keep(&close)))
        }
        Event::Closed(_) => Err(Refused::Mismatch),
        Event::Moved(moved, _) if desk.log.has_heard(&moved.digest()) => {
            let again = handover(&desk, &item)?;
            Ok(Step {
                refused: Some(Refused::Repeated),
                ..Step::to(Originator::Delivered(desk, item)).orders(again)
            })
        }
        Event::Moved(moved, _) => {
            // ITEM was sent on the records, ahead of this hint.
            desk.hear(&moved, Role::Responder)?;
            Ok(Step::to(Originator::Delivered(desk, item)).order(keep(&moved)))
        }
        Event::Elapsed(Timer::Close) => Ok(Step::to(Originator::Completed(desk, Receipted::No))),
        Event::Begin
        | Event::Signed(_)
        | Event::Accepted(..)
        | Event::Declined(_)
        | Event::Recorded(_)
        | Event::Answered(_)
        | Event::Elapsed(Timer::Accept | Timer::Item | Timer::Again | Timer::Answer)
        | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

fn aborting(mut desk: Desk, mut recourse: Recourse, event: Event, at: Moment) -> Taken {
    match event {
        Event::Answered(answer) => match desk.heed(&recourse, *answer, at)? {
            Heeded::Wait(outputs) => Ok(Step::to(Originator::Aborting(desk, recourse)).orders(outputs)),
            Heeded::Settle(outputs) => Ok(settle(Originator::Aborting(desk, recourse), outputs)),
            // The transfer has happened, and the third party lacks what it needs to make our package.
            Heeded::Supply => resolve(desk, Reason::Timer, Vec::new(), Code::U8, at),
            Heeded::NotYet => Err(Refused::OutOfPlace),
        },
        Event::Elapsed(Timer::Answer) => {
            let outputs = recourse.again();
            Ok(Step::to(Originator::Aborting(desk, recourse)).orders(outputs))
        }
        Event::Accepted(..) | Event::Moved(..) | Event::Recorded(_) => {
            let outputs = note_late(&mut desk, event)?;
            Ok(settle(Originator::Aborting(desk, recourse), outputs))
        }
        Event::Begin
        | Event::Signed(_)
        | Event::Declined(_)
        | Event::Closed(_)
        | Event::Elapsed(Timer::Accept | Timer::Item | Timer::Close | Timer::Again)
        | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

fn resolving(mut desk: Desk, mut recourse: Recourse, event: Event, at: Moment) -> Taken {
    match event {
        Event::Answered(answer) => match desk.heed(&recourse, *answer, at)? {
            Heeded::Wait(outputs) => Ok(Step::to(Originator::Resolving(desk, recourse)).orders(outputs)),
            Heeded::Settle(outputs) => Ok(settle(Originator::Resolving(desk, recourse), outputs)),
            Heeded::NotYet => {
                recourse.not_yet = true;
                Ok(Step::to(Originator::Resolving(desk, recourse))
                    .order(Output::Set { timer: Timer::Again, span: AGAIN })
                    .order(Output::Tell(Code::U13)))
            }
            Heeded::Supply => {
                Ok(Step::to(Originator::Resolving(desk, recourse)).order(Output::Tell(Code::U15)))
            }
        },
        Event::Elapsed(Timer::Again) if recourse.not_yet => abort(desk, Reason::NotYet, at),
        Event::Elapsed(Timer::Answer) => {
            let outputs = recourse.again();
            Ok(Step::to(Originator::Resolving(desk, recourse)).orders(outputs))
        }
        Event::Accepted(..) | Event::Moved(..) | Event::Recorded(_) => {
            let outputs = note_late(&mut desk, event)?;
            Ok(settle(Originator::Resolving(desk, recourse), outputs))
        }
        Event::Begin
        | Event::Signed(_)
        | Event::Declined(_)
        | Event::Closed(_)
        | Event::Elapsed(Timer::Accept | Timer::Item | Timer::Close | Timer::Again)
        | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

/// Checks ACCEPT and takes it: the responder's permits must let the third party make its leaves for sure.
fn take_accept(
    desk: &mut Desk,
    accept: &Verified<Accept>,
    grades: &BTreeMap<LeafPath, GenGrade>,
) -> Result<(), Refused> {
    let permitted = desk.plan.forwards().all(|(path, leaf)| {
        accept.permit.get(path).is_some_and(|permit| permit.description == leaf.description)
            && grades.get(path).is_some_and(|grade| *grade >= GenGrade::Certified)
    });
    if !accept.accept || accept.common.prev != Some(desk.agr) || !permitted {
        return Err(Refused::Mismatch);
    }
    desk.hear(accept, Role::Responder)?;
    desk.accept = Some(accept.digest());
    Ok(())
}

/// What comes too late to act on is kept, and may complete what a DECISION says.
fn note_late(desk: &mut Desk, event: Event) -> Result<Vec<Output>, Refused> {
    match event {
        Event::Accepted(accept, _) => {
            desk.hear(&accept, Role::Responder)?;
            desk.accept = Some(accept.digest());
            Ok(vec![keep(&accept)])
        }
        Event::Moved(moved, verdicts) => {
            desk.hear(&moved, Role::Responder)?;
            if let Ok(items) = desk.complete(desk.plan.forwards(), &verdicts) {
                desk.items = items;
            }
            Ok(vec![keep(&moved)])
        }
        Event::Recorded(recorded) => {
            desk.note(&recorded)?;
            Ok(vec![Output::Keep(recorded.record.evidence.digest())])
        }
        Event::Begin
        | Event::Signed(_)
        | Event::Declined(_)
        | Event::Closed(_)
        | Event::Answered(_)
        | Event::Elapsed(_)
        | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

fn has_forwards(desk: &Desk) -> bool {
    desk.plan.forwards().all(|(path, _)| desk.items.contains_key(path))
}

/// Delivers once everything of the responder's is here; turns to the third party if a leaf is wrong.
fn deliver_if_due(state: Originator, at: Moment) -> Taken {
    if !state.desk().all_happened() {
        return Ok(Step::to(state));
    }
    match state {
        Originator::Offered(desk) | Originator::Agreed(desk, _) if has_forwards(&desk) => deliver(desk, at),
        Originator::Agreed(desk, Misfit::Seen(moved)) => {
            resolve(desk, Reason::Mismatch, vec![moved], Code::U12, at)
        }
        waiting => Ok(Step::to(waiting)),
    }
}

fn deliver(mut desk: Desk, at: Moment) -> Taken {
    let prev = desk.accept.unwrap_or(desk.agr);
    let item = Item { common: desk.common(Role::Responder, Some(prev), at)?, content: desk.contents.clone() };
    let draft = desk.say(&item)?;
    let orders = handover(&desk, &draft)?;
    let span = desk.deadlines.of(Timer::Close);
    Ok(Step::to(Originator::Delivered(desk, draft))
        .orders(orders)
        .order(Output::Set { timer: Timer::Close, span })
        .order(Output::Tell(Code::U9)))
}

/// ITEM, and what travels beside it.
fn handover(desk: &Desk, item: &Draft) -> Result<Vec<Output>, Refused> {
    let beside = desk.contents.values().copied().collect();
    let mut orders = vec![Output::Send { to: Role::Responder, draft: item.clone(), beside }];
    for leaf in desk.plan.leaves.o.keys() {
        orders.push(Output::Deliver(desk.binding(Side::Originator, leaf)?));
    }
    Ok(orders)
}

fn abort(mut desk: Desk, reason: Reason, at: Moment) -> Taken {
    let (recourse, outputs) = desk.abort(reason, at)?;
    Ok(Step::to(Originator::Aborting(desk, recourse)).orders(outputs).order(Output::Tell(Code::U7)))
}

fn resolve(mut desk: Desk, reason: Reason, evidence: Vec<Digest>, code: Code, at: Moment) -> Taken {
    let (recourse, outputs) = desk.resolve(reason, evidence, at)?;
    Ok(Step::to(Originator::Resolving(desk, recourse)).orders(outputs).order(Output::Tell(code)))
}

/// Ends the run if a DECISION and what it calls for are here.
fn settle(state: Originator, outputs: Vec<Output>) -> Step<Originator> {
    let outcome = state.desk().ruling.as_ref().map(|ruling| (ruling.outcome, ruling.accepted));
    match (state, outcome) {
        (
            Originator::Aborting(desk, _) | Originator::Resolving(desk, _),
            Some((Outcome::Completed, accepted)),
        ) if desk.all_happened() && (has_forwards(&desk) || !accepted) => {
            Step::to(Originator::CompletedByT(desk))
                .orders(asked_enough(outputs))
                .order(Output::Tell(Code::U10))
        }
        (
            Originator::Aborting(desk, _) | Originator::Resolving(desk, _),
            Some((outcome @ (Outcome::Aborted | Outcome::AbortedRevoked | Outcome::AbortedClaim), _)),
        ) => Step::to(Originator::Aborted(desk, outcome))
            .orders(asked_enough(outputs))
            .order(Output::Tell(Code::U11)),
        (state, _) => Step::to(state).orders(outputs),
    }
}
