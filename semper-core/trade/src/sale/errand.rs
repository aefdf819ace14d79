//! What a sale orders that leaves the program, as the engine keeps it until it is done.

use semper_exchange::{message::Draft, recourse::Question};
use semper_supporting::{
    crypto::{digest::Digest, seal::ContentKey, signature::Kid},
    deal::DealContext,
    evidence::{SignedBytes, statement::Bytes},
};
use serde::{Deserialize, Serialize};

/// Where somebody is to be reached, and by which certificates.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Place {
    /// Its address, as `host:port`.
    pub at: String,
    /// DER of its certificates, its own first.
    pub chain: Vec<Bytes>,
}

/// Something to be done outside, at least once.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Errand {
    /// Ask the user to sign this.
    Ask {
        /// What.
        draft: Draft,
        /// The deal it belongs to, as far as it is known.
        context: Option<Box<DealContext>>,
    },
    /// Send a frame on the connection of the deal, if one stands.
    Send {
        /// The number of its kind.
        kind: u8,
        /// Its stream.
        stream: u32,
        /// Its content.
        payload: Bytes,
    },
    /// Ask a bank.
    Bank {
        /// Where it is.
        at: String,
        /// Its key.
        bank: Kid,
        /// The signed order or question.
        request: SignedBytes,
    },
    /// Ask the third party.
    Third {
        /// Where it is.
        at: String,
        /// Its key.
        third: Kid,
        /// The request with everything it rests on.
        question: Box<Question>,
    },
    /// Fetch a sealed file.
    Fetch {
        /// Where the shop is.
        at: String,
        /// SHA-256 of the sealed file.
        sealed: Digest,
        /// The length of the file in bytes before it was sealed.
        length: u64,
    },
    /// Open a sealed file.
    Open {
        /// Its key.
        key: ContentKey,
        /// SHA-256 of the sealed file.
        sealed: Digest,
        /// Where the shop is, if it has to be fetched again.
        at: String,
        /// The length of the file in bytes before it was sealed.
        length: u64,
    },
    /// Remove the sealed file, which is of no use any more. What was opened stays, even if it was not what was agreed:
    /// the same content may have been bought before.
    Discard {
        /// SHA-256 of the sealed file.
        sealed: Digest,
    },
}

impl Errand {
    /// To whom it goes: errands of one sale to one receiver are done in their order.
    pub const fn to(&self) -> &'static str {
        match self {
            Self::Ask { .. } => "user",
            Self::Send { .. } => "peer",
            Self::Bank { .. } => "bank",
            Self::Third { .. } => "third-party",
            Self::Fetch { .. } => "goods",
            Self::Open { .. } | Self::Discard { .. } => "seal",
        }
    }
}
