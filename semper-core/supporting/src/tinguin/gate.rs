//! The gate: it seals questions, judges answers, and mints permits for what was confirmed.
//!
//! ```text
//! Ask --open--> Pending + SealedPrompt --(window)--> Answer --judge--> Outcome::Granted(permits, record)
//! ```
//!
//! **Invariant.** A permit exists only for bytes whose facts were shown, at the current revision, and
//! confirmed by a gesture that took what the level of the prompt demands. A faulty window can decline or
//! delay; it cannot confirm something else.

#[cfg(test)]
pub(crate) mod tests;

use super::{
    facts::{Fact, FactError, Facts},
    permit::{MintedBy, Permit},
    pin::PinVerified,
    prompt::{
        Answer, Critical, Decision, DeclineReason, DisplayRecord, Gesture, PromptId, SealedPrompt, Warning,
        Withdrawn,
    },
    risk::{Circumstances, Friction, Thresholds, friction},
    words::{NoWord, Shown, Words},
};
use crate::{
    crypto::{digest::Digest, signature::Kid},
    deal::DealId,
    evidence::statement::{self, Statement, StatementError},
    money::Money,
    time::{Moment, Span},
};

/// A statement that a person can be asked about: it has facts.
pub trait Confirmable: Statement {
    /// The family of the act.
    const FAMILY: Critical;
    /// What was verified before, and is needed to name parties and compare sums.
    type Context;

    /// Derives the facts from the value, which the gate decoded from the very bytes it will permit.
    ///
    /// # Errors
    /// [`FactError`] if a text is refused, a sum cannot be computed, or the value disagrees with `context`.
    fn facts(&self, context: &Self::Context) -> Result<Facts, FactError>;

    /// The lines that name the text shown, if statements of this type carry them. The gate fills them.
    fn shown(&mut self) -> Option<&mut Shown> {
        None
    }
}

/// One act of a question, with its facts.
#[derive(Debug)]
pub struct Part {
    kind: &'static str,
    family: Critical,
    bytes: Vec<u8>,
    facts: Facts,
}

/// A question to a person: one act, or up to four of one deal that only make sense together.
#[derive(Debug)]
pub struct Ask {
    /// The acts.
    pub parts: Vec<Part>,
    /// The deal they belong to.
    pub deal: Option<DealId>,
    /// The revision of the deal. It grows when anything changes that was or would be shown.
    pub revision: u64,
    /// The party because of which it is asked.
    pub peer: Option<Kid>,
    /// When the protocol needs the answer, if it does.
    pub deadline: Option<Moment>,
    /// What makes it riskier than its amount.
    pub circumstances: Circumstances,
    /// What must be acknowledged.
    pub warnings: Vec<Warning>,
}

/// The gate, with the rules of this program.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Whose gestures count.
    pub counts: Counts,
    /// The amounts at which friction grows.
    pub thresholds: Thresholds,
}

/// Whose gestures count in this program.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Counts {
    /// Those of a person at a window.
    Person,
    /// Those of one policy: a daemon.
    Policy(Digest),
}

/// A question that waits for its answer.
#[derive(Debug)]
#[must_use = "every question ends in exactly one outcome"]
pub struct Pending {
    counts: Counts,
    prompt: SealedPrompt,
    parts: Vec<Part>,
}

/// What is the case when an answer is judged.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The time.
    pub now: Moment,
    /// The current revision of the deal.
    pub revision: u64,
    /// How far the clock is from times that third parties signed.
    pub clock_error: Span,
}

/// How a question ended: exactly one of these, always.
#[derive(Debug)]
#[must_use = "an outcome that is dropped helps nobody"]
pub enum Outcome {
    /// It was confirmed.
    Granted(Grants),
    /// It was declined.
    Declined(DeclineReason),
    /// Nobody answered in time.
    Expired,
    /// The engine took it back.
    Withdrawn(Withdrawn),
    /// Something shown has changed; a new question shows what.
    Stale(Change),
    /// Nobody can be asked, or too many questions wait already.
    Unavailable,
}

/// What changed while a question waited.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    /// The facts as they were, where they differ.
    pub before: Vec<Fact>,
    /// The facts as they are now, where they differ; empty while that is not known.
    pub after: Vec<Fact>,
}

/// The permits of a confirmed question, minted together.
#[derive(Debug)]
pub struct Grants {
    parts: Vec<Granted>,
    record: Box<DisplayRecord>,
    by: MintedBy,
    at: Moment,
}

#[derive(Debug)]
struct Granted {
    kind: &'static str,
    bytes: Vec<u8>,
}

/// Why a question cannot be asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GateError {
    /// The statement has no text, or one that is read as something else.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The facts are not what a prompt needs.
    #[error(transparent)]
    Facts(#[from] FactError),
    /// The catalogue lacks a word.
    #[error(transparent)]
    Word(#[from] NoWord),
    /// No act, more than four, or two of one type.
    #[error("a question holds one to four acts of different types")]
    Bundle,
    /// It would have expired before it was shown.
    #[error("there is no time left to ask")]
    TooLate,
}

/// Why an answer does not count. The question goes on waiting.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AnswerFault {
    /// It answers another question, or one that is not open.
    #[error("the answer is not to the question that is open")]
    OtherPrompt,
    /// Something else was displayed than what was sealed.
    #[error("the answer is to something else than what was sealed")]
    OtherDigest,
    /// The gesture is shorter than the level demands, or its times do not fit together.
    #[error("the gesture is too short")]
    Gesture,
    /// Gestures of this kind do not count here.
    #[error("gestures of this kind do not count here")]
    Kind,
    /// The PIN was not verified for this question.
    #[error("the PIN was not verified")]
    Pin,
    /// The amount was not typed again, or another one was.
    #[error("the amount was not typed again")]
    Retype,
    /// A warning was not acknowledged.
    #[error("a warning was not acknowledged")]
    Warning,
    /// The clock of this computer is wrong by more than five minutes.
    #[error("the clock of this computer is wrong")]
    Clock,
}

impl GateError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Statement(error) => error.code(),
            Self::Facts(error) => error.code(),
            Self::Word(_) => "tinguin.no-word",
            Self::Bundle => "tinguin.bundle",
            Self::TooLate => "tinguin.too-late",
        }
    }
}

impl AnswerFault {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::OtherPrompt => "tinguin.other-prompt",
            Self::OtherDigest => "tinguin.other-digest",
            Self::Gesture => "tinguin.gesture",
            Self::Kind => "tinguin.kind",
            Self::Pin => "tinguin.pin",
            Self::Retype => "tinguin.retype",
            Self::Warning => "tinguin.warning",
            Self::Clock => "tinguin.clock",
        }
    }
}

/// The most acts of one question.
pub const BUNDLE_LIMIT: usize = 4;
/// The longest that a question waits.
pub const PATIENCE: Span = Span::minutes(30);
/// How long before the protocol's deadline an answer must be there.
const MARGIN: Span = Span::seconds(15);
/// How long a verified PIN counts.
const PIN_COUNTS: Span = Span::minutes(1);
/// The most by which the clock may be wrong when something is confirmed.
const CLOCK_LIMIT: Span = Span::minutes(5);

impl Part {
    /// The act of `statement`: encodes it, decodes it again, derives the facts from what was decoded, and
    /// fills the lines that name the text shown.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn new<T: Confirmable>(statement: T, context: &T::Context, words: &Words) -> Result<Self, GateError> {
        let mut value = statement;
        if let Some(shown) = value.shown() {
            *shown = Shown::default();
        }
        let (mut value, facts) = derive(&value, context)?;
        if let Some(shown) = value.shown() {
            *shown = words.shown(facts.iter())?;
        }
        let bytes = statement::to_bytes(&value)?;
        statement::from_bytes::<T>(&bytes)?;
        Ok(Self { kind: T::TYPE, family: T::FAMILY, bytes, facts })
    }

    /// The exact bytes that would be permitted.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn derive<T: Confirmable>(value: &T, context: &T::Context) -> Result<(T, Facts), GateError> {
    let decoded: T = statement::from_bytes(&statement::to_bytes(value)?)?;
    let facts = decoded.facts(context)?;
    facts.check(T::FAMILY)?;
    Ok((decoded, facts))
}

/// Recomputes from a signed statement whether its signer was shown the text that it names.
///
/// # Errors
/// [`GateError`] if the statement has no facts in this context; `Ok(false)` if it names no text or another.
pub fn was_shown<T: Confirmable>(
    bytes: &[u8],
    context: &T::Context,
    words: &Words,
) -> Result<bool, GateError> {
    let mut value: T = statement::from_bytes(bytes)?;
    let Some(named) = value.shown().map(std::mem::take) else { return Ok(false) };
    let (_, facts) = derive(&value, context)?;
    Ok(named == words.shown(facts.iter())?)
}

impl Gate {
    /// Seals a question. `id` is fresh random bytes.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn open(&self, ask: Ask, id: PromptId, now: Moment) -> Result<Pending, GateError> {
        let Ask { parts, deal, revision, peer, deadline, mut circumstances, warnings } = ask;
        let double = |(index, part): (usize, &Part)| parts.iter().take(index).any(|p| p.kind == part.kind);
        if parts.is_empty() || parts.len() > BUNDLE_LIMIT || parts.iter().enumerate().any(double) {
            return Err(GateError::Bundle);
        }
        let latest = now.after(PATIENCE);
        let expires = deadline.map_or(latest, |deadline| deadline.before(MARGIN).min(latest));
        if expires <= now {
            return Err(GateError::TooLate);
        }
        circumstances.warnings = u32::try_from(warnings.len()).unwrap_or(u32::MAX);
        let mut facts = Facts::new();
        let mut heaviest: Option<(Critical, Friction)> = None;
        for part in &parts {
            let amount: Option<Money> = part.facts.amount();
            let takes = friction(part.family, amount, &circumstances, &self.thresholds);
            // The part of the highest level stands for the bundle; everything that any part takes is taken.
            heaviest = Some(match heaviest {
                Some((family, most)) if takes.level <= most.level => (family, most.and(takes)),
                Some((_, most)) => (part.family, most.and(takes)),
                None => (part.family, takes),
            });
            facts = facts.join(part.facts.clone());
        }
        let Some((family, friction)) = heaviest else { return Err(GateError::Bundle) };
        let prompt = SealedPrompt {
            id,
            family,
            deal,
            peer,
            facts: facts.iter().cloned().collect(),
            warnings,
            friction,
            digest: bundle_digest(&parts),
            documents: parts.iter().map(|part| part.bytes.clone()).collect(),
            revision,
            expires,
        };
        Ok(Pending { counts: self.counts, prompt, parts })
    }
}

/// The digest of the one statement, or of the list of digests of several.
fn bundle_digest(parts: &[Part]) -> Digest {
    if let [only] = parts {
        return Digest::of(&only.bytes);
    }
    let list = parts.iter().map(|part| format!("{}\n", Digest::of(&part.bytes)));
    Digest::of(format!("semper-bundle/1\n{}", list.collect::<String>()).as_bytes())
}

impl Pending {
    /// The prompt to be displayed.
    pub fn prompt(&self) -> &SealedPrompt {
        &self.prompt
    }

    /// Judges an answer. An answer that does not count changes nothing: the question comes back.
    ///
    /// # Errors
    /// The question and why the answer does not count.
    pub fn judge(
        self,
        answer: &Answer,
        pin: Option<&PinVerified>,
        situation: &Situation,
    ) -> Result<Outcome, Box<(Self, AnswerFault)>> {
        if answer.id != self.prompt.id {
            return Err(Box::new((self, AnswerFault::OtherPrompt)));
        }
        if situation.now >= self.prompt.expires {
            return Ok(Outcome::Expired);
        }
        if situation.revision != self.prompt.revision {
            return Ok(Outcome::Stale(Change { before: self.prompt.facts, after: Vec::new() }));
        }
        match answer.decision {
            Decision::Decline(reason) => Ok(Outcome::Declined(reason)),
            Decision::Confirm => match self.refuse(answer, pin, situation) {
                Some(fault) => Err(Box::new((self, fault))),
                None => Ok(Outcome::Granted(self.grant(answer, situation.now))),
            },
        }
    }

    /// Why a confirmation does not count.
    fn refuse(
        &self,
        answer: &Answer,
        pin: Option<&PinVerified>,
        situation: &Situation,
    ) -> Option<AnswerFault> {
        let friction = &self.prompt.friction;
        if answer.digest != self.prompt.digest {
            return Some(AnswerFault::OtherDigest);
        }
        if situation.clock_error > CLOCK_LIMIT {
            return Some(AnswerFault::Clock);
        }
        let acknowledged = |warning: &Warning| answer.acknowledged.contains(&warning.key);
        let (least_armed, least_held, pin_needed) = match (self.counts, answer.gesture) {
            // A policy neither reads nor tires: it answers for its kinds and sums, which it was made for.
            (Counts::Policy(own), Gesture::Policy { policy }) => {
                return (own != policy).then_some(AnswerFault::Kind);
            }
            (Counts::Person, Gesture::Hold { .. }) => (friction.arming, friction.hold, friction.pin),
            (Counts::Person, Gesture::Typed { .. }) => (friction.arming.doubled(), Span::default(), true),
            (Counts::Person, Gesture::Policy { .. })
            | (Counts::Policy(_), Gesture::Hold { .. } | Gesture::Typed { .. }) => {
                return Some(AnswerFault::Kind);
            }
        };
        let (armed, held) = match answer.gesture {
            Gesture::Hold { armed, held } => (armed, held),
            Gesture::Typed { armed } => (armed, Span::default()),
            Gesture::Policy { .. } => return Some(AnswerFault::Kind),
        };
        let shown = &answer.displayed;
        let ordered = shown.shown_at <= shown.armed_at
            && shown.armed_at <= shown.confirmed_at
            && shown.confirmed_at <= situation.now
            && shown.armed_at.after(armed).after(held) <= shown.confirmed_at;
        if armed < least_armed || held < least_held || !ordered {
            return Some(AnswerFault::Gesture);
        }
        if !self.prompt.warnings.iter().all(acknowledged) {
            return Some(AnswerFault::Warning);
        }
        if pin_needed && !pin.is_some_and(|pin| self.counts_pin(pin, situation.now)) {
            return Some(AnswerFault::Pin);
        }
        let retype = match answer.gesture {
            Gesture::Typed { .. } => friction.retype.or_else(|| self.whole_units()),
            Gesture::Hold { .. } | Gesture::Policy { .. } => friction.retype,
        };
        (retype.is_some() && answer.retyped != retype).then_some(AnswerFault::Retype)
    }

    fn counts_pin(&self, pin: &PinVerified, now: Moment) -> bool {
        pin.prompt == self.prompt.id && pin.at <= now && now.since(pin.at) <= PIN_COUNTS
    }

    /// The highest amount of the acts, in whole units.
    fn whole_units(&self) -> Option<u64> {
        let units = |money: Money| money.minor() / 10_u64.saturating_pow(money.currency.digits());
        self.parts.iter().filter_map(|part| part.facts.amount()).map(units).max()
    }

    fn grant(self, answer: &Answer, now: Moment) -> Grants {
        let SealedPrompt { id, family, deal, facts, warnings, friction, digest, revision, .. } = self.prompt;
        let record = DisplayRecord {
            prompt: id,
            family,
            digest,
            deal,
            revision,
            facts,
            warnings,
            friction,
            gesture: answer.gesture,
            displayed: answer.displayed.clone(),
        };
        let by = MintedBy::Gate { record: record.digest() };
        let parts = self.parts.into_iter().map(|Part { kind, bytes, .. }| Granted { kind, bytes }).collect();
        Grants { parts, record: Box::new(record), by, at: now }
    }

    /// Ends a question that nobody answered in time; before that it comes back.
    ///
    /// # Errors
    /// The question, if it has not expired.
    pub fn expire(self, now: Moment) -> Result<Outcome, Box<Self>> {
        if now >= self.prompt.expires { Ok(Outcome::Expired) } else { Err(Box::new(self)) }
    }

    /// Takes the question back.
    pub fn withdraw(self, why: Withdrawn) -> Outcome {
        Outcome::Withdrawn(why)
    }

    /// Declines the question without showing it.
    pub fn decline(self, why: DeclineReason) -> Outcome {
        Outcome::Declined(why)
    }

    /// Ends the question because another one takes its place.
    pub fn supersede(self, by: &SealedPrompt) -> Outcome {
        let (old, new) = (self.prompt.facts, &by.facts);
        Outcome::Stale(Change {
            before: old.iter().filter(|fact| !new.contains(fact)).cloned().collect(),
            after: new.iter().filter(|fact| !old.contains(fact)).cloned().collect(),
        })
    }
}

impl Grants {
    /// Takes the permit for the act of type `T`. There is one, once.
    pub fn take<T: Statement>(&mut self) -> Option<Permit<T>> {
        let index = self.parts.iter().position(|part| part.kind == T::TYPE)?;
        let Granted { bytes, .. } = self.parts.remove(index);
        Some(Permit::of_bytes(bytes, self.record.deal, self.by, self.at))
    }

    /// What was displayed, for the journal: stored before any permit is used.
    pub fn record(&self) -> &DisplayRecord {
        &self.record
    }
}
