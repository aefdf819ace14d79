//! The tray: questions that wait, of which a person opens one at a time.
//!
//! Nothing opens by itself. Every question that got in ends in exactly one outcome, and a question can be
//! answered only while it is open.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{
    gate::{AnswerFault, Ask, Gate, GateError, Outcome, Pending, Situation},
    pin::PinVerified,
    prompt::{Answer, DeclineReason, PromptId, SealedPrompt, Withdrawn},
};
use crate::{crypto::signature::Kid, time::Moment};

/// The tray of one window.
#[derive(Debug)]
pub struct Tray {
    gate: Gate,
    waiting: BTreeMap<PromptId, Waiting>,
    open: Option<PromptId>,
    arrivals: u64,
}

#[derive(Debug)]
struct Waiting {
    pending: Pending,
    arrival: u64,
}

/// Why a question does not get into the tray.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TrayError {
    /// Three questions of this party, or sixteen in all, wait already: the peer is told that we are busy.
    #[error("too many questions wait already")]
    Full,
    /// There is a question of this name, or none to take the place of.
    #[error("the question is not in the tray, or is there already")]
    Name,
    /// It cannot be asked at all.
    #[error(transparent)]
    Gate(#[from] GateError),
}

impl TrayError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full => "tinguin.queue-full",
            Self::Name => "tinguin.other-prompt",
            Self::Gate(error) => error.code(),
        }
    }
}

/// The most questions that wait because of one party.
pub const PEER_LIMIT: usize = 3;
/// The most questions that wait in all.
pub const TRAY_LIMIT: usize = 16;

impl Tray {
    /// An empty tray behind this gate.
    pub fn new(gate: Gate) -> Self {
        Self { gate, waiting: BTreeMap::new(), open: None, arrivals: 0 }
    }

    /// Puts a question into the tray. `id` is fresh random bytes.
    ///
    /// # Errors
    /// [`TrayError`]; the question then ends as [`Outcome::Unavailable`].
    pub fn submit(&mut self, ask: Ask, id: PromptId, now: Moment) -> Result<&SealedPrompt, TrayError> {
        let of_peer = ask.peer.map_or(0, |peer| self.prompts().filter(|p| p.peer() == Some(peer)).count());
        if self.waiting.len() >= TRAY_LIMIT || of_peer >= PEER_LIMIT {
            return Err(TrayError::Full);
        }
        self.put(ask, id, now)
    }

    /// Puts a question in the place of another of the same deal, whose outcome says what has changed.
    ///
    /// # Errors
    /// [`TrayError`]; the old question then goes on waiting.
    pub fn supersede(
        &mut self,
        old: PromptId,
        ask: Ask,
        id: PromptId,
        now: Moment,
    ) -> Result<Outcome, TrayError> {
        let deal = self.waiting.get(&old).ok_or(TrayError::Name)?.pending.prompt().deal();
        if deal != ask.deal {
            return Err(TrayError::Name);
        }
        let new = self.put(ask, id, now)?.clone();
        let ended = self.remove(old).ok_or(TrayError::Name)?;
        Ok(ended.supersede(&new))
    }

    /// The questions in the order of the tray: by their end, then by arrival.
    pub fn list(&self) -> Vec<&SealedPrompt> {
        let mut all: Vec<_> = self.waiting.values().collect();
        all.sort_by_key(|waiting| (waiting.pending.prompt().expires(), waiting.arrival));
        all.into_iter().map(|waiting| waiting.pending.prompt()).collect()
    }

    /// The question that is open, if one is.
    pub fn opened(&self) -> Option<&SealedPrompt> {
        self.open.and_then(|id| self.waiting.get(&id)).map(|waiting| waiting.pending.prompt())
    }

    /// Opens a question, because a person chose it. The one that was open goes back to the tray.
    pub fn open(&mut self, id: PromptId) -> Option<&SealedPrompt> {
        self.open = self.waiting.contains_key(&id).then_some(id);
        self.opened()
    }

    /// Closes the open question: *decide later*, a lock, or a suspended computer. It stays in the tray.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// Takes an answer to the open question.
    ///
    /// # Errors
    /// [`AnswerFault`]; the question then stays where it is.
    pub fn answer(
        &mut self,
        answer: &Answer,
        pin: Option<&PinVerified>,
        situation: &Situation,
    ) -> Result<Outcome, AnswerFault> {
        if self.open != Some(answer.id) {
            return Err(AnswerFault::OtherPrompt);
        }
        let Some(Waiting { pending, arrival }) = self.waiting.remove(&answer.id) else {
            return Err(AnswerFault::OtherPrompt);
        };
        match pending.judge(answer, pin, situation) {
            Ok(outcome) => {
                self.open = None;
                Ok(outcome)
            }
            Err(back) => {
                let (pending, fault) = *back;
                self.waiting.insert(answer.id, Waiting { pending, arrival });
                Err(fault)
            }
        }
    }

    /// Ends every question whose time is up.
    pub fn expire(&mut self, now: Moment) -> Vec<(PromptId, Outcome)> {
        let ids: Vec<_> = self.prompts().filter(|p| p.expires() <= now).map(SealedPrompt::id).collect();
        self.end(ids, |_| Outcome::Expired)
    }

    /// Takes a question back.
    pub fn withdraw(&mut self, id: PromptId, why: Withdrawn) -> Option<Outcome> {
        self.remove(id).map(|pending| pending.withdraw(why))
    }

    /// Refuses everything that waits because of one party.
    pub fn refuse_all_of(&mut self, peer: Kid) -> Vec<(PromptId, Outcome)> {
        let of_peer = self.prompts().filter(|p| p.peer() == Some(peer));
        let ids = of_peer.map(SealedPrompt::id).collect();
        self.end(ids, |pending| pending.decline(DeclineReason::EverythingOfPeer))
    }

    /// Takes everything back, because the program ends. It asks again, with new names, when it is back.
    pub fn shut_down(&mut self) -> Vec<(PromptId, Outcome)> {
        let ids = self.waiting.keys().copied().collect();
        self.end(ids, |pending| pending.withdraw(Withdrawn::Restart))
    }

    fn prompts(&self) -> impl Iterator<Item = &SealedPrompt> {
        self.waiting.values().map(|waiting| waiting.pending.prompt())
    }

    fn put(&mut self, ask: Ask, id: PromptId, now: Moment) -> Result<&SealedPrompt, TrayError> {
        if self.waiting.contains_key(&id) {
            return Err(TrayError::Name);
        }
        let pending = self.gate.open(ask, id, now)?;
        self.arrivals = self.arrivals.saturating_add(1);
        let waiting = Waiting { pending, arrival: self.arrivals };
        Ok(self.waiting.entry(id).or_insert(waiting).pending.prompt())
    }

    fn remove(&mut self, id: PromptId) -> Option<Pending> {
        let removed = self.waiting.remove(&id)?;
        if self.open == Some(id) {
            self.open = None;
        }
        Some(removed.pending)
    }

    fn end(&mut self, ids: Vec<PromptId>, how: impl Fn(Pending) -> Outcome) -> Vec<(PromptId, Outcome)> {
        ids.into_iter().filter_map(|id| self.remove(id).map(|pending| (id, how(pending)))).collect()
    }
}
