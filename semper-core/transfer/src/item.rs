//! The four kinds of business item, and the names that items carry.

use std::fmt;

use semper_supporting::{crypto::signature::Signature, evidence::SignedBytes, identifier};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The kinds of business item (Schunter, Waidner, Whinnett 1999, 2.1: information, statements, money).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A right bound to a holder: ticket, subscription, membership.
    Credential,
    /// Bytes: a document, software, a report.
    Data,
    /// Money.
    Payment,
    /// A text somebody signs: order, receipt, contract, certificate.
    Statement,
}

identifier! {
    /// What ties money to a deal: derived from the deal and the negotiation of the means, and never used
    /// for a second payment.
    PayRef, 32
}

/// The name of a payment system: 2 to 32 lower-case ASCII letters, digits and hyphens.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SysId(String);

/// Why a text does not name a payment system.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the name of a payment system has 2 to 32 lower-case letters, digits or hyphens")]
pub struct BadSysId;

/// An item in the hands of the party that will give it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Item {
    /// A statement: its exact bytes, and its signature once it is made.
    Statement {
        /// The exact bytes that are, or will be, signed.
        tbs: Vec<u8>,
        /// The owner's signature over them.
        signature: Option<Signature>,
    },
    /// Data that was sealed under a content key. The sealed bytes travel beside, by their hash.
    Data {
        /// The content key.
        key: ContentKey,
        /// What a third party signed about an earlier seal of this key, if it did.
        certified: Option<CertifiedEscrow>,
    },
    /// A payment that was negotiated under this reference.
    Payment {
        /// Its reference.
        reference: PayRef,
    },
    /// A credential: the issuer's statement about its holder, as its module encodes it.
    Credential {
        /// The encoded credential.
        bytes: Vec<u8>,
    },
}

pub use semper_supporting::crypto::seal::ContentKey;

/// An escrow that a third party has opened and found to fit its description.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CertifiedEscrow {
    /// The sealed content key.
    pub escrow: Vec<u8>,
    /// The third party's statement `t/escrow-cert` about it.
    pub certificate: SignedBytes,
}

impl Item {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Statement { .. } => Kind::Statement,
            Self::Data { .. } => Kind::Data,
            Self::Payment { .. } => Kind::Payment,
            Self::Credential { .. } => Kind::Credential,
        }
    }
}

impl SysId {
    /// The system of this name.
    ///
    /// # Errors
    /// [`BadSysId`].
    pub fn new(name: &str) -> Result<Self, BadSysId> {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        ((2..=32).contains(&name.len()) && plain && !name.starts_with('-'))
            .then(|| Self(name.to_owned()))
            .ok_or(BadSysId)
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SysId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SysId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SysId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
