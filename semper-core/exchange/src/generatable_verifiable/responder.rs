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
    property::{Accepted, Class, GenerationPermit, Side},
};
use serde::{Deserialize, Serialize};

use super::{
    Input, Output,
    desk::{Answer, Desk, Heeded, Mark, Recorded, Recourse, Verdicts, asked_enough, keep},
    originator::late,
};
use crate::{
    check::{self, Checked},
    deadlines::{AGAIN, Timer},
    message::{
        Accept, Close, Decline, DeclineReason, Draft, Item, Moved, MovedLeaf, Outcome, Proposal, Reason,
    },
    run::{Log, Run},
    tell::Code,
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

fn idle(run: Run, event: Event, at: Moment) -> Taken {
    match event {
        Event::Offered(checked, permits, contents) => {
            let offer = checked.offer();
            let ours = run.is_of(&offer.common, Role::Originator, Role::Responder, None);
            let plan = checked.plan().clone();
            let covered = |map: Vec<&LeafPath>| plan.forwards().map(|(path, _)| path).eq(map);
            if !ours || !covered(permits.keys().collect()) || !covered(contents.keys().collect()) {
                return Err(Refused::Mismatch);
            }
            let accept = check::accept(&run, &checked, permits, at).map_err(|_| Refused::Mismatch)?;
            let mut log = Log::default();
            log.say_digest(offer.common.prev.unwrap_or(offer.neg));
            log.hear(offer.value(), offer.digest())?;
            let desk = Desk {
                run,
                me: Side::Responder,
                plan,
                agr: offer.digest(),
                deadlines: offer.deadlines(),
                contents,
                accept: None,
                records: BTreeMap::new(),
                items: BTreeMap::new(),
                ruling: None,
                log,
            };
            let span = desk.deadlines.of(Timer::Accept);
            let kept = keep::<Proposal>(offer);
            Ok(Step::to(Responder::Asking(desk, accept.clone()))
                .order(kept)
                .order(Output::Ask(accept))
                .order(Output::Set { timer: Timer::Accept, span })
                .order(Output::Tell(Code::U1)))
        }
        Event::Signed(_)
        | Event::Refused
        | Event::Go
        | Event::Recorded(_)
        | Event::Delivered(..)
        | Event::Answered(_)
        | Event::Elapsed(_)
        | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

fn asking(mut desk: Desk, accept: Draft, event: Event, at: Moment) -> Taken {
    match event {
        Event::Signed(signed) if signed.digest() == accept.digest() => {
            desk.log.say(&accept);
            desk.accept = Some(accept.digest());
            let span = desk.deadlines.of(Timer::Item);
            Ok(Step::to(Responder::Agreed(desk))
                .order(Output::SendSigned {
                    to: Role::Originator,
                    signed: signed.bytes().clone(),
                    beside: Vec::new(),
                })
                .order(Output::Set { timer: Timer::Item, span })
                .order(Output::Tell(Code::U3))
                .order(Output::Proceed))
        }
        Event::Signed(_) => Err(Refused::Mismatch),
        Event::Refused | Event::Stopped => decline(desk, DeclineReason::User, at),
        Event::Elapsed(Timer::Accept) => decline(desk, DeclineReason::Timer, at),
        Event::Offered(checked, ..) => another(Some(&desk), &checked),
        Event::Go
        | Event::Recorded(_)
        | Event::Delivered(..)
        | Event::Answered(_)
        | Event::Elapsed(Timer::Item | Timer::Close | Timer::Again | Timer::Answer) => {
            Err(Refused::OutOfPlace)
        }
    }
}

fn agreed(desk: Desk, event: Event, at: Moment) -> Taken {
    match event {
        Event::Go => {
            let first = start_next(&desk)?;
            Ok(Step::to(Responder::Moving(desk, Early::default()))
                .orders(first)
                .order(Output::Tell(Code::U4)))
        }
        Event::Elapsed(Timer::Item) => abort(desk, Early::default(), Reason::Timer, at),
        Event::Stopped => abort(desk, Early::default(), Reason::User, at),
        Event::Offered(checked, ..) => another(Some(&desk), &checked),
        Event::Signed(_)
        | Event::Refused
        | Event::Recorded(_)
        | Event::Delivered(..)
        | Event::Answered(_)
        | Event::Elapsed(Timer::Accept | Timer::Close | Timer::Again | Timer::Answer) => {
            Err(Refused::OutOfPlace)
        }
    }
}

fn moving(mut desk: Desk, early: Early, event: Event, at: Moment) -> Taken {
    match event {
        Event::Recorded(recorded) => {
            desk.note(&recorded)?;
            let kept = Output::Keep(recorded.record.evidence.digest());
            if desk.records.values().any(Mark::is_final) {
                return abort(desk, early, Reason::Refused, at).map(|step| step.order(kept));
            }
            if !desk.all_happened() {
                let next = start_next(&desk)?;
                return Ok(Step::to(Responder::Moving(desk, early)).order(kept).orders(next));
            }
            moved(desk, early, at).map(|step| step.order(kept))
        }
        Event::Delivered(item, verdicts) => take_item(Responder::Moving(desk, early), &item, &verdicts, at),
        Event::Elapsed(Timer::Item) => abort(desk, early, Reason::Timer, at),
        Event::Stopped => abort(desk, early, Reason::User, at),
        Event::Offered(checked, ..) => another(Some(&desk), &checked),
        Event::Signed(_)
        | Event::Refused
        | Event::Go
        | Event::Answered(_)
        | Event::Elapsed(Timer::Accept | Timer::Close | Timer::Again | Timer::Answer) => {
            Err(Refused::OutOfPlace)
        }
    }
}

fn waiting(desk: Desk, event: Event, at: Moment) -> Taken {
    match event {
        Event::Delivered(item, verdicts) => take_item(Responder::Waiting(desk), &item, &verdicts, at),
        Event::Elapsed(Timer::Item) => {
            resolve(desk, Early::default(), Reason::Timer, Vec::new(), Code::U8, at)
        }
        Event::Stopped => resolve(desk, Early::default(), Reason::User, Vec::new(), Code::U8, at),
        Event::Offered(checked, ..) => another(Some(&desk), &checked),
        Event::Signed(_)
        | Event::Refused
        | Event::Go
        | Event::Recorded(_)
        | Event::Answered(_)
        | Event::Elapsed(Timer::Accept | Timer::Close | Timer::Again | Timer::Answer) => {
            Err(Refused::OutOfPlace)
        }
    }
}

fn aborting(mut desk: Desk, mut recourse: Recourse, early: Early, event: Event, at: Moment) -> Taken {
    match event {
        Event::Answered(answer) => match desk.heed(&recourse, *answer, at)? {
            Heeded::Wait(outputs) => Ok(Step::to(Responder::Aborting(desk, recourse, early)).orders(outputs)),
            Heeded::Settle(outputs) => settle(Responder::Aborting(desk, recourse, early), outputs, at),
            // The transfer has happened, and the third party lacks what it needs to make the package.
            Heeded::Supply => resolve(desk, early, Reason::Timer, Vec::new(), Code::U8, at),
            Heeded::NotYet => Err(Refused::OutOfPlace),
        },
        Event::Recorded(recorded) => {
            desk.note(&recorded)?;
            let kept = vec![Output::Keep(recorded.record.evidence.digest())];
            settle(Responder::Aborting(desk, recourse, early), kept, at)
        }
        Event::Delivered(item, verdicts) => {
            take_item(Responder::Aborting(desk, recourse, early), &item, &verdicts, at)
        }
        Event::Elapsed(Timer::Answer) => {
            let outputs = recourse.again();
            Ok(Step::to(Responder::Aborting(desk, recourse, early)).orders(outputs))
        }
        Event::Offered(checked, ..) => another(Some(&desk), &checked),
        Event::Signed(_)
        | Event::Refused
        | Event::Go
        | Event::Elapsed(Timer::Accept | Timer::Item | Timer::Close | Timer::Again)
        | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

fn resolving(mut desk: Desk, mut recourse: Recourse, early: Early, event: Event, at: Moment) -> Taken {
    match event {
        Event::Answered(answer) => match desk.heed(&recourse, *answer, at)? {
            Heeded::Wait(outputs) => {
                Ok(Step::to(Responder::Resolving(desk, recourse, early)).orders(outputs))
            }
            Heeded::Settle(outputs) => settle(Responder::Resolving(desk, recourse, early), outputs, at),
            Heeded::NotYet => {
                recourse.not_yet = true;
                Ok(Step::to(Responder::Resolving(desk, recourse, early))
                    .order(Output::Set { timer: Timer::Again, span: AGAIN })
                    .order(Output::Tell(Code::U13)))
            }
            Heeded::Supply => {
                Ok(Step::to(Responder::Resolving(desk, recourse, early)).order(Output::Tell(Code::U15)))
            }
        },
        Event::Recorded(recorded) => {
            desk.note(&recorded)?;
            let kept = vec![Output::Keep(recorded.record.evidence.digest())];
            settle(Responder::Resolving(desk, recourse, early), kept, at)
        }
        Event::Delivered(item, verdicts) => {
            take_item(Responder::Resolving(desk, recourse, early), &item, &verdicts, at)
        }
        Event::Elapsed(Timer::Again) if recourse.not_yet => abort(desk, early, Reason::NotYet, at),
        Event::Stopped if recourse.not_yet => abort(desk, early, Reason::User, at),
        Event::Elapsed(Timer::Answer) => {
            let outputs = recourse.again();
            Ok(Step::to(Responder::Resolving(desk, recourse, early)).orders(outputs))
        }
        Event::Offered(checked, ..) => another(Some(&desk), &checked),
        Event::Signed(_)
        | Event::Refused
        | Event::Go
        | Event::Elapsed(Timer::Accept | Timer::Item | Timer::Close | Timer::Again)
        | Event::Stopped => Err(Refused::OutOfPlace),
    }
}

/// Orders the next of our transfers that has not been recorded yet.
fn start_next(desk: &Desk) -> Result<Vec<Output>, Refused> {
    let next = desk.plan.transfers.iter().find(|leaf| !desk.records.contains_key(*leaf));
    next.map(|leaf| Ok(Output::StartTransfer(desk.binding(Side::Responder, leaf)?))).into_iter().collect()
}

/// All our transfers have happened: say so, hand over what travels in clear, and take an ITEM that came early.
fn moved(mut desk: Desk, early: Early, at: Moment) -> Taken {
    let leaves = desk.plan.leaves.r.iter().map(|(path, leaf)| {
        let content = desk.contents.get(path).copied();
        let line = MovedLeaf {
            reference: content.unwrap_or(leaf.description),
            authority: if leaf.class == Class::Forward { None } else { leaf.authority },
            record: desk.records.get(path).map(|mark| mark.evidence),
        };
        (path.clone(), line)
    });
    let leaf = leaves.collect();
    let message = Moved { common: desk.common(Role::Originator, desk.accept, at)?, leaf };
    let draft = desk.say(&message)?;
    let beside =
        desk.contents.values().copied().chain(desk.records.values().map(|mark| mark.evidence)).collect();
    let mut outputs = vec![Output::Send { to: Role::Originator, draft, beside }];
    for leaf in desk.contents.keys() {
        outputs.push(Output::Deliver(desk.binding(Side::Responder, leaf)?));
    }
    if let Early(Some((item, items))) = early {
        return complete(desk, item, items, outputs, at);
    }
    let span = desk.deadlines.of(Timer::Item);
    Ok(Step::to(Responder::Waiting(desk))
        .orders(outputs)
        .order(Output::Set { timer: Timer::Item, span })
        .order(Output::Tell(Code::U5)))
}

/// ITEM has come. It completes the exchange if it matches and our own transfers have happened; it is kept if
/// it matches and they have not; the third party is asked if it does not match.
fn take_item(state: Responder, item: &Verified<Item>, verdicts: &Verdicts, at: Moment) -> Taken {
    let (mut desk, recourse, early) = match state {
        Responder::Moving(desk, early) => (desk, None, early),
        Responder::Waiting(desk) => (desk, None, Early::default()),
        Responder::Aborting(desk, recourse, early) => (desk, Some((recourse, true)), early),
        Responder::Resolving(desk, recourse, early) => (desk, Some((recourse, false)), early),
        _ => return Err(Refused::OutOfPlace),
    };
    desk.hear(item, Role::Originator)?;
    let named = desk.plan.leaves.o.keys().eq(item.content.keys());
    let found = desk.complete(desk.plan.leaves.o.iter(), verdicts);
    let kept = keep(item);
    match (found, recourse) {
        (Ok(items), recourse) if named => {
            if desk.all_happened() {
                return complete(desk, item.digest(), items, vec![kept], at);
            }
            let early = Early(Some((item.digest(), items)));
            Ok(Step::to(back(desk, recourse, early)).order(kept))
        }
        (_, None) => {
            let evidence = vec![item.digest()];
            resolve(desk, early, Reason::Mismatch, evidence, Code::U12, at).map(|step| step.order(kept))
        }
        (_, recourse @ Some(_)) => Ok(Step::to(back(desk, recourse, early)).order(kept)),
    }
}

fn back(desk: Desk, recourse: Option<(Recourse, bool)>, early: Early) -> Responder {
    match recourse {
        None => Responder::Moving(desk, early),
        Some((recourse, true)) => Responder::Aborting(desk, recourse, early),
        Some((recourse, false)) => Responder::Resolving(desk, recourse, early),
    }
}

/// ITEM is here as agreed, and our own transfers have happened.
fn complete(
    mut desk: Desk,
    item: Digest,
    items: BTreeMap<LeafPath, Accepted>,
    outputs: Vec<Output>,
    at: Moment,
) -> Taken {
    desk.items = items;
    let close = Close { common: desk.common(Role::Originator, Some(item), at)?, received: true, item };
    let draft = desk.say(&close)?;
    let send = Output::Send { to: Role::Originator, draft: draft.clone(), beside: Vec::new() };
    Ok(Step::to(Responder::Completed(desk, draft)).orders(outputs).order(send).order(Output::Tell(Code::U9)))
}

fn decline(mut desk: Desk, reason: DeclineReason, at: Moment) -> Taken {
    let decline = Decline { common: desk.common(Role::Originator, Some(desk.agr), at)?, reason };
    let draft = desk.say(&decline)?;
    Ok(Step::to(Responder::Declined(desk, reason))
        .order(Output::Send { to: Role::Originator, draft, beside: Vec::new() })
        .order(Output::Tell(Code::U17)))
}

fn abort(mut desk: Desk, early: Early, reason: Reason, at: Moment) -> Taken {
    let (recourse, outputs) = desk.abort(reason, at)?;
    Ok(Step::to(Responder::Aborting(desk, recourse, early)).orders(outputs).order(Output::Tell(Code::U7)))
}

fn resolve(
    mut desk: Desk,
    early: Early,
    reason: Reason,
    evidence: Vec<Digest>,
    code: Code,
    at: Moment,
) -> Taken {
    let (recourse, outputs) = desk.resolve(reason, evidence, at)?;
    Ok(Step::to(Responder::Resolving(desk, recourse, early)).orders(outputs).order(Output::Tell(code)))
}

/// Ends the run if everything is here that an end needs: an early ITEM with our own records, or a DECISION
/// with what it calls for.
fn settle(state: Responder, outputs: Vec<Output>, at: Moment) -> Taken {
    let (desk, recourse, early, aborting) = match state {
        Responder::Aborting(desk, recourse, early) => (desk, recourse, early, true),
        Responder::Resolving(desk, recourse, early) => (desk, recourse, early, false),
        other => return Ok(Step::to(other).orders(outputs)),
    };
    if let (true, Early(Some((item, items)))) = (desk.all_happened(), &early) {
        return complete(desk, *item, items.clone(), asked_enough(outputs), at);
    }
    let outcome = desk.ruling.as_ref().map(|ruling| (ruling.outcome, ruling.cheated));
    let has_all = desk.plan.leaves.o.keys().all(|leaf| desk.items.contains_key(leaf));
    let undone = desk.all_undone();
    Ok(match outcome {
        Some((Outcome::Completed, _)) if has_all => Step::to(Responder::CompletedByT(desk))
            .orders(asked_enough(outputs))
            .order(Output::Tell(Code::U10)),
        Some((outcome @ (Outcome::Aborted | Outcome::AbortedRevoked), _)) if undone => {
            Step::to(Responder::Aborted(desk, outcome))
                .orders(asked_enough(outputs))
                .order(Output::Tell(Code::U11))
        }
        // Without proof against the originator the third party contradicts its duties.
        Some((Outcome::AbortedClaim, cheated)) => {
            let code = if cheated { Code::U14 } else { Code::U15 };
            Step::to(Responder::Claim(desk)).orders(asked_enough(outputs)).order(Output::Tell(code))
        }
        Some(_) | None if aborting => Step::to(Responder::Aborting(desk, recourse, early)).orders(outputs),
        Some(_) | None => Step::to(Responder::Resolving(desk, recourse, early)).orders(outputs),
    })
}
