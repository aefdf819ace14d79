//! An open deal between two connections and at its end: what is said to go on, and to part.

use semper_exchange::message::Draft;
use semper_supporting::{
    comm::{envelope::Conversation, session::Exporter},
    crypto::{digest::Digest, signature::Kid},
    deal::{DealContext, DealId},
    evidence::Verified,
    money::Money,
    time::Moment,
};
use serde::{Deserialize, Serialize};

use super::{
    fault::DealFault,
    opening::{Party, check_clock},
    statement::{DealClose, DealResume, Lines, Outcome},
};

/// An open deal at one side: who speaks in it, and how often they have spoken about the deal itself.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Standing {
    /// The deal.
    pub deal: DealId,
    /// SHA-256 of its terms.
    pub terms: Option<Digest>,
    /// This party.
    pub me: Party,
    /// The other party.
    pub peer: Party,
    said: u32,
}

impl Standing {
    /// The deal of `context`; `said` counts this party's statements about it so far.
    pub fn new(context: &DealContext, me: Party, peer: Party, said: u32) -> Self {
        Self { deal: context.id, terms: context.terms, me, peer, said }
    }

    /// Checks that the key of a connection is the one the deal was opened with (acceptance check K6).
    ///
    /// # Errors
    /// [`DealFault::WrongKey`].
    pub fn check_session(&self, tls: Kid) -> Result<(), DealFault> {
        if tls == self.peer.tls { Ok(()) } else { Err(DealFault::WrongKey) }
    }

    /// Writes `deal-resume` for the connection `exporter` names.
    ///
    /// # Errors
    /// [`DealFault::Statement`].
    pub fn resume(
        &mut self,
        talk: &Conversation,
        exporter: Exporter,
        at: Moment,
    ) -> Result<Draft, DealFault> {
        let (sent, received) = (talk.sent().into(), talk.received().into());
        Ok(Draft::of(&DealResume { lines: self.next(at), exporter, sent, received })?)
    }

    /// Checks the other side's `deal-resume`, which came over the connection `exporter` of the key `tls`.
    ///
    /// # Errors
    /// [`DealFault::WrongKey`], [`DealFault::Mismatch`], [`DealFault::Clock`], or that the records differ.
    pub fn check_resume(
        &self,
        resume: &Verified<DealResume>,
        talk: &Conversation,
        (exporter, tls): (Exporter, Kid),
        at: Moment,
    ) -> Result<(), DealFault> {
        self.check_session(tls)?;
        self.check_lines(&resume.lines, resume.signer(), at)?;
        if resume.exporter != exporter {
            return Err(DealFault::WrongKey);
        }
        Ok(talk.compare(resume.sent.into(), resume.received.into())?)
    }

    /// Writes `deal-close`.
    ///
    /// # Errors
    /// [`DealFault::Statement`].
    pub fn close(
        &mut self,
        talk: &Conversation,
        outcome: Outcome,
        paid: Option<Money>,
        at: Moment,
    ) -> Result<Draft, DealFault> {
        let (sent, received) = (talk.sent().into(), talk.received().into());
        Ok(Draft::of(&DealClose { lines: self.next(at), outcome, paid, sent, received })?)
    }

    /// Checks the other side's `deal-close` against our own record, outcome and account of what was paid.
    ///
    /// `before` is our record as it was before the frame that carries the statement.
    ///
    /// # Errors
    /// [`DealFault::LedgerDiffers`] and those of [`Standing::check_resume`].
    pub fn check_close(
        &self,
        close: &Verified<DealClose>,
        before: &Conversation,
        (outcome, paid): (Outcome, Option<Money>),
        at: Moment,
    ) -> Result<(), DealFault> {
        self.check_lines(&close.lines, close.signer(), at)?;
        before.compare(close.sent.into(), close.received.into())?;
        let same = close.outcome == outcome && close.paid == paid;
        if same { Ok(()) } else { Err(DealFault::LedgerDiffers) }
    }

    fn check_lines(&self, lines: &Lines, signer: Kid, at: Moment) -> Result<(), DealFault> {
        let kid = self.peer.key.kid();
        if signer != kid || lines.signer != kid || lines.cert != self.peer.certificate {
            return Err(DealFault::WrongKey);
        }
        if lines.deal != Some(self.deal) || lines.terms_sha256 != self.terms {
            return Err(DealFault::Mismatch("deal"));
        }
        check_clock(lines.at, at)
    }

    fn next(&mut self, at: Moment) -> Lines {
        self.said = self.said.saturating_add(1);
        Lines {
            deal: Some(self.deal),
            terms_sha256: self.terms,
            conf: None,
            seq: self.said,
            at: at.whole_seconds(),
            signer: self.me.key.kid(),
            cert: self.me.certificate,
            salt: None,
        }
    }
}
