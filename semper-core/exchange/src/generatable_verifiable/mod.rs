//! `gxv/1`: something a third party can make against something whose transfer it can verify (Schunter,
//! Waidner, Whinnett 1999, figure 4, made asynchronous).
//!
//! The originator holds the generatable package, a document or a receipt; the responder usually pays.
//!
//! ```text
//! 1  O -> R   OFFER     with permits for the third party
//! 2  R -> O   ACCEPT
//! 3  R -> A   the transfer, under a binding to this agreement; A records it
//!    R -> O   MOVED     a hint
//! 4  O -> R   ITEM
//! 5  R -> O   CLOSE
//! ```
//!
//! Whoever gives up waiting asks the third party, which decides by [`rule`] once per agreement. Fairness
//! needs no clock: the third party freezes the transfer before it says *aborted*.

pub mod desk;
pub mod originator;
pub mod plan;
pub mod responder;
pub mod rule;
pub mod third_party;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::SignedBytes,
    party::Role,
    time::{Moment, Span},
};
use semper_transfer::property::Binding;
use serde::{Deserialize, Serialize};

use crate::{deadlines::Timer, message::Draft, tell::Code};

pub use desk::{Answer, Desk, Mark, Recorded, Recourse, Ruling, Verdicts};
pub use originator::Originator;
pub use plan::{BadPlan, Leaf, PROTO, Plan};
pub use responder::Responder;
pub use third_party::ThirdParty;

/// Something that happens to a party, and when by its own clock. The clock fills the `at` line of what is
/// written and decides nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Input<E> {
    /// When it happens.
    pub at: Moment,
    /// What happens.
    pub event: E,
}

/// What a party's machine orders.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Output {
    /// Ask the user to sign this, which commits; the answer comes back as the signed statement, never as a
    /// bare yes.
    Ask(Draft),
    /// Hand the receiver our item of this binding, beside the message sent last.
    Deliver(Binding),
    /// Keep this message or record as evidence.
    Keep(Digest),
    /// Ask the authority what it has recorded under this binding.
    Observe(Binding),
    /// Go on at once: the next input is `Go`.
    Proceed,
    /// Sign this and send it, with what these digests name beside it.
    Send {
        /// To whom.
        to: Role,
        /// The exact bytes to be signed.
        draft: Draft,
        /// What travels beside it.
        beside: Vec<Digest>,
    },
    /// Send this; it was signed under a permit of its own.
    SendSigned {
        /// To whom.
        to: Role,
        /// The signed bytes.
        signed: SignedBytes,
        /// What travels beside it.
        beside: Vec<Digest>,
    },
    /// Set a timer, replacing one of the same name.
    Set {
        /// Which.
        timer: Timer,
        /// For how long.
        span: Span,
    },
    /// Begin the transfer of this binding, once however often it is ordered.
    StartTransfer(Binding),
    /// Tell the user where the exchange stands.
    Tell(Code),
}
