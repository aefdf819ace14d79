//! Asking a third party of exchanges: who it is, and what it says to a request.

use semper_commerce::sale::Arbiter;
use semper_exchange::{
    generatable_verifiable::PROTO,
    message::Caps,
    recourse::{KnownThirdParty, Question, Said, TtpAnswer, TtpRequest},
};
use semper_supporting::{
    certificate::{CertRole, Certificate, TrustSnapshot, Usage},
    comm::{address::Endpoint, fault::FrameError, frame::Kind},
    crypto::signature::Kid,
    evidence::{SignedBytes, Verified},
    time::Moment,
};

use super::{CallFault, Caller, QUESTION, answer};

/// In how many frames a third party may answer one request.
const FRAMES: usize = 16;

/// A third party that said who it is and what it can do, as both was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Introduced {
    /// What sales need to know of it.
    pub arbiter: Arbiter,
    /// Its certificate and those above it.
    pub chain: Vec<Certificate>,
    /// Its signed capabilities, to be kept.
    pub caps: SignedBytes,
}

impl Introduced {
    /// Verifies what a third party said of itself: its certificate at `now`, and CAPS by the key in it.
    ///
    /// # Errors
    /// [`CallFault::Certificate`], [`CallFault::Evidence`]; [`CallFault::Caps`] for capabilities of somebody else,
    /// or such as no sale can use.
    pub fn verify(
        caps: SignedBytes,
        chain: Vec<Certificate>,
        trust: &TrustSnapshot,
        now: Moment,
    ) -> Result<Self, CallFault> {
        let certificate = trust.verify(&chain, CertRole::Arbiter, Usage::Sign, now)?;
        let verified: Verified<Caps> = caps.clone().verify(certificate.key())?;
        let known = KnownThirdParty::of(&verified, certificate.digest())
            .ok_or(CallFault::Caps("they speak of another certificate, or of no escrow key"))?;
        if known.facts.name != certificate.subject().common_name {
            return Err(CallFault::Caps("they have another name than its certificate"));
        }
        if !verified.protos.iter().any(|proto| proto == PROTO) {
            return Err(CallFault::Caps("it does not decide exchanges of the kind sales are"));
        }
        let arbiter = Arbiter {
            certificate: certificate.digest(),
            key: *certificate.key(),
            name: known.facts.name,
            policy: known.facts.policy,
            capabilities: known.capabilities,
        };
        Ok(Self { arbiter, chain, caps })
    }
}

/// Asks the third party at `at` who it is and what it can do.
///
/// # Errors
/// [`CallFault`]; [`CallFault::OtherKey`] if it gives the capabilities of somebody else.
pub async fn introduce(caller: &Caller, at: &Endpoint) -> Result<Introduced, CallFault> {
    let mut session = caller.call(at, CertRole::Arbiter).await?;
    let found = session.info.peer.kid();
    session.send.send(TtpRequest::Caps.frame(QUESTION).map_err(CallFault::unsendable)?).await?;
    let frame = answer(&mut session, Kind::Exchange).await?;
    match TtpAnswer::read(&frame).map_err(CallFault::unreadable)? {
        TtpAnswer::Caps { caps, chain } => {
            let trust = caller.trust().snapshot();
            let introduced = Introduced::verify(caps, chain, &trust, caller.now())?;
            let expected = introduced.arbiter.key.kid();
            // Who answers here is to be asked here later, too.
            if found == expected { Ok(introduced) } else { Err(CallFault::OtherKey { expected, found }) }
        }
        TtpAnswer::Refused(code) => Err(CallFault::refused(&code)),
        TtpAnswer::Said { .. } | TtpAnswer::Head { .. } | TtpAnswer::Place(_) | TtpAnswer::Lines(_) => {
            Err(CallFault::Caps("they are not among what it answers"))
        }
    }
}

/// Asks the third party at `at`, which must hold the key `arbiter`, and tells `heard` what it says, frame by frame,
/// in its order: RECEIPT first, and the rest when there is one. What `heard` was told stays said, whatever
/// becomes of the connection. Between two frames it has 30 seconds.
///
/// # Errors
/// [`CallFault`]. Asking again with the same bytes is safe and gives the same answers.
pub async fn ask(
    caller: &Caller,
    at: &Endpoint,
    arbiter: Kid,
    question: &Question,
    mut heard: impl FnMut(Vec<Said>),
) -> Result<(), CallFault> {
    let request = TtpRequest::Ask(Box::new(question.clone()));
    let request = request.frame(QUESTION).map_err(CallFault::unsendable)?;
    let mut session = caller.call_key(at, CertRole::Arbiter, arbiter).await?;
    session.send.send(request).await?;
    for _ in 0..FRAMES {
        let frame = answer(&mut session, Kind::Exchange).await?;
        match TtpAnswer::read(&frame).map_err(CallFault::unreadable)? {
            TtpAnswer::Said { said, more } => {
                if !said.is_empty() {
                    heard(said);
                }
                if !more {
                    return Ok(());
                }
            }
            TtpAnswer::Refused(code) => return Err(CallFault::refused(&code)),
            TtpAnswer::Caps { .. } | TtpAnswer::Head { .. } | TtpAnswer::Place(_) | TtpAnswer::Lines(_) => {
                return Err(CallFault::Unreadable(FrameError::NotCanonical));
            }
        }
    }
    Err(CallFault::Unreadable(FrameError::Abuse))
}
