//! A window without a screen: it reads every prompt, confirms what it was told to expect, and declines the rest.
//!
//! It goes the way of every window. It is given sealed prompts, opens one, and answers through the gate, with a
//! gesture as long as the level demands. Its time is that of a clock it moves on itself, so that nobody waits.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use semper_comm_tls::Clock;
use semper_host::chance::now;
use semper_supporting::{
    crypto::digest::Digest,
    time::Span,
    tinguin::{
        Answer, Critical, FactKey, Gesture, PromptId, SealedPrompt, Tinguin, Words,
        facts::ChoiceKey,
        prompt::{Decision, DeclineReason, Displayed, Withdrawn},
        window::{Abilities, Asked, Notice, Presence, SecretAsk},
    },
};
use semper_wallet::{
    consent::{Consent, words},
    pin::Pin,
    wallet::Wallet,
};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};

use crate::failure::{Failure, Result};

/// A prompt that is expected, and what is then done.
#[derive(Clone, Debug)]
pub struct Expected {
    family: Critical,
    says: Vec<(FactKey, String)>,
    then: Reaction,
    /// It may come any number of times, or not at all.
    standing: bool,
}

#[derive(Clone, Copy, Debug)]
enum Reaction {
    Confirm,
    Decline,
    Leave,
}

/// A person who reads, at a window of which there is no picture. Copies are one person.
#[derive(Clone)]
pub struct ScriptedUi(Arc<Person>);

struct Person {
    prompts: mpsc::UnboundedSender<SealedPrompt>,
    passed: Mutex<Span>,
    words: Words,
    pin: Option<String>,
    mind: Mutex<Mind>,
    left: Notify,
}

/// What the person has in mind, and what has come to pass.
#[derive(Debug, Default)]
struct Mind {
    expected: VecDeque<Expected>,
    read: Vec<String>,
    unexpected: Vec<String>,
    withdrawn: Vec<PromptId>,
    /// The family of the prompt that was confirmed last, and when it was.
    confirmed: Option<(Critical, Instant)>,
}

/// Somebody sits at the window until this is dropped or ended.
#[derive(Debug)]
pub struct Sitting(JoinHandle<()>);

/// How long a person reads before the picture is looked for.
const READING: Span = Span::millis(400);

impl Expected {
    /// A prompt of this family is confirmed.
    pub fn confirmed(family: Critical) -> Self {
        Self { family, says: Vec::new(), then: Reaction::Confirm, standing: false }
    }

    /// A prompt of this family is declined.
    pub fn declined(family: Critical) -> Self {
        Self { then: Reaction::Decline, ..Self::confirmed(family) }
    }

    /// A prompt of this family is left in the tray.
    pub fn left(family: Critical) -> Self {
        Self { then: Reaction::Leave, ..Self::confirmed(family) }
    }

    /// It may come any number of times, or not at all.
    #[must_use]
    pub fn whenever(self) -> Self {
        Self { standing: true, ..self }
    }

    /// It must say this of a fact, as the window would show it: `XTS 50.00`, `Trial bank`.
    #[must_use]
    pub fn says(mut self, key: FactKey, value: &str) -> Self {
        self.says.push((key, value.to_owned()));
        self
    }
}

impl ScriptedUi {
    /// A person with this PIN in front of the questions of `wallet`, and the consent through which they are
    /// asked.
    ///
    /// # Errors
    /// [`Failure`] if the words of facts cannot be read.
    pub fn sit_down(wallet: &Arc<Wallet>, pin: Option<&str>) -> Result<(Self, Consent, Sitting)> {
        let (prompts, coming) = mpsc::unbounded_channel();
        let (passed, mind) = (Mutex::new(Span::default()), Mutex::new(Mind::default()));
        let pin = pin.map(str::to_owned);
        let person = Arc::new(Person { prompts, passed, words: words()?, pin, mind, left: Notify::new() });
        let ui = Self(Arc::clone(&person));
        let reading = ui.clone();
        let clock = Clock::reading(move || now().after(reading.0.passed()));
        let consent = Consent::new(Arc::clone(wallet), person, clock)?;
        let sitting = Sitting(tokio::spawn(ui.clone().attend(consent.clone(), coming)));
        Ok((ui, consent, sitting))
    }

    /// Expects a prompt, after those that are expected already.
    pub fn expect(&self, prompt: Expected) {
        self.0.mind().expected.push_back(prompt);
    }

    /// Fails if something was asked that nobody expected, or something expected was not asked.
    ///
    /// # Errors
    /// [`Failure`] with the text of the prompts.
    pub fn must_be_satisfied(&self) -> Result<()> {
        let mind = self.0.mind();
        if !mind.unexpected.is_empty() {
            return Err(Failure::of("an unexpected prompt", mind.unexpected.join("\n")));
        }
        match mind.expected.iter().find(|expected| !expected.standing) {
            Some(expected) => Err(Failure::of("never asked", format!("{expected:?}"))),
            None => Ok(()),
        }
    }

    /// Waits until a prompt was left in the tray.
    pub async fn left(&self) {
        self.0.left.notified().await;
    }

    /// The text of every prompt that was read, in order.
    pub fn read(&self) -> Vec<String> {
        self.0.mind().read.clone()
    }

    /// When the person let go of the prompt that was confirmed last, if it is of this family: what follows, the
    /// machine does.
    pub fn confirmed(&self, family: Critical) -> Option<Instant> {
        self.0.mind().confirmed.filter(|(last, _)| *last == family).map(|(_, at)| at)
    }

    /// How many prompts were taken back.
    pub fn withdrawn(&self) -> usize {
        self.0.mind().withdrawn.len()
    }

    async fn attend(self, consent: Consent, mut coming: mpsc::UnboundedReceiver<SealedPrompt>) {
        while let Some(prompt) = coming.recv().await {
            // It may have been taken back before anybody looked.
            let Some(prompt) = consent.open(prompt.id()) else { continue };
            let Some((answer, pin)) = self.0.read(&prompt) else {
                consent.put_back();
                self.0.left.notify_one();
                continue;
            };
            if answer.decision == Decision::Confirm {
                self.0.mind().confirmed = Some((prompt.family(), Instant::now()));
            }
            if let Err(refused) = consent.answer(&answer, pin).await {
                self.0.mind().unexpected.push(format!("an answer was refused: {refused}"));
                // Nobody is kept waiting for somebody who has given up.
                consent.lock();
            }
        }
    }
}

impl Person {
    /// Reads a prompt and reacts; nothing if it is left for later.
    fn read(&self, prompt: &SealedPrompt) -> Option<(Answer, Option<Pin>)> {
        let shown_at = now().after(self.passed());
        self.pass(READING);
        let text = self.words.text(prompt.facts()).unwrap_or_else(|missing| missing.to_string());
        let reaction = {
            let mut mind = self.mind();
            mind.read.push(text.clone());
            let next = mind.expected.iter().position(|expected| !expected.standing);
            let next = next.filter(|next| {
                mind.expected.get(*next).is_some_and(|expected| self.is_expected(expected, prompt))
            });
            let expected = match next {
                Some(next) => mind.expected.remove(next),
                None => {
                    let standing = |one: &&Expected| one.standing && self.is_expected(one, prompt);
                    mind.expected.iter().find(standing).cloned()
                }
            };
            match expected {
                Some(expected) => expected.then,
                None => {
                    mind.unexpected.push(format!("{:?}\n{text}", prompt.family()));
                    Reaction::Decline
                }
            }
        };
        let friction = *prompt.friction();
        let decision = match reaction {
            Reaction::Confirm => Decision::Confirm,
            Reaction::Decline => Decision::Decline(DeclineReason::Wrong),
            Reaction::Leave => return None,
        };
        let armed_at = now().after(self.passed());
        self.pass(friction.arming);
        self.pass(friction.hold);
        let answer = Answer {
            id: prompt.id(),
            digest: prompt.digest(),
            decision,
            gesture: Gesture::Hold { armed: friction.arming, held: friction.hold },
            retyped: friction.retype,
            acknowledged: prompt.warnings().iter().map(|warning| warning.key.clone()).collect(),
            displayed: Displayed {
                language: self.words.locale().clone(),
                catalogue: self.words.digest(),
                shown_at,
                armed_at,
                confirmed_at: now().after(self.passed()),
                width: 1120,
                height: 760,
                zoom: 100,
                build: Digest::of(b"scripted"),
            },
        };
        let pin = self.pin.as_ref().filter(|_| friction.pin).map(|pin| Pin::new(pin.as_bytes()));
        Some((answer, pin))
    }

    fn is_expected(&self, expected: &Expected, prompt: &SealedPrompt) -> bool {
        let says = |(key, value): &(FactKey, String)| {
            let fact = prompt.facts().iter().find(|fact| fact.key == *key);
            let line = fact.and_then(|fact| self.words.text(std::iter::once(fact)).ok());
            line.is_some_and(|line| line.contains(&format!(": {value} (")))
        };
        expected.family == prompt.family() && expected.says.iter().all(says)
    }

    fn passed(&self) -> Span {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pass(&self, span: Span) {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        *passed = Span::millis(passed.as_millis().saturating_add(span.as_millis()));
    }

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sitting {
    /// Ends the sitting; nobody holds the wallet for it any more.
    pub async fn end(self) {
        self.0.abort();
        // Ended or cancelled, it holds nothing now.
        drop(self.0.await);
    }
}

impl Tinguin for Person {
    fn ask(&self, prompt: SealedPrompt) -> Asked {
        match self.prompts.send(prompt) {
            Ok(()) => Asked::Waiting,
            Err(_) => Asked::Unavailable,
        }
    }

    fn withdraw(&self, id: PromptId, _: Withdrawn) {
        self.mind().withdrawn.push(id);
    }

    fn supersede(&self, _: PromptId, by: SealedPrompt) -> Asked {
        self.ask(by)
    }

    fn secret(&self, _: SecretAsk) -> Asked {
        Asked::Unavailable
    }

    fn show(&self, _: Notice) {}

    fn presence(&self) -> Presence {
        Presence::Visible
    }

    fn abilities(&self) -> Abilities {
        let english: Option<ChoiceKey> = ChoiceKey::new("en").ok();
        Abilities { content_protection: false, languages: english.into_iter().collect() }
    }
}

impl std::fmt::Debug for ScriptedUi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScriptedUi({:?})", self.0.mind())
    }
}
