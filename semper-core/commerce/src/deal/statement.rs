//! What the two sides of a deal sign to open, resume and close it.

use semper_supporting::{
    comm::{envelope::Transcript, session::Exporter},
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    evidence::{Signable, Statement},
    identifier,
    money::Money,
    time::Moment,
};
use serde::{Deserialize, Serialize};

use super::{
    attribute::{Chosen, Ranges},
    id::DealNonce,
};

identifier! {
    /// Random bytes that keep a hash from being guessed.
    Salt, 32
}

/// The lines every statement inside a deal begins with.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Lines {
    /// The deal; absent in `deal-propose`, before it has a name.
    pub deal: Option<DealId>,
    /// SHA-256 of the terms of business; absent in a deal without any.
    pub terms_sha256: Option<Digest>,
    /// The configuration of the deal in which it is said; absent before the deal is open.
    pub conf: Option<Digest>,
    /// Which of its signer's statements about the deal itself it is, from 1.
    pub seq: u32,
    /// The signer's clock.
    pub at: Moment,
    /// The key that signs.
    pub signer: Kid,
    /// SHA-256 of the signer's certificate.
    pub cert: Digest,
    /// Absent where nothing can be guessed.
    pub salt: Option<Salt>,
}

/// Terms of business by their three names.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Terms {
    /// SHA-256 of the file of the terms.
    pub terms_sha256: Digest,
    /// SHA-256 of the package's list of files.
    pub package_sha256: Digest,
    /// SHA-256 of the merchant's signed statement about them.
    pub statement_sha256: Digest,
}

/// `deal-propose`: what the client brings.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DealPropose {
    /// The common lines.
    #[serde(rename = "")]
    pub lines: Lines,
    /// The client's fresh number.
    pub nonce: DealNonce,
    /// SHA-256 of the SubjectPublicKeyInfo of the client's connection.
    pub spki: Kid,
    /// SHA-256 of the package of the terms.
    pub package_sha256: Option<Digest>,
    /// SHA-256 of the merchant's statement about the terms.
    pub statement_sha256: Option<Digest>,
    /// What the client was invited to, in the server's words.
    pub invite: Option<String>,
    /// What the client can do.
    pub attribute: Ranges,
    /// How much may leave at most.
    pub ceiling: Option<Money>,
    /// The modules it has, preferred first: `payment/sim`, `exchange/gxv`.
    pub module: Vec<String>,
    /// The language of the texts it shows, BCP 47.
    pub locale: String,
}

/// `deal-accept`: what the server chose.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DealAccept {
    /// The common lines.
    #[serde(rename = "")]
    pub lines: Lines,
    /// The server's fresh number.
    pub nonce: DealNonce,
    /// SHA-256 of the SubjectPublicKeyInfo of the server's connection.
    pub spki: Kid,
    /// SHA-256 of `deal-propose`.
    pub propose: Digest,
    /// What only the two ends of the connection can compute.
    pub exporter: Exporter,
    /// The values chosen.
    pub chosen: Chosen,
    /// How much may leave at most.
    pub ceiling: Option<Money>,
    /// The modules chosen, in the client's order.
    pub module: Vec<String>,
    /// The language of the texts.
    pub locale: String,
    /// When the deal ends at the latest.
    pub expires: Moment,
}

/// `deal-open`: the client is bound by what was chosen.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DealOpen {
    /// The common lines.
    #[serde(rename = "")]
    pub lines: Lines,
    /// SHA-256 of `deal-accept`.
    pub accept: Digest,
    /// What only the two ends of the connection can compute.
    pub exporter: Exporter,
}

/// How far one direction of a deal has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Reach {
    /// How many frames.
    pub seq: u32,
    /// The chain over all of them.
    pub t: Digest,
}

/// `deal-resume`: the deal goes on over a new connection.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DealResume {
    /// The common lines.
    #[serde(rename = "")]
    pub lines: Lines,
    /// What only the two ends of the new connection can compute.
    pub exporter: Exporter,
    /// What the signer has sent.
    pub sent: Reach,
    /// What the signer has received.
    pub received: Reach,
}

/// How a deal ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// What was agreed has been done, by the parties or by the third party in their stead.
    Done,
    /// Nothing has moved for good.
    Nothing,
    /// One side holds proof against the other.
    Claim,
}

/// `deal-close`: nothing more is said in the deal.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DealClose {
    /// The common lines.
    #[serde(rename = "")]
    pub lines: Lines,
    /// How it ended.
    pub outcome: Outcome,
    /// What the client has paid; absent if nothing.
    pub paid: Option<Money>,
    /// What the signer had sent before this.
    pub sent: Reach,
    /// What the signer had received.
    pub received: Reach,
}

impl From<Transcript> for Reach {
    fn from(transcript: Transcript) -> Self {
        Self { seq: transcript.count, t: transcript.hash }
    }
}

impl From<Reach> for Transcript {
    fn from(reach: Reach) -> Self {
        Self { count: reach.seq, hash: reach.t }
    }
}

macro_rules! statements {
    ($($name:ident => $kind:literal),* $(,)?) => { $(
        impl Statement for $name {
            const TYPE: &'static str = $kind;
        }

        impl Signable for $name {
            fn signer(&self) -> Kid {
                self.lines.signer
            }
        }
    )* };
}

statements! {
    DealPropose => "deal-propose", DealAccept => "deal-accept", DealOpen => "deal-open",
    DealResume => "deal-resume", DealClose => "deal-close",
}
