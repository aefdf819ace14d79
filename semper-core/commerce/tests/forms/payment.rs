//! Accounts, payments, and what a bank says of them.

use semper_supporting::{
    deal::Anonymity,
    money::{Currency, Money},
};
use semper_transfer::payment::{
    AccountId, MsgId, SysId,
    message::{
        ANYONE, Account, AccountKind, Award, AwardOutcome, Balance, Booked, Close, Declined, Freeze, Inspect,
        Load, Look, Open, Pay, Query, Shift, TxState, TxStatement, Unload,
    },
    module::{Descriptor, Finality, PaymentModel},
    negotiation::{ExchangeNeeds, Mode, NegId, NegReason, NegReject},
};

use super::{
    Form,
    parts::{AT, UNTIL, hash, key, kid, reference, signer, sum, xid},
};

const MSG: MsgId = MsgId::from_bytes([6; 16]);
const PURSE: AccountId = AccountId::from_bytes([1; 16]);
const SHOP: AccountId = AccountId::from_bytes([2; 16]);

pub(crate) fn forms() -> Vec<Form> {
    let (to, signer) = (kid(1), signer());
    let descriptor = Descriptor {
        sys: SysId::new("sim").unwrap(),
        version: (1, 0),
        title: "Simulated money".into(),
        model: PaymentModel::Account,
        modes: vec![Mode::Direct, Mode::Escrow],
        currencies: vec![Currency::XTS],
        exchange: ExchangeNeeds { verifiable: true, revocable: true, generatable: false },
        payer_to_payee: Anonymity::Identified,
        payer_to_bank: Anonymity::Identified,
        finality: Finality::AfterWindow,
        simulated: true,
    };
    let refused = NegReject {
        to,
        signer,
        neg: NegId::from_bytes([1; 16]),
        h_last: hash("proposal"),
        reason: NegReason::Insufficient,
    };
    let mut forms = vec![Form::of(&descriptor), Form::of(&refused)];
    forms.extend(accounts());
    forms.extend(payments());
    forms
}

/// From opening an account to closing it.
fn accounts() -> Vec<Form> {
    let (to, signer, msg, at) = (kid(1), signer(), MSG, AT);
    let shift = Shift { to, signer, msg, from: PURSE, into: SHOP, amount: sum(), at };
    vec![
        Form::of(&Open {
            to,
            signer,
            msg,
            key: key(),
            holder: hash("certificate"),
            kind: AccountKind::Purse,
            currency: Currency::XTS,
            parent: Some(SHOP),
            at,
        }),
        Form::of(&Account {
            to,
            signer,
            account: PURSE,
            kind: AccountKind::Purse,
            owner: to,
            currency: Currency::XTS,
            request: hash("request"),
            at,
        }),
        Form::of(&Load(shift.clone())),
        Form::of(&Unload(shift)),
        Form::of(&Inspect { to, signer, msg, account: PURSE, at }),
        Form::of(&Balance {
            to,
            signer,
            account: PURSE,
            funds: sum(),
            pending: Money::parse("XTS 3.00").unwrap(),
            open: true,
            request: hash("request"),
            seq: 41,
            at,
        }),
        Form::of(&Close { to, signer, msg, account: PURSE, at }),
    ]
}

/// From the order to pay to what a third party orders about it.
fn payments() -> Vec<Form> {
    let (to, signer, msg, at, reference, exch) = (kid(1), signer(), MSG, AT, reference(), xid());
    let (arbiter, until) = (Some(kid(3)), Some(UNTIL));
    let booked = Booked { amount: sum(), payer: PURSE, payee: SHOP, arbiter, until, entry: hash("entry") };
    vec![
        Form::of(&Pay {
            to,
            signer,
            msg,
            from: PURSE,
            payee: SHOP,
            amount: sum(),
            reference,
            exch: Some(exch),
            arbiter,
            until,
            at,
        }),
        Form::of(&Query { to, signer, msg, account: Some(PURSE), reference, at }),
        Form::of(&TxStatement {
            to: ANYONE,
            signer,
            reference,
            exch: Some(exch),
            status: TxState::Credited,
            booked: Some(booked),
            at,
        }),
        Form::of(&Declined {
            to: ANYONE,
            signer,
            request: hash("request"),
            reference: Some(reference),
            code: "bank.funds".into(),
            at,
        }),
        Form::of(&Look { to, signer, reference, exch }),
        Form::of(&Freeze { to, signer, reference, exch }),
        Form::of(&Award {
            to,
            signer,
            case: hash("case"),
            reference,
            outcome: AwardOutcome::Refund,
            reason: Some(hash("decision")),
        }),
    ]
}
