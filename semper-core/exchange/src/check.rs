//! What is checked before a message becomes an input of a machine.
//!
//! | check | here |
//! |---|---|
//! | K1 the tag belongs here | the machine's table |
//! | K2 strict form, K3 signature under the certificate of whoever it is from | [`read`] |
//! | K4 run, deal, certificates, agreement are ours | [`Run::is_of`](crate::run::Run::is_of), by the machine |
//! | K5 it answers something we know | [`Log::hear`](crate::run::Log::hear), by the machine |
//! | K6 the session is the one the deal bound to its sender | [`session`] |
//!
//! A message that fails is dropped and counted, and kept if its signature was good; no state changes.

use std::collections::BTreeMap;

use semper_supporting::{
    crypto::digest::Digest,
    evidence::{
        Signable, SignedBytes, Verified,
        signed::EvidenceError,
        statement::{self, StatementError},
    },
    fault::{Blame, Fault, Standing},
    party::Role,
    time::Moment,
};
use semper_transfer::{
    expectation::{Expectation, satisfies},
    package::LeafPath,
    property::{Capabilities, Class, GenGrade},
};

use crate::{
    deadlines::LEAST_MARGIN,
    generatable_verifiable::plan::{BadPlan, Plan},
    message::{
        Accept, Draft, Message, Proposal, Spoken,
        negotiation::{Answer, Propose},
    },
    run::{Keys, Run},
    select::{Casting, Selected, Unselectable, select},
};

/// Why a message is dropped.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MessageFault {
    /// It is not the text this type has, or not signed by whom it names.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// No protocol of this build has such a message.
    #[error("no exchange protocol here has a message of type {0:?}")]
    Unknown(String),
    /// It names a certificate whose key is not at hand, or speaks in a role that has none.
    #[error("the certificate it speaks under is not one of this run")]
    Certificate,
    /// It came over a session that is bound to another certificate.
    #[error("it came over a session bound to somebody else")]
    Session,
}

impl From<StatementError> for MessageFault {
    fn from(error: StatementError) -> Self {
        Self::Evidence(error.into())
    }
}

impl Fault for MessageFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Evidence(error) => error.code(),
            Self::Unknown(_) => "exchange.unknown-message",
            Self::Certificate => "exchange.certificate",
            Self::Session => "exchange.session",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl MessageFault {
    /// Whether the signature was good, so that the message is kept as evidence although it is dropped.
    pub fn is_evidence(&self) -> bool {
        matches!(self, Self::Session)
    }
}

/// Reads a message of any type: strict form, and the signature under the certificate of whoever it says it
/// is from.
///
/// # Errors
/// [`MessageFault`].
pub fn read(signed: SignedBytes, keys: &Keys) -> Result<Message, MessageFault> {
    let kind = statement::type_of(&signed.tbs)?;
    Ok(match kind.as_str() {
        "x/neg/propose" => Message::Propose(Box::new(verify(signed, keys)?)),
        "x/neg/answer" => Message::Answer(Box::new(verify(signed, keys)?)),
        "x/gxv/offer" => Message::Offer(Box::new(verify(signed, keys)?)),
        "x/gxv/accept" => Message::Accept(verify(signed, keys)?),
        "x/gxv/decline" => Message::Decline(verify(signed, keys)?),
        "x/gxv/moved" => Message::Moved(verify(signed, keys)?),
        "x/gxv/item" => Message::Item(verify(signed, keys)?),
        "x/gxv/close" => Message::Close(verify(signed, keys)?),
        "x/xfer/message" => Message::Transfer(verify(signed, keys)?),
        "x/xfer/close" => Message::TransferClose(verify(signed, keys)?),
        "t/abort" => Message::Abort(verify(signed, keys)?),
        "t/resolve" => Message::Resolve(verify(signed, keys)?),
        "t/status" => Message::Status(verify(signed, keys)?),
        "t/receipt" => Message::Receipt(verify(signed, keys)?),
        "t/decision" => Message::Decision(verify(signed, keys)?),
        "t/replacement" => Message::Replacement(verify(signed, keys)?),
        "t/affidavit" => Message::Affidavit(verify(signed, keys)?),
        "t/not-yet" => Message::NotYet(verify(signed, keys)?),
        "t/pending" => Message::Pending(verify(signed, keys)?),
        "t/reject" => Message::Reject(verify(signed, keys)?),
        _ => return Err(MessageFault::Unknown(kind)),
    })
}

/// Checks that `signed` is a `T`, signed under the certificate of whoever it says it is from.
///
/// # Errors
/// [`MessageFault`].
pub fn verify<T: Spoken + Signable>(signed: SignedBytes, keys: &Keys) -> Result<Verified<T>, MessageFault> {
    let value: T = statement::from_bytes(&signed.tbs)?;
    let certificate = value.common().certificate().ok_or(MessageFault::Certificate)?;
    let key = keys.of(&certificate).ok_or(MessageFault::Certificate)?;
    Ok(signed.verify(key)?)
}

/// Checks that a message came over the session that the opening of the deal bound to its sender (K6). The
/// third party and authorities take a signed request from whoever brings it.
///
/// # Errors
/// [`MessageFault::Session`].
pub fn session(message: &Message, bound_to: &Digest) -> Result<(), MessageFault> {
    let common = message.common();
    let bound = common.from == Role::ThirdParty || common.certificate().as_ref() == Some(bound_to);
    if bound { Ok(()) } else { Err(MessageFault::Session) }
}

/// Why a responder does not put an OFFER before its user.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OfferFault {
    /// It is no plan of the protocol.
    #[error(transparent)]
    Plan(#[from] BadPlan),
    /// It is not about this run, or not from its originator.
    #[error("the offer is not about this exchange")]
    Run,
    /// It does not answer our ANSWER, or its nonces are not those of the negotiation.
    #[error("the offer is not the one our negotiation led to")]
    Negotiation,
    /// Negotiation led nowhere, so that no offer fits it.
    #[error(transparent)]
    Unselectable(#[from] Unselectable),
    /// Protocol, roles, third party, level or properties are not what the negotiation selected.
    #[error("the offer differs from what the negotiation selected")]
    Selection,
    /// A package is not what this side gives and wants.
    #[error("the packages are not what was expected")]
    Expectation,
    /// A permit is worth less than what is relied on.
    #[error("a permit does not let the third party make what is relied on")]
    Permit,
    /// A sealed content that was to be here already is not, or differs.
    #[error("the sealed content is not here, or is another one")]
    Sealed,
    /// What is relied on ends too soon.
    #[error("what is relied on ends before the exchange surely has")]
    Window,
    /// The clause is not the one this program knows.
    #[error("the clause about the third party is not one this program knows")]
    Clause,
    /// The terms of business are not those of the deal.
    #[error("the offer falls under other terms of business")]
    Terms,
    /// The third party's name, escrow key or policy is not what its certificate and capabilities say.
    #[error("the offer describes another third party")]
    ThirdParty,
}

impl Fault for OfferFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Plan(_) => "exchange.offer-plan",
            Self::Run => "exchange.offer-run",
            Self::Negotiation | Self::Selection => "exchange.neg-mismatch",
            Self::Unselectable(error) => error.code(),
            Self::Expectation => "exchange.expectation",
            Self::Permit => "exchange.offer-permit",
            Self::Sealed => "exchange.offer-sealed",
            Self::Window => "exchange.offer-window",
            Self::Clause => "exchange.offer-clause",
            Self::Terms => "exchange.offer-terms",
            Self::ThirdParty => "exchange.offer-third-party",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

/// What a responder holds an OFFER against.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The run.
    pub run: &'a Run,
    /// PROPOSE, by its bytes and content.
    pub propose: &'a Verified<Propose>,
    /// ANSWER, by its bytes and content.
    pub answer: &'a Verified<Answer>,
    /// What the third parties' signed capabilities say.
    pub third_parties: &'a BTreeMap<Digest, Capabilities>,
    /// What this side wants.
    pub wants: &'a BTreeMap<LeafPath, Expectation>,
    /// The clauses this program knows.
    pub clauses: &'a [Digest],
    /// The terms of business of the deal.
    pub terms: Option<Digest>,
    /// The third party's name, escrow key and policy, as verified.
    pub third_party: &'a ThirdPartyFacts,
    /// Our clock, against which windows are measured.
    pub now: Moment,
}

/// What certificate and capabilities say of the third party.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ThirdPartyFacts {
    /// Its certified name.
    pub name: String,
    /// SHA-256 of its escrow key.
    pub escrow_key: Digest,
    /// SHA-256 of its policy.
    pub policy: Digest,
}

/// An OFFER that passed every check of the responder. Only [`offer`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    offer: Verified<Proposal>,
    plan: Plan,
    grades: BTreeMap<LeafPath, GenGrade>,
}

impl Checked {
    /// The OFFER.
    pub fn offer(&self) -> &Verified<Proposal> {
        &self.offer
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the responder found the originator's permits to be worth.
    pub fn grades(&self) -> &BTreeMap<LeafPath, GenGrade> {
        &self.grades
    }
}

/// The responder's checks before it asks its user.
///
/// `grades` is what its managers found each permit to be worth, `sealed` the hashes of the sealed contents
/// that are here already: the receiver downloads before it commits.
///
/// # Errors
/// [`OfferFault`], the first check that failed.
pub fn offer(
    offer: Verified<Proposal>,
    grades: BTreeMap<LeafPath, GenGrade>,
    sealed: &[Digest],
    expected: &Expected<'_>,
) -> Result<Checked, OfferFault> {
    let plan = Plan::of(&offer)?;
    let run = expected.run;
    if !run.is_of(&offer.common, Role::Originator, Role::Responder, None)
        || offer.signer() != run.originator.kid
    {
        return Err(OfferFault::Run);
    }
    negotiated(&offer, expected)?;
    let (mine, theirs) = (&offer.give_r, &offer.give_o);
    if !satisfies(theirs, expected.wants) || !kept(mine, expected) {
        return Err(OfferFault::Expectation);
    }
    check_permits(&offer, &plan, &grades)?;
    if !theirs.leaves().all(|(_, description)| is_here(description, sealed)) {
        return Err(OfferFault::Sealed);
    }
    let end = expected.now.after(offer.deadlines().of(crate::deadlines::Timer::Close)).after(LEAST_MARGIN);
    let relied = offer.prop.o.values().chain(offer.prop.r.values());
    if !relied.filter_map(|reliance| reliance.until).all(|until| until >= end) {
        return Err(OfferFault::Window);
    }
    if !expected.clauses.contains(&offer.clause) {
        return Err(OfferFault::Clause);
    }
    if offer.terms != expected.terms {
        return Err(OfferFault::Terms);
    }
    let facts = ThirdPartyFacts {
        name: offer.ttp_name.clone(),
        escrow_key: offer.ttp_escrow_key,
        policy: offer.ttp_policy,
    };
    if facts != *expected.third_party {
        return Err(OfferFault::ThirdParty);
    }
    Ok(Checked { offer, plan, grades })
}

/// Whether OFFER is what PROPOSE and ANSWER lead to, and nothing else.
fn negotiated(offer: &Proposal, expected: &Expected<'_>) -> Result<(), OfferFault> {
    let (propose, answer) = (expected.propose, expected.answer);
    let selected = select(propose, answer, expected.third_parties)?;
    let (nonce_o, nonce_r) = match selected.originator {
        Casting::Initiator => (propose.view.nonce, answer.view.nonce),
        Casting::Answerer => (answer.view.nonce, propose.view.nonce),
    };
    let neg = crate::message::negotiation::digest(&propose.bytes().tbs, &answer.bytes().tbs);
    let prev = offer.common.prev == Some(answer.digest());
    if offer.neg != neg || offer.nonce_o != nonce_o || offer.nonce_r != nonce_r || !prev {
        return Err(OfferFault::Negotiation);
    }
    let repeated = Selected {
        version: offer.version,
        proto: offer.proto.clone(),
        originator: selected.originator,
        ttp: offer.common.cert_t,
        level: offer.level,
        leaf: offer.prop.clone(),
    };
    if repeated == selected && answer.result.as_ref() == Some(&selected) {
        Ok(())
    } else {
        Err(OfferFault::Selection)
    }
}

/// Whether what this side is to give is what it said it gives, a payment now with its means.
fn kept(mine: &semper_transfer::package::Package, expected: &Expected<'_>) -> bool {
    use semper_transfer::description::{Description, PaymentDescription};
    let responder_proposed = expected.run.responder.certificate == expected.propose.common().cert_o;
    let (propose, answer) = (&expected.propose.view.gives, &expected.answer.view.gives);
    let Some(said) = (if responder_proposed { propose } else { answer }) else { return false };
    let same = |said: &Description, now: &Description| match (said, now) {
        (Description::Payment(said), Description::Payment(now)) => {
            let bare = PaymentDescription { amount: now.amount, ..said.clone() };
            let open = |said: bool, same: bool| !said || same;
            bare == *said
                && open(said.payee.is_some(), said.payee == now.payee)
                && open(said.payer.is_some(), said.payer == now.payer)
                && open(said.mode.is_some(), said.mode == now.mode)
                && open(said.module.is_some(), said.module == now.module)
                && open(said.authority.is_some(), said.authority == now.authority)
                && open(said.reference.is_some(), said.reference == now.reference)
        }
        (said, now) => said == now,
    };
    said.leaves().map(|(path, _)| path).eq(mine.leaves().map(|(path, _)| path))
        && said.leaves().zip(mine.leaves()).all(|((_, said), (_, now))| same(said, now))
}

/// Whether each permit of the originator is worth what its leaf is relied on as.
fn check_permits(
    offer: &Proposal,
    plan: &Plan,
    grades: &BTreeMap<LeafPath, GenGrade>,
) -> Result<(), OfferFault> {
    let worth = |(path, leaf): (&LeafPath, &crate::generatable_verifiable::plan::Leaf)| {
        let least = if leaf.class == Class::Sealed { GenGrade::Sealed } else { GenGrade::Certified };
        let claimed = offer.permit.get(path).is_some_and(|permit| permit.grade >= least);
        claimed && grades.get(path).is_some_and(|grade| *grade >= least)
    };
    if plan.leaves.o.iter().all(worth) { Ok(()) } else { Err(OfferFault::Permit) }
}

fn is_here(description: &semper_transfer::description::Description, sealed: &[Digest]) -> bool {
    match description {
        semper_transfer::description::Description::Data(data) => {
            data.sealed.is_none_or(|digest| sealed.contains(&digest))
        }
        _ => true,
    }
}

/// Writes ACCEPT for an OFFER that was checked, with the responder's permits.
///
/// # Errors
/// [`StatementError`] if it cannot be written.
pub fn accept(
    run: &Run,
    checked: &Checked,
    permits: BTreeMap<LeafPath, semper_transfer::property::GenerationPermit>,
    at: Moment,
) -> Result<Draft, StatementError> {
    let agr = checked.offer.digest();
    let common = run
        .common(Role::Responder, Role::Originator, Some(agr), Some(agr), at)
        .ok_or_else(|| StatementError::Unwritable("a run without responder".into()))?;
    Draft::of(&Accept { common, accept: true, permit: permits, grade: checked.grades.clone() })
}
