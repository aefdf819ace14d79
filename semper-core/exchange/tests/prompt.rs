//! What a question tells of packages that are more, or other, than a file against money.

#![allow(missing_docs, unreachable_pub, reason = "a test program has no readers of its own interface")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unreachable,
    reason = "a test that meets the unexpected stops"
)]

mod common;

use std::collections::BTreeMap;

use common::{AT, Goods, Market, deal, path};
use semper_exchange::{
    message::{Accept, Proposal},
    prompt::{About, AcceptContext, PurseFacts, ThirdPartyName},
};
use semper_supporting::{
    deal::{Anonymity, Attributes, Confidentiality, DealContext, EvidenceLevel},
    money::{Currency, Money},
    party::{PartyView, Role},
    time::Span,
    tinguin::{
        Confirmable as _, Critical, FactKey, FactValue, Facts,
        facts::{ChoiceKey, FactError},
    },
};
use semper_transfer::{
    description::{DataDescription, Description},
    item::SysId,
    package::Package,
};

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn about(market: &Market, me: Role) -> About {
    let view = |someone: &common::Someone, name: &str| PartyView::Identified {
        certificate: someone.certificate,
        kid: someone.public().kid(),
        name: name.into(),
    };
    let (o, r) = (view(&market.o, "Fogra"), view(&market.r, "Ines Ortmann"));
    let (me, peer) = if me == Role::Originator { (o, r) } else { (r, o) };
    About {
        deal: DealContext {
            id: deal(),
            me,
            peer,
            terms: None,
            attributes: Attributes {
                anonymity_peer: Anonymity::Identified,
                anonymity_bank: Anonymity::Identified,
                anonymity_third: Anonymity::Identified,
                network_hidden: false,
                confidentiality: Confidentiality::Channel,
                evidence: EvidenceLevel::Full,
                currency: vec![Currency::EUR],
                third_party: Some(market.t.certificate),
            },
            ceiling: None,
            opened: AT,
            expires: AT.after(Span::days(30)),
        },
        certifier: None,
        third_party: ThirdPartyName { certificate: market.t.certificate, name: "Arbiter".into() },
        price: Some(money("EUR 12.50")),
        purse: Some(PurseFacts {
            system: SysId::new("sim").unwrap(),
            name: "Purse".into(),
            available: money("EUR 50.00"),
        }),
    }
}

/// What the responder is asked about ACCEPT to this offer, which its originator changed before it signed.
fn accept(goods: Goods, change: impl FnOnce(&mut Proposal)) -> Result<Facts, FactError> {
    let market = Market::new();
    let mut offer = market.proposal(goods);
    change(&mut offer);
    let offer = market.o.sign(&offer);
    let agr = Some(offer.digest());
    let accept = Accept {
        common: market.common(Role::Responder, Role::Originator, agr, agr),
        accept: true,
        permit: BTreeMap::new(),
        grade: BTreeMap::new(),
    };
    let facts = accept.facts(&AcceptContext { offer, about: about(&market, Role::Responder) })?;
    facts.check(Critical::Exchange).map(|()| facts)
}

fn word(key: &'static str) -> FactValue {
    FactValue::Choice(ChoiceKey::of(key))
}

fn file(title: &str) -> Description {
    Description::Data(DataDescription {
        title: title.into(),
        media: "application/pdf".into(),
        length: 48_213,
        plain: semper_supporting::crypto::digest::Digest::of(b"plain"),
        sealed: None,
        key: None,
        licence: None,
    })
}

#[test]
fn a_signed_order_beside_the_payment_is_told_beside_its_sum() {
    let facts = accept(Goods { order: true, ..Goods::default() }, |_| {}).unwrap();
    assert_eq!(facts.get(FactKey::Amount), Some(&FactValue::Money(money("EUR 12.50"))));
    assert_eq!(facts.get(FactKey::Gives), Some(&word("item-order")));
    assert_eq!(facts.get(FactKey::InReturn), Some(&word("item-receipt")));
    assert_eq!(facts.get(FactKey::BalanceAfter), Some(&FactValue::Money(money("EUR 37.50"))));
}

#[test]
fn a_payment_that_nobody_can_undo_says_so() {
    let facts = accept(Goods { pivot: true, ..Goods::default() }, |_| {}).unwrap();
    assert_eq!(facts.get(FactKey::Finality), Some(&word("finality-never")));
    let facts = accept(Goods::default(), |_| {}).unwrap();
    assert_eq!(facts.get(FactKey::Finality), Some(&word("finality-always")));
    let facts = accept(Goods::default(), |offer| {
        offer.prop.r.get_mut(&path(0)).unwrap().until = Some(AT.after(Span::days(5)));
    });
    assert_eq!(facts.unwrap().get(FactKey::Finality), Some(&FactValue::Date(AT.after(Span::days(5)))));
    let facts = accept(Goods::default(), |offer| offer.prop.r.clear()).unwrap();
    assert_eq!(facts.get(FactKey::Finality), Some(&word("finality-never")));
}

#[test]
fn an_exchange_that_is_not_wholly_fair_says_so() {
    let facts = accept(Goods { weak: true, ..Goods::default() }, |_| {}).unwrap();
    assert_eq!(facts.get(FactKey::Protocol), Some(&word("exchange-level-s1")));
}

#[test]
fn fees_are_shown_and_taken_from_the_purse() {
    let facts = accept(Goods::default(), |offer| {
        let Some(Description::Payment(payment)) = offer.give_r.leaf(&path(0)) else { unreachable!() };
        let payment = semper_transfer::description::PaymentDescription {
            fees: Some(money("EUR 0.50")),
            ..payment.clone()
        };
        offer.give_r = Package::of(payment);
    })
    .unwrap();
    assert_eq!(facts.amount(), Some(money("EUR 13.00")));
    assert_eq!(facts.get(FactKey::BalanceAfter), Some(&FactValue::Money(money("EUR 37.00"))));
}

#[test]
fn several_files_are_told_by_their_titles_and_what_cannot_be_told_is_not_asked_about() {
    let gets = |titles: Vec<Description>| {
        accept(Goods { sealed: true, ..Goods::default() }, |offer| {
            offer.give_o = Package::flat(titles).unwrap()
        })
    };
    let told = gets(vec![file("Part one.pdf"), file("Part two.pdf")]).unwrap();
    let Some(FactValue::Text(titles)) = told.get(FactKey::InReturn) else { panic!("{told:?}") };
    let mut lines = Vec::new();
    titles.draw(|line| lines.push(line.to_owned()));
    assert_eq!(lines, ["Part one.pdf", "Part two.pdf"]);
    assert_eq!(told.get(FactKey::File), None);
    let told = gets(vec![file("Part one.pdf")]).unwrap();
    assert!(matches!(told.get(FactKey::File), Some(FactValue::File(file)) if file.size == 48_213));
    let many = (1..=4).map(|n| file(&format!("Part {n}"))).collect();
    assert_eq!(gets(many), Err(FactError::Missing(FactKey::InReturn)));
    let market = Market::new();
    let receipt = market.give_o(Goods::default()).leaf(&path(0)).unwrap().clone();
    assert_eq!(gets(vec![file("Part one"), receipt]), Err(FactError::Missing(FactKey::InReturn)));
    assert!(matches!(gets(vec![file("Part\u{200b}one")]), Err(FactError::Text(_))));
}

#[test]
fn the_offerer_sees_the_same_exchange_from_its_side() {
    let market = Market::new();
    let offer = market.proposal(Goods { sealed: true, ..Goods::default() });
    let facts = offer.facts(&About { purse: None, ..about(&market, Role::Originator) }).unwrap();
    assert_eq!(facts.check(Critical::Exchange), Ok(()));
    assert_eq!(facts.get(FactKey::InReturn), Some(&FactValue::Money(money("EUR 12.50"))));
    assert_eq!(facts.amount(), None);
}
