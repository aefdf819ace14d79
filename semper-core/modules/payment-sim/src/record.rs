//! Reading what the bank says about a payment, and waiting for it.

use semper_supporting::{
    crypto::{digest::Digest, signature::PublicKey},
    evidence::{SignedBytes, statement::type_of},
    time::{Moment, Span},
};
use semper_transfer::payment::{
    AccountId, PaymentOrder,
    message::{Declined, TxState, TxStatement},
};

/// What a reply of the bank means for the payment it is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    /// The books say so.
    Record(TxState),
    /// The request was not booked and never will be.
    Declined,
    /// It is about something else, or not the bank's word.
    Nothing,
}

/// Reads a signed reply of `bank` about `order`.
///
/// A record of another amount, payee, third party or window than agreed is no record of this payment; one
/// that was never booked says nothing of these.
pub(crate) fn read(
    signed: &SignedBytes,
    bank: &PublicKey,
    order: &PaymentOrder,
    payer: Option<AccountId>,
    request: Option<Digest>,
) -> Meaning {
    match type_of(&signed.tbs).as_deref() {
        Ok("pay/tx-statement") => match signed.clone().verify::<TxStatement>(bank) {
            Ok(record) if concerns(&record, order, payer) => Meaning::Record(record.status),
            _ => Meaning::Nothing,
        },
        Ok("pay/declined") => match signed.clone().verify::<Declined>(bank) {
            Ok(declined)
                if Some(declined.request) == request && declined.reference == Some(order.reference) =>
            {
                Meaning::Declined
            }
            _ => Meaning::Nothing,
        },
        _ => Meaning::Nothing,
    }
}

fn concerns(record: &TxStatement, order: &PaymentOrder, payer: Option<AccountId>) -> bool {
    if record.reference != order.reference || record.exch != order.exch {
        return false;
    }
    match (&record.booked, record.status) {
        (None, status) => status == TxState::Frozen,
        (Some(_), TxState::Frozen) => false,
        (Some(booked), _) => {
            booked.amount == order.amount
                && booked.payee == order.payee
                && booked.arbiter == order.arbiter
                && booked.until == order.until
                && payer.is_none_or(|payer| payer == booked.payer)
        }
    }
}

/// The shortest pause before the bank is asked again.
const FIRST: Span = Span::seconds(1);
/// The longest pause.
const LONGEST: Span = Span::minutes(5);

/// When to ask the bank again after `tries` attempts: 1 s, doubling, at most 5 minutes.
pub(crate) fn again(now: Moment, tries: u32) -> Moment {
    let span = (0..tries.min(16)).fold(FIRST, |span, _| span.doubled());
    now.after(span.min(LONGEST))
}
