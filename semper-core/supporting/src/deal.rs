//! The security context of one business with one peer, as every block sees it.

use serde::{Deserialize, Serialize};

use crate::{
    crypto::digest::Digest,
    money::{Currency, Money},
    party::PartyView,
    time::Moment,
};

crate::identifier! {
    /// The name of a deal.
    DealId, 32
}

crate::identifier! {
    /// The name of one run of an exchange, derived from both sides' fresh nonces.
    Xid, 32
}

/// How much the other side, the bank or the third party learns about a party, weakest first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anonymity {
    /// Knows the certified name.
    #[default]
    Identified,
    /// Can recognise the same party again, without a name.
    Pseudonymous,
    /// Cannot recognise the party again.
    Anonymous,
}

/// What is proved about each item that moves, weakest first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceLevel {
    /// Nothing; refused where money, signatures or credentials move.
    None,
    /// Each item is signed by its sender.
    Origin,
    /// Each item is signed by its sender and its receipt by its recipient.
    #[default]
    Full,
    /// As [`EvidenceLevel::Full`], with a third party's time stamp.
    Notarised,
}

/// How content is protected on its way, weakest first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidentiality {
    /// By the channel (TLS).
    #[default]
    Channel,
    /// Each information item is also encrypted to its recipient.
    Item,
    /// As [`Confidentiality::Item`], with lengths rounded up.
    Padded,
}

/// What the deal guarantees, signalled to every block that works in it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Attributes {
    /// What the peer learns about this party.
    pub anonymity_peer: Anonymity,
    /// What the bank learns about this party's business.
    pub anonymity_bank: Anonymity,
    /// What a third party learns.
    pub anonymity_third: Anonymity,
    /// Whether the network address is hidden.
    pub network_hidden: bool,
    /// How content is protected.
    pub confidentiality: Confidentiality,
    /// What is proved.
    pub evidence: EvidenceLevel,
    /// The currencies in which money may move, in the client's order.
    pub currency: Vec<Currency>,
    /// The third party of its exchanges: SHA-256 of the certificate's DER.
    pub third_party: Option<Digest>,
}

/// A deal as planning, `can()` and negotiation see it: nothing in it commits to anything.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DealContext {
    /// Its name.
    pub id: DealId,
    /// This party.
    pub me: PartyView,
    /// The other party.
    pub peer: PartyView,
    /// SHA-256 of the terms of business, if the deal runs under any.
    pub terms: Option<Digest>,
    /// What every block must guarantee.
    pub attributes: Attributes,
    /// How much may leave at most.
    pub ceiling: Option<Money>,
    /// When it was opened.
    pub opened: Moment,
    /// When it ends at the latest.
    pub expires: Moment,
}

/// A deal that both sides have opened: what pays, signs, sends or shows takes this.
///
/// Only the holder of a [`ContextAuthority`] makes one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OpenDeal(DealContext);

/// The right to turn a context into an open deal. Made once in a process, by the block that opens deals.
#[derive(Debug)]
pub struct ContextAuthority(());

impl ContextAuthority {
    /// Claims the right for the block that opens deals.
    ///
    /// There is one call of this in a program: where it sets its commerce layer up.
    pub fn claim() -> Self {
        Self(())
    }

    /// Declares `context` open: both sides have signed its opening.
    pub fn open(&self, context: DealContext) -> OpenDeal {
        OpenDeal(context)
    }
}

impl OpenDeal {
    /// The context that was opened.
    pub fn context(&self) -> &DealContext {
        &self.0
    }
}
