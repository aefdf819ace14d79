//! The statements of the payment service: types `pay/…`.
//!
//! Each begins with `to` (the reader it is meant for) and `signer`, so that a signed message cannot be
//! forwarded to another bank or party. Requests carry a message id; a bank answers a repeat with the bytes
//! it stored.

use semper_supporting::{
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    deal::Xid,
    evidence::{Signable, Statement},
    money::{Currency, Money},
    time::Moment,
};
use serde::{Deserialize, Serialize};

use super::id::{AccountId, MsgId, PayRef};

/// What an account is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountKind {
    /// A customer's account, from which purses are loaded.
    Customer,
    /// A purse at the bank, from which is paid.
    Purse,
    /// A merchant's account: credits stay pending until their window ends.
    Merchant,
}

/// `pay/open`: asks a bank to open an account under a key.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Open {
    /// The bank's key.
    pub to: Kid,
    /// The account's key.
    pub signer: Kid,
    /// This request.
    pub msg: MsgId,
    /// The account's public key, whose name is `signer`.
    pub key: PublicKey,
    /// The certificate of the holder, who brings this request over its own connection.
    pub holder: Digest,
    /// What the account is for.
    pub kind: AccountKind,
    /// Its one currency.
    pub currency: Currency,
    /// For a purse: the account it is loaded from and unloaded to.
    pub parent: Option<AccountId>,
    /// The holder's clock.
    pub at: Moment,
}

/// `pay/acct`: the bank's word that an account belongs to a key.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Account {
    /// The account's key.
    pub to: Kid,
    /// The bank's key.
    pub signer: Kid,
    /// The account.
    pub account: AccountId,
    /// What it is for.
    pub kind: AccountKind,
    /// The key that disposes of it.
    pub owner: Kid,
    /// Its one currency.
    pub currency: Currency,
    /// The request this answers.
    pub request: Digest,
    /// The bank's clock.
    pub at: Moment,
}

/// `pay/load` and `pay/unload`: moves money between an account and a purse of the same holder.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Shift {
    /// The bank's key.
    pub to: Kid,
    /// The key of the account the money leaves.
    pub signer: Kid,
    /// This request.
    pub msg: MsgId,
    /// The account the money leaves.
    pub from: AccountId,
    /// The account it goes to.
    pub into: AccountId,
    /// How much.
    pub amount: Money,
    /// The holder's clock.
    pub at: Moment,
}

/// `pay/load`: from the account into the purse.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Load(pub Shift);

/// `pay/unload`: from the purse back to the account.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Unload(pub Shift);

/// `pay/close`: closes a purse or account whose funds are nothing.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Close {
    /// The bank's key.
    pub to: Kid,
    /// The key of the account.
    pub signer: Kid,
    /// This request.
    pub msg: MsgId,
    /// The account to close.
    pub account: AccountId,
    /// The holder's clock.
    pub at: Moment,
}

/// `pay/pay`: the payer's order to its bank.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Pay {
    /// The bank's key.
    pub to: Kid,
    /// The key of the purse.
    pub signer: Kid,
    /// This request.
    pub msg: MsgId,
    /// The purse.
    pub from: AccountId,
    /// The payee's account.
    pub payee: AccountId,
    /// How much.
    pub amount: Money,
    /// The reference both sides derived.
    #[serde(rename = "ref")]
    pub reference: PayRef,
    /// The exchange this payment is part of.
    pub exch: Option<Xid>,
    /// The third party that may freeze it and order it back, within the window.
    pub arbiter: Option<Kid>,
    /// Until when it can be ordered back; the credit stays pending until then.
    pub until: Option<Moment>,
    /// The payer's clock.
    pub at: Moment,
}

/// `pay/query`: asks what became of a payment.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Query {
    /// The bank's key.
    pub to: Kid,
    /// The key of one of its two accounts, or its third party.
    pub signer: Kid,
    /// This request.
    pub msg: MsgId,
    /// The asker's account; absent for a third party.
    pub account: Option<AccountId>,
    /// The payment.
    #[serde(rename = "ref")]
    pub reference: PayRef,
    /// The asker's clock.
    pub at: Moment,
}

/// `pay/freeze`: a third party's order that a payment either has happened or never will.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Freeze {
    /// The bank's key.
    pub to: Kid,
    /// The third party's key.
    pub signer: Kid,
    /// The payment.
    #[serde(rename = "ref")]
    pub reference: PayRef,
    /// The exchange in which it stands.
    pub exch: Xid,
}

/// `pay/look`: a third party asks what became of a payment, and changes nothing.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Look {
    /// The bank's key.
    pub to: Kid,
    /// The third party's key.
    pub signer: Kid,
    /// The payment.
    #[serde(rename = "ref")]
    pub reference: PayRef,
    /// The exchange in which it stands.
    pub exch: Xid,
}

/// What a third party orders about a payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AwardOutcome {
    /// The payee keeps it; nothing can be ordered back any more.
    Release,
    /// It goes back to the payer.
    Refund,
}

/// `pay/award`: a third party's order about a payment that happened.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Award {
    /// The bank's key.
    pub to: Kid,
    /// The third party's key.
    pub signer: Kid,
    /// The exchange or case it belongs to.
    pub case: Digest,
    /// The payment.
    #[serde(rename = "ref")]
    pub reference: PayRef,
    /// What is ordered.
    pub outcome: AwardOutcome,
    /// The decision or verdict it rests on; absent for a revocation ordered before the decision is spoken.
    pub reason: Option<Digest>,
}

/// What a bank's books say about a payment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TxState {
    /// Booked to the payee; pending until the window ends.
    Credited,
    /// On the payee's account for good.
    Released,
    /// Booked back to the payer.
    Refunded,
    /// Never happened, and the bank refuses it for ever.
    Frozen,
}

/// `pay/tx-statement`: the bank's record of a payment.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TxStatement {
    /// Whoever it may concern: 32 zero bytes, since both sides and the third party hold the same record.
    pub to: Kid,
    /// The bank's key.
    pub signer: Kid,
    /// The payment.
    #[serde(rename = "ref")]
    pub reference: PayRef,
    /// The exchange in which it stands.
    pub exch: Option<Xid>,
    /// What the books say.
    pub status: TxState,
    /// What was booked; absent when nothing ever was.
    pub booked: Option<Booked>,
    /// The bank's clock when the books came to say so.
    pub at: Moment,
}

/// The booking behind a record.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Booked {
    /// How much.
    pub amount: Money,
    /// The account it left.
    pub payer: AccountId,
    /// The account it went to.
    pub payee: AccountId,
    /// The third party that may order it back.
    pub arbiter: Option<Kid>,
    /// Until when.
    pub until: Option<Moment>,
    /// The entry of the ledger: the hash in the bank's chain.
    pub entry: Digest,
}

/// `pay/declined`: the bank's word that a request was not booked and never will be.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Declined {
    /// Whoever it may concern.
    pub to: Kid,
    /// The bank's key.
    pub signer: Kid,
    /// The request.
    pub request: Digest,
    /// The payment it asked for.
    #[serde(rename = "ref")]
    pub reference: Option<PayRef>,
    /// Why, as a dotted code.
    pub code: String,
    /// The bank's clock.
    pub at: Moment,
}

/// `pay/balance`: what the bank's books say is on an account.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Balance {
    /// The account's key.
    pub to: Kid,
    /// The bank's key.
    pub signer: Kid,
    /// The account.
    pub account: AccountId,
    /// What can be disposed of.
    pub funds: Money,
    /// What was credited and can still be ordered back.
    pub pending: Money,
    /// Whether the account is open.
    pub open: bool,
    /// The request this answers.
    pub request: Digest,
    /// The number of the last entry of the ledger this was read from.
    pub seq: u64,
    /// The bank's clock.
    pub at: Moment,
}

/// `pay/inspect`: asks what is on an account.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Inspect {
    /// The bank's key.
    pub to: Kid,
    /// The key of the account.
    pub signer: Kid,
    /// This request.
    pub msg: MsgId,
    /// The account.
    pub account: AccountId,
    /// The holder's clock.
    pub at: Moment,
}

/// The reader of a statement that is meant for whoever it may concern.
pub const ANYONE: Kid = Kid::from_bytes([0; 32]);

macro_rules! statements {
    ($($name:ident => $kind:literal),* $(,)?) => { $(
        impl Statement for $name {
            const TYPE: &'static str = $kind;
        }

        impl Signable for $name {
            fn signer(&self) -> Kid {
                self.signer
            }
        }
    )* };
}

statements! {
    Open => "pay/open", Account => "pay/acct", Close => "pay/close", Pay => "pay/pay", Query => "pay/query",
    Declined => "pay/declined", Balance => "pay/balance", Inspect => "pay/inspect", Freeze => "pay/freeze", Look => "pay/look", Award => "pay/award", TxStatement => "pay/tx-statement",
}

impl Statement for Load {
    const TYPE: &'static str = "pay/load";
}

impl Signable for Load {
    fn signer(&self) -> Kid {
        self.0.signer
    }
}

impl Statement for Unload {
    const TYPE: &'static str = "pay/unload";
}

impl Signable for Unload {
    fn signer(&self) -> Kid {
        self.0.signer
    }
}
