//! The properties that make a transfer fit for a fair exchange, and what follows for whole packages
//! (Schunter, Waidner, Whinnett 1999, 3.4; Asokan, Schunter, Waidner 1997).
//!
//! A transfer is *generatable* when a third party can make it happen, *externally verifiable* when it can
//! find out whether it happened, and *revocable* when it can undo it. Each comes in grades, with the time
//! until which it holds and the authority on which it rests.
//!
//! For one run, a leaf is used as one [`Class`]. An exchange is fair without deadlines if over both sides at
//! most one leaf is a pivot, none is weaker than sealed, and whoever relies on a sealed leaf gives only what
//! can be made or undone. What can be undone moves first, then the pivot, then what can be made: the
//! compensate, pivot, retry pattern of sagas.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, EscrowPublic, Measured},
        signature::PublicKey,
    },
    deal::{DealContext, Xid},
    evidence::SignedBytes,
    money::Money,
    party::Role,
    time::Moment,
};
use serde::{Deserialize, Serialize};

use crate::{
    description::{Description, Semantics},
    fault::{ItemFault, Mismatch},
    item::{Item, Kind, PayRef},
    package::LeafPath,
};

/// What one transfer is part of: one leaf of one agreement in one run, in one direction.
///
/// Every transfer, permit, record and replacement is made under a binding and satisfies no other.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Binding {
    /// The run of the exchange.
    pub xid: Xid,
    /// SHA-256 of the signed offer; absent only while the offer, whose hash it is, is still being built.
    #[serde(rename = "agr")]
    pub agreement: Option<Digest>,
    /// The leaf in the giver's package.
    pub leaf: LeafPath,
    /// Who gives it.
    #[serde(rename = "dir")]
    pub giver: Side,
    /// The giver's certificate: SHA-256 of its DER.
    pub owner: Digest,
    /// The hash of the leaf's description.
    #[serde(rename = "desc")]
    pub description: Digest,
}

impl Binding {
    /// Whether `other` is the same binding, or the same one before the agreement had a hash.
    pub fn continues(&self, earlier: &Self) -> bool {
        let agreement = earlier.agreement.is_none() || earlier.agreement == self.agreement;
        agreement && *self == Self { agreement: self.agreement, ..earlier.clone() }
    }

    /// The only role to which a third party may disclose what it opens or makes under this binding.
    pub fn receiver(&self) -> Role {
        match self.giver {
            Side::Originator => Role::Responder,
            Side::Responder => Role::Originator,
        }
    }
}

/// One of the two parties of an exchange.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Side {
    /// The originator.
    #[serde(rename = "o")]
    Originator,
    /// The responder.
    #[serde(rename = "r")]
    Responder,
}

impl Side {
    /// The other party.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Originator => Self::Responder,
            Self::Responder => Self::Originator,
        }
    }

    /// The role of this party in messages.
    pub fn role(self) -> Role {
        match self {
            Self::Originator => Role::Originator,
            Self::Responder => Role::Responder,
        }
    }
}

/// Whether, and by what means, a third party can make a transfer happen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GenGrade {
    /// It cannot.
    #[default]
    None,
    /// It can open a seal nobody has checked; that may fail, and then it holds proof of who sealed wrongly.
    Sealed,
    /// It can open a seal that was opened and compared before.
    Certified,
    /// It can attest the statement in its owner's name.
    Affidavit,
    /// It can capture money that is held.
    Hold,
}

/// Whether a third party can find out if a transfer happened.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerGrade {
    /// It cannot.
    #[default]
    None,
    /// Only if the item is sent again through it.
    Deposit,
    /// It can ask the authority, and make it refuse the transfer for good if it has not happened.
    Final,
}

/// Whether a third party can undo a transfer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevGrade {
    /// It cannot.
    #[default]
    None,
    /// The authority undoes it on its order.
    Undo,
}

/// A grade, and what it rests on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Grade<G> {
    /// The grade.
    pub grade: G,
    /// Until when it holds; for ever if absent.
    pub until: Option<Moment>,
    /// The certificate of the authority it rests on: SHA-256 of its DER.
    pub authority: Option<Digest>,
}

/// What one mechanism offers for one leaf.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Props {
    /// The mechanism: `statement/affidavit`, `data/sealed`, `pay/direct`, …
    #[serde(rename = "mech")]
    pub mechanism: String,
    /// Whether a third party can make it happen.
    #[serde(rename = "gen")]
    pub generatable: Grade<GenGrade>,
    /// Whether a third party can find out that it happened.
    #[serde(rename = "ver")]
    pub verifiable: Grade<VerGrade>,
    /// Whether a third party can undo it.
    #[serde(rename = "rev")]
    pub revocable: Grade<RevGrade>,
}

/// What a leaf is used as in one run.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// F: a third party can surely make it happen.
    Forward,
    /// B: a third party can find out whether it happened, stop it, and undo it.
    Backward,
    /// V: a third party can find out whether it happened, and stop it, but not undo it.
    Pivot,
    /// S: a third party can make it happen unless its owner sealed wrongly.
    Sealed,
    /// D: a third party knows of it only if it passes through it.
    Deposit,
    /// N: a third party can do nothing about it.
    None,
}

/// A class a leaf is used as, and what that rests on, as an offer states it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Reliance {
    /// The class.
    pub class: Class,
    /// The mechanism behind it.
    #[serde(rename = "mech")]
    pub mechanism: String,
    /// The authority it rests on, if it rests on one.
    pub authority: Option<Digest>,
    /// Until when it holds; for ever if absent.
    pub until: Option<Moment>,
}

impl<G> Grade<G> {
    /// A grade that rests on nobody else and holds for ever.
    pub const fn lasting(grade: G) -> Self {
        Self { grade, until: None, authority: None }
    }

    fn lasts(&self, until: Moment) -> bool {
        self.until.is_none_or(|end| end >= until)
    }
}

impl Props {
    /// The classes the leaf can be used as by an exchange that relies on it until `until`, best first.
    pub fn reliances(&self, until: Moment) -> Vec<Reliance> {
        let (generatable, verifiable, revocable) = (self.generatable, self.verifiable, self.revocable);
        let can_make = generatable.lasts(until);
        let can_see = verifiable.lasts(until);
        let is_final = can_see && verifiable.grade == VerGrade::Final;
        let mut found = Vec::new();
        if can_make && generatable.grade >= GenGrade::Certified {
            found.push(self.reliance(Class::Forward, generatable.authority, generatable.until));
        }
        if is_final && revocable.grade == RevGrade::Undo && revocable.lasts(until) {
            let end = [verifiable.until, revocable.until].into_iter().flatten().min();
            found.push(self.reliance(Class::Backward, verifiable.authority, end));
        }
        if is_final {
            found.push(self.reliance(Class::Pivot, verifiable.authority, verifiable.until));
        }
        if can_make && generatable.grade == GenGrade::Sealed {
            found.push(self.reliance(Class::Sealed, generatable.authority, generatable.until));
        }
        if can_see && verifiable.grade >= VerGrade::Deposit {
            found.push(self.reliance(Class::Deposit, verifiable.authority, verifiable.until));
        }
        found.push(self.reliance(Class::None, None, None));
        found
    }

    fn reliance(&self, class: Class, authority: Option<Digest>, until: Option<Moment>) -> Reliance {
        Reliance { class, mechanism: self.mechanism.clone(), authority, until }
    }
}

/// Why a fair exchange without deadlines is impossible between two packages.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum NotAdmissible {
    /// Two transfers that can neither be undone nor made.
    #[error("more than one transfer can be neither undone nor made by the third party")]
    TwoPivots,
    /// A transfer the third party can do nothing about in time.
    #[error("the third party can do nothing about one of the transfers")]
    Weak,
    /// A sealed item against one that can be neither made nor undone.
    #[error("an item whose seal nobody has checked stands against one that cannot be undone")]
    SealedAgainstPivot,
}

/// Checks the composition rule over the classes both sides' leaves are used as.
///
/// # Errors
/// [`NotAdmissible`] naming the rule that is broken.
pub fn admissible(originator: &[Class], responder: &[Class]) -> Result<(), NotAdmissible> {
    let all = || originator.iter().chain(responder);
    if all().any(|class| matches!(class, Class::Deposit | Class::None)) {
        return Err(NotAdmissible::Weak);
    }
    if all().filter(|class| **class == Class::Pivot).count() > 1 {
        return Err(NotAdmissible::TwoPivots);
    }
    let can_be_mended = |side: &[Class]| side.iter().all(|c| matches!(c, Class::Forward | Class::Backward));
    let sealed = |side: &[Class]| side.contains(&Class::Sealed);
    if (sealed(originator) && !can_be_mended(responder)) || (sealed(responder) && !can_be_mended(originator))
    {
        return Err(NotAdmissible::SealedAgainstPivot);
    }
    Ok(())
}

/// The order in which the leaves of both sides move: what can be undone, the pivot, what can be made. Within
/// a class the originator's leaves come first, each side's in the order of its package.
pub fn delivery_order(
    originator: &[(LeafPath, Class)],
    responder: &[(LeafPath, Class)],
) -> Vec<(Side, LeafPath)> {
    let side = |side, leaves: &[(LeafPath, Class)]| -> Vec<(u8, Side, LeafPath)> {
        leaves.iter().map(|(path, class)| (turn(*class), side, path.clone())).collect()
    };
    let mut all = side(Side::Originator, originator);
    all.extend(side(Side::Responder, responder));
    all.sort();
    all.into_iter().map(|(_, side, path)| (side, path)).collect()
}

fn turn(class: Class) -> u8 {
    match class {
        Class::Backward => 0,
        Class::Pivot => 1,
        Class::Forward | Class::Sealed => 2,
        Class::Deposit | Class::None => 3,
    }
}

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
pub struct Attached(Vec<Vec<u8>>);

impl Attached {
    /// Nothing.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// These blobs, in order.
    pub fn of(blobs: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self(blobs.into_iter().collect())
    }

    /// The blob with this hash.
    pub fn find(&self, digest: &Digest) -> Option<&[u8]> {
        self.0.iter().map(Vec::as_slice).find(|blob| Digest::of(blob) == *digest)
    }

    /// All blobs, in order.
    pub fn blobs(&self) -> &[Vec<u8>] {
        &self.0
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

/// The party's side of an item kind: what every manager offers to the exchange layer.
///
/// All calls are pure: time and chance are arguments, effects are results.
pub trait ExchangeEnabled {
    /// The kind of item it handles.
    fn kind(&self) -> Kind;

    /// What the mechanisms at hand offer for an item, best first; none if it cannot be exchanged fairly.
    fn props(&self, description: &Description, third_party: &Capabilities, deal: &DealContext) -> Vec<Props>;

    /// Makes the permit for `item`. The same arguments give the same bytes.
    ///
    /// # Errors
    /// [`ItemFault`] if the item is not the one the binding describes.
    fn make_permit(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
        third_party: &ThirdPartyKeys,
        random: &[u8; 64],
    ) -> Result<Permitted, ItemFault>;

    /// Says which grade the receiver may rely on, given the permit and what came beside it.
    ///
    /// # Errors
    /// [`ItemFault`] if it may rely on none.
    fn check_permit(
        &self,
        description: &Description,
        permitted: &Permitted,
        binding: &Binding,
        third_party: &ThirdPartyKeys,
        certificates: &dyn Certificates,
    ) -> Result<GenGrade, ItemFault>;

    /// Begins the transfer. The same binding gives the same bytes, and never a second payment.
    ///
    /// # Errors
    /// [`ItemFault`] if the item is not the one the binding describes.
    fn start_transfer(
        &self,
        item: &Item,
        description: &Description,
        binding: &Binding,
    ) -> Result<Transfer, ItemFault>;

    /// Compares what was received with its description.
    ///
    /// # Errors
    /// [`Mismatch`] naming the first difference.
    fn verify_received(
        &self,
        description: &Description,
        got: &Got,
        binding: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch>;

    /// Compares a replacement with the description and the permit it must rest on.
    ///
    /// # Errors
    /// [`Mismatch`]; a replacement without a decision that completes this run is void.
    fn verify_replacement(
        &self,
        description: &Description,
        permit: &GenerationPermit,
        replacement: &Replacement,
        binding: &Binding,
        certificates: &dyn Certificates,
    ) -> Result<Accepted, Mismatch>;
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

/// A call at a third party that either has its result or waits for an authority.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Begun<T> {
    /// The result.
    Done(T),
    /// This is to be asked first; the answer goes to the call's second half.
    Ask(Order),
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

/// Why a transfer cannot be undone any more.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, thiserror::Error,
)]
#[error("it is too late to undo the transfer")]
pub struct TooLate;

/// The third party's side of an item kind.
///
/// Each call that may need an authority has two halves: the first says what to ask, the second reads the
/// signed answer. All halves are pure and may be repeated.
pub trait TtpItem {
    /// The kind of item it handles.
    fn kind(&self) -> Kind;

    /// Finds out whether the transfer happened.
    fn observe(&self, binding: &Binding, description: &Description, look: Look) -> Begun<Observation>;

    /// Reads an authority's answer to [`TtpItem::observe`].
    ///
    /// # Errors
    /// [`ItemFault`] if the answer is not the authority's, or about something else.
    fn observed(
        &self,
        binding: &Binding,
        description: &Description,
        look: Look,
        answer: &SignedBytes,
    ) -> Result<Observation, ItemFault>;

    /// Makes the replacement a permit allows. To be called only once the run is to be completed.
    fn generate(
        &self,
        binding: &Binding,
        description: &Description,
        permitted: &Permitted,
    ) -> Begun<Result<Generated, BadPermit>>;

    /// Reads an authority's answer to [`TtpItem::generate`].
    ///
    /// # Errors
    /// [`ItemFault`] if the answer is not the authority's, or about something else.
    fn generated(
        &self,
        binding: &Binding,
        description: &Description,
        answer: &SignedBytes,
    ) -> Result<Result<Generated, BadPermit>, ItemFault>;

    /// Undoes the transfer.
    fn revoke(&self, binding: &Binding, description: &Description) -> Begun<Result<Record, TooLate>>;

    /// Reads an authority's answer to [`TtpItem::revoke`].
    ///
    /// # Errors
    /// [`ItemFault`] if the answer is not the authority's, or about something else.
    fn revoked(
        &self,
        binding: &Binding,
        description: &Description,
        answer: &SignedBytes,
    ) -> Result<Result<Record, TooLate>, ItemFault>;
}
