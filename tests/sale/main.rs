//! Whole sales in memory: honest ones, broken networks, crashes, liars, silence.
#![cfg(test)]

mod bank;
#[path = "../../semper-core/commerce/tests/common/mod.rs"]
mod common;
mod cost;
mod market;
mod questions;
mod terms;

use market::{Market, Side, lie, other_key, price};
use proptest::prelude::*;
use semper_commerce::{
    deal::Outcome,
    sale::{End, Event, Session, Timer},
};
use semper_exchange::{
    deadlines,
    message::{Answer, Proposal},
    tell::Code,
};
use semper_supporting::{
    comm::session::Exporter,
    crypto::{digest::Digest, signature::Kid},
    deal::Xid,
    money::Money,
};
use semper_transfer::{
    description::{DataDescription, Description, PaymentDescription},
    item::PayRef,
    package::{LeafPath, Package},
    payment::negotiation::NegPropose,
};

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn done(market: &Market) {
    let (buyer, seller) = market.views();
    assert_eq!(buyer.end, Some(End::Exchanged(Outcome::Done)), "{:?}", market.faults);
    assert_eq!(seller.end, Some(End::Exchanged(Outcome::Done)), "{:?}", market.faults);
    assert!(buyer.is_paid && buyer.is_delivered && seller.is_paid && seller.is_delivered);
    assert_eq!(market.counter.in_purse(), money("XTS 37.50"));
    assert_eq!(market.counter.pending(), price());
    assert_eq!(market.purses[&Side::Buyer].available(), money("XTS 37.50"));
}

/// Neither side has given anything for good.
fn nothing(market: &Market) {
    assert_eq!(market.counter.in_purse(), money("XTS 50.00"));
    assert_eq!(market.counter.pending(), money("XTS 0.00"));
    assert_eq!(market.purses[&Side::Buyer].available(), money("XTS 50.00"));
}

#[test]
fn an_honest_sale_has_exactly_its_messages_and_none_to_the_third_party() {
    let mut market = Market::new();
    market.start();
    market.settle();
    done(&market);
    assert_eq!(
        market.types_sent(),
        [
            "deal-propose",
            "deal-accept",
            "deal-open",
            "x/neg/propose",
            "x/neg/answer",
            "pay/neg-p",
            "pay/neg-s",
            "pay/neg-c",
            "x/gxv/offer",
            "x/gxv/accept",
            "x/gxv/moved",
            "x/gxv/item",
            "x/gxv/close",
            "deal-close",
            "deal-close",
        ]
    );
    assert_eq!(market.signed.len(), 16, "each message once, and the order to the bank");
    assert_eq!(market.to_bank, ["pay/pay"]);
    assert_eq!(market.to_third, [""; 0]);
    assert!(market.buyer.has_ended() && market.seller.has_ended());
    assert_eq!(market.faults, []);
    for code in [Code::U1, Code::U3, Code::U4, Code::U5, Code::U9] {
        assert!(market.was_told(Side::Buyer, code), "{code:?}");
    }
}

#[test]
fn a_sale_survives_a_crash_after_any_step() {
    let mut market = Market::new();
    market.crashes = true;
    market.start();
    market.settle();
    done(&market);
    assert_eq!(market.sent.len(), 15);
}

#[test]
fn the_connection_may_fall_after_any_message() {
    for fall in 0..15 {
        let mut market = Market::new();
        market.start();
        let mut delivered = 0;
        while delivered < fall && (market.deliver(Side::Seller, 0) || market.deliver(Side::Buyer, 0)) {
            delivered += 1;
        }
        market.connect();
        market.settle();
        done(&market);
        assert_eq!(market.to_third, [""; 0], "fell after {fall}");
        assert!(market.buyer.has_ended() && market.seller.has_ended(), "fell after {fall}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Messages are lost, doubled and swapped; whatever is missing comes again on the next connection.
    #[test]
    fn a_sale_ends_alike_over_any_network(
        acts in proptest::collection::vec((any::<bool>(), 0_u8..4, 0_usize..3), 0..60)
    ) {
        let mut market = Market::new();
        market.start();
        for (to_buyer, act, at) in acts {
            let side = if to_buyer { Side::Buyer } else { Side::Seller };
            let queue = market.net.get_mut(&side).unwrap();
            match act {
                0 => drop(queue.remove(at)),
                1 => {
                    if let Some(frame) = queue.get(at).cloned() {
                        queue.push_back(frame);
                    }
                }
                _ => {
                    market.deliver(side, at);
                }
            }
        }
        market.crashes = true;
        for _ in 0..2 {
            market.connect();
            market.settle();
        }
        done(&market);
        prop_assert_eq!(&market.to_third, &[""; 0]);
    }
}

#[test]
fn a_silent_seller_after_the_payment_is_replaced_by_the_third_party() {
    let mut market = Market::new();
    market.start();
    let timer = Timer::Exchange(deadlines::Timer::Item);
    while !market.buyer.view().is_paid {
        assert!(market.deliver(Side::Seller, 0) || market.deliver(Side::Buyer, 0));
    }
    market.net.values_mut().for_each(std::collections::VecDeque::clear);
    market.elapse(Side::Buyer, timer);
    assert_eq!(market.to_third, ["t/resolve"]);
    assert!(market.was_told(Side::Buyer, Code::U8) && market.was_told(Side::Buyer, Code::U10));
    let view = market.buyer.view();
    assert_eq!(view.end, Some(End::Exchanged(Outcome::Done)), "{:?}", market.faults);
    assert!(view.is_delivered);
    // The seller, back again, finds the payment and hears that the buyer has everything: it waits for no more.
    market.connect();
    market.settle();
    done(&market);
    assert!(market.buyer.has_ended() && market.seller.has_ended(), "{:?}", market.faults);
}

#[test]
fn a_silent_buyer_after_the_offer_binds_nobody() {
    let mut market = Market::new();
    market.start();
    while !market.types_sent().contains(&"x/gxv/offer") {
        assert!(market.deliver(Side::Seller, 0) || market.deliver(Side::Buyer, 0));
    }
    market.net.values_mut().for_each(std::collections::VecDeque::clear);
    market.elapse(Side::Seller, Timer::Exchange(deadlines::Timer::Accept));
    assert_eq!(market.to_third, ["t/abort"]);
    assert!(market.was_told(Side::Seller, Code::U7) && market.was_told(Side::Seller, Code::U11));
    assert_eq!(market.seller.view().end, Some(End::Exchanged(Outcome::Nothing)));
    nothing(&market);
}

#[test]
fn another_key_on_the_connection_is_given_nothing() {
    let mut market = Market::new();
    market.start();
    while !market.types_sent().contains(&"x/gxv/offer") {
        assert!(market.deliver(Side::Seller, 0) || market.deliver(Side::Buyer, 0));
    }
    let said = market.sent.len();
    let stranger = Session { exporter: Exporter::from_bytes([77; 32]), tls: Kid::from_bytes([9; 32]) };
    for side in [Side::Buyer, Side::Seller] {
        market.give(side, Event::Up(stranger));
        assert!(market.faults.contains(&(side, "deal.wrong-key")));
    }
    assert_eq!(market.sent.len(), said);
    market.connect();
    market.settle();
    done(&market);
}

#[test]
fn a_bad_key_is_not_accepted_and_the_third_party_gives_the_right_one() {
    let mut market = Market::new();
    market.tamper = Some(other_key());
    market.start();
    market.settle();
    assert!(market.was_told(Side::Buyer, Code::U12) && market.was_told(Side::Buyer, Code::U10));
    assert_eq!(market.to_third, ["t/resolve"]);
    assert!(market.buyer.view().is_delivered);
    assert_eq!(market.buyer.view().end, Some(End::Exchanged(Outcome::Done)));
}

#[test]
fn a_buyer_that_stops_before_the_payment_is_asked_nothing_more() {
    let mut market = Market::new();
    market.willing.insert(Side::Buyer, false);
    market.start();
    market.settle();
    assert_eq!(market.buyer.view().end, Some(End::Refused("deal.declined".into())));
    assert_eq!(market.seller.view().end, Some(End::Refused("deal.declined".into())));
    assert_eq!(market.signed, ["deal-propose", "deal-accept"]);
    nothing(&market);
}

#[test]
fn a_buyer_that_declines_the_offer_costs_the_seller_one_question() {
    let mut market = Market::new();
    market.start();
    while !market.types_sent().contains(&"x/gxv/offer") {
        assert!(market.deliver(Side::Seller, 0) || market.deliver(Side::Buyer, 0));
    }
    market.willing.insert(Side::Buyer, false);
    market.settle();
    assert!(market.was_told(Side::Buyer, Code::U17));
    assert_eq!(market.to_third, ["t/abort"]);
    assert_eq!(market.seller.view().end, Some(End::Exchanged(Outcome::Nothing)));
    nothing(&market);
}

#[test]
fn a_seller_that_does_not_sign_its_offer_owes_nothing_and_says_so() {
    let mut market = Market::new();
    market.willing.insert(Side::Seller, false);
    market.start();
    market.settle();
    assert_eq!(market.buyer.view().end, Some(End::Refused("deal.declined".into())));
    assert_eq!(market.seller.view().end, Some(End::Exchanged(Outcome::Nothing)));
    assert!(market.buyer.has_ended() && market.seller.has_ended());
    assert_eq!(market.to_third, [""; 0]);
    nothing(&market);
}

fn change_payment(offer: &mut Proposal, change: impl Fn(&mut PaymentDescription)) {
    let Some(Description::Payment(payment)) = offer.give_r.leaf(&LeafPath::first()).cloned() else {
        panic!("no payment")
    };
    let mut payment = payment;
    change(&mut payment);
    offer.give_r = Package::of(payment);
    offer.tree_r = offer.give_r.hash().unwrap();
}

fn change_data(offer: &mut Proposal, change: impl Fn(&mut DataDescription)) {
    let Some(Description::Data(data)) = offer.give_o.leaf(&LeafPath::first()).cloned() else {
        panic!("no data")
    };
    let mut data = data;
    change(&mut data);
    offer.give_o = Package::of(data);
    offer.tree_o = offer.give_o.hash().unwrap();
    let description = offer.give_o.leaf(&LeafPath::first()).unwrap().hash().unwrap();
    offer.permit.get_mut(&LeafPath::first()).unwrap().description = description;
}

#[test]
fn what_a_lying_seller_writes_into_the_offer_is_refused_before_accept() {
    type Lie = fn(&mut Proposal);
    let table: [(Lie, &str); 14] = [
        (|o| change_payment(o, |p| p.amount = Money::parse("XTS 12.51").unwrap()), "item.amount"),
        (|o| change_payment(o, |p| p.fees = Money::parse("XTS 0.01").ok()), "item.amount"),
        (|o| change_payment(o, |p| p.reference = Some(PayRef::from_bytes([1; 32]))), "item.reference"),
        (|o| change_payment(o, |p| p.payee = Some("00".repeat(16))), "item.payee"),
        (|o| change_payment(o, |p| p.authority = Some(Digest::of(b"x"))), "item.kind"),
        (|o| change_data(o, |d| d.plain = Digest::of(b"x")), "item.content"),
        (|o| change_data(o, |d| d.key = Some(Digest::of(b"x"))), "item.content"),
        (|o| o.common.xid = Some(Xid::from_bytes([1; 32])), "exchange.offer-plan"),
        (|o| o.common.cert_t = Some(Digest::of(b"x")), "exchange.offer-plan"),
        (|o| o.ttp_escrow_key = Digest::of(b"x"), "exchange.offer-third-party"),
        (|o| o.clause = Digest::of(b"x"), "exchange.offer-clause"),
        (|o| o.neg = Digest::of(b"x"), "exchange.neg-mismatch"),
        (|o| o.step = "refund".into(), "exchange.neg-mismatch"),
        (|o| o.t_close = 30 * 24 * 3600, "exchange.offer-window"),
    ];
    for (n, (change, code)) in table.into_iter().enumerate() {
        let mut market = Market::new();
        market.tamper = Some(lie(change));
        market.start();
        market.settle();
        assert_eq!(market.buyer.view().end, Some(End::Refused(code.into())), "row {n}");
        assert!(!market.types_sent().contains(&"x/gxv/accept"), "row {n}");
        nothing(&market);
    }
}

#[test]
fn what_a_lying_seller_writes_into_the_negotiation_is_refused_before_accept() {
    type Lie = fn(&mut NegPropose);
    let table: [(Lie, &str); 6] = [
        (|p| p.amount = Money::parse("XTS 12.51").unwrap(), "pay.neg-mismatch"),
        (|p| p.systems[0].amount = Money::parse("XTS 12.51").unwrap(), "pay.neg-mismatch"),
        (|p| p.arbiter = Some(Kid::from_bytes([1; 32])), "pay.neg-mismatch"),
        (|p| p.exch = Some(Xid::from_bytes([1; 32])), "pay.neg-mismatch"),
        (|p| p.item_hash = Digest::of(b"x"), "pay.neg-mismatch"),
        (|p| p.systems.clear(), "nego.too-long"),
    ];
    for (n, (change, code)) in table.into_iter().enumerate() {
        let mut market = Market::new();
        market.tamper = Some(lie(change));
        market.start();
        market.settle();
        assert_eq!(market.buyer.view().end, Some(End::Refused(code.into())), "row {n}");
        nothing(&market);
    }
    let mut market = Market::new();
    market.tamper = Some(lie(|answer: &mut Answer| answer.result = None));
    market.start();
    market.settle();
    assert_eq!(market.buyer.view().end, Some(End::Refused("exchange.neg-mismatch".into())));
}

#[test]
fn a_price_above_the_ceiling_is_refused_before_anything_is_signed() {
    let mut market = Market::with(|buyer, _| buyer.price = money("XTS 20.01"));
    market.start();
    market.settle();
    assert_eq!(market.buyer.view().end, Some(End::Refused("deal.ceiling".into())));
    assert_eq!((market.signed.len(), market.sent.len()), (0, 0));
}

#[test]
fn too_little_money_is_named_before_anything_is_signed() {
    let mut market = Market::with(|buyer, seller| {
        buyer.intent.ceiling = None;
        (buyer.price, seller.price) = (money("XTS 50.01"), money("XTS 50.01"));
    });
    market.start();
    market.settle();
    assert_eq!(market.buyer.view().end, Some(End::Refused("purse.insufficient".into())));
    assert_eq!((market.signed.len(), market.sent.len()), (0, 0));
}

#[test]
fn a_seller_that_asks_for_more_is_refused_by_the_negotiation() {
    let mut market = Market::with(|_, seller| seller.price = money("XTS 12.51"));
    market.start();
    market.settle();
    assert_eq!(market.seller.view().end, Some(End::Refused("exchange.expectation".into())));
    assert_eq!(market.buyer.view().end, Some(End::Refused("deal.declined".into())));
}
