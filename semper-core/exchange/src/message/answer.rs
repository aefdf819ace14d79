//! What the third party answers.

use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    evidence::{Signable, Statement},
    party::Role,
    time::Moment,
};
use semper_transfer::{description::Semantics, package::LeafPath, property::GenGrade};
use serde::{Deserialize, Serialize};

use super::{Common, signable};

/// RECEIPT: the request is here and will be answered by the time named.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Receipt {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of the request.
    pub request: Digest,
    /// When it came, by the third party's clock.
    pub t_received: Moment,
    /// When it is answered at the latest.
    pub answer_by: Moment,
    /// Where it stands in the third party's journal.
    pub journal_index: u64,
}

/// DECISION: what became of an agreement, the same bytes for everybody.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Decision {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// How it ended.
    pub outcome: Outcome,
    /// SHA-256 of OFFER.
    pub offer: Digest,
    /// SHA-256 of ACCEPT, if the third party had it when it decided.
    pub accept: Option<Digest>,
    /// What the decision rests on.
    pub basis: Vec<Basis>,
    /// Who is shown to have broken the protocol, and by what.
    pub cheat: Vec<Cheat>,
    /// When it was decided, by the third party's clock.
    pub t_decided: Moment,
    /// Where it stands in the third party's journal.
    pub journal_index: u64,
    /// The head of that journal before it.
    pub journal_prev: Digest,
}

/// How an exchange ended at the third party.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Both packages count as delivered.
    Completed,
    /// Nothing had moved, and nothing will.
    Aborted,
    /// What had moved was undone.
    AbortedRevoked,
    /// What had moved can be neither matched nor undone; the loser holds proof.
    AbortedClaim,
}

/// One document a decision rests on.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Basis {
    /// What it is.
    pub kind: BasisKind,
    /// Its SHA-256.
    pub hash: Digest,
}

/// What kind of document a decision rests on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BasisKind {
    /// The request that was answered.
    Request,
    /// The statement that carries the permits: OFFER or ACCEPT.
    Permit,
    /// An authority's record.
    Record,
    /// The proof that an owner sealed wrongly.
    BadSeal,
}

/// Who broke the protocol.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Cheat {
    /// In which role.
    pub role: Role,
    /// SHA-256 of the proof.
    pub proof: Digest,
}

/// REPLACEMENT: what the third party made in an owner's stead, under the owner's permit.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Replacement {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of the DECISION it rests on; without that it is void.
    pub decision: Digest,
    /// Which leaf; whose it is follows from `permit`.
    pub leaf: LeafPath,
    /// The hash of its description.
    pub desc: Digest,
    /// By which mechanism.
    pub grade: GenGrade,
    /// SHA-256 of the OFFER or ACCEPT that holds the permit.
    pub permit: Digest,
    /// SHA-256 of what was made: an AFFIDAVIT, a key, or a record of capture. It travels beside.
    pub content: Digest,
}

/// AFFIDAVIT: the third party attests a statement in its owner's name, under the owner's permit.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Affidavit {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of the DECISION it rests on; without that it is void.
    pub decision: Digest,
    /// Which leaf; whose it is follows from `permit`.
    pub leaf: LeafPath,
    /// The hash of its description.
    pub desc: Digest,
    /// SHA-256 of the OFFER or ACCEPT that holds the permit.
    pub permit: Digest,
    /// SHA-256 of the text that counts as signed.
    pub text: Digest,
    /// SHA-256 of the certificate of the party in whose name it counts.
    pub text_signer: Digest,
    /// What the statement is for.
    pub semantics: Semantics,
}

/// NOT-YET: the transfer that RESOLVE builds on has not happened so far.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct NotYet {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of the request.
    pub request: Digest,
    /// The first leaf that has not happened.
    pub leaf: LeafPath,
    /// Always `not-yet`.
    pub observation: Seen,
}

/// What an authority said about a transfer that has not happened.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// It may still happen.
    NotYet,
}

/// PENDING: nothing is decided.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Pending {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of the request.
    pub request: Digest,
    /// When it will be decided at the latest; absent where time decides nothing.
    pub until: Option<Moment>,
}

/// REJECT: the request cannot be taken.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Reject {
    /// The common lines.
    #[serde(rename = "")]
    pub common: Common,
    /// SHA-256 of the request.
    pub request: Digest,
    /// Why.
    pub code: RejectCode,
}

/// Why the third party rejects a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectCode {
    /// A signature or a form is wrong.
    ESig,
    /// The exchange id does not follow from OFFER, or a further OFFER claims it.
    EXid,
    /// The requester has no such right in this run.
    ERole,
    /// What the requester must supply is missing or does not match its hash.
    EOwn,
    /// The run is not where this request belongs.
    EState,
    /// The third party's published policy excludes this run.
    EPolicy,
}

/// CAPS: what the third party offers, under which key it takes escrows, and by which policy.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Caps {
    /// SHA-256 of its certificate.
    pub cert_t: Digest,
    /// Its name, as in its certificate.
    pub name: String,
    /// The protocols it arbitrates, with version.
    pub protos: Vec<String>,
    /// The mechanisms by which it can replace an item.
    pub generates: Vec<GenGrade>,
    /// The authorities it can ask: SHA-256 of their certificates.
    pub authorities: Vec<Digest>,
    /// The key to which escrows are sealed (HPKE, X25519): 32 raw bytes. OFFER names their SHA-256.
    pub escrow_key: semper_supporting::evidence::statement::Bytes,
    /// The most bytes of ciphertext it opens in one run.
    pub escrow_limit: u64,
    /// SHA-256 of its policy.
    pub policy: Digest,
    /// How long it answers a request at the latest, in seconds.
    pub answer_within: u64,
    /// From when this holds.
    pub at: Moment,
    /// The key that signs it.
    pub signer: Kid,
}

impl Statement for Caps {
    const TYPE: &'static str = "t/caps";
}

impl Signable for Caps {
    fn signer(&self) -> Kid {
        self.signer
    }
}

signable!(Receipt, "t/receipt");
signable!(Decision, "t/decision");
signable!(Replacement, "t/replacement");
signable!(Affidavit, "t/affidavit");
signable!(NotYet, "t/not-yet");
signable!(Pending, "t/pending");
signable!(Reject, "t/reject");
