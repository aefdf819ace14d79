//! What transfers, third parties and authorities come back with.

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
    },
    deal::Xid,
    evidence::SignedBytes,
    money::Money,
    time::Moment,
};
use serde::{Deserialize, Serialize};

use super::{Binding, GenGrade};
use crate::{description::Semantics, item::PayRef, package::LeafPath};

/// How a transfer begins.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Transfer {
    /// This is handed to the receiver.
    Deliver(Delivered),
    /// The statement is signed first; then the transfer begins anew with its signature.
    Sign(Vec<u8>),
    /// The payment manager pays what was negotiated under this reference, once.
    Pay(PayRef),
}

/// What the giver hands over for one leaf.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Delivered {
    /// A signed statement.
    Statement(SignedBytes),
    /// The key to content whose sealed form the receiver has.
    Key(ContentKey),
    /// An encoded credential.
    Credential(Vec<u8>),
}

/// What the receiver compares with the description.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Got {
    /// A signed statement.
    Statement(SignedBytes),
    /// A key, and what opening the sealed content with it measured.
    Data {
        /// The key.
        key: ContentKey,
        /// What was measured; absent if the content could not be opened with it.
        measured: Option<Measured>,
    },
    /// The authority's record of a payment.
    Payment(Record),
    /// An encoded credential.
    Credential(Vec<u8>),
}

/// An item, or its replacement, that was checked and found to be the one described.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Accepted {
    /// The hash of the description.
    pub description: Digest,
    /// The hash of what proves it: the signed text, the content, the record, the replacement's decision.
    pub evidence: Digest,
}

/// What a third party made in place of an item.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Generated {
    /// The third party's attestation of a statement in its owner's name.
    Affidavit {
        /// SHA-256 of the statement's exact bytes.
        text: Digest,
        /// The owner's certificate.
        signer: Digest,
        /// What the statement is for.
        semantics: Semantics,
    },
    /// A key from escrow.
    Key(ContentKey),
    /// A statement from escrow, signed by its owner.
    Statement(SignedBytes),
    /// The record of a captured hold.
    Capture(Box<Record>),
}

/// A third party's decision on one run, as its signed form says; checked by the exchange layer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Decided {
    /// The run.
    pub xid: Xid,
    /// The agreement.
    pub agreement: Digest,
    /// The certificate of the third party that decided.
    pub by: Digest,
    /// Whether the exchange was decided completed.
    pub completed: bool,
    /// SHA-256 of the signed decision.
    pub decision: Digest,
}

/// A replacement as its receiver has it, its signature checked by the exchange layer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Replacement {
    /// What it replaces.
    pub binding: Binding,
    /// How it was made.
    pub grade: GenGrade,
    /// What was made.
    pub content: Generated,
    /// For a key: what opening the sealed content with it measured.
    pub measured: Option<Measured>,
    /// The decision it was made under, if it came with one.
    pub decided: Option<Decided>,
}

/// Whether an observation leaves a transfer possible.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// Says what is, and changes nothing.
    Peek,
    /// In one atomic act of the authority: says that it happened, or makes sure that it never will.
    Freeze,
}

/// What a third party found out about a transfer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Observation {
    /// It happened.
    Happened(Record),
    /// It has not happened and never will.
    Frozen(Record),
    /// It has not happened; it still may.
    NotYet,
    /// The third party holds content with this hash that matches, and has promised to hand it over.
    Deposited(Digest),
    /// The authority does not answer; the question is repeated.
    Unavailable,
}

/// What an authority recorded about a transfer, and its signed words.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Record {
    /// The run it was recorded under.
    pub xid: Xid,
    /// The leaf it was recorded under.
    pub leaf: LeafPath,
    /// The payment's reference, one to one with run and leaf.
    pub reference: Option<PayRef>,
    /// What happened.
    pub status: RecordStatus,
    /// The sum, for a payment.
    pub amount: Option<Money>,
    /// Who paid.
    pub payer: Option<String>,
    /// Who was paid.
    pub payee: Option<String>,
    /// Since when it is so.
    pub since: Moment,
    /// The authority's certificate: SHA-256 of its DER.
    pub authority: Digest,
    /// The authority's signed words.
    pub evidence: SignedBytes,
}

/// What an authority can record about a transfer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordStatus {
    /// A hold was captured for the receiver.
    Captured,
    /// It will never happen.
    Frozen,
    /// It happened.
    Happened,
    /// The value is held.
    Held,
    /// It happened and was undone.
    Revoked,
    /// A hold was voided for the sender.
    Voided,
}

/// What a third party asks of an authority, to be signed with the third party's key and sent. Repeating it is
/// harmless: the authority answers repeats with the same signed bytes.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Order {
    /// The authority's certificate: SHA-256 of its DER.
    pub to: Digest,
    /// The exact bytes to be signed.
    pub tbs: Vec<u8>,
}

/// What an authority answers to an order.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Answer {
    /// Its signed words.
    Signed(SignedBytes),
    /// It has no record of the transfer yet. That is not signed: it may be otherwise a moment later.
    NotYet,
}

/// A call at a third party that either has its result or waits for an authority.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Begun<T> {
    /// The result.
    Done(T),
    /// This is to be asked first; the answer goes to the call's second half.
    Ask(Order),
}

/// Why a transfer cannot be undone any more.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, thiserror::Error,
)]
#[error("it is too late to undo the transfer")]
pub struct TooLate;
