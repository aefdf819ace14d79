//! The simulated bank over rows in memory, with real keys and signatures: what is booked, what is refused,
//! and what an audit sees.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test that stops has failed"
)]

mod laws;
mod rows;
mod world;

semper_transfer::conformance!(payments_at_the_simulated_bank, laws::AtTheBank::new());

use proptest::prelude::*;
use semper_payment_sim::{Sim, bank::BankFault};
use semper_supporting::{
    archive::Value,
    money::Money,
    time::{Moment, Span},
};
use semper_transfer::payment::{
    Op, PurseDelta, Status, Stepped,
    message::{AwardOutcome, TxState},
    module::{BankReply, Descriptor, Erased, ErasedModule, Event, Output, PaymentModule},
};
use world::{Act, World, declined, money, record};

#[test]
fn a_payment_is_credited_once_however_often_the_order_arrives() {
    let mut world = World::new();
    let order = world.order("XTS 6.00", 1);
    let first = world.pay(&order).unwrap();
    assert_eq!(record(&first).status, TxState::Credited);
    for _ in 0..3 {
        assert_eq!(world.pay(&order).unwrap(), first, "a repeat gets the same bytes");
    }
    assert_eq!((world.purse_funds(), world.pending()), (money("XTS 44.00"), money("XTS 6.00")));
    assert!(world.audit().is_clean());
}

#[test]
fn more_than_is_in_the_purse_is_declined_for_good() {
    let mut world = World::new();
    let order = world.order("XTS 50.01", 1);
    let reply = world.pay(&order).unwrap();
    assert_eq!(declined(&reply).code, "purse.insufficient");
    world.load("XTS 20.00");
    assert_eq!(world.pay(&order).unwrap(), reply, "the same request stays refused");
    assert_eq!(world.purse_funds(), money("XTS 70.00"));
}

#[test]
fn a_frozen_reference_is_never_paid() {
    let mut world = World::new();
    let order = world.order("XTS 6.00", 1);
    let frozen = world.freeze(&order).unwrap();
    assert_eq!(record(&frozen).status, TxState::Frozen);
    assert_eq!(world.pay(&order).unwrap(), frozen);
    assert_eq!(world.purse_funds(), money("XTS 50.00"));
    assert!(world.audit().is_clean());
}

#[test]
fn freezing_what_happened_reports_that_it_happened() {
    let mut world = World::new();
    let order = world.order("XTS 6.00", 1);
    let paid = world.pay(&order).unwrap();
    assert_eq!(world.freeze(&order).unwrap(), paid);
}

#[test]
fn the_third_party_orders_back_within_the_window_and_not_after_it() {
    let mut world = World::new();
    let (back, late) = (world.order("XTS 6.00", 1), world.order("XTS 7.00", 2));
    world.pay(&back).unwrap();
    world.pay(&late).unwrap();
    let refunded = world.award(&back, AwardOutcome::Refund).unwrap();
    assert_eq!(record(&refunded).status, TxState::Refunded);
    assert_eq!(world.award(&back, AwardOutcome::Refund).unwrap(), refunded);
    assert_eq!(world.award(&back, AwardOutcome::Release).unwrap(), refunded, "decided once");
    world.now = late.until.unwrap();
    world.close_windows();
    assert_eq!(record(&world.award(&late, AwardOutcome::Refund).unwrap()).status, TxState::Released);
    assert_eq!(world.purse_funds(), money("XTS 43.00"));
    assert_eq!((world.pending(), world.merchant_funds()), (money("XTS 0.00"), money("XTS 7.00")));
    assert!(world.audit().is_clean());
}

#[test]
fn strangers_get_nothing() {
    let mut world = World::new();
    let order = world.order("XTS 6.00", 1);
    world.pay(&order).unwrap();
    assert_eq!(world.freeze_as_stranger(&order).unwrap_err(), BankFault::NotYours);
    assert_eq!(world.query_as_stranger(&order).unwrap_err(), BankFault::NotYours);
    assert_eq!(world.pay_with_another_key(&order).unwrap_err(), BankFault::NotYours);
    world.now = world.now.after(Span::minutes(6));
    let stale = world.order("XTS 1.00", 9);
    assert_eq!(world.pay_dated(&stale, Moment::from_seconds(1)).unwrap_err(), BankFault::Clock);
}

#[test]
fn a_request_that_was_overheard_draws_no_answer_without_its_signature() {
    let mut world = World::new();
    let order = world.order("XTS 6.00", 1);
    world.pay(&order).unwrap();
    assert_eq!(world.pay_with_a_forged_signature(&order).unwrap_err(), BankFault::IdemConflict);
}

#[test]
fn the_payee_learns_that_a_payment_was_frozen() {
    let mut world = World::new();
    let order = world.order("XTS 6.00", 1);
    assert_eq!(world.query(&order).unwrap(), BankReply::NotYet);
    let frozen = world.freeze(&order).unwrap();
    assert_eq!(world.query(&order).unwrap(), frozen);
}

#[test]
fn one_message_id_is_one_request() {
    let mut world = World::new();
    world.pay_as(&world.order("XTS 1.00", 1), 7).unwrap();
    assert_eq!(world.pay_as(&world.order("XTS 2.00", 2), 7).unwrap_err(), BankFault::IdemConflict);
    assert_eq!(world.purse_funds(), money("XTS 49.00"));
}

#[test]
fn a_reference_is_paid_once_even_by_another_request() {
    let mut world = World::new();
    let order = world.order("XTS 1.00", 1);
    world.pay_as(&order, 1).unwrap();
    assert_eq!(declined(&world.pay_as(&order, 2).unwrap()).code, "pay.replay");
    assert_eq!(world.purse_funds(), money("XTS 49.00"));
}

#[test]
fn a_purse_is_closed_only_when_it_is_empty() {
    let mut world = World::new();
    assert_eq!(declined(&world.close().unwrap()).code, "purse.not-empty");
    world.unload("XTS 50.00");
    assert!(!world::balance(&world.close().unwrap()).open);
    assert_eq!(world.account_funds(), money("XTS 100.00"));
    assert!(world.audit().is_clean());
}

#[test]
fn payer_and_payee_end_alike_over_every_silence_of_the_bank() {
    for silences in 0..4 {
        let mut world = World::new();
        let order = world.order("XTS 6.00", 1);
        let (mut payer, mut purse) = world.start(Op::Pay(order.clone()));
        assert_eq!(purse.available(), money("XTS 44.00"), "reserved before anything is sent");
        for _ in 0..silences {
            (payer, purse) = world.silence(&payer, &purse);
            assert_eq!(payer.status, Status::Unknown, "nobody here knows");
        }
        (payer, purse) = world.answer(&payer, &purse);
        assert_eq!((payer.status, purse.available()), (Status::Succeeded, money("XTS 44.00")));
        assert_eq!(purse.reserved(), Ok(money("XTS 0.00")));
    }
}

/// Whether a step asks the bank, and when it wants to be woken.
fn asks(stepped: &Stepped) -> (bool, Option<Moment>) {
    let asks = stepped.outputs.iter().any(|output| matches!(output, Output::ToBank { .. }));
    let woken = stepped.outputs.iter().find_map(|output| match output {
        Output::Wake(when) => Some(*when),
        _ => None,
    });
    (asks, woken)
}

#[test]
fn a_payer_asks_a_bank_that_does_not_know_or_cannot_be_reached_again_after_a_while_only() {
    let world = World::new();
    let order = world.order("XTS 6.00", 1);
    let (mut payer, mut purse) = world.start(Op::Pay(order));
    let busy = BankReply::Refused("pay.busy".into());
    let mut pauses = Vec::new();
    for event in [Event::Unreachable, Event::Bank(BankReply::NotYet), Event::Bank(busy)] {
        let silent = world.step(&payer, &purse, event);
        let (asked, when) = asks(&silent);
        assert!(!asked, "a bank that is away is not asked again at once");
        pauses.push(when.unwrap().since(world.now));
        let woken = world.step(&silent.transaction, &silent.purse.unwrap(), Event::Timer);
        assert!(matches!(asks(&woken), (true, Some(when)) if when > world.now));
        (payer, purse) = (woken.transaction, woken.purse.unwrap());
    }
    assert_eq!(pauses, [2, 4, 8].map(Span::seconds));
}

#[test]
fn a_payer_whose_payment_was_frozen_has_its_money_back() {
    let mut world = World::new();
    let order = world.order("XTS 6.00", 1);
    let (payer, purse) = world.start(Op::Pay(order.clone()));
    world.freeze(&order).unwrap();
    let (payer, purse) = world.answer(&payer, &purse);
    assert_eq!((payer.status, purse.available()), (Status::Failed, money("XTS 50.00")));
}

#[test]
fn an_unsigned_refusal_is_no_proof() {
    let world = World::new();
    let (payer, purse) = world.start(Op::Pay(world.order("XTS 6.00", 1)));
    let (payer, purse) = world.give(&payer, &purse, BankReply::Refused("pay.busy".into()));
    assert_eq!((payer.status, purse.available()), (Status::Unknown, money("XTS 44.00")));
}

#[test]
fn the_module_says_what_it_is() {
    let Descriptor { simulated, exchange, .. } = Sim.descriptor();
    assert!(simulated && exchange.verifiable && exchange.revocable && !exchange.generatable);
    assert_eq!(Erased(Sim).descriptor().hash(), Sim.descriptor().hash());
    assert!(matches!(PurseDelta::Take(world::tx(1)), PurseDelta::Take(_)));
}

#[test]
fn each_money_column_changed_by_one_cent_is_named() {
    let mut world = World::new();
    for n in 0..3 {
        world.pay(&world.order("XTS 6.00", n)).unwrap();
    }
    world.award(&world.order("XTS 6.00", 1), AwardOutcome::Refund).unwrap();
    assert!(world.audit().is_clean());
    let mut changed = 0;
    for table in ["account", "posting", "payment"] {
        let column = if table == "account" { "balance_minor" } else { "amount_minor" };
        for index in 0..world.rows(table) {
            for by in [-1, 1] {
                let mut forged = world.clone();
                let Some(row) = forged.change(table, index, column, by) else { continue };
                changed += 1;
                let audit = forged.audit();
                assert!(
                    audit
                        .findings
                        .iter()
                        .any(|finding| row.starts_with(&finding.row) || finding.table == table),
                    "{table} {row}"
                );
                assert!(!audit.is_clean(), "{table} {row}");
            }
        }
    }
    assert!(changed >= 40, "{changed}");
}

#[test]
fn rows_taken_out_or_put_in_are_named() {
    let mut world = World::new();
    world.pay(&world.order("XTS 6.00", 1)).unwrap();
    for table in ["entry", "posting", "payment", "account", "ledger_head"] {
        for index in 0..world.rows(table) {
            let mut forged = world.clone();
            let row = forged.remove(table, index);
            let harmless = table == "account" && row.get("balance_minor") == Some(&Value::Integer(0));
            // An account nothing was ever posted to holds no money.
            assert!(harmless || !forged.audit().is_clean(), "{table} {index}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_asked_for_no_cent_appears_or_vanishes(acts in prop::collection::vec(any::<Act>(), 1..24)) {
        let mut world = World::new();
        for act in acts {
            world.act(&act);
            let audit = world.audit();
            prop_assert!(audit.is_clean(), "{:?}", audit.findings);
            prop_assert_eq!(world.total(), Money::parse("XTS 100.00").unwrap());
        }
    }
}
