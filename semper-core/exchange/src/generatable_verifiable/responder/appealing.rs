//! The responder once it has turned to the third party.

use semper_supporting::{
    crypto::digest::Digest,
    machine::{Refused, Step},
    time::Moment,
};

use super::{
    Early, Event, Responder, Taken, another,
    trading::{complete, take_item},
};
use crate::{
    deadlines::{AGAIN, Timer},
    generatable_verifiable::{
        Output,
        desk::{Desk, Heeded, Recourse, asked_enough},
    },
    message::{Outcome, Reason},
    tell::Code,
};

pub(super) fn aborting(
    mut desk: Desk,
    mut recourse: Recourse,
    early: Early,
    event: Event,
    at: Moment,
) -> Taken {
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

pub(super) fn resolving(
    mut desk: Desk,
    mut recourse: Recourse,
    early: Early,
    event: Event,
    at: Moment,
) -> Taken {
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

pub(super) fn abort(mut desk: Desk, early: Early, reason: Reason, at: Moment) -> Taken {
    let (recourse, outputs) = desk.abort(reason, at)?;
    Ok(Step::to(Responder::Aborting(desk, recourse, early)).orders(outputs).order(Output::Tell(Code::U7)))
}

pub(super) fn resolve(
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
