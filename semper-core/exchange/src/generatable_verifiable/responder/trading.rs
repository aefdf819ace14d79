//! The responder as long as it deals with the originator alone, and ITEM whenever it comes.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::Verified,
    machine::{Refused, Step},
    party::Role,
    time::Moment,
};
use semper_transfer::{
    package::LeafPath,
    property::{Accepted, Class, Side},
};

use super::{
    Early, Event, Responder, Taken, another,
    appealing::{abort, resolve},
};
use crate::{
    check,
    deadlines::Timer,
    generatable_verifiable::{
        Output,
        desk::{Desk, Mark, Recourse, Verdicts, keep},
    },
    message::{Close, Decline, DeclineReason, Draft, Item, Moved, MovedLeaf, Proposal, Reason},
    run::{Log, Run},
    tell::Code,
};

pub(super) fn idle(run: Run, event: Event, at: Moment) -> Taken {
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

pub(super) fn asking(mut desk: Desk, accept: Draft, event: Event, at: Moment) -> Taken {
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

pub(super) fn agreed(desk: Desk, event: Event, at: Moment) -> Taken {
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

pub(super) fn moving(mut desk: Desk, early: Early, event: Event, at: Moment) -> Taken {
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

pub(super) fn waiting(desk: Desk, event: Event, at: Moment) -> Taken {
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
pub(super) fn take_item(state: Responder, item: &Verified<Item>, verdicts: &Verdicts, at: Moment) -> Taken {
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
pub(super) fn complete(
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
