//! What both sides come to: symmetric, total, monotone, and refused where OFFER says anything else.
#![allow(missing_docs, unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected stops"
)]

mod common;

use std::collections::BTreeMap;

use common::{AT, Goods, Market, path};
use proptest::prelude::*;
use semper_exchange::{
    check::{self, Expected, OfferFault},
    message::{Answer, Propose, negotiation::View},
    select::{Casting, Level, Selected, Unselectable, protocols, select},
};
use semper_supporting::{
    crypto::digest::Digest,
    evidence::{SignedBytes, Verified},
    time::{Moment, Span},
};
use semper_transfer::property::{Class, GenGrade, RevGrade};

const GOODS: Goods = Goods { sealed: true, pivot: false, order: false, weak: false, variant: 0 };

/// PROPOSE and ANSWER of a negotiation that leads to `gxv/1`.
fn both(market: &Market, goods: Goods) -> (Propose, Answer) {
    (market.propose(goods).into_value(), market.answer(goods).into_value())
}

fn come_to(market: &Market, both: &(Propose, Answer)) -> Result<Selected, Unselectable> {
    select(&both.0, &both.1, &market.capabilities())
}

/// The same two views, with the other side as the initiator.
fn turned((propose, answer): &(Propose, Answer)) -> (Propose, Answer) {
    let head = propose.common().clone();
    let theirs = answer.view.clone();
    let ours = propose.view.clone();
    let other = answer.view.head.clone();
    (Propose { view: with_head(theirs, head) }, Answer { view: with_head(ours, other), ..answer.clone() })
}

fn with_head<A, B>(view: View<A>, head: B) -> View<B> {
    View {
        head,
        nonce: view.nonce,
        versions: view.versions,
        protos: view.protos,
        ttps: view.ttps,
        gives: view.gives,
        wants: view.wants,
        props: view.props,
        accepts: view.accepts,
        min_level: view.min_level,
        anonymity: view.anonymity,
        status: view.status,
        terms: view.terms,
    }
}

#[test]
fn who_begins_changes_nothing_but_the_name_of_the_casting() {
    let market = Market::new();
    for goods in [GOODS, Goods { sealed: false, ..GOODS }, Goods { order: true, ..GOODS }] {
        let both = both(&market, goods);
        let (here, there) = (come_to(&market, &both).unwrap(), come_to(&market, &turned(&both)).unwrap());
        assert_eq!((here.originator, there.originator), (Casting::Initiator, Casting::Answerer));
        assert_eq!(here, Selected { originator: Casting::Initiator, ..there });
    }
}

#[test]
fn the_reason_is_the_first_rule_that_leaves_nothing() {
    type Change = fn(&mut (Propose, Answer));
    let market = Market::new();
    let table: [(Change, Unselectable); 7] = [
        (|both| both.1.view.versions = vec![2], Unselectable::Version),
        (|both| both.1.view.wants.clear(), Unselectable::Expectation),
        (|both| both.1.view.protos = vec!["gxg/1".into()], Unselectable::Protocol),
        (|both| both.0.view.accepts.clear(), Unselectable::Properties),
        (|both| both.1.view.props.clear(), Unselectable::Properties),
        (|both| last_until(both, AT.after(Span::days(2))), Unselectable::Level),
        (|both| both.1.view.ttps = vec![Digest::of(b"another")], Unselectable::ThirdParty),
    ];
    for (change, reason) in table {
        let mut both = both(&market, GOODS);
        change(&mut both);
        assert_eq!(come_to(&market, &both), Err(reason));
    }
    // A third party that both name and that cannot open escrows, or cannot ask the bank, helps neither.
    let both = both(&market, GOODS);
    let mut known = market.capabilities();
    known.get_mut(&market.t.certificate).unwrap().grades = vec![GenGrade::Affidavit];
    assert_eq!(select(&both.0, &both.1, &known), Err(Unselectable::ThirdParty));
    let mut known = market.capabilities();
    known.get_mut(&market.t.certificate).unwrap().authorities.clear();
    assert_eq!(select(&both.0, &both.1, &known), Err(Unselectable::ThirdParty));
}

/// Lets what the answerer pays by be undone until then only.
fn last_until(both: &mut (Propose, Answer), until: Moment) {
    let ways = both.1.view.props.get_mut(&path(0)).unwrap();
    ways.way.iter_mut().for_each(|props| props.revocable.until = Some(until));
}

#[test]
fn a_payment_that_can_be_undone_for_too_short_a_time_makes_a_weaker_level() {
    let market = Market::new();
    let level = |days| {
        let mut both = both(&market, GOODS);
        (both.0.view.min_level, both.1.view.min_level) = (Level::None, Level::None);
        last_until(&mut both, AT.after(Span::days(days)));
        come_to(&market, &both).map(|selected| selected.level)
    };
    assert_eq!((level(4), level(3)), (Ok(Level::Strong), Ok(Level::Timed)));
}

#[test]
fn no_trust_is_listed_without_consent() {
    assert_eq!(protocols(false), ["gxv/1", "xfer/1"]);
    assert_eq!(protocols(true), ["gxv/1", "none/1", "xfer/1"]);
    let market = Market::new();
    let mut both = both(&market, GOODS);
    (both.0.view.min_level, both.1.view.min_level) = (Level::None, Level::None);
    (both.0.view.protos, both.1.view.protos) = (protocols(true), protocols(true));
    assert_eq!(come_to(&market, &both).unwrap().proto, "gxv/1", "what is fair comes first");
    both.1.view.accepts.clear();
    assert_eq!(come_to(&market, &both).unwrap().level, Level::None);
    both.1.view.protos = protocols(false);
    assert_eq!(come_to(&market, &both), Err(Unselectable::Properties));
}

/// What the responder says of an OFFER after somebody between the two gave it another PROPOSE than was sent.
fn judged(market: &Market, propose: &Verified<Propose>, answer: &Verified<Answer>) -> Result<(), OfferFault> {
    let (caps, wants, facts) = (market.capabilities(), market.wants(GOODS), market.facts());
    let expected = Expected {
        run: &market.run,
        propose,
        answer,
        third_parties: &caps,
        wants: &wants,
        clauses: &[Digest::of(b"clause")],
        terms: None,
        third_party: &facts,
        now: AT,
    };
    let sealed = [Digest::of(b"sealed")];
    check::offer(market.offer(GOODS), market.grades_o(GOODS), &sealed, &expected).map(drop)
}

#[test]
fn an_offer_after_another_negotiation_than_ours_is_refused() {
    let market = Market::new();
    let (propose, answer) = (market.propose(GOODS), market.answer(GOODS));
    assert_eq!(judged(&market, &propose, &answer), Ok(()));
    let mut weaker = propose.value().clone();
    weaker.view.protos.push("none/1".into());
    assert_eq!(judged(&market, &market.o.sign(&weaker), &answer), Err(OfferFault::Negotiation));
    let mut other = answer.value().clone();
    other.view.min_level = Level::None;
    assert_eq!(judged(&market, &propose, &market.r.sign(&other)), Err(OfferFault::Negotiation));
}

#[test]
fn no_byte_of_either_message_can_be_changed_on_its_way() {
    let market = Market::new();
    let (propose, answer) = (market.propose(GOODS), market.answer(GOODS));
    for at in 0..propose.bytes().tbs.len() {
        let changed = changed(propose.bytes(), at);
        assert!(changed.verify::<Propose>(&market.o.public()).is_err(), "PROPOSE, byte {at}");
    }
    for at in 0..answer.bytes().tbs.len() {
        let changed = changed(answer.bytes(), at);
        assert!(changed.verify::<Answer>(&market.r.public()).is_err(), "ANSWER, byte {at}");
    }
}

fn changed(signed: &SignedBytes, at: usize) -> SignedBytes {
    let mut changed = signed.clone();
    changed.tbs[at] ^= 1;
    changed
}

/// Leaves out of `all` those whose bit is not set.
fn some<T: Clone>(all: &[T], bits: u8) -> Vec<T> {
    all.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, one)| one.clone()).collect()
}

/// Two views with less on offer than there could be.
fn less(market: &Market, bits: [u8; 6]) -> (Propose, Answer) {
    let mut both = both(market, Goods { order: true, ..GOODS });
    let classes = [Class::Forward, Class::Backward, Class::Pivot, Class::Sealed];
    let names: Vec<String> = protocols(true);
    (both.0.view.min_level, both.1.view.min_level) = (Level::None, Level::None);
    both.0.view.protos = some(&names, bits[0]);
    both.1.view.protos = some(&names, bits[1]);
    both.0.view.accepts.values_mut().for_each(|willing| willing.class = some(&classes, bits[2]));
    both.1.view.accepts.values_mut().for_each(|willing| willing.class = some(&classes, bits[3]));
    if bits[4] & 1 == 1 {
        let ways = both.1.view.props.get_mut(&path(0)).unwrap();
        ways.way.iter_mut().for_each(|props| props.revocable.grade = RevGrade::None);
    }
    if bits[5] & 1 == 1 {
        let ways = both.0.view.props.get_mut(&path(0)).unwrap();
        ways.way.iter_mut().for_each(|props| props.generatable.grade = GenGrade::None);
    }
    both
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the two bring, both compute the same, and what is selected was in both lists.
    #[test]
    fn select_is_the_same_from_both_sides_and_never_more_than_both_offered(bits in any::<[u8; 6]>()) {
        let market = Market::new();
        let both = less(&market, bits);
        let (here, there) = (come_to(&market, &both), come_to(&market, &turned(&both)));
        match (here, there) {
            (Ok(here), Ok(there)) => {
                prop_assert!(both.0.view.protos.contains(&here.proto) && both.1.view.protos.contains(&here.proto));
                prop_assert_eq!((here.level, &here.proto), (there.level, &there.proto));
                // Mere trust is the same in both castings, and then whoever begins is the originator.
                if here.proto == "none/1" {
                    prop_assert_eq!((here.originator, there.originator), (Casting::Initiator, Casting::Initiator));
                } else {
                    prop_assert_ne!(here.originator, there.originator);
                    prop_assert_eq!(here.leaf, there.leaf);
                }
            }
            (here, there) => prop_assert_eq!(here.err(), there.err()),
        }
    }

    /// Who offers or accepts more never gets a weaker level by it.
    #[test]
    fn more_on_offer_never_makes_the_level_weaker(bits in any::<[u8; 6]>(), more in any::<[u8; 6]>()) {
        let market = Market::new();
        let mut with_more = bits;
        for (n, more) in more.into_iter().enumerate() {
            // The last two take grades away.
            with_more[n] = if n < 4 { bits[n] | more } else { bits[n] & more };
        }
        let level = |bits| come_to(&market, &less(&market, bits)).ok().map(|selected| selected.level);
        prop_assert!(level(bits) <= level(with_more), "{:?} {:?}", level(bits), level(with_more));
    }
}

/// Every leaf of what is selected is relied on as its owner offers and the other side accepts.
#[test]
fn each_leaf_is_relied_on_as_one_side_offers_and_the_other_accepts() {
    let market = Market::new();
    let both = both(&market, Goods { order: true, ..GOODS });
    let selected = come_to(&market, &both).unwrap();
    let classes = |side: &BTreeMap<_, semper_transfer::property::Reliance>| -> Vec<Class> {
        side.values().map(|reliance| reliance.class).collect()
    };
    assert_eq!(classes(&selected.leaf.o), [Class::Sealed]);
    assert_eq!(classes(&selected.leaf.r), [Class::Backward, Class::Forward]);
}
