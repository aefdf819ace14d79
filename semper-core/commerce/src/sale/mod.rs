//! One fair sale of a file against money, from the first word of the deal to the last.
//!
//! ```text
//! buyer                                         seller
//!   deal-propose                           ->
//!                                          <-   deal-accept
//!   deal-open, PROPOSE                     ->
//!                                          <-   ANSWER, neg-p
//!   (fetches the sealed file)   neg-s      ->
//!                                          <-   neg-c, OFFER
//!   ACCEPT                                 ->
//!   (its bank books the payment)   MOVED   ->
//!                                          <-   ITEM: the key
//!   CLOSE, deal-close                      ->
//!                                          <-   deal-close
//! ```
//!
//! [`Buyer`] and [`Seller`] are one machine each. They hold the opening, the negotiations, the payment's run
//! and the exchange as states, and one step of any of these is one step of the sale. What goes wrong before
//! OFFER and ACCEPT ends the sale with a code and binds nobody; what goes wrong later goes to the third
//! party, whose answers are inputs like any other.
//!
//! A step reads bytes and checks signatures before it believes anything, with the keys of this deal, which
//! the state holds. What it orders ([`Output`]) a program carries out one to one.

mod buyer;
mod fault;
mod line;
mod message;
mod money;
mod ordering;
mod question;
mod seller;
mod view;

use std::{collections::BTreeMap, sync::Arc};

use semper_exchange::{
    check::ThirdPartyFacts,
    deadlines,
    message::Draft,
    recourse::Said,
    run::{Run, Speaker},
    select::{Casting, Selected},
    tell::Code,
    xid::{Nonce, Origin},
};
use semper_supporting::{
    comm::{frame::Frame, session::Exporter},
    crypto::{
        digest::Digest,
        seal::{ContentKey, Measured},
        signature::{Kid, PublicKey},
    },
    deal::{DealContext, DealId},
    evidence::{SignedBytes, statement::Bytes},
    time::{Moment, Span},
};
use semper_transfer::{
    description::{DataDescription, Description},
    package::LeafPath,
    payment::{Modules, Purse, TxId, module::BankReply},
    property::{Binding, Capabilities, Side},
};
use serde::{Deserialize, Serialize};

pub use self::{
    buyer::{Buyer, BuyerPlan},
    fault::SaleFault,
    message::{Beside, MOST_BESIDE, MOST_CERTIFICATES, SaleMessage},
    question::SaleQuestion,
    seller::{Goods, Seller, SellerPlan},
    view::{End, SaleStep, SaleView},
};
use crate::{
    deal::{Outcome, Party},
    runner::Terms,
    service::form::{FormValues, Proofs},
};

/// The cell of the terms of business that a sale fills.
pub const CELL: &str = "fair-purchase";
/// The move of the terms of business in which it is filled.
pub const MOVE: &str = "pay";
/// The clause that gives the third party's replacements their effect.
pub const CLAUSE: &str = "What the third party named in this offer makes under a permit in it, once it has \
                          decided that this exchange is completed, counts as delivered by whoever gave the permit.\n";

/// The hash of [`CLAUSE`].
pub fn clause() -> Digest {
    Digest::of(CLAUSE.as_bytes())
}

/// A third party as certificate and signed capabilities describe it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Arbiter {
    /// SHA-256 of its certificate's DER.
    pub certificate: Digest,
    /// The key it signs with.
    pub key: PublicKey,
    /// Its certified name.
    pub name: String,
    /// SHA-256 of its policy.
    pub policy: Digest,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// Terms of business that both sides hold, with what was verified about the texts and credentials in them.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// The terms.
    pub terms: Terms,
    /// What can be ticked and shown.
    pub proofs: Proofs,
}

/// A connection that stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Session {
    /// What only its two ends can compute.
    pub exporter: Exporter,
    /// The key of its other end.
    pub tls: Kid,
}

/// One thing that happens in a sale, with what a step may use.
#[derive(Clone)]
pub struct Input {
    /// When.
    pub at: Moment,
    /// Fresh random bytes, journaled before the step.
    pub chance: [u8; 64],
    /// The payment modules of the program.
    pub modules: Modules,
    /// The purses, or tills, in the user's order, as they are stored now.
    pub purses: Vec<Purse>,
    /// The terms of business of the deal, if it is under any.
    pub agreed: Option<Arc<Agreed>>,
    /// What.
    pub event: Event,
}

/// Everything that can happen in a sale.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The user wants it. To a buyer only.
    Begin,
    /// A connection stands.
    Up(Session),
    /// A frame has come; with the party that the certificates in it show, as the program verified them, where
    /// it opens the deal.
    Frame(Frame, Option<Box<Party>>),
    /// What was to be signed is signed.
    Signed(SignedBytes),
    /// The user will not sign what has this digest.
    Refused(Digest),
    /// The sealed file is here, and this is its SHA-256; or it cannot be had.
    Fetched(Option<Digest>),
    /// What opening the sealed file measured; nothing if it does not open.
    Opened(Option<Measured>),
    /// The bank answers.
    Bank(BankReply),
    /// The bank does not answer.
    BankSilent,
    /// The third party answers.
    Third(Vec<Said>),
    /// A timer has run out.
    Elapsed(Timer),
    /// The user, or the shop's application, makes a move of the terms, with the forms as they are filled in now.
    Move(String, Vec<FormValues>),
    /// The user gives up.
    Stop,
}

/// What a sale waits for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Timer {
    /// Something of the exchange.
    Exchange(deadlines::Timer),
    /// The bank.
    Payment,
    /// The deadline of the state of the terms.
    Terms,
}

/// What a sale orders.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Have the user sign this, which commits.
    Ask(Draft),
    /// Sign this; access control allows it under what the user has approved.
    Sign(Draft),
    /// Send this frame on the line of the deal.
    Send(Frame),
    /// Ask the third party of the deal. The program adds both parties' certificates.
    Third {
        /// ABORT or RESOLVE.
        request: SignedBytes,
        /// OFFER.
        offer: SignedBytes,
        /// ACCEPT.
        accept: Option<SignedBytes>,
        /// The escrows.
        blobs: Vec<Bytes>,
    },
    /// Ask the bank of this key.
    Bank {
        /// The bank's key.
        bank: Kid,
        /// The signed order or question.
        request: SignedBytes,
    },
    /// Fetch the sealed file of the other side.
    Fetch {
        /// SHA-256 of the sealed file.
        sealed: Digest,
        /// The length of the file in bytes before it was sealed.
        length: u64,
    },
    /// Open the sealed file with this key, and say what it measures.
    Open {
        /// The key.
        key: ContentKey,
        /// SHA-256 of the sealed file.
        sealed: Digest,
    },
    /// Store this purse, if the stored one is still the one before.
    Purse {
        /// The purse the step started from.
        before: Box<Purse>,
        /// The purse after it.
        after: Box<Purse>,
    },
    /// Set a timer, replacing one of the same name.
    Set {
        /// Which.
        timer: Timer,
        /// For how long.
        span: Span,
    },
    /// Have the user, or the shop's application, choose among these moves of the terms.
    Choose(Vec<String>),
    /// Keep this as evidence.
    Keep(SignedBytes),
    /// Tell the user where the exchange stands.
    Tell(Code),
    /// Something was not taken, or the sale did not come about: a dotted code.
    Fault(&'static str),
    /// The deal is open.
    Opened(Box<DealContext>),
    /// Nothing more moves in this sale.
    Ended(Outcome),
}

/// What a step orders, or why it was not taken.
type Taken = Result<Vec<Output>, SaleFault>;

impl Arbiter {
    /// What OFFER repeats of it.
    pub fn facts(&self) -> ThirdPartyFacts {
        ThirdPartyFacts {
            name: self.name.clone(),
            escrow_key: Digest::of(self.capabilities.keys.escrow.as_bytes()),
            policy: self.policy,
        }
    }

    fn speaker(&self) -> Speaker {
        Speaker { certificate: self.certificate, kid: self.key.kid() }
    }
}

/// The capabilities of third parties by certificate, as negotiation wants them.
fn capabilities(arbiters: &[Arbiter]) -> BTreeMap<Digest, Capabilities> {
    arbiters.iter().map(|one| (one.certificate, one.capabilities.clone())).collect()
}

fn speaker(party: &Party) -> Speaker {
    Speaker { certificate: party.certificate, kid: party.key.kid() }
}

/// The run that a negotiation leads to: the buyer proposed it, the seller is its originator. Nothing if what was
/// selected is anything else.
fn run_of(
    deal: DealId,
    selected: &Selected,
    (buyer, buyer_nonce): (&Party, Nonce),
    (seller, seller_nonce): (&Party, Nonce),
    arbiter: &Arbiter,
) -> Option<Run> {
    let fits = selected.proto == semper_exchange::generatable_verifiable::PROTO
        && selected.originator == Casting::Answerer
        && selected.ttp == Some(arbiter.certificate);
    let origin = Origin {
        deal,
        proto: &selected.proto,
        nonce_o: seller_nonce,
        nonce_r: Some(buyer_nonce),
        cert_o: seller.certificate,
        cert_r: buyer.certificate,
        cert_t: selected.ttp,
    };
    fits.then(|| Run {
        xid: origin.xid(),
        deal,
        originator: speaker(seller),
        responder: speaker(buyer),
        third_party: Some(arbiter.speaker()),
    })
}

/// The binding of the seller's file.
fn binding_of(run: &Run, data: &DataDescription, agreement: Option<Digest>) -> Result<Binding, SaleFault> {
    Ok(Binding {
        xid: run.xid,
        agreement,
        leaf: LeafPath::first(),
        giver: Side::Originator,
        owner: run.originator.certificate,
        description: Description::from(data.clone()).hash()?,
    })
}

/// 32 bytes for one use, made of the step's random bytes.
fn fresh(use_of: &str, chance: &[u8; 64]) -> [u8; 32] {
    let parts: [&[u8]; 3] = [use_of.as_bytes(), b"\n", chance];
    *Digest::of_parts(parts).as_bytes()
}

/// 16 bytes for one use.
fn fresh16(use_of: &str, chance: &[u8; 64]) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = fresh(use_of, chance);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

fn transaction(chance: &[u8; 64]) -> TxId {
    TxId::from_bytes(fresh16("transaction", chance))
}
