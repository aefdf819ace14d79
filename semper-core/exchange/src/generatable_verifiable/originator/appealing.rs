//! The originator once it has turned to the third party.

use semper_supporting::{
    crypto::digest::Digest,
    machine::{Refused, Step},
    party::Role,
    time::Moment,
};

use super::{Event, Originator, Taken, trading::has_forwards};
use crate::{
    deadlines::{AGAIN, Timer},
    generatable_verifiable::{
        Output,
        desk::{Desk, Heeded, Recourse, asked_enough, keep},
    },
    message::{Outcome, Reason},
    tell::Code,
};

pub(super) fn aborting(mut desk: Desk, mut recourse: Recourse, event: Event, at: Moment) -> Taken {
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

pub(super) fn resolving(mut desk: Desk, mut recourse: Recourse, event: Event, at: Moment) -> Taken {
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

pub(super) fn abort(mut desk: Desk, reason: Reason, at: Moment) -> Taken {
    let (recourse, outputs) = desk.abort(reason, at)?;
    Ok(Step::to(Originator::Aborting(desk, recourse)).orders(outputs).order(Output::Tell(Code::U7)))
}

pub(super) fn resolve(
    mut desk: Desk,
    reason: Reason,
    evidence: Vec<Digest>,
    code: Code,
    at: Moment,
) -> Taken {
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
