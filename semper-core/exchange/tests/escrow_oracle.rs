//! A third party opens escrows. So a thief could offer somebody else's sealed key as his own, have an
//! accomplice pay and resolve, and read what the third party makes (the oracle of fair-exchange attacks).
//!
//! The machine of the third party and the manager that opens escrows are run together on such offers.

#![allow(missing_docs, unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops"
)]

#[path = "common/mod.rs"]
mod common;

use std::collections::BTreeMap;

use common::{AT, Goods, Market, Someone, content_key, path};
use semper_exchange::{
    generatable_verifiable::third_party::{Case, Event, Input, Output, Request, Stage, ThirdParty},
    message::{Decision, Outcome, Proposal, Reason, Resolve},
};
use semper_supporting::{
    crypto::{digest::Digest, seal::EscrowKey, signature::PublicKey},
    deal::Xid,
    machine::Machine as _,
    party::Role,
    time::Span,
};
use semper_transfer::{
    data::{DataManager, DataThirdParty},
    escrow::EscrowKeys,
    item::Item,
    property::{
        Attached, Begun, Binding, ExchangeEnabled as _, Generated, Look, Observation, Permitted,
        RecordStatus, Side, ThirdPartyKeys, TtpItem as _,
    },
};
use zeroize::Zeroizing;

const GOODS: Goods = Goods { sealed: true, pivot: false, order: false, weak: false, variant: 0 };

/// The third party's keys.
fn keys(market: &Market) -> (EscrowKeys, ThirdPartyKeys) {
    let key = EscrowKey::from_seed(&Zeroizing::new([3; 32]));
    let public = ThirdPartyKeys { certificate: market.t.certificate, escrow: key.public() };
    (EscrowKeys::new(market.t.certificate, [key]), public)
}

/// What an owner seals to the third party for one run.
fn sealed_by(market: &Market, owner: &Someone, xid: Xid) -> Vec<u8> {
    let package = market.give_o(GOODS);
    let description = package.leaf(&path(0)).unwrap();
    let binding = Binding {
        xid,
        agreement: None,
        leaf: path(0),
        giver: Side::Originator,
        owner: owner.certificate,
        description: description.hash().unwrap(),
    };
    let item = Item::Data { key: content_key(), certified: None };
    let made =
        DataManager::new().make_permit(&item, description, &binding, &keys(market).1, &[4; 64]).unwrap();
    made.attached.blobs()[0].clone()
}

/// What the third party makes, and how it decides, when the responder has paid and resolves.
fn resolve(market: &Market, escrow: &[u8]) -> (Vec<Generated>, Outcome, bool) {
    let mut proposal: Proposal = market.proposal(GOODS);
    proposal.permit.get_mut(&path(0)).unwrap().basis = Some(Digest::of(escrow));
    let offer = market.o.sign(&proposal);
    let agr = offer.digest();
    let request = market.r.sign(&Resolve {
        common: market.common(Role::Responder, Role::ThirdParty, Some(agr), Some(agr)),
        offer: agr,
        accept: None,
        reason: Reason::Timer,
        seen: Vec::new(),
        own: BTreeMap::new(),
        evidence: Vec::new(),
    });
    let case = Case {
        request: Request::Resolve(request),
        offer,
        accept: None,
        blobs: vec![escrow.to_vec()],
        keys: market.keys.clone(),
    };
    let third_party = ThirdParty::new(market.t.speaker(), Span::hours(1), market.run.xid);
    let (escrow_keys, _) = keys(market);
    let vault = DataThirdParty { escrow: &escrow_keys };
    let package = market.give_o(GOODS);
    let nobody: BTreeMap<Digest, PublicKey> = BTreeMap::new();
    let mut made = Vec::new();
    let mut machine = third_party;
    let mut todo = vec![Event::Requested(Box::new(case))];
    while let Some(event) = todo.pop() {
        let input = Input { at: AT, journal_index: 1, journal_prev: Digest::of(b"journal"), event };
        let step = machine.step(input);
        machine = step.state;
        for output in step.outputs {
            todo.extend(match output {
                Output::Observe(binding, look) => {
                    assert_eq!(look, Look::Peek);
                    let observation = Observation::Happened(market.record(GOODS, RecordStatus::Happened));
                    Some(Event::Observed { agr, leaf: binding.leaf, look, observation })
                }
                Output::Generate(binding, permit) => {
                    let permitted = Permitted { permit, attached: Attached::of([escrow.to_vec()]) };
                    let description = package.leaf(&binding.leaf).unwrap();
                    let Begun::Done(result) = vault.generate(&binding, description, &permitted, &nobody)
                    else {
                        panic!("an escrow is opened without asking anybody")
                    };
                    made.extend(result.clone());
                    Some(Event::Generated { agr, side: Side::Originator, leaf: binding.leaf, result })
                }
                Output::Revoke(binding) => {
                    let result = Ok(market.record(GOODS, RecordStatus::Revoked));
                    Some(Event::Revoked { agr, leaf: binding.leaf, result })
                }
                Output::Keep(_) | Output::Send { .. } | Output::Retry(..) => None,
            });
        }
    }
    let Stage::Decided(verdict) = &machine.rows[0].stage else {
        panic!("undecided: {:?}", machine.rows[0].stage)
    };
    let decision: Decision = verdict.decision.read().unwrap();
    (made, verdict.outcome, decision.cheat.iter().any(|cheat| cheat.role == Role::Originator))
}

#[test]
fn what_its_owner_sealed_for_this_run_is_made() {
    let market = Market::new();
    let escrow = sealed_by(&market, &market.o, market.run.xid);
    let (made, outcome, cheat) = resolve(&market, &escrow);
    assert_eq!((made, outcome, cheat), (vec![Generated::Key(content_key())], Outcome::Completed, false));
}

#[test]
fn what_somebody_else_sealed_or_for_another_run_stays_closed_and_shows_the_thief() {
    let market = Market::new();
    let (victim, other_run) = (Someone::party(11), Xid::from_bytes([8; 32]));
    for (whose, run) in [(&victim, other_run), (&victim, market.run.xid), (&market.o, other_run)] {
        let escrow = sealed_by(&market, whose, run);
        let (made, outcome, cheat) = resolve(&market, &escrow);
        assert!(made.is_empty(), "Unexpected \"I12 no oracle\" counterexample: the third party read it out");
        assert_eq!((outcome, cheat), (Outcome::AbortedRevoked, true));
    }
}
