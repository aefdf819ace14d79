//! What must hold in every reachable state, and what must be reachable so that the former says anything.

use std::collections::BTreeMap;

use semper_exchange::{
    generatable_verifiable::{Desk, Originator, Responder, originator::Receipted},
    message::Outcome,
    tell::Code,
};
use semper_supporting::{crypto::digest::Digest, party::Role};
use semper_transfer::property::{RecordStatus, Side};
use stateright::Property;

use super::{
    words::{Being, Fact, Honesty, Label, Scenario, Who},
    world::{Act, GIVE_UP, Gxv, World},
};

type Holds = fn(&Gxv, &World) -> bool;

/// What must hold in every state, and a state in which that says something: it must be reached, or the law
/// would hold of a machine that does nothing.
struct Law {
    always: (&'static str, Holds),
    reached: (&'static str, Holds),
}

/// What holds of every run.
const OF_EVERY_RUN: [Law; 5] = [
    Law {
        always: ("I2 success is true", success_is_true),
        reached: ("I2 somebody has completed", somebody_completed),
    },
    Law { always: ("I7 exclusive", exclusive), reached: ("I7 money has moved", money_moved) },
    Law {
        always: ("I10, I13 nobody is framed, what was said was journaled", nobody_is_framed),
        reached: ("I10, I13 somebody honest has spoken", somebody_spoke),
    },
    Law {
        always: ("I11 one agreement", one_agreement),
        reached: ("I11 the responder is bound", responder_is_bound),
    },
    Law {
        always: ("I15 words fit the state", words_fit),
        reached: ("I15 somebody was told", somebody_was_told),
    },
];

/// What holds of a run in which somebody gives up, so that the third party is asked. A calm run never gets to
/// where these say anything.
const OF_A_DISTURBED_RUN: [Law; 5] = [
    Law { always: ("I1 fair", is_fair), reached: ("I1 somebody stops, or it is aborted", somebody_stopped) },
    Law { always: ("I4 one decision", one_decision), reached: ("I4 a decision is spoken", is_decided) },
    Law { always: ("I5 equal answers", equal_answers), reached: ("I5 a request is received", is_received) },
    Law {
        always: ("I6 decisions are founded", decisions_are_founded),
        reached: ("I6 a decision has a transfer to rest on", is_decided_upon_a_record),
    },
    Law {
        always: ("L-time giving up ends", giving_up_ends),
        reached: ("L-time somebody waits for it", somebody_waits),
    },
];

/// What holds of a run in which nobody gives up.
const OF_A_CALM_RUN: Law = Law {
    always: ("L-eff completes alone", completes_alone),
    reached: ("L-eff nothing more can happen", |model, world| model.is_quiet(world)),
};

const NO_CLAIM: Law = Law {
    always: ("no claim without consent", |model, world| !claimed(model, world)),
    reached: ("a claim could be decided", is_decided),
};

/// Where the offer itself would lead to a claim, the check of OFFER refuses it, so that there is nothing else.
const NOTHING_TAKEN_UP: Law = Law { reached: ("R takes nothing up", r_takes_nothing_up), ..NO_CLAIM };

impl Law {
    fn properties(self) -> [Property<Gxv>; 2] {
        [Property::always(self.always.0, self.always.1), Property::sometimes(self.reached.0, self.reached.1)]
    }
}

/// The properties of a scenario.
pub fn of(scenario: &Scenario) -> Vec<Property<Gxv>> {
    let goods = scenario.offers[0].goods;
    if goods.sealed && goods.pivot && !goods.weak {
        return NOTHING_TAKEN_UP.properties().into();
    }
    let mut all: Vec<_> = OF_EVERY_RUN.into_iter().flat_map(Law::properties).collect();
    if scenario.calm {
        all.extend(OF_A_CALM_RUN.properties());
        all.push(Property::sometimes("both complete", both_complete));
        return all;
    }
    all.extend(OF_A_DISTURBED_RUN.into_iter().flat_map(Law::properties));
    if goods.weak {
        all.push(Property::sometimes("a claim", claimed));
    } else {
        all.extend(NO_CLAIM.properties());
    }
    let (o, r) = (scenario.originator == Honesty::Honest, scenario.responder == Honesty::Honest);
    if o {
        all.extend([
            Property::sometimes("O completes", |model: &Gxv, world: &World| {
                model.of_o(world, false, |machine| matches!(machine, Originator::Completed(..)))
            }),
            Property::sometimes("O completes without CLOSE", |model: &Gxv, world: &World| {
                model.of_o(world, false, |machine| matches!(machine, Originator::Completed(_, Receipted::No)))
            }),
            Property::sometimes("O completes by the third party", |model: &Gxv, world: &World| {
                model.of_o(world, false, |machine| matches!(machine, Originator::CompletedByT(_)))
            }),
            Property::sometimes("O aborts", |model: &Gxv, world: &World| {
                model.of_o(world, false, |machine| matches!(machine, Originator::Aborted(..)))
            }),
            Property::sometimes("O never offers", |model: &Gxv, world: &World| {
                model.of_o(world, false, |machine| matches!(machine, Originator::Declined(_)))
            }),
        ]);
    }
    if r {
        all.extend([
            Property::sometimes("R completes", |model: &Gxv, world: &World| {
                model.of_r(world, false, |machine| matches!(machine, Responder::Completed(..)))
            }),
            Property::sometimes("R aborts", |model: &Gxv, world: &World| {
                model.of_r(world, false, |machine| matches!(machine, Responder::Aborted(..)))
            }),
            Property::sometimes("R declines", |model: &Gxv, world: &World| {
                model.of_r(world, false, |machine| matches!(machine, Responder::Declined(..)))
            }),
        ]);
        if scenario.offers.iter().all(|offered| !offered.bad_seal) {
            all.push(Property::sometimes("R completes by the third party", |model: &Gxv, world: &World| {
                model.of_r(world, false, |machine| matches!(machine, Responder::CompletedByT(_)))
            }));
        } else if !goods.pivot {
            all.push(Property::sometimes("a bad seal is undone", |model: &Gxv, world: &World| {
                model.of_r(world, false, |machine| {
                    matches!(machine, Responder::Aborted(_, Outcome::AbortedRevoked))
                })
            }));
        }
    }
    if o && r {
        all.push(Property::sometimes("both complete", both_complete));
    }
    all
}

/// I1: nobody honest has lost its package without having the other's, once it has stopped or the third party
/// has said *aborted*.
fn is_fair(model: &Gxv, world: &World) -> bool {
    fair_to_o(model, world) && fair_to_r(model, world)
}

fn fair_to_o(model: &Gxv, world: &World) -> bool {
    model.of_o(world, true, |machine| {
        let stopped = matches!(machine, Originator::Aborted(..) | Originator::Declined(_));
        !((stopped || aborted(model, world, 0)) && r_has_goods(model, world)) || is_paid(world, 0)
    })
}

fn fair_to_r(model: &Gxv, world: &World) -> bool {
    model.of_r(world, true, |machine| {
        let Some(desk) = machine.desk() else { return true };
        let offer = model.lab.offer_of(desk.agr);
        // Consent to less was given: the claim and its proof take the place of the package.
        if model.lab.goods(offer).weak {
            return true;
        }
        let stopped =
            matches!(machine, Responder::Aborted(..) | Responder::Declined(..) | Responder::Claim(_));
        !((stopped || aborted(model, world, offer)) && is_paid(world, offer)) || has_all(model, desk)
    })
}

/// I2: who believes to have completed has what was agreed.
fn success_is_true(model: &Gxv, world: &World) -> bool {
    let o = model.of_o(world, true, |machine| match machine {
        Originator::Completed(..) => is_paid(world, 0),
        Originator::CompletedByT(desk) => {
            let owed = desk.ruling.as_ref().is_some_and(|ruling| !ruling.accepted);
            is_paid(world, 0) && (owed || has_all(model, desk))
        }
        _ => true,
    });
    let r = model.of_r(world, true, |machine| match machine {
        Responder::Completed(desk, _) | Responder::CompletedByT(desk) => has_all(model, desk),
        _ => true,
    });
    o && r
}

/// I4: at most one DECISION about an agreement, and more than one about a run only if its originator signed
/// more than one OFFER for it.
fn one_decision(model: &Gxv, world: &World) -> bool {
    let mut decided: BTreeMap<u8, Digest> = BTreeMap::new();
    let unique = model.lab.labels(&world.net).iter().all(|label| match label.fact {
        Fact::Decided(offer, ..) => {
            let digest = model.lab.packet(label.id).digest;
            *decided.entry(offer).or_insert(digest) == digest
        }
        _ => true,
    });
    unique && (decided.len() <= 1 || model.lab.scenario.offers.len() > 1)
}

/// I5: the same request has the same answer.
fn equal_answers(model: &Gxv, world: &World) -> bool {
    let mut receipts = BTreeMap::new();
    model.lab.labels(&world.net).iter().all(|label| match label.fact {
        Fact::Receipt(request, whose) => *receipts.entry((request, whose)).or_insert(label.id) == label.id,
        _ => true,
    })
}

/// I6: *completed* rests on a transfer that happened, *aborted* on one that was stopped or undone.
fn decisions_are_founded(model: &Gxv, world: &World) -> bool {
    facts(model, world).all(|fact| match fact {
        Fact::Decided(offer, outcome, cheat) => {
            let status = world.bank[usize::from(offer)].status;
            match outcome {
                Outcome::Completed => status == Some(RecordStatus::Happened),
                Outcome::Aborted => status == Some(RecordStatus::Frozen),
                Outcome::AbortedRevoked => status == Some(RecordStatus::Revoked),
                Outcome::AbortedClaim => status == Some(RecordStatus::Happened) && cheat,
            }
        }
        _ => true,
    })
}

/// I7: money moves once for a reference, and never both an effective replacement and an undone payment.
fn exclusive(model: &Gxv, world: &World) -> bool {
    let once = world.bank.iter().all(|payment| payment.moved <= 1);
    let undone = |offer: u8| world.bank[usize::from(offer)].status == Some(RecordStatus::Revoked);
    let from_t = |label: &Label| label.from == Role::ThirdParty;
    once && model.lab.labels(&world.net).iter().filter(|label| from_t(label)).all(|label| match label.fact {
        Fact::Gives(offer) | Fact::Replaces(offer) => !undone(offer),
        _ => true,
    })
}

/// I10 and I13: what verifies under an honest party's key stands in the state it would recover. The states
/// here were decoded from their journaled bytes before they were first stepped.
fn nobody_is_framed(model: &Gxv, world: &World) -> bool {
    let said_by = |desk: &Desk, role: Role| {
        let labels = model.lab.labels(&world.net);
        labels
            .iter()
            .filter(|label| label.from == role)
            .all(|label| desk.log.has_said(&model.lab.packet(label.id).digest))
    };
    let nothing = |role: Role| model.lab.labels(&world.net).iter().all(|label| label.from != role);
    model.of_o(world, true, |machine| said_by(machine.desk(), Role::Originator))
        && model.of_r(world, true, |machine| {
            machine.desk().map_or_else(|| nothing(Role::Responder), |desk| said_by(desk, Role::Responder))
        })
}

/// I11: an honest responder binds itself once in a run; and when it completes with an honest originator, both
/// mean the same agreement.
fn one_agreement(model: &Gxv, world: &World) -> bool {
    let bound = facts(model, world).filter(|fact| *fact == Fact::Bound).count();
    let once = !model.is_honest(Who::R) || bound <= 1;
    let r = model.of_r(world, None, |machine| match machine {
        Responder::Completed(desk, _) => Some(desk.agr),
        _ => None,
    });
    once && model.of_o(world, true, |machine| r.is_none_or(|agr| machine.desk().agr == agr))
}

/// I15: what the user was told last is true of the state.
fn words_fit(model: &Gxv, world: &World) -> bool {
    use Code::{U1, U2, U3, U4, U5, U7, U8, U9, U10, U11, U12, U13, U14, U17};
    let o: Option<&[Code]> = model.of_o(world, None, |machine| {
        Some(match machine {
            Originator::Draft(..) => &[U1][..],
            Originator::Offered(_) => &[U2],
            Originator::Agreed(..) => &[U3],
            Originator::Delivered(..) | Originator::Completed(..) => &[U9],
            Originator::Aborting(..) => &[U7],
            Originator::Resolving(..) => &[U8, U12, U13],
            Originator::CompletedByT(_) => &[U10],
            Originator::Aborted(..) => &[U11],
            Originator::Declined(_) => &[U17],
        })
    });
    let r: Option<&[Code]> = model.of_r(world, None, |machine| {
        Some(match machine {
            Responder::Idle(_) | Responder::Asking(..) => &[U1][..],
            Responder::Agreed(_) => &[U3],
            Responder::Moving(..) => &[U4],
            Responder::Waiting(_) => &[U5],
            Responder::Aborting(..) => &[U7],
            Responder::Resolving(..) => &[U8, U12, U13],
            Responder::Completed(..) => &[U9],
            Responder::CompletedByT(_) => &[U10],
            Responder::Aborted(..) => &[U11],
            Responder::Claim(_) => &[U14],
            Responder::Declined(..) => &[U17],
        })
    });
    let fits = |codes: Option<&[Code]>, told: Option<Code>| match (codes, told) {
        (Some(codes), Some(told)) => codes.contains(&told),
        (None, _) | (_, None) => true,
    };
    fits(o, world.told[0]) && fits(r, world.told[1])
}

/// L-time: whoever gives up reaches an end with nobody but the third party and the authorities.
fn giving_up_ends(model: &Gxv, world: &World) -> bool {
    [Who::O, Who::R].into_iter().filter(|who| model.is_honest(*who)).all(|who| {
        // What the other party does or says is withheld, so its state says nothing here; what the third party
        // has said follows from its state, since it says it again when it is asked again.
        let [_, _, t, t2] = world.beings.map(u64::from);
        let me = [who as u64, world.beings[who as usize].into(), t, t2];
        let bank = world.bank.iter().map(|payment| payment.books.into());
        let rest = [u64::from(world.ordered), world.orders, world.results];
        let situation = me.into_iter().chain(bank).chain(rest).collect();
        model.lab.remember(situation, || ends(model, world, who))
    })
}

fn ends(model: &Gxv, world: &World, who: Who) -> bool {
    let mut world = world.clone();
    for _ in 0..100 {
        if has_ended(model, &world, who) {
            return true;
        }
        let mut changed = false;
        let mut go = |world: &mut World, act: Act| {
            if let Some(next) = model.take(world, act)
                && next != *world
            {
                *world = next;
                changed = true;
            }
        };
        for what in GIVE_UP {
            go(&mut world, Act::Step(who, what));
        }
        for third in model.machines().filter(|who| matches!(who, Who::T | Who::T2)) {
            for what in model.arrivals(&world, third, Some(who.role())) {
                go(&mut world, Act::Step(third, what));
            }
        }
        for act in model.authorities(&world) {
            go(&mut world, act);
        }
        for what in model.arrivals(&world, who, Some(Role::ThirdParty)) {
            go(&mut world, Act::Step(who, what));
        }
        if !changed {
            return has_ended(model, &world, who);
        }
    }
    false
}

fn has_ended(model: &Gxv, world: &World, who: Who) -> bool {
    match &*model.lab.being(world.beings[who as usize]) {
        Being::O(machine) => machine.has_ended(),
        // Who has not heard of an offer has nothing to end.
        Being::R(machine) => machine.has_ended() || machine.desk().is_none(),
        Being::T(_) => true,
    }
}

/// L-eff: among honest parties, with nobody giving up, every run ends with both packages in the right hands,
/// and no third party is asked and nothing frozen.
fn completes_alone(model: &Gxv, world: &World) -> bool {
    let asked = model.lab.labels(&world.net).iter().any(|label| label.to == Role::ThirdParty);
    let frozen = world.bank.iter().any(|payment| payment.status == Some(RecordStatus::Frozen));
    !asked && !frozen && (both_complete(model, world) || !model.is_quiet(world))
}

fn somebody_completed(model: &Gxv, world: &World) -> bool {
    model.of_o(world, false, |machine| {
        matches!(machine, Originator::Completed(..) | Originator::CompletedByT(_))
    }) || model.of_r(world, false, |machine| {
        matches!(machine, Responder::Completed(..) | Responder::CompletedByT(_))
    })
}

fn money_moved(_: &Gxv, world: &World) -> bool {
    world.bank.iter().any(|payment| payment.moved > 0)
}

fn somebody_spoke(model: &Gxv, world: &World) -> bool {
    let of = |who: Who| model.is_honest(who).then_some(who.role());
    let honest = [of(Who::O), of(Who::R)];
    model.lab.labels(&world.net).iter().any(|label| honest.contains(&Some(label.from)))
}

fn responder_is_bound(model: &Gxv, world: &World) -> bool {
    facts(model, world).any(|fact| fact == Fact::Bound)
}

fn somebody_was_told(_: &Gxv, world: &World) -> bool {
    world.told.iter().any(Option::is_some)
}

fn somebody_stopped(model: &Gxv, world: &World) -> bool {
    aborted(model, world, 0)
        || model.of_o(world, false, |machine| {
            matches!(machine, Originator::Aborted(..) | Originator::Declined(_))
        })
        || model.of_r(world, false, |machine| {
            matches!(machine, Responder::Aborted(..) | Responder::Declined(..) | Responder::Claim(_))
        })
}

fn is_decided(model: &Gxv, world: &World) -> bool {
    facts(model, world).any(|fact| matches!(fact, Fact::Decided(..)))
}

fn is_decided_upon_a_record(model: &Gxv, world: &World) -> bool {
    let recorded = |offer: u8| world.bank[usize::from(offer)].status.is_some();
    facts(model, world).any(|fact| matches!(fact, Fact::Decided(offer, ..) if recorded(offer)))
}

fn is_received(model: &Gxv, world: &World) -> bool {
    facts(model, world).any(|fact| matches!(fact, Fact::Receipt(..)))
}

fn somebody_waits(model: &Gxv, world: &World) -> bool {
    model
        .of_o(world, false, |machine| matches!(machine, Originator::Aborting(..) | Originator::Resolving(..)))
        || model.of_r(world, false, |machine| {
            matches!(machine, Responder::Aborting(..) | Responder::Resolving(..))
        })
}

fn r_takes_nothing_up(model: &Gxv, world: &World) -> bool {
    model.of_r(world, false, |machine| matches!(machine, Responder::Idle(..)))
}

fn both_complete(model: &Gxv, world: &World) -> bool {
    model.of_o(world, false, |machine| matches!(machine, Originator::Completed(_, Receipted::By(_))))
        && model.of_r(world, false, |machine| matches!(machine, Responder::Completed(..)))
}

fn claimed(model: &Gxv, world: &World) -> bool {
    facts(model, world).any(|fact| matches!(fact, Fact::Decided(_, Outcome::AbortedClaim, _)))
}

fn facts(model: &Gxv, world: &World) -> impl Iterator<Item = Fact> {
    model.lab.labels(&world.net).into_iter().map(|label| label.fact)
}

fn aborted(model: &Gxv, world: &World, offer: u8) -> bool {
    facts(model, world)
        .any(|fact| matches!(fact, Fact::Decided(about, outcome, _) if about == offer && outcome != Outcome::Completed))
}

fn is_paid(world: &World, offer: u8) -> bool {
    world.bank[usize::from(offer)].status == Some(RecordStatus::Happened)
}

/// Whether the responder has, or can make for itself, what the honest originator was to give.
fn r_has_goods(model: &Gxv, world: &World) -> bool {
    if model.is_honest(Who::R) {
        return model.of_r(world, false, |machine| machine.desk().is_some_and(|desk| has_all(model, desk)));
    }
    facts(model, world).any(|fact| matches!(fact, Fact::Gives(_)))
}

/// Whether a party holds every leaf of the other's package, each with the content that was agreed.
fn has_all(model: &Gxv, desk: &Desk) -> bool {
    let goods = model.lab.goods(model.lab.offer_of(desk.agr));
    let wanted = match desk.me {
        Side::Responder => model.lab.market.contents_o(goods),
        Side::Originator => model.lab.market.contents_r(goods),
    };
    wanted.iter().all(|(leaf, content)| desk.items.get(leaf).is_some_and(|item| item.evidence == *content))
}
