//! The originator as long as it deals with the responder alone.

use std::collections::BTreeMap;

use semper_supporting::{
    evidence::Verified,
    machine::{Refused, Step},
    party::Role,
    time::Moment,
};
use semper_transfer::{
    package::LeafPath,
    property::{GenGrade, Side},
};

use super::{
    Event, Misfit, Originator, Receipted, Taken,
    appealing::{abort, resolve},
};
use crate::{
    deadlines::Timer,
    generatable_verifiable::{
        Output,
        desk::{Desk, keep},
    },
    message::{Accept, Draft, Item, Reason},
    tell::Code,
};

pub(super) fn drafting(mut desk: Desk, offer: Draft, event: Event) -> Taken {
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

pub(super) fn offered(mut desk: Desk, event: Event, at: Moment) -> Taken {
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

pub(super) fn agreed(mut desk: Desk, misfit: Misfit, event: Event, at: Moment) -> Taken {
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

pub(super) fn delivered(mut desk: Desk, item: Draft, event: Event) -> Taken {
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

pub(super) fn has_forwards(desk: &Desk) -> bool {
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
