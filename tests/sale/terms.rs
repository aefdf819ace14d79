//! A purchase under certified terms: form, offer, order, then the fair exchange; and every way it can end before.

use std::sync::Arc;

use semper_commerce::{
    deal::{Outcome, Terms as Names},
    runner::Terms,
    sale::{Agreed, End, Event, Timer},
    service::{
        check::Stage,
        form::{ContentId, Descriptor, FormValues, Proofs, Salt, Value},
        shipped,
    },
};
use semper_supporting::{crypto::digest::Digest, time::Span};

use crate::{
    done,
    market::{Market, Side, price},
    nothing,
};

const CONSENT: &str = "prose/no-withdrawal-after-download";

/// A market in which both sides hold the terms of a purchase of information for play money.
fn under_terms() -> Market {
    let terms =
        Terms::new(shipped::service("info-play.toml").unwrap(), Stage::Draft, Digest::of(b"terms")).unwrap();
    let names = Names {
        terms_sha256: terms.sha256(),
        package_sha256: Digest::of(b"package"),
        statement_sha256: Digest::of(b"statement"),
    };
    let mut market = Market::with(|buyer, seller| {
        buyer.intent.terms = Some(names);
        seller.house.terms = Some(names);
    });
    let proofs = Proofs { texts: [(CONSENT.to_owned(), [text()].into())].into(), ..Proofs::default() };
    market.agreed = Some(Arc::new(Agreed { terms, proofs }));
    market
}

fn text() -> Digest {
    Digest::of(b"You lose your right of withdrawal.")
}

/// The form with these fields filled in by `party` beside what was there.
fn filled(market: &Market, before: FormValues, party: &str, fields: Vec<(&str, Value)>) -> FormValues {
    let agreed = market.agreed.as_ref().unwrap();
    let form = agreed.terms.form("order").unwrap();
    let mut after = before;
    for (name, value) in fields {
        after.bind((form, party), name, (Salt::from_bytes([9; 32]), value), &agreed.proofs).unwrap();
    }
    after
}

fn enquiry(market: &Market) -> FormValues {
    let fields = vec![("doc", Value::Text("KB-17".into())), ("waiver", Value::Consent(text()))];
    filled(market, FormValues::empty("order"), "buyer", fields)
}

fn priced(market: &Market) -> FormValues {
    let goods = market.seller.goods();
    let what = Descriptor {
        media: goods.media.clone(),
        length: goods.length,
        content: ContentId::Bytes(goods.plain),
        title: goods.title.clone(),
    };
    let fields = vec![("price", Value::Money(price())), ("what", Value::Descriptor(what))];
    filled(market, enquiry(market), "seller", fields)
}

/// What each side does when it is let choose, up to the move `last`.
fn play(market: &mut Market, last: &str) {
    for (side, name) in [(Side::Buyer, "sale.ask"), (Side::Seller, "sale.offer"), (Side::Buyer, "sale.order")]
    {
        market.settle();
        let (chooser, choices) = market.choices.pop().unwrap_or_else(|| panic!("{:?}", market.faults));
        assert_eq!(chooser, side);
        assert!(choices.contains(&name.to_owned()), "{choices:?}");
        let forms = match name {
            "sale.ask" => vec![enquiry(market)],
            "sale.offer" => vec![priced(market)],
            _ => vec![],
        };
        market.give(side, Event::Move(name.to_owned(), forms));
        if name == last {
            break;
        }
    }
    market.settle();
}

#[test]
fn form_offer_and_order_lead_to_the_purchase_and_to_its_good_end() {
    for crashes in [false, true] {
        let mut market = under_terms();
        market.crashes = crashes;
        market.start();
        play(&mut market, "sale.order");
        done(&market);
        assert_eq!(market.faults, []);
        assert!(market.to_third.is_empty());
        let transfers = market.sent.iter().filter(|(_, kind)| kind.starts_with("x/xfer/")).count();
        assert_eq!(transfers, 6, "three messages, each with its receipt");
        for kind in ["offer", "order"] {
            assert_eq!(market.signed.iter().filter(|one| *one == kind).count(), 1);
        }
    }
}

#[test]
fn who_refuses_the_offer_ends_the_deal_and_owes_nothing() {
    let mut market = under_terms();
    market.start();
    play(&mut market, "sale.offer");
    let (side, choices) = market.choices.pop().unwrap();
    assert_eq!((side, choices), (Side::Buyer, vec!["sale.order".to_owned(), "sale.refuse".to_owned()]));
    market.give(Side::Buyer, Event::Move("sale.refuse".to_owned(), vec![]));
    market.settle();
    let (buyer, seller) = market.views();
    for view in [buyer, seller] {
        assert_eq!(view.end, Some(End::Terms("declined".into())));
        assert!(view.is_closed, "both have said their last word");
    }
    market.ended.sort_unstable_by_key(|(side, _)| *side);
    assert_eq!(market.ended, [(Side::Buyer, Outcome::Nothing), (Side::Seller, Outcome::Nothing)]);
    nothing(&market);
}

#[test]
fn who_will_not_sign_the_order_may_choose_again() {
    let mut market = under_terms();
    market.start();
    play(&mut market, "sale.offer");
    market.choices.clear();
    market.willing.insert(Side::Buyer, false);
    market.give(Side::Buyer, Event::Move("sale.order".to_owned(), vec![]));
    market.willing.insert(Side::Buyer, true);
    assert_eq!(market.choices.len(), 1);
    market.give(Side::Buyer, Event::Move("sale.order".to_owned(), vec![]));
    market.settle();
    done(&market);
}

#[test]
fn an_offer_that_runs_out_lapses_on_both_sides() {
    let mut market = under_terms();
    market.start();
    play(&mut market, "sale.offer");
    market.now = market.now.after(Span::minutes(13));
    for side in [Side::Buyer, Side::Seller] {
        market.give(side, Event::Elapsed(Timer::Terms));
    }
    market.settle();
    let (buyer, seller) = market.views();
    for view in [buyer, seller] {
        assert_eq!(view.end, Some(End::Terms("lapsed".into())));
        assert!(view.is_closed);
    }
    nothing(&market);
}

#[test]
fn a_cut_anywhere_before_the_purchase_is_made_good_on_the_next_connection() {
    let frames = {
        let mut market = under_terms();
        market.start();
        play(&mut market, "sale.order");
        market.sent.len()
    };
    for cut in 0..frames {
        let mut market = under_terms();
        market.start();
        let mut left = cut;
        for (side, name) in
            [(Side::Buyer, "sale.ask"), (Side::Seller, "sale.offer"), (Side::Buyer, "sale.order")]
        {
            settle_with_cut(&mut market, &mut left);
            let forms = match name {
                "sale.ask" => vec![enquiry(&market)],
                "sale.offer" => vec![priced(&market)],
                _ => vec![],
            };
            market.give(side, Event::Move(name.to_owned(), forms));
        }
        settle_with_cut(&mut market, &mut left);
        done(&market);
    }
}

/// Delivers everything, and cuts the connection once, after `left` more frames.
fn settle_with_cut(market: &mut Market, left: &mut usize) {
    loop {
        if *left == 0 {
            *left = usize::MAX;
            market.connect();
        }
        if !(market.deliver(Side::Seller, 0) || market.deliver(Side::Buyer, 0)) {
            break;
        }
        *left = left.saturating_sub(1);
    }
}
