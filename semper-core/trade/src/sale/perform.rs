//! Performing what sales order outside.
//!
//! Everything here may happen twice, and does after a crash. Banks and third parties recognise what they were
//! asked before by its bytes, frames are recognised by the record of the deal, and files by their digests.

use std::future::Future;

use semper_engine::{Effect, Key, Performed, Performer};
use semper_exchange::message::Draft;
use semper_supporting::{
    access::Covering,
    comm::{
        address::{Endpoint, Surroundings},
        frame::{Frame, Kind},
    },
    crypto::{digest::Digest, seal::ContentKey},
    deal::DealContext,
    evidence::SignedBytes,
    fault::Fault as _,
    wire,
};

use super::{Errand, Lines, SaleInput};
use crate::calls::{
    Caller, arbiter, bank,
    goods::{GoodsFault, Shelf},
};

/// What a person answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Yes: this is the statement, signed, and the prompt that covers what follows from it.
    Signed(SignedBytes, Option<Box<Covering>>),
    /// No.
    Declined,
    /// Nobody could be asked; why, for the log. It is asked again.
    Nobody(String),
}

/// Whoever is asked to sign what commits.
pub trait User: Send + Sync + 'static {
    /// Asks whether `draft` is to be signed in the deal of `context`.
    fn ask(
        &self,
        key: &Key,
        draft: &Draft,
        context: Option<&DealContext>,
    ) -> impl Future<Output = Asked> + Send;
}

/// A program where nobody sits: what its operator's configuration does not allow is declined.
#[derive(Clone, Copy, Debug)]
pub struct Unattended;

impl User for Unattended {
    async fn ask(&self, _: &Key, _: &Draft, _: Option<&DealContext>) -> Asked {
        Asked::Declined
    }
}

/// Performs what sales order.
#[derive(Clone, Debug)]
pub struct Errands<U> {
    /// Calls the others.
    pub caller: Caller,
    /// Whether addresses inside the own network are called.
    pub surroundings: Surroundings,
    /// Where sealed and opened goods are; a seller has none.
    pub shelf: Option<Shelf>,
    /// The connections of the deals.
    pub lines: Lines,
    /// Whom to ask.
    pub user: U,
}

type Done = Performed<SaleInput>;

impl<U: User> Performer<SaleInput> for Errands<U> {
    async fn perform(&self, key: &Key, effect: &Effect, _: u32) -> Done {
        let errand = match wire::decode::<Errand>(&effect.body, wire::STATE_LIMIT) {
            Ok(errand) => errand,
            Err(error) => return Performed::Dropped(format!("it cannot be read: {error}")),
        };
        match errand {
            Errand::Ask { draft, context } => match self.user.ask(key, &draft, context.as_deref()).await {
                Asked::Signed(signed, covering) => {
                    Performed::Answered(SaleInput::Signed { signed, covering })
                }
                Asked::Declined => Performed::Answered(SaleInput::Refused(draft.digest())),
                Asked::Nobody(why) => Performed::Failed(why),
            },
            Errand::Send { kind, stream, payload } => {
                let frame = Kind::of(kind).and_then(|kind| Frame::new(kind, stream, payload.0).ok());
                let Some(frame) = frame else { return Performed::Dropped("it is no frame".to_owned()) };
                self.lines.send(key, frame).await;
                Performed::Done
            }
            Errand::Bank { at, bank, request } => {
                let Some(at) = self.endpoint(&at) else { return Performed::Answered(SaleInput::BankSilent) };
                match bank::ask(&self.caller, &at, bank, &request).await {
                    Ok(reply) => Performed::Answered(SaleInput::Bank(reply)),
                    Err(fault) => {
                        tracing::warn!(%at, code = fault.code(), "the bank does not answer: {fault}");
                        Performed::Answered(SaleInput::BankSilent)
                    }
                }
            }
            Errand::Third { at, third, question } => {
                let Some(at) = self.endpoint(&at) else { return Performed::Done };
                let mut heard = Vec::new();
                let asked = arbiter::ask(&self.caller, &at, third, &question, |said| heard.extend(said));
                if let Err(fault) = asked.await {
                    tracing::warn!(%at, code = fault.code(), "the third party does not answer: {fault}");
                    if !heard.is_empty() && !fault.is_lasting() {
                        // It has begun to answer: asked again with the same bytes, it says the same and the rest.
                        return Performed::Failed(fault.to_string());
                    }
                    // The exchange asks again by its own timer.
                }
                if heard.is_empty() { Performed::Done } else { Performed::Answered(SaleInput::Third(heard)) }
            }
            Errand::Fetch { at, sealed, length } => self.fetch(&at, sealed, length).await,
            Errand::Discard { sealed } => {
                let Some(shelf) = &self.shelf else { return Performed::Done };
                match shelf.remove_sealed(sealed).await {
                    Ok(()) => Performed::Done,
                    Err(fault) => Performed::Failed(fault.to_string()),
                }
            }
            Errand::Open { key, sealed, at, length } => self.open(&key, sealed, (&at, length)).await,
        }
    }
}

impl<U> Errands<U> {
    fn endpoint(&self, at: &str) -> Option<Endpoint> {
        Endpoint::parse(at, self.surroundings)
            .inspect_err(|error| tracing::error!(at, %error, "an address cannot be called"))
            .ok()
    }

    async fn fetch(&self, at: &str, sealed: Digest, length: u64) -> Done {
        let (Some(shelf), Some(at)) = (&self.shelf, self.endpoint(at)) else {
            return Performed::Answered(SaleInput::Fetched(None));
        };
        match shelf.fetch(&self.caller, &at, sealed, length).await {
            Ok(()) => Performed::Answered(SaleInput::Fetched(Some(sealed))),
            Err(fault) if fault.is_final() => {
                tracing::warn!(%at, code = fault.code(), "the goods cannot be had: {fault}");
                Performed::Answered(SaleInput::Fetched(None))
            }
            Err(fault) => Performed::Failed(fault.to_string()),
        }
    }

    /// Opens a sealed file. One that is not here any more, since another purchase of the same goods is over or the
    /// disk lost it, is fetched first.
    async fn open(&self, key: &ContentKey, sealed: Digest, from: (&str, u64)) -> Done {
        let Some(shelf) = &self.shelf else { return Performed::Dropped("no shelf".to_owned()) };
        let mut opened = shelf.open(key, sealed).await;
        if let (Err(GoodsFault::Absent(_) | GoodsFault::Damaged(_)), Some(at)) =
            (&opened, self.endpoint(from.0))
        {
            opened = match shelf.fetch(&self.caller, &at, sealed, from.1).await {
                Ok(()) => shelf.open(key, sealed).await,
                Err(fault) => Err(fault),
            };
        }
        match opened {
            Ok(measured) => Performed::Answered(SaleInput::Opened(measured)),
            Err(fault) => Performed::Failed(fault.to_string()),
        }
    }
}
