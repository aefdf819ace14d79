//! Permits, what they rest on, and whom they are made for.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{digest::Digest, seal::EscrowPublic, signature::PublicKey},
    evidence::SignedBytes,
};
use serde::{Deserialize, Serialize};

use super::GenGrade;

/// A party's authorisation, inside its offer or acceptance, that the third party may replace one leaf if and
/// only if this run is decided completed.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct GenerationPermit {
    /// What it lets the third party do.
    pub grade: GenGrade,
    /// The hash of the leaf's description.
    #[serde(rename = "desc")]
    pub description: Digest,
    /// What it rests on: SHA-256 of the escrow, of the certificate about it, or of the record of the hold.
    pub basis: Option<Digest>,
}

/// What travels beside a permit, named in it by its hash.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Attached {
    blobs: Vec<Vec<u8>>,
    statements: Vec<SignedBytes>,
}

impl Attached {
    /// Nothing.
    pub const fn none() -> Self {
        Self { blobs: Vec::new(), statements: Vec::new() }
    }

    /// These blobs, in order.
    pub fn of(blobs: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { blobs: blobs.into_iter().collect(), statements: Vec::new() }
    }

    /// The same, with a signed statement beside the blobs.
    #[must_use]
    pub fn with(mut self, statement: SignedBytes) -> Self {
        self.statements.push(statement);
        self
    }

    /// The blob with this hash.
    pub fn find(&self, digest: &Digest) -> Option<&[u8]> {
        self.blobs.iter().map(Vec::as_slice).find(|blob| Digest::of(blob) == *digest)
    }

    /// The statement whose signed bytes have this hash.
    pub fn statement(&self, digest: &Digest) -> Option<&SignedBytes> {
        self.statements.iter().find(|statement| statement.digest() == *digest)
    }

    /// All blobs, in order.
    pub fn blobs(&self) -> &[Vec<u8>] {
        &self.blobs
    }

    /// All signed statements, in order.
    pub fn statements(&self) -> &[SignedBytes] {
        &self.statements
    }
}

/// The third party as those who make permits for it know it: its certificate, and the escrow key its signed
/// capabilities name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ThirdPartyKeys {
    /// Its certificate: SHA-256 of its DER.
    pub certificate: Digest,
    /// Its escrow key.
    pub escrow: EscrowPublic,
}

/// What a third party says it can do, as its signed capabilities say it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Capabilities {
    /// Its certificate and escrow key.
    pub keys: ThirdPartyKeys,
    /// The grades of generation it offers.
    pub grades: Vec<GenGrade>,
    /// Whether items can be sent through it.
    pub deposit: bool,
    /// The authorities that take its orders: SHA-256 of their certificates' DER.
    pub authorities: Vec<Digest>,
    /// The longest content it opens in order to compare it, in bytes.
    pub longest: u64,
}

impl Capabilities {
    /// Whether it offers `grade`.
    pub fn offers(&self, grade: GenGrade) -> bool {
        self.grades.contains(&grade)
    }
}

/// The keys of certificates that were checked.
pub trait Certificates {
    /// The key of the certificate with this hash, if it was checked and may sign.
    fn key(&self, certificate: &Digest) -> Option<PublicKey>;
}

impl Certificates for BTreeMap<Digest, PublicKey> {
    fn key(&self, certificate: &Digest) -> Option<PublicKey> {
        self.get(certificate).copied()
    }
}

/// A permit and what travels beside it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Permitted {
    /// The permit, to stand in the offer or acceptance.
    pub permit: GenerationPermit,
    /// What it names by hash.
    pub attached: Attached,
}

/// Why a third party cannot make what a permit promises. Except for an ended hold, it proves that the owner
/// cheated.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, thiserror::Error,
)]
#[serde(rename_all = "kebab-case")]
pub enum BadPermit {
    /// The escrow does not open under the third party's key for this binding.
    #[error("the escrow does not open for this exchange")]
    Seal,
    /// It opens, to something other than the description commits to.
    #[error("the escrow holds another key or text than was described")]
    Content,
    /// The permit is not for this leaf, or grants nothing.
    #[error("the permit is not for this item")]
    Scope,
    /// The hold has ended.
    #[error("the hold has ended")]
    HoldEnded,
}
