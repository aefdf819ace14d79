//! `service-terms`: the merchant is bound to a package before anybody opens a deal on it.
//!
//! Anybody can check it: `openssl pkeyutl -verify -pubin -inkey merchant.pub -rawin -in terms.stmt -sigfile terms.sig`.
//! Two of them for one service and version that name different packages are [`Equivocation`], whoever finds them.

use semper_exchange::message::Draft;
use semper_supporting::{
    certificate::{CertRole, VerifiedCertificate},
    crypto::{
        digest::Digest,
        signature::{Kid, PublicKey},
    },
    evidence::{Signable, SignedBytes, Statement, Verified},
    time::Moment,
};
use serde::{Deserialize, Serialize};

use super::{fault::ServiceFault, package::Package};

/// `service-terms`: these are the terms, for so long.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ServiceTerms {
    /// The id of the service.
    pub service: String,
    /// Its version.
    pub version: String,
    /// The package.
    pub package_sha256: Digest,
    /// SHA-256 of the terms in it.
    pub terms_sha256: Digest,
    /// The merchant's key.
    pub signer: Kid,
    /// SHA-256 of the merchant's certificate.
    pub cert: Digest,
    /// From when on deals are opened on it.
    pub offered_from: Moment,
    /// Until when.
    pub offered_until: Moment,
    /// SHA-256 of the statement it takes the place of.
    pub supersedes_sha256: Option<Digest>,
}

impl Statement for ServiceTerms {
    const TYPE: &'static str = "service-terms";
}

impl Signable for ServiceTerms {
    fn signer(&self) -> Kid {
        self.signer
    }
}

/// What `merchant` signs to offer `package` from one time to another.
///
/// # Errors
/// [`ServiceFault::BadStatement`] for who is no merchant and for a window without length.
pub fn draft(
    package: &Package,
    merchant: &VerifiedCertificate,
    offered_from: Moment,
    offered_until: Moment,
    supersedes_sha256: Option<Digest>,
) -> Result<Draft, ServiceFault> {
    let terms = ServiceTerms {
        service: package.service().id.clone(),
        version: package.service().version.clone(),
        package_sha256: package.sha256(),
        terms_sha256: package.terms_sha256(),
        signer: merchant.kid(),
        cert: merchant.digest(),
        offered_from: offered_from.whole_seconds(),
        offered_until: offered_until.whole_seconds(),
        supersedes_sha256,
    };
    check(&terms, merchant)?;
    Ok(Draft::of(&terms)?)
}

/// The statement in `signed`, by the holder of `merchant`.
///
/// # Errors
/// [`ServiceFault::BadStatement`].
pub fn verify(
    signed: SignedBytes,
    merchant: &VerifiedCertificate,
) -> Result<Verified<ServiceTerms>, ServiceFault> {
    let terms: Verified<ServiceTerms> = signed.verify(merchant.key())?;
    check(&terms, merchant)?;
    Ok(terms)
}

fn check(terms: &ServiceTerms, merchant: &VerifiedCertificate) -> Result<(), ServiceFault> {
    if !merchant.content().roles.contains(&CertRole::Merchant) {
        return Err(ServiceFault::statement("its signer is no merchant"));
    }
    if terms.cert != merchant.digest() {
        return Err(ServiceFault::statement("it names another certificate"));
    }
    if terms.offered_until <= terms.offered_from {
        return Err(ServiceFault::statement("it offers for no time at all"));
    }
    Ok(())
}

impl ServiceTerms {
    /// Checks that it is about `package`.
    ///
    /// # Errors
    /// [`ServiceFault::OtherTerms`], or [`ServiceFault::BadStatement`] where only the names differ.
    pub fn is_about(&self, package: &Package) -> Result<(), ServiceFault> {
        for (signed, found) in
            [(self.package_sha256, package.sha256()), (self.terms_sha256, package.terms_sha256())]
        {
            if signed != found {
                return Err(ServiceFault::OtherTerms { signed, found });
            }
        }
        if (&self.service, &self.version) != (&package.service().id, &package.service().version) {
            return Err(ServiceFault::statement("it gives the service another name or version"));
        }
        Ok(())
    }

    /// Checks that deals are opened on it at `now`.
    ///
    /// # Errors
    /// [`ServiceFault::NotOffered`].
    pub fn is_offered(&self, now: Moment) -> Result<(), ServiceFault> {
        if self.offered_from <= now && now < self.offered_until {
            Ok(())
        } else {
            Err(ServiceFault::NotOffered)
        }
    }
}

/// Proof that a shop signed two packages under one service and version.
///
/// It holds nothing but what the shop signed, so anybody who has the shop's key can find it true.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Equivocation {
    /// The statement seen first.
    pub first: SignedBytes,
    /// The other.
    pub second: SignedBytes,
}

impl Equivocation {
    /// The proof in two statements; nothing where they do not contradict each other or have different signers.
    pub fn of(first: &Verified<ServiceTerms>, second: &Verified<ServiceTerms>) -> Option<Self> {
        (first.signer() == second.signer() && contradict(first, second))
            .then(|| Self { first: first.bytes().clone(), second: second.bytes().clone() })
    }

    /// Computes the proof anew with the keys the two were signed with: one and the same, unless the shop's own
    /// statement of roll-over ties two of them together, which the caller has checked then.
    ///
    /// # Errors
    /// [`ServiceFault::BadStatement`] if it proves nothing.
    pub fn verify(&self, first: &PublicKey, second: &PublicKey) -> Result<ServiceFault, ServiceFault> {
        let one: Verified<ServiceTerms> = self.first.clone().verify(first)?;
        let other: Verified<ServiceTerms> = self.second.clone().verify(second)?;
        if contradict(&one, &other) {
            Ok(ServiceFault::Equivocation { version: one.version.clone() })
        } else {
            Err(ServiceFault::statement("the two do not contradict each other"))
        }
    }
}

/// Whether two statements give one name to two packages.
pub(super) fn contradict(first: &ServiceTerms, second: &ServiceTerms) -> bool {
    (&first.service, &first.version) == (&second.service, &second.version)
        && first.package_sha256 != second.package_sha256
}
