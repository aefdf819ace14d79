//! The wallet's side of a registration.
//!
//! ```text
//! Ready --Connected--> Greeting --Nonce--> Proving --Set--> Done
//!   ^                     |                   |
//!   '--------Lost---------'-------------------'--Refused, or a bad answer--> Declined --Corrected--> Ready
//! ```
//!
//! **Invariant.** The requests are made once, before the machine begins, and never change: whatever is lost on
//! the way, the authority sees the same ones again and gives the same certificates. K is forgotten at the end.

use serde::{Deserialize, Serialize};

use super::{
    message::{Answer, Asked, Call, CertificateSet, Refusal, RegFinish},
    prk::PrkKey,
    record::{Kind, Names},
};
use crate::{
    certificate::{CHAIN_LIMIT, Certificate, Class, TrustSnapshot, Usage, VerifiedCertificate, request},
    crypto::digest::Digest,
    fault::{Blame, Fault, Standing},
    machine::{Machine, Refused, Step},
    time::Moment,
};

/// What the user wants certified, and by whom.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Plan {
    /// The root whose words the user compared with the letter.
    pub root: Certificate,
    /// K of the registration key in the letter.
    pub key: PrkKey,
    /// Which set is asked for.
    pub kind: Kind,
    /// The names of the hosts that the certificates must carry; none for a person.
    pub dns: Vec<String>,
    /// The requests and the names.
    pub asked: Asked,
}

/// Where a registration stands in the wallet.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Applicant {
    /// Not connected.
    Ready(Plan),
    /// Asked for a nonce.
    Greeting {
        /// The plan.
        plan: Plan,
        /// The 32 bytes exported from the TLS session.
        exporter: [u8; 32],
    },
    /// Sent the proof and the requests.
    Proving(Plan),
    /// The authority declined, or its answer was not its own.
    Declined(Plan, Failure),
    /// The certificates are here and checked.
    Done(CertificateSet),
}

/// Everything that happens to a registration in the wallet.
#[derive(Clone, Debug)]
pub enum Input {
    /// There is a TLS session with a server whose certificate has the role `ca-service` below the root.
    Connected {
        /// The 32 bytes exported from it.
        exporter: [u8; 32],
    },
    /// The session is gone.
    Lost,
    /// The authority answered.
    Answered(Box<Answer>, Moment),
    /// The user corrected the names, or wants to try once more.
    Corrected(Names),
}

/// What the wallet is to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Send a call to the authority.
    Send(Call),
    /// Keep the certificates with their keys.
    Keep(CertificateSet),
    /// Tell the user why there are none.
    Tell(Failure),
}

/// Why there are no certificates.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
pub enum Failure {
    /// The authority says so.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What came is not from the authority that knows the registration key, or not what was asked.
    #[error("The answer did not come from the certification authority that registered you.")]
    BadAnswer,
    /// The authority has issued the certificates, for other names or hosts than were entered now.
    #[error(
        "The authority has issued the certificates of this registration for {given}; other names were entered."
    )]
    OtherNames {
        /// The name in them, and their hosts.
        given: String,
    },
}

impl Fault for Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::BadAnswer => "ca.bad-answer",
            Self::OtherNames { .. } => "ca.other-names",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Refused(refusal) => refusal.blame(),
            Self::BadAnswer => Blame::Authority,
            Self::OtherNames { .. } => Blame::User,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl Machine for Applicant {
    type Input = Input;
    type Output = Output;

    fn step(self, input: Input) -> Step<Self> {
        match (self, input) {
            (
                Self::Ready(plan) | Self::Greeting { plan, .. } | Self::Proving(plan),
                Input::Connected { exporter },
            ) => {
                let begin = Call::RegBegin { prk_id: plan.key.id() };
                Step::to(Self::Greeting { plan, exporter }).order(Output::Send(begin))
            }
            (Self::Ready(plan) | Self::Greeting { plan, .. } | Self::Proving(plan), Input::Lost) => {
                Step::to(Self::Ready(plan))
            }
            (Self::Greeting { plan, exporter }, Input::Answered(answer, _)) => match *answer {
                Answer::Nonce(nonce) => {
                    let mac = plan.key.mac(&nonce, &exporter, &plan.asked.digest());
                    let finish = RegFinish { prk_id: plan.key.id(), asked: plan.asked.clone(), mac };
                    Step::to(Self::Proving(plan)).order(Output::Send(Call::RegFinish(finish)))
                }
                Answer::Refused(refusal) => Self::decline(plan, refusal.into()),
                _ => Step::refuse(Self::Greeting { plan, exporter }, Refused::OutOfPlace),
            },
            (Self::Proving(plan), Input::Answered(answer, now)) => match *answer {
                Answer::Set { set, mac2 } => match plan.judge(&set, &mac2, now) {
                    Ok(()) => Step::to(Self::Done(set.clone())).order(Output::Keep(set)),
                    Err(failure) => Self::decline(plan, failure),
                },
                Answer::Refused(refusal) => Self::decline(plan, refusal.into()),
                _ => Step::refuse(Self::Proving(plan), Refused::OutOfPlace),
            },
            (Self::Declined(plan, _) | Self::Ready(plan), Input::Corrected(names)) => {
                let asked = Asked { names, requests: plan.asked.requests };
                Step::to(Self::Ready(Plan { asked, ..plan }))
            }
            (state, _) => Step::refuse(state, Refused::OutOfPlace),
        }
    }
}

impl Applicant {
    fn decline(plan: Plan, failure: Failure) -> Step<Self> {
        Step::to(Self::Declined(plan, failure.clone())).order(Output::Tell(failure))
    }
}

impl Plan {
    /// Takes certificates that are from the authority of the letter, for these keys and about this applicant.
    ///
    /// No revocation list is asked for: the certificates are younger than any.
    fn judge(&self, set: &CertificateSet, mac2: &[u8; 32], now: Moment) -> Result<(), Failure> {
        let classes = self.kind.classes();
        let counted = set.is_proven(&self.key, &self.asked, mac2)
            && set.certificates.len() == classes.len()
            && self.asked.requests.len() == classes.len()
            && set.chain.len() < CHAIN_LIMIT;
        if !counted {
            return Err(Failure::BadAnswer);
        }
        for ((certificate, class), request) in set.certificates.iter().zip(classes).zip(&self.asked.requests)
        {
            let found = self.verified(certificate, *class, request, &set.chain, now);
            let found = found.ok_or(Failure::BadAnswer)?;
            if !Names::of(found.subject()).agree(&self.asked.names) || found.dns() != self.dns {
                let given = [found.subject().common_name.as_str()];
                let given = given.into_iter().chain(found.dns().iter().map(String::as_str));
                return Err(Failure::OtherNames { given: given.collect::<Vec<_>>().join(", ") });
            }
        }
        Ok(())
    }

    fn verified(
        &self,
        certificate: &Certificate,
        class: Class,
        asked: &[u8],
        chain: &[Certificate],
        now: Moment,
    ) -> Option<VerifiedCertificate> {
        let rules = class.rules();
        let usage = if rules.content_commitment { Usage::Sign } else { Usage::TlsClient };
        let trust = TrustSnapshot { roots: vec![self.root.clone()], ..TrustSnapshot::default() };
        let chain: Vec<_> = std::iter::once(certificate).chain(chain).cloned().collect();
        let found = trust.verify_first_contact(&chain, rules.role?, usage, now).ok()?;
        (found.class() == class && request::check(asked).as_ref() == Ok(found.key())).then_some(found)
    }

    /// The digest of the root, whose words the user compares.
    pub fn root_digest(&self) -> Digest {
        self.root.digest()
    }
}
