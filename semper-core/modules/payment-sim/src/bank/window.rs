//! The end of windows: what was pending is the merchant's for good.

use semper_supporting::{
    archive::{Query, Relation, Value},
    time::Moment,
};
use semper_transfer::payment::{ledger::LedgerHead, message::TxState};

use super::{
    Bank, BankFault, Booking, PAYMENT, PaymentRow,
    rows::{draft, word},
    serve::settle,
};

/// The payments whose window has ended at `now`, the first of them.
pub fn due(now: Moment) -> Query {
    Query::of(PAYMENT.name)
        .equal("state", word(TxState::Credited))
        .when("until_s", Relation::AtMost, Value::seconds(now))
        .limit(64)
}

/// Books one of them to the merchant for good.
///
/// # Errors
/// [`BankFault`]; nothing is booked.
pub fn release(
    bank: &Bank,
    payment: &PaymentRow,
    head: LedgerHead,
    now: Moment,
) -> Result<Booking, BankFault> {
    let now = now.whole_seconds();
    let booked = payment.booked.as_ref().ok_or(BankFault::Malformed)?;
    if payment.state != TxState::Credited || booked.until.is_none_or(|until| until > now) {
        return Err(BankFault::Malformed);
    }
    let (guards, rows, payment) = settle(payment, booked, TxState::Released, head, now)?;
    let draft = draft(&payment.statement(bank.kid))?;
    Ok(Booking { guards, rows, draft, reply: None, payment: Some(payment) })
}
