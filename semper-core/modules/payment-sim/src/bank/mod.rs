//! The bank's side: reads a signed request, looks at the rows it needs, and says what is booked and signed.
//!
//! One request is one transaction: guards, rows, the entry of the ledger, the signed answer and the row that
//! lets a repeat find it. Nothing is answered before that is on the disk. The same request gets the same
//! bytes again for ever; another request under the same id is refused and changes nothing.

mod rows;
mod serve;
mod window;

use semper_supporting::{
    archive::{Guard, Row, RowOp, StoreError, Table},
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::{
        SignedBytes, Statement,
        statement::{self, StatementError, from_bytes},
    },
    money::{Money, MoneyError},
};
use semper_transfer::payment::{
    AccountId, MsgId, PayRef,
    ledger::{LedgerHead, Movement},
    message::{Award, Close, Freeze, Inspect, Load, Look, Open, Pay, Query, Unload},
    module::BankReply,
};
use std::collections::BTreeMap;

pub use rows::{AccountRow, PAYMENT, PaymentRow, REPLY, audit_payments};
pub use serve::serve;
pub use window::{due, release};

/// The tables of this bank beside those of the ledger.
pub const TABLES: &[Table] = &[PAYMENT, REPLY];

/// What this bank is.
#[derive(Clone, Debug)]
pub struct Bank {
    /// The key that signs its statements.
    pub kid: Kid,
    /// The third parties whose orders it follows.
    pub arbiters: BTreeMap<Kid, PublicKey>,
    /// What it gives to a new customer's account: play money only.
    pub gift: Option<Money>,
}

/// A request whose form was read; whose it is has not been checked.
#[derive(Clone, Debug)]
pub struct Request {
    signed: SignedBytes,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Open(Open),
    Load(Load),
    Unload(Unload),
    Close(Close),
    Inspect(Inspect),
    Pay(Pay),
    Query(Query),
    Freeze(Freeze),
    Look(Look),
    Award(Award),
}

/// The rows a request needs to be served.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Needs {
    /// Accounts by their names.
    pub accounts: Vec<AccountId>,
    /// A payment; its two accounts are then needed as well.
    pub payment: Option<PayRef>,
    /// The answer given before to this signer and message.
    pub reply: Option<(Kid, MsgId)>,
}

/// Those rows, all read from one state of the archive.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The end of the ledger.
    pub head: LedgerHead,
    /// The accounts that exist.
    pub accounts: BTreeMap<AccountId, AccountRow>,
    /// The payment, if it exists.
    pub payment: Option<PaymentRow>,
    /// The answer given before: what its request is recognised by, and the answer.
    pub reply: Option<(Digest, SignedBytes)>,
}

/// What serving a request came to.
#[derive(Clone, Debug)]
pub enum Served {
    /// Nothing is booked; this is the answer.
    Answer(BankReply),
    /// This is booked, with an answer that still needs the bank's signature.
    Book(Box<Booking>),
}

/// What is booked in one transaction once the answer is signed.
#[derive(Clone, Debug)]
pub struct Booking {
    guards: Vec<Guard>,
    rows: Vec<RowOp>,
    draft: Vec<u8>,
    reply: Option<(Kid, MsgId, Digest)>,
    payment: Option<PaymentRow>,
}

/// Why a request is not served. Nothing was booked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BankFault {
    /// It is no request of this payment system.
    #[error("not a request this bank understands")]
    Malformed,
    /// It is addressed to another bank, or signed by somebody who may not ask this.
    #[error("not signed by whoever may ask this")]
    NotYours,
    /// The same message id was used for another request.
    #[error("another request was made under the same message id")]
    IdemConflict,
    /// The signer's clock is more than five minutes off.
    #[error("the clock of the request differs by more than five minutes")]
    Clock,
    /// The books do not allow it.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The books cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The answer cannot be written.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

impl BankFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "pay.malformed",
            Self::NotYours => "pay.not-yours",
            Self::IdemConflict => "pay.idem-conflict",
            Self::Clock => "pay.clock",
            Self::Money(_) => "pay.money",
            Self::Store(_) => "pay.busy",
            Self::Statement(_) => "pay.malformed",
        }
    }
}

impl Request {
    /// Reads the form of a request.
    ///
    /// # Errors
    /// [`BankFault::Malformed`].
    pub fn read(signed: SignedBytes) -> Result<Self, BankFault> {
        fn of<T: Statement>(tbs: &[u8], wrap: impl Fn(T) -> Content) -> Option<Content> {
            from_bytes::<T>(tbs).ok().map(wrap)
        }
        let kind = statement::type_of(&signed.tbs).map_err(|_| BankFault::Malformed)?;
        let tbs = &signed.tbs;
        let content = match kind.as_str() {
            Open::TYPE => of(tbs, Content::Open),
            Load::TYPE => of(tbs, Content::Load),
            Unload::TYPE => of(tbs, Content::Unload),
            Close::TYPE => of(tbs, Content::Close),
            Inspect::TYPE => of(tbs, Content::Inspect),
            Pay::TYPE => of(tbs, Content::Pay),
            Query::TYPE => of(tbs, Content::Query),
            Freeze::TYPE => of(tbs, Content::Freeze),
            Look::TYPE => of(tbs, Content::Look),
            Award::TYPE => of(tbs, Content::Award),
            _ => None,
        };
        content.map(|content| Self { signed, content }).ok_or(BankFault::Malformed)
    }

    /// The rows it needs.
    pub fn needs(&self) -> Needs {
        let (accounts, payment, reply) = match &self.content {
            Content::Open(open) => (
                open.parent.into_iter().chain([AccountId::of(&self.signed.digest())]).collect(),
                None,
                Some(open.msg),
            ),
            Content::Load(Load(shift)) | Content::Unload(Unload(shift)) => {
                (vec![shift.from, shift.into], None, Some(shift.msg))
            }
            Content::Close(close) => (vec![close.account], None, Some(close.msg)),
            Content::Inspect(inspect) => (vec![inspect.account, inspect.account.uncleared()], None, None),
            Content::Pay(pay) => (vec![pay.from, pay.payee], Some(pay.reference), Some(pay.msg)),
            Content::Query(query) => (query.account.into_iter().collect(), Some(query.reference), None),
            Content::Freeze(freeze) => (Vec::new(), Some(freeze.reference), None),
            Content::Look(look) => (Vec::new(), Some(look.reference), None),
            Content::Award(award) => (Vec::new(), Some(award.reference), None),
        };
        Needs { accounts, payment, reply: reply.map(|msg| (self.signer(), msg)) }
    }

    /// Whoever the request says it is from.
    pub fn signer(&self) -> Kid {
        match &self.content {
            Content::Open(open) => open.signer,
            Content::Load(Load(shift)) | Content::Unload(Unload(shift)) => shift.signer,
            Content::Close(close) => close.signer,
            Content::Inspect(inspect) => inspect.signer,
            Content::Pay(pay) => pay.signer,
            Content::Query(query) => query.signer,
            Content::Freeze(freeze) => freeze.signer,
            Content::Look(look) => look.signer,
            Content::Award(award) => award.signer,
        }
    }

    /// What a repeat of it is recognised by: SHA-256 of its bytes and its signature.
    fn mark(&self) -> Digest {
        Digest::of_parts([self.signed.tbs.as_slice(), self.signed.signature.as_bytes()])
    }

    /// Its bytes, for the record of the bank.
    pub fn signed(&self) -> &SignedBytes {
        &self.signed
    }
}

impl Booking {
    /// The exact bytes of the answer, which the bank signs.
    pub fn draft(&self) -> &[u8] {
        &self.draft
    }

    /// The money that moves.
    pub fn movements(&self) -> Vec<Movement> {
        Movement::among(&self.rows)
    }

    /// Who is paid, if this is about a payment that was booked.
    pub fn payee(&self) -> Option<AccountId> {
        self.payment.as_ref()?.booked.as_ref().map(|booked| booked.payee)
    }

    /// What is committed in one transaction, and the answer that is given after it.
    pub fn complete(self, signed: SignedBytes) -> (Vec<Guard>, Vec<RowOp>, BankReply) {
        let Self { guards, mut rows, reply, payment, .. } = self;
        if let Some((signer, msg, request)) = reply {
            rows.push(rows::reply_row(signer, msg, request, &signed));
        }
        if let Some(payment) = payment {
            rows.push(payment.put(&signed));
        }
        (guards, rows, BankReply::Signed(signed))
    }
}

/// Reads the row of the ledger's head; a ledger without one is empty.
///
/// # Errors
/// [`StoreError`].
pub fn head_of(rows: &[Row]) -> Result<LedgerHead, StoreError> {
    rows.first().map_or(Ok(LedgerHead::EMPTY), LedgerHead::from_row)
}
