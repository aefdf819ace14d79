//! Reading a request: who asks, by which chain of certificates, and what came beside it.

use semper_exchange::{
    check,
    generatable_verifiable::{
        plan::Plan,
        third_party::{Case, Request},
    },
    message::{Abort, Accept, Common, Proposal, RejectCode, Resolve, Status},
    recourse::Question,
    run::Keys,
};
use semper_supporting::{
    certificate::{CHAIN_LIMIT, CertRole, Certificate, CertificateFault, Class, TrustSnapshot, Usage},
    crypto::digest::Digest,
    evidence::{SignedBytes, Statement, statement},
    fault::Fault as _,
    time::Moment,
};
use semper_transfer::{
    description::Description,
    property::{GenGrade, GenerationPermit},
};

/// Why a request does not reach the machine.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Whoever asks cannot be told; the dotted code of the fault.
    Refused(&'static str),
    /// The request itself is good, and what came beside it is not.
    Rejected(Box<Request>, RejectCode),
}

/// Reads a question under the certificates it brings.
pub(crate) fn read(question: &Question, trust: &TrustSnapshot, now: Moment) -> Result<Case, Unread> {
    let mut keys = Keys::new();
    for chain in &question.chains {
        let (certificate, key) = party(chain, trust, now).map_err(|fault| Unread::Refused(fault.code()))?;
        keys = keys.with(certificate, key);
    }
    let request = read_request(question.request.clone(), &keys)
        .map_err(|fault| Unread::Refused(fault.code()))?
        .ok_or(Unread::Refused("exchange.unknown-message"))?;
    let Ok(offer) = check::verify::<Proposal>(question.offer.clone(), &keys) else {
        return Err(Unread::Rejected(Box::new(request), RejectCode::ESig));
    };
    let accept = question.accept.clone().map(|accept| check::verify::<Accept>(accept, &keys)).transpose();
    let Ok(accept) = accept else { return Err(Unread::Rejected(Box::new(request), RejectCode::ESig)) };
    let blobs = question.blobs.iter().map(|blob| blob.0.clone()).collect();
    Ok(Case { request, offer, accept, blobs, keys })
}

/// The certificate and key of somebody who may be a party of an exchange: a person, a merchant, or who made
/// the certificate of one deal for itself.
///
/// A certificate that was revoked still speaks for what was agreed under it: else revoking one's own key would
/// be a way out of a permit already given. The parties refuse each other's revoked certificates before that.
fn party(
    chain: &[Certificate],
    trust: &TrustSnapshot,
    now: Moment,
) -> Result<(Digest, semper_supporting::crypto::signature::PublicKey), CertificateFault> {
    if chain.len() > CHAIN_LIMIT {
        return Err(CertificateFault::Profile { what: "chain longer than 3".into() });
    }
    let found = match trust.verify_any(chain, Usage::Sign, now) {
        Err(CertificateFault::Revoked) => {
            let unlisted = |role| trust.verify_first_contact(chain, role, Usage::Sign, now);
            unlisted(CertRole::Buyer).or_else(|_| unlisted(CertRole::Merchant))?
        }
        other => other?,
    };
    match found.class() {
        Class::PersonSign | Class::Merchant | Class::Anonymous => Ok((found.digest(), *found.key())),
        Class::PersonAuth
        | Class::Arbiter
        | Class::Evaluator
        | Class::Bank
        | Class::Directory
        | Class::CaService
        | Class::TimeStamp
        | Class::IssuingCa
        | Class::Root => Err(CertificateFault::WrongUsage),
    }
}

fn read_request(signed: SignedBytes, keys: &Keys) -> Result<Option<Request>, check::MessageFault> {
    let kind = statement::type_of(&signed.tbs)?;
    Ok(match kind.as_str() {
        Abort::TYPE => Some(Request::Abort(check::verify(signed, keys)?)),
        Resolve::TYPE => Some(Request::Resolve(check::verify(signed, keys)?)),
        Status::TYPE => Some(Request::Status(check::verify(signed, keys)?)),
        _ => None,
    })
}

/// What evidence keeps of a request: its signed bytes, type, and common lines.
pub(crate) fn parts(request: &Request) -> (&SignedBytes, &'static str, &Common) {
    match request {
        Request::Abort(request) => (request.bytes(), Abort::TYPE, &request.common),
        Request::Resolve(request) => (request.bytes(), Resolve::TYPE, &request.common),
        Request::Status(request) => (request.bytes(), Status::TYPE, &request.common),
    }
}

/// Whether this arbiter can do in a run what an OFFER relies on: attest statements, open keys, and act on
/// payments at its banks.
pub(crate) fn is_within_policy(case: &Case, knows: impl Fn(&Digest) -> bool) -> bool {
    let offer = &case.offer;
    // What is no plan of the protocol the machine rejects by itself.
    let Ok(plan) = Plan::of(offer) else { return true };
    let paid = plan.recorded().all(|(path, leaf)| {
        let payment = matches!(offer.give_r.leaf(path), Some(Description::Payment(payment))
            if payment.reference.is_some() && payment.authority == leaf.authority);
        payment && leaf.authority.as_ref().is_some_and(&knows)
    });
    let makes = |permit: &GenerationPermit, description: Option<&Description>| match description {
        Some(Description::Statement(_)) => {
            matches!(permit.grade, GenGrade::Affidavit | GenGrade::Sealed)
        }
        Some(Description::Data(_)) => permit.grade == GenGrade::Sealed,
        Some(Description::Payment(_) | Description::Credential(_)) | None => false,
    };
    let theirs = case.accept.iter().flat_map(|accept| &accept.permit);
    paid && offer.permit.iter().all(|(path, permit)| makes(permit, offer.give_o.leaf(path)))
        && theirs.into_iter().all(|(path, permit)| makes(permit, offer.give_r.leaf(path)))
}
