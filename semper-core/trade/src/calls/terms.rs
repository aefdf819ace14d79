//! Asking a shop for its terms of business, and an evaluator for the list of what it has withdrawn.
//!
//! What comes is bytes. Whether they are a package, and whose, is for [`semper_commerce::download`] to say.

use semper_comm_tls::Session;
use semper_commerce::download::{
    package::Signed,
    ustar::PACKAGE_LIMIT,
    withdrawn::{EvaluatorAnswer, EvaluatorQuestion},
};
use semper_supporting::{
    certificate::{CertRole, VerifiedCertificate},
    comm::{address::Endpoint, fault::FrameError, frame::Kind},
    crypto::signature::Kid,
};
use semper_transfer::catalogue::{Answer, Offered, PART, Question};

use super::{CallFault, Caller, QUESTION, answer, answer_on};

/// A shop that was called for its terms.
#[derive(Debug)]
pub struct TermsCall {
    session: Session,
    asked: u32,
}

impl TermsCall {
    /// Calls the shop at `at`.
    ///
    /// # Errors
    /// [`CallFault`].
    pub async fn to(caller: &Caller, at: &Endpoint) -> Result<Self, CallFault> {
        Ok(Self { session: caller.call(at, CertRole::Merchant).await?, asked: 0 })
    }

    /// The certificate of who answers.
    pub fn keeper(&self) -> &VerifiedCertificate {
        &self.session.info.peer.certificate
    }

    /// What the shop says it offers: of each service the newest version.
    ///
    /// # Errors
    /// [`CallFault`].
    pub async fn offered(&mut self) -> Result<Vec<Offered>, CallFault> {
        match self.ask(Question::Services).await? {
            Answer::Services(all) => Ok(all),
            other => Err(misplaced(&other)),
        }
    }

    /// The file of a service, as many bytes as the shop has announced.
    ///
    /// # Errors
    /// [`CallFault`]; [`FrameError::NotCanonical`] in it for more than a package has, or parts of another length.
    pub async fn file(&mut self, offered: &Offered) -> Result<Vec<u8>, CallFault> {
        let disorder = CallFault::Unreadable(FrameError::NotCanonical);
        let length = usize::try_from(offered.length).ok().filter(|length| *length <= PACKAGE_LIMIT);
        let length = length.ok_or_else(|| disorder.clone())?;
        let mut bytes = Vec::with_capacity(length);
        while bytes.len() < length {
            let from = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            match self.ask(Question::ServicePart { file: offered.file, from }).await? {
                // Parts of any length would be questions without end.
                Answer::ServicePart(part) if part.len() == PART.min(length - bytes.len()) => {
                    bytes.extend(part)
                }
                Answer::ServicePart(_) => return Err(disorder),
                other => return Err(misplaced(&other)),
            }
        }
        Ok(bytes)
    }

    async fn ask(&mut self, question: Question) -> Result<Answer, CallFault> {
        self.asked = self.asked.saturating_add(1);
        let frame = question.frame(self.asked).map_err(CallFault::unsendable)?;
        self.session.send.send(frame).await?;
        let frame = answer_on(&mut self.session, Kind::Directory, self.asked).await?;
        Answer::read(&frame.payload).map_err(CallFault::unreadable)
    }
}

/// Asks the evaluator at `at`, which must hold the key `evaluator`, for its list of withdrawn evaluations.
///
/// # Errors
/// [`CallFault`].
pub async fn withdrawn(caller: &Caller, at: &Endpoint, evaluator: Kid) -> Result<Signed, CallFault> {
    let question = EvaluatorQuestion::Withdrawn.frame(QUESTION).map_err(CallFault::unsendable)?;
    let mut session = caller.call_key(at, CertRole::Evaluator, evaluator).await?;
    session.send.send(question).await?;
    let frame = answer(&mut session, Kind::Exchange).await?;
    match EvaluatorAnswer::read(&frame).map_err(CallFault::unreadable)? {
        EvaluatorAnswer::Withdrawn { list, chain } => Ok(Signed { statement: list, chain }),
        EvaluatorAnswer::Refused(code) => Err(CallFault::refused(&code)),
    }
}

fn misplaced(answer: &Answer) -> CallFault {
    match answer {
        Answer::Refused(refusal) => CallFault::refused(refusal.code()),
        _ => CallFault::Unreadable(FrameError::NotCanonical),
    }
}
