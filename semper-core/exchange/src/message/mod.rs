//! What parties, third party and authorities say to each other, as statements.
//!
//! Every message begins with the same lines ([`Common`]): which run, which deal, from whom to whom under
//! which certificates, about which agreement, in answer to what. So no message can be taken for one of
//! another run, role or type (Gürgens, Rudolph, Vogt 2005). `at` is the sender's clock and decides nothing.
//!
//! A machine hands out a [`Draft`], the exact bytes to be signed; it takes in a [`Message`], which was
//! verified under the certificate of whoever it says it is from.

pub mod answer;
pub mod gxv;
pub mod negotiation;
pub mod offer;
pub mod request;
pub mod xfer;

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    deal::{DealId, Xid},
    evidence::{
        Signable, SignedBytes, Verified,
        statement::{self, StatementError},
    },
    party::Role,
    time::Moment,
};
use serde::{Deserialize, Serialize};

pub use answer::{
    Affidavit, Basis, BasisKind, Caps, Cheat, Decision, NotYet, Outcome, Pending, Receipt, Reject,
    RejectCode, Replacement,
};
pub use gxv::{Close, Decline, DeclineReason, Item, Moved, MovedLeaf};
pub use negotiation::{Answer, Propose};
pub use offer::{Accept, Proposal};
pub use request::{Abort, Reason, Resolve, Status};

/// The lines every message of an exchange begins with.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Common {
    /// The run; absent while it is being negotiated.
    pub xid: Option<Xid>,
    /// The deal it belongs to.
    pub deal: DealId,
    /// Who speaks.
    pub from: Role,
    /// To whom.
    pub to: Role,
    /// SHA-256 of the originator's certificate; during negotiation that of whoever proposed.
    pub cert_o: Digest,
    /// SHA-256 of the responder's certificate; during negotiation that of whoever answers.
    pub cert_r: Digest,
    /// SHA-256 of the third party's certificate; absent where there is none.
    pub cert_t: Option<Digest>,
    /// SHA-256 of OFFER; absent in OFFER and before.
    pub agr: Option<Digest>,
    /// SHA-256 of the message this one answers.
    pub prev: Option<Digest>,
    /// The sender's clock.
    pub at: Moment,
    /// The key that signs.
    pub signer: Kid,
}

impl Common {
    /// The certificate under which whoever this message is from speaks.
    pub fn certificate(&self) -> Option<Digest> {
        match self.from {
            Role::Originator => Some(self.cert_o),
            Role::Responder => Some(self.cert_r),
            Role::ThirdParty => self.cert_t,
            Role::Authority | Role::Signer(_) | Role::Everybody => None,
        }
    }
}

/// A message of an exchange: it names its run and its speaker.
pub trait Spoken: Signable {
    /// Its common lines.
    fn common(&self) -> &Common;
}

/// Declares a message whose common lines are its field `common`.
macro_rules! signable {
    ($name:ident, $kind:literal $(, $limit:expr)?) => {
        impl Statement for $name {
            const TYPE: &'static str = $kind;
            $( const LIMIT: usize = $limit; )?
        }

        impl Signable for $name {
            fn signer(&self) -> Kid {
                self.common.signer
            }
        }

        impl $crate::message::Spoken for $name {
            fn common(&self) -> &Common {
                &self.common
            }
        }
    };
}
pub(crate) use signable;

/// The exact bytes of a statement that is to be signed and sent.
///
/// A machine never holds a signature of its own party: the engine signs the draft before it commits the
/// step, and the same draft has the same signature however often the step is repeated.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Draft {
    tbs: Vec<u8>,
    signer: Kid,
}

impl Draft {
    /// Writes `statement` as the bytes to be signed.
    ///
    /// # Errors
    /// [`StatementError::Unwritable`].
    pub fn of<T: Signable>(statement: &T) -> Result<Self, StatementError> {
        Ok(Self { tbs: statement::to_bytes(statement)?, signer: statement.signer() })
    }

    /// The exact bytes to be signed.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// The key that is to sign.
    pub fn signer(&self) -> Kid {
        self.signer
    }

    /// The digest by which other statements will name it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.tbs)
    }

    /// Reads the statement again, for whoever must know its type to permit its signature.
    ///
    /// # Errors
    /// [`StatementError::Type`] if it is of another type.
    pub fn read<T: Signable>(&self) -> Result<T, StatementError> {
        statement::from_bytes(&self.tbs)
    }
}

/// Every message of the protocols built so far, verified under the certificate of its speaker.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Message {
    /// N1.
    Propose(Box<Verified<Propose>>),
    /// N2.
    Answer(Box<Verified<Answer>>),
    /// OFFER.
    Offer(Box<Verified<Proposal>>),
    /// ACCEPT.
    Accept(Verified<Accept>),
    /// DECLINE.
    Decline(Verified<Decline>),
    /// MOVED.
    Moved(Verified<Moved>),
    /// ITEM.
    Item(Verified<Item>),
    /// CLOSE.
    Close(Verified<Close>),
    /// MESSAGE of a transfer.
    Transfer(Verified<xfer::Message>),
    /// CLOSE of a transfer.
    TransferClose(Verified<xfer::Close>),
    /// ABORT.
    Abort(Verified<Abort>),
    /// RESOLVE.
    Resolve(Verified<Resolve>),
    /// STATUS.
    Status(Verified<Status>),
    /// RECEIPT.
    Receipt(Verified<Receipt>),
    /// DECISION.
    Decision(Verified<Decision>),
    /// REPLACEMENT.
    Replacement(Verified<Replacement>),
    /// AFFIDAVIT.
    Affidavit(Verified<Affidavit>),
    /// NOT-YET.
    NotYet(Verified<NotYet>),
    /// PENDING.
    Pending(Verified<Pending>),
    /// REJECT.
    Reject(Verified<Reject>),
}

/// Applies `$body` to whatever message it is.
macro_rules! each {
    ($message:expr, $m:ident => $body:expr) => {
        match $message {
            Message::Propose($m) => $body,
            Message::Answer($m) => $body,
            Message::Offer($m) => $body,
            Message::Accept($m) => $body,
            Message::Decline($m) => $body,
            Message::Moved($m) => $body,
            Message::Item($m) => $body,
            Message::Close($m) => $body,
            Message::Transfer($m) => $body,
            Message::TransferClose($m) => $body,
            Message::Abort($m) => $body,
            Message::Resolve($m) => $body,
            Message::Status($m) => $body,
            Message::Receipt($m) => $body,
            Message::Decision($m) => $body,
            Message::Replacement($m) => $body,
            Message::Affidavit($m) => $body,
            Message::NotYet($m) => $body,
            Message::Pending($m) => $body,
            Message::Reject($m) => $body,
        }
    };
}

impl Message {
    /// Its common lines.
    pub fn common(&self) -> &Common {
        each!(self, m => Spoken::common(m.value()))
    }

    /// The digest by which other messages name it.
    pub fn digest(&self) -> Digest {
        each!(self, m => m.digest())
    }

    /// The bytes it was read from.
    pub fn bytes(&self) -> &SignedBytes {
        each!(self, m => m.bytes())
    }
}
