//! What is in a purse, whatever is ordered of it; and that the payment manager holds a lying module to what
//! was approved.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops")]

mod parties;

use std::{collections::BTreeMap, sync::Arc};

use parties::{START, money, purse, system};
use proptest::prelude::*;
use semper_supporting::{
    crypto::digest::Digest,
    deal::Anonymity,
    machine::Refused,
    money::{Currency, Money, MoneyError},
    time::Moment,
};
use semper_transfer::payment::{
    AccountId, Modules, Op, PayError, PayRef, PaymentOrder, Purse, PurseDelta, Status, Stepped, SysId, TxId,
    module::{
        Descriptor, ErasedModule, ErasedStep, Event, Finality, Input, Output, PaymentModel, Side, TxState,
    },
    negotiation::{ExchangeNeeds, Mode, NegError},
    purse::{PurseError, PurseKind, PurseState},
};

fn tx(n: u8) -> TxId {
    TxId::from_bytes([n; 16])
}

fn south(funds: &str) -> Purse {
    purse(1, system("sim", "south"), funds)
}

/// A change in a purse of XTS: often a possible one, sometimes of another currency.
fn any_delta() -> impl Strategy<Value = PurseDelta> {
    let sum = (0_u64..4000, prop::bool::weighted(0.05)).prop_map(|(minor, foreign)| {
        let code = if foreign { "EUR" } else { "XTS" };
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    });
    let sum = sum.boxed();
    prop_oneof![
        3 => (0_u8..4, sum.clone()).prop_map(|(n, sum)| PurseDelta::Reserve(tx(n), sum)),
        2 => (0_u8..4).prop_map(|n| PurseDelta::Take(tx(n))),
        2 => (0_u8..4).prop_map(|n| PurseDelta::Return(tx(n))),
        1 => sum.prop_map(|sum| PurseDelta::Put(sum, Digest::of(b"record"))),
    ]
}

proptest! {
    /// A book kept beside the purse in plain integers: what was put in and not taken is there, set aside or
    /// not; nothing is taken or returned twice; a refused change changes nothing.
    #[test]
    fn nothing_comes_into_a_purse_or_leaves_it_but_by_put_and_take(
        deltas in prop::collection::vec(any_delta(), 0..60),
    ) {
        let mut purse = south("XTS 20.00");
        let mut available: u64 = 2000;
        let mut aside: BTreeMap<TxId, u64> = BTreeMap::new();
        for delta in deltas {
            let expected = match &delta {
                PurseDelta::Reserve(_, sum) | PurseDelta::Put(sum, _) if sum.currency != purse.currency() => {
                    Err(PurseError::Money(MoneyError::Currency))
                }
                PurseDelta::Reserve(_, sum) if sum.minor() > available => {
                    Err(PurseError::Insufficient { available: purse.available(), asked: *sum })
                }
                PurseDelta::Reserve(tx, _) if aside.contains_key(tx) => Err(PurseError::UnknownTx),
                PurseDelta::Reserve(tx, sum) => {
                    available -= sum.minor();
                    aside.insert(*tx, sum.minor());
                    Ok(())
                }
                PurseDelta::Take(tx) => aside.remove(tx).map(|_| ()).ok_or(PurseError::UnknownTx),
                PurseDelta::Return(tx) => {
                    aside.remove(tx).map(|sum| available += sum).ok_or(PurseError::UnknownTx)
                }
                PurseDelta::Put(sum, _) => {
                    available += sum.minor();
                    Ok(())
                }
            };
            let after = purse.apply(&delta);
            prop_assert_eq!(after.as_ref().map(|_| ()).map_err(|error| *error), expected);
            purse = after.unwrap_or(purse);
            prop_assert_eq!(purse.available().minor(), available);
            prop_assert_eq!(purse.reserved().unwrap().minor(), aside.values().sum::<u64>());
            let total = available + aside.values().sum::<u64>();
            prop_assert_eq!(purse.deleted().is_ok(), total == 0 && aside.is_empty());
        }
    }
}

#[test]
fn a_purse_that_may_not_pay_sets_nothing_aside_but_ends_what_is_under_way() {
    let reserved = south("XTS 20.00").apply(&PurseDelta::Reserve(tx(1), money("XTS 5.00"))).unwrap();
    let mut closed = reserved.clone();
    closed.state = PurseState::MustReconcile;
    let mut till = reserved;
    till.kind = PurseKind::ReceiveOnly;
    for purse in [closed, till] {
        let more = PurseDelta::Reserve(tx(2), money("XTS 1.00"));
        assert_eq!(purse.apply(&more), Err(PurseError::NotOpen));
        assert_eq!(purse.apply(&PurseDelta::Return(tx(1))).unwrap().available(), money("XTS 20.00"));
        assert_eq!(purse.apply(&PurseDelta::Take(tx(1))).unwrap().available(), money("XTS 15.00"));
    }
}

#[test]
fn the_banks_books_count_what_is_set_aside() {
    let purse = south("XTS 20.00").apply(&PurseDelta::Reserve(tx(1), money("XTS 5.00"))).unwrap();
    assert_eq!(purse.reconciled(money("XTS 30.00"), START).unwrap().available(), money("XTS 25.00"));
    let less = purse.reconciled(money("XTS 4.99"), START);
    assert_eq!(less, Err(PurseError::Money(MoneyError::Underflow)));
    let foreign = purse.reconciled(money("EUR 30.00"), START);
    assert_eq!(foreign, Err(PurseError::Money(MoneyError::Currency)));
}

#[test]
fn a_deleted_purse_does_not_open_again() {
    let deleted = south("XTS 0.00").deleted().unwrap();
    assert_eq!(deleted.reconciled(money("XTS 30.00"), START), Err(PurseError::NotOpen));
    assert!(!deleted.can_pay());
}

/// A module that orders whatever the test wants, step by step.
struct Liar(Vec<Vec<Output>>);

impl Liar {
    fn orders(&self, n: usize) -> ErasedStep {
        let state = TxState { side: Side::Payer, version: 1, bytes: vec![u8::try_from(n).unwrap()] };
        ErasedStep { state, outputs: self.0.get(n).cloned().unwrap_or_default(), refused: None }
    }
}

impl ErasedModule for Liar {
    fn descriptor(&self) -> Descriptor {
        Descriptor {
            sys: SysId::new("sim").unwrap(),
            version: (1, 0),
            title: "Liar".into(),
            model: PaymentModel::Account,
            modes: vec![Mode::Direct],
            currencies: vec![Currency::parse("XTS").unwrap()],
            exchange: ExchangeNeeds::default(),
            payer_to_payee: Anonymity::Identified,
            payer_to_bank: Anonymity::Identified,
            finality: Finality::AfterWindow,
            simulated: true,
        }
    }

    fn start(&self, _: TxId, _: Option<&Purse>, _: &Op, _: Moment) -> Result<ErasedStep, PayError> {
        Ok(self.orders(0))
    }

    fn step(&self, state: &TxState, _: Input) -> Result<ErasedStep, PayError> {
        Ok(ErasedStep {
            refused: Some(Refused::Repeated),
            ..self.orders(usize::from(*state.bytes.first().unwrap()) + 1)
        })
    }
}

fn order() -> PaymentOrder {
    PaymentOrder {
        reference: PayRef::from_bytes([1; 32]),
        exch: None,
        payee: AccountId::from_bytes([2; 16]),
        amount: money("XTS 12.50"),
        arbiter: None,
        until: None,
    }
}

/// What the manager says of a module that orders `steps` one after the other.
fn manage(op: &Op, purse: Option<&Purse>, steps: &[&[Output]]) -> Result<Stepped, PayError> {
    let mut modules = Modules::default();
    let liar = Liar(steps.iter().map(|outputs| outputs.to_vec()).collect());
    modules.attach(Arc::new(liar)).unwrap();
    let sys = SysId::new("sim").unwrap();
    let mut stepped = modules.start(tx(1), &sys, purse, op.clone(), START)?;
    for _ in steps.iter().skip(1) {
        let input = Input { now: START, event: Event::Timer };
        stepped = modules.step(&stepped.transaction, stepped.purse.as_ref(), input)?;
    }
    Ok(stepped)
}

/// As [`manage`], for the payment of XTS 12.50 out of a purse with XTS 50.00.
fn pay(steps: &[&[Output]]) -> Result<Stepped, PayError> {
    manage(&Op::Pay(order()), Some(&south("XTS 50.00")), steps)
}

fn reserve(n: u8, sum: &str) -> Output {
    Output::Purse(PurseDelta::Reserve(tx(n), money(sum)))
}

fn put(sum: &str) -> Output {
    Output::Purse(PurseDelta::Put(money(sum), Digest::of(b"record")))
}

const TAKE: Output = Output::Purse(PurseDelta::Take(TxId::from_bytes([1; 16])));
const RETURN: Output = Output::Purse(PurseDelta::Return(TxId::from_bytes([1; 16])));
const APPROVED: Output = Output::Status(Status::Approved);
const IN_FLIGHT: Output = Output::Status(Status::InFlight);
const SUCCEEDED: Output = Output::Status(Status::Succeeded);
const REFUNDED: Output = Output::Status(Status::Refunded);
const FAILED: Output = Output::Status(Status::Failed);

#[test]
fn an_honest_module_pays_is_refunded_or_fails() {
    let begin = [reserve(1, "XTS 12.50"), APPROVED, IN_FLIGHT];
    let funds = |stepped: &Stepped| stepped.purse.as_ref().unwrap().available();
    let paid = pay(&[&begin, &[TAKE, SUCCEEDED]]).unwrap();
    assert_eq!((funds(&paid), paid.transaction.status), (money("XTS 37.50"), Status::Succeeded));
    let refunded = pay(&[&begin, &[TAKE, SUCCEEDED], &[put("XTS 12.50"), REFUNDED]]).unwrap();
    assert_eq!((funds(&refunded), refunded.transaction.status), (money("XTS 50.00"), Status::Refunded));
    let at_once = pay(&[&begin, &[TAKE, put("XTS 12.50"), REFUNDED]]).unwrap();
    assert_eq!(funds(&at_once), money("XTS 50.00"));
    let failed = pay(&[&begin, &[RETURN, FAILED]]).unwrap();
    assert_eq!((funds(&failed), failed.transaction.status), (money("XTS 50.00"), Status::Failed));
    assert!(failed.refused, "the module said so");
}

#[test]
fn another_amount_or_payment_than_was_approved_is_refused() {
    let begin = [reserve(1, "XTS 12.50"), APPROVED, IN_FLIGHT];
    let other = |n| [Output::Purse(PurseDelta::Take(tx(n))), Output::Purse(PurseDelta::Return(tx(n)))];
    let why = PayError::Module("another payment or amount than was approved");
    assert_eq!(why.code(), "module.failed");
    let broken = Err(why);
    for first in [reserve(1, "XTS 12.51"), reserve(1, "XTS 0.01"), reserve(2, "XTS 12.50"), put("XTS 12.51")]
    {
        assert_eq!(pay(&[std::slice::from_ref(&first)]), broken, "{first:?}");
    }
    for later in other(2) {
        assert_eq!(pay(&[&begin, std::slice::from_ref(&later)]), broken, "{later:?}");
    }
}

#[test]
fn only_a_payment_changes_a_purse() {
    let broken = Err(PayError::Module("a change of a purse by this operation"));
    let purse = south("XTS 50.00");
    for op in [Op::Receive(order()), Op::Load(money("XTS 12.50")), Op::Inspect, Op::Close] {
        for output in [reserve(1, "XTS 12.50"), put("XTS 12.50"), TAKE] {
            assert_eq!(manage(&op, Some(&purse), &[&[output]]), broken, "{op:?}");
        }
    }
    let none = manage(&Op::Pay(order()), None, &[&[reserve(1, "XTS 12.50")]]);
    assert_eq!(none, Err(PayError::Module("a change of no purse")));
}

#[test]
fn more_than_is_there_is_not_set_aside() {
    let poor = south("XTS 12.49");
    let why = manage(&Op::Pay(order()), Some(&poor), &[&[reserve(1, "XTS 12.50")]]).unwrap_err();
    let asked = money("XTS 12.50");
    assert_eq!(why, PayError::Purse(PurseError::Insufficient { available: money("XTS 12.49"), asked }));
    let foreign = manage(&Op::Pay(order()), Some(&south("EUR 50.00")), &[&[]]);
    assert_eq!(foreign, Err(PayError::Negotiation(NegError::Mismatch("currency"))));
}

#[test]
fn value_is_set_aside_and_taken_once() {
    let begin = [reserve(1, "XTS 12.50"), APPROVED, IN_FLIGHT];
    let unknown = Err(PayError::Purse(PurseError::UnknownTx));
    assert_eq!(pay(&[&begin, &[TAKE, TAKE]]), unknown);
    assert_eq!(pay(&[&begin, &[TAKE], &[TAKE]]), unknown);
    assert_eq!(pay(&[&begin, &[TAKE, RETURN]]), unknown);
    assert_eq!(pay(&[&begin, &[RETURN, TAKE]]), unknown);
    assert_eq!(pay(&[&[reserve(1, "XTS 12.50"), reserve(1, "XTS 12.50")]]), unknown);
    // Taken, and set aside and taken again: twice the amount under one approval.
    let turn = Err(PayError::Module("value set aside or taken out of turn"));
    assert_eq!(pay(&[&begin, &[TAKE, reserve(1, "XTS 12.50"), TAKE]]), turn);
    assert_eq!(pay(&[&begin, &[TAKE], &[reserve(1, "XTS 12.50")]]), turn);
    assert_eq!(pay(&[&[reserve(1, "XTS 12.50"), TAKE]]), turn);
}

#[test]
fn value_comes_back_once_and_only_by_a_refund() {
    let begin = [reserve(1, "XTS 12.50"), APPROVED, IN_FLIGHT];
    let paid = [TAKE, SUCCEEDED];
    let back = put("XTS 12.50");
    let invented = Err(PayError::Module("value came back without a refund"));
    assert_eq!(pay(&[std::slice::from_ref(&back)]), invented);
    assert_eq!(pay(&[&begin, &paid, std::slice::from_ref(&back)]), invented);
    assert_eq!(pay(&[&begin, &paid, &[back.clone(), back.clone(), REFUNDED]]), invented);
    assert_eq!(pay(&[&begin, &paid, &[back.clone(), REFUNDED], std::slice::from_ref(&back)]), invented);
    // What is still set aside has not gone, and would come back twice.
    assert_eq!(pay(&[&begin, &[back.clone(), REFUNDED], &[RETURN]]), invented);
}

#[test]
fn a_status_that_cannot_be_reached_from_here_is_refused() {
    let jump = Err(PayError::Module("a payment does not go there from here"));
    assert_eq!(pay(&[&[SUCCEEDED]]), jump);
    assert_eq!(pay(&[&[IN_FLIGHT]]), jump);
    let begin = [reserve(1, "XTS 12.50"), APPROVED, IN_FLIGHT];
    assert_eq!(pay(&[&begin, &[Output::Status(Status::Settled)]]), jump);
    assert_eq!(pay(&[&begin, &[TAKE, SUCCEEDED], &[FAILED]]), jump);
    assert_eq!(pay(&[&begin, &[RETURN, FAILED], &[SUCCEEDED]]), jump);
}
