//! What a person asks the arbiter, and how its program checks what it is told.

use semper_exchange::{
    heads::Head,
    message::Caps,
    recourse::{KnownThirdParty, TtpAnswer, TtpRequest},
};
use semper_host::chance::now;
use semper_supporting::{
    certificate::{CertRole, Usage, VerifiedCertificate},
    comm::address::Endpoint,
    evidence::Verified,
};

use crate::{
    failure::{Failure, Result},
    person::{Person, ask},
};

/// An arbiter as its capabilities show it.
#[derive(Debug)]
pub struct Arbiter {
    /// Its certificate, verified as an arbiter's.
    pub certificate: VerifiedCertificate,
    /// CAPS under its signature.
    pub caps: Verified<Caps>,
    /// What negotiation reckons with.
    pub known: KnownThirdParty,
}

impl Person {
    /// Asks an arbiter for its capabilities and verifies them.
    ///
    /// # Errors
    /// [`Failure`] if they do not verify.
    pub async fn caps(&mut self, at: &Endpoint) -> Result<Arbiter> {
        let TtpAnswer::Caps { caps, chain } = self.ask_arbiter(at, &TtpRequest::Caps).await? else {
            return Err(Failure::new("the arbiter answers something else than its capabilities"));
        };
        let certificate = self.papers.snapshot().verify(&chain, CertRole::Arbiter, Usage::Sign, now())?;
        let caps: Verified<Caps> = caps.verify(certificate.key())?;
        let known = KnownThirdParty::of(&caps, certificate.digest());
        let known = known.ok_or_else(|| Failure::new("the capabilities are those of somebody else"))?;
        Ok(Arbiter { certificate, caps, known })
    }

    /// Asks an arbiter for the newest head of its journal, and checks that it is its own.
    ///
    /// # Errors
    /// [`Failure`] if it does not verify.
    pub async fn journal_head(&mut self, at: &Endpoint, arbiter: &Arbiter) -> Result<Verified<Head>> {
        let TtpAnswer::Head { head, .. } = self.ask_arbiter(at, &TtpRequest::Head).await? else {
            return Err(Failure::new("the arbiter answers something else than its head"));
        };
        let head: Verified<Head> = head.verify(arbiter.certificate.key())?;
        if head.cert_t != arbiter.certificate.digest() {
            return Err(Failure::new("the head is that of somebody else"));
        }
        Ok(head)
    }

    /// Asks an arbiter one thing; gives its first answer.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub async fn ask_arbiter(&mut self, at: &Endpoint, request: &TtpRequest) -> Result<TtpAnswer> {
        let session = self.call(at, CertRole::Arbiter).await?;
        let mut session = session.map_err(|why| Failure::of("the arbiter", why))?;
        let answer = ask(&mut session, request.frame(STREAM)?).await?;
        let answer = answer.map_err(|why| Failure::of("the arbiter gave no answer", format!("{why:?}")))?;
        Ok(TtpAnswer::read(&answer)?)
    }
}

/// The stream on which it is asked.
const STREAM: u32 = 1;
