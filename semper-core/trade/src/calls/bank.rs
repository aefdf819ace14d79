//! Asking a bank: one signed request, one reply.
//!
//! A bank answers the same bytes alike however often they come, so that asking again is safe.

use semper_supporting::{
    certificate::CertRole,
    comm::{address::Endpoint, envelope::Envelope, frame::Kind},
    crypto::signature::Kid,
    evidence::SignedBytes,
    wire,
};
use semper_transfer::payment::module::BankReply;

use super::{CallFault, Caller, QUESTION, answer};

/// The longest request or reply in bytes.
const MESSAGE: usize = 64 << 10;

/// Asks the bank at `at`, which must hold the key `bank`, and gives its reply. It has 30 seconds.
///
/// # Errors
/// [`CallFault`]. That the bank does not do what it was asked is a reply ([`BankReply::Refused`]) and no fault;
/// [`CallFault::Refused`] is its word that it did not take the request as one.
pub async fn ask(
    caller: &Caller,
    at: &Endpoint,
    bank: Kid,
    request: &SignedBytes,
) -> Result<BankReply, CallFault> {
    let body = wire::encode(request, MESSAGE).map_err(CallFault::unsendable)?;
    let frame = Envelope::unnumbered(None, body).frame(Kind::Payment, QUESTION);
    let frame = frame.map_err(CallFault::unsendable)?;
    let mut session = caller.call_key(at, CertRole::Bank, bank).await?;
    session.send.send(frame).await?;
    let frame = answer(&mut session, Kind::Payment).await?;
    let envelope = Envelope::read(&frame).map_err(CallFault::unreadable)?;
    Ok(wire::decode(&envelope.body, MESSAGE)?)
}
