//! Consent: what is done in a person's name is what access control allows or the person confirmed.
//!
//! ```text
//! permit --decide--> Allow ------------------------------------------> Permit
//!                |-> Ask -> gate -> tray -> window -> answer -> judge --^ (record in the journal first)
//!                '-> Deny
//! ```
//!
//! The window shows what it is given and hands answers back. It cannot make a question, and it cannot turn an
//! answer into a permit: the gate judges in here. A question that nobody waits for any more leaves the tray.

mod draft;
mod fault;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use semper_comm_tls::Clock;
use semper_host::{
    chance,
    record::{commit, entry},
};
use semper_supporting::{
    access::{self, Action, Object, Subject, decide},
    archive::{
        Batch,
        journal::{Class, Entry, Kind},
    },
    crypto::{keys::KeyRef, signature::Kid},
    deal::DealContext,
    evidence::{Signable, Statement, Verified},
    time::{Moment, Span},
    tinguin::{
        Answer, Ask, Confirmable, Critical, DisplayRecord, Gate, Grants, Outcome, Part, Permit, PromptId,
        SealedPrompt, Situation, Tinguin, Tray, Words,
        facts::ChoiceKey,
        gate::Counts,
        prompt::{Warning, Withdrawn},
        risk::{Circumstances, Thresholds},
        window::Asked,
    },
    wire,
};
use tokio::{sync::oneshot, time::sleep};

pub use self::fault::{ConsentFault, Refused};
use crate::{pin::Pin, wallet::Wallet};

/// The words of facts, in the master language.
const FACTS: &str = include_str!("../../assets/locale/en/facts.ftl");

/// Asks a person, or does not have to. Copies share one tray.
#[derive(Clone)]
pub struct Consent(Arc<Inner>);

struct Inner {
    wallet: Arc<Wallet>,
    window: Arc<dyn Tinguin>,
    clock: Clock,
    words: Words,
    desk: Mutex<Desk>,
    /// One PIN at a time: each try is on the disk before the next.
    trying: tokio::sync::Mutex<()>,
}

/// The tray, and who waits for which question.
struct Desk {
    tray: Tray,
    waiting: BTreeMap<PromptId, Waiting>,
    locked: bool,
}

struct Waiting {
    revision: u64,
    tell: oneshot::Sender<Outcome>,
}

/// How a question ended that the window answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// It was confirmed, and the answer counted.
    Granted,
    /// It was declined.
    Declined,
    /// The answer came too late.
    Expired,
    /// Something that was shown had changed.
    Stale,
}

/// What belongs to a question beside the statement itself.
#[derive(Clone, Debug, Default)]
pub struct Matter<'a> {
    /// The deal it belongs to.
    pub deal: Option<&'a DealContext>,
    /// The revision of the deal.
    pub revision: u64,
    /// The party because of which it is asked.
    pub peer: Option<Kid>,
    /// When the protocol needs the answer, if it does.
    pub deadline: Option<Moment>,
    /// What access control must know of the statement.
    pub facts: access::Facts<'a>,
    /// The limits in force.
    pub limits: access::Limits<'a>,
    /// What makes it riskier than its amount.
    pub circumstances: Circumstances,
    /// What must be acknowledged.
    pub warnings: Vec<Warning>,
}

impl Consent {
    /// Consent of the owner of `wallet`, who sees questions in `window`. The times of gestures are those of
    /// `clock`.
    ///
    /// # Errors
    /// [`ConsentFault::Gate`] if the catalogue of words cannot be named.
    pub fn new(wallet: Arc<Wallet>, window: Arc<dyn Tinguin>, clock: Clock) -> Result<Self, ConsentFault> {
        let gate = Gate { counts: Counts::Person, thresholds: Thresholds::default() };
        let desk = Desk { tray: Tray::new(gate), waiting: BTreeMap::new(), locked: false };
        let (words, desk) = (words()?, Mutex::new(desk));
        let trying = tokio::sync::Mutex::new(());
        Ok(Self(Arc::new(Inner { wallet, window, clock, words, desk, trying })))
    }

    /// The wallet whose owner is asked.
    pub fn wallet(&self) -> &Arc<Wallet> {
        &self.0.wallet
    }

    /// The words of facts.
    pub fn words(&self) -> &Words {
        &self.0.words
    }

    /// What the clock of the gate shows.
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Signs a statement with `key` once it is permitted.
    ///
    /// # Errors
    /// [`ConsentFault`]; nothing is signed.
    pub async fn sign<T: Confirmable + Signable + Send + Sync>(
        &self,
        key: &KeyRef,
        action: Action,
        statement: T,
        context: &T::Context,
        matter: Matter<'_>,
    ) -> Result<Verified<T>, ConsentFault>
    where
        T::Context: Sync,
    {
        let permit = self.permit(action, statement, context, matter).await?;
        Ok(self.0.wallet.keys.sign(key, permit, self.now())?)
    }

    /// The permit for what `statement` says: from access control, or from the person, who is asked.
    ///
    /// # Errors
    /// [`ConsentFault`]; nothing is permitted.
    pub async fn permit<T: Confirmable + Send + Sync>(
        &self,
        action: Action,
        statement: T,
        context: &T::Context,
        matter: Matter<'_>,
    ) -> Result<Permit<T>, ConsentFault>
    where
        T::Context: Sync,
    {
        match self.decide(action, &statement, &matter) {
            access::Decision::Allow(permit) => Ok(permit),
            access::Decision::Deny(why) => Err(ConsentFault::Denied(why)),
            // What is asked about as a signature may be shown as what it is: a proposal, as an exchange.
            access::Decision::Ask(family) if family != T::FAMILY && family != Critical::Sign => {
                Err(ConsentFault::Family { asked: family, shown: T::FAMILY })
            }
            access::Decision::Ask(_) => {
                let part = Part::new(statement, context, &self.0.words)?;
                let mut grants = self.ask(matter.ask(vec![part])).await?;
                grants.take::<T>().ok_or(ConsentFault::Lost)
            }
        }
    }

    /// The permit for what access control allows without asking.
    ///
    /// # Errors
    /// [`ConsentFault::Unasked`] where a person would have to be asked, [`ConsentFault::Denied`].
    pub fn allowed<T: Statement>(
        &self,
        action: Action,
        statement: &T,
        matter: &Matter<'_>,
    ) -> Result<Permit<T>, ConsentFault> {
        match self.decide(action, statement, matter) {
            access::Decision::Allow(permit) => Ok(permit),
            access::Decision::Ask(family) => Err(ConsentFault::Unasked(family)),
            access::Decision::Deny(why) => Err(ConsentFault::Denied(why)),
        }
    }

    fn decide<T: Statement>(
        &self,
        action: Action,
        statement: &T,
        matter: &Matter<'_>,
    ) -> access::Decision<T> {
        let object = Object::with(statement, matter.facts);
        decide(&Subject::User, action, &object, matter.deal, &matter.limits, self.now())
    }

    /// One act of a question, with its facts in the words of this wallet.
    ///
    /// # Errors
    /// [`ConsentFault::Gate`] for a statement that cannot be shown.
    pub fn part<T: Confirmable>(&self, statement: T, context: &T::Context) -> Result<Part, ConsentFault> {
        Ok(Part::new(statement, context, &self.0.words)?)
    }

    /// Asks a person, whatever access control says. What was shown is in the journal before this returns.
    ///
    /// Whoever stops waiting takes the question back.
    ///
    /// # Errors
    /// [`ConsentFault`]: nothing was confirmed.
    pub async fn ask(&self, ask: Ask) -> Result<Grants, ConsentFault> {
        let id = PromptId::from_bytes(chance::random()?);
        let (tell, told) = oneshot::channel();
        let waiting = Waiting { revision: ask.revision, tell };
        let prompt = {
            let mut desk = self.desk();
            if desk.locked {
                return Err(ConsentFault::Withdrawn(Withdrawn::Restart));
            }
            let prompt = desk.tray.submit(ask, id, self.now())?.clone();
            desk.waiting.insert(id, waiting);
            prompt
        };
        let _taken_back = TakeBack { consent: self, id };
        let expires = prompt.expires();
        if self.0.window.ask(prompt) == Asked::Unavailable {
            return Err(ConsentFault::Unavailable);
        }
        let outcome = tokio::select! {
            outcome = told => outcome.map_err(|_| ConsentFault::Lost)?,
            () = self.until(expires) => Outcome::Expired,
        };
        match outcome {
            Outcome::Granted(grants) => {
                self.record(grants.record()).await?;
                Ok(grants)
            }
            Outcome::Declined(reason) => Err(ConsentFault::Declined(reason)),
            Outcome::Expired => Err(ConsentFault::Expired),
            Outcome::Withdrawn(why) => Err(ConsentFault::Withdrawn(why)),
            Outcome::Stale(_) => Err(ConsentFault::Stale),
            Outcome::Unavailable => Err(ConsentFault::Unavailable),
        }
    }

    async fn until(&self, moment: Moment) {
        loop {
            let left = moment.since(self.now());
            if left == Span::default() {
                return;
            }
            // In parts, since the clock may be set while nobody looks.
            sleep(Duration::from_millis(left.as_millis().min(PART.as_millis()))).await;
        }
    }

    async fn record(&self, record: &DisplayRecord) -> Result<(), ConsentFault> {
        let payload = wire::encode(record, wire::STATE_LIMIT)?;
        let line: Entry = entry(Kind::of(Class::UserChoice, name(record.family())), payload, chance::now())?;
        let batch = Batch::new().entry(Entry { deal: record.deal(), ..line });
        Ok(commit(self.0.wallet.archive.as_ref(), batch).await?)
    }

    /// The questions that wait, in the order of the tray.
    pub fn waiting(&self) -> Vec<SealedPrompt> {
        self.desk().tray.list().into_iter().cloned().collect()
    }

    /// Opens a question, because the person chose it; the one that was open goes back to the tray.
    pub fn open(&self, id: PromptId) -> Option<SealedPrompt> {
        self.desk().tray.open(id).cloned()
    }

    /// Puts the open question back into the tray: *decide later*.
    pub fn put_back(&self) {
        self.desk().tray.close();
    }

    /// Takes what the window answers to the open question, with the PIN if it was typed. Says how the question
    /// ended.
    ///
    /// # Errors
    /// [`Refused`]: the answer does not count, and the question stays open.
    pub async fn answer(&self, answer: &Answer, pin: Option<Pin>) -> Result<Ended, Refused> {
        let verified = match pin {
            Some(pin) if self.is_open(answer.id) => {
                let _one = self.0.trying.lock().await;
                Some(pin.verify(&self.0.wallet, answer.id, self.now()).await?)
            }
            Some(_) | None => None,
        };
        let mut desk = self.desk();
        let revision = desk.waiting.get(&answer.id).map_or(0, |waiting| waiting.revision);
        let situation = Situation { now: self.now(), revision, clock_error: Span::default() };
        let outcome = desk.tray.answer(answer, verified.as_ref(), &situation)?;
        let ended = match &outcome {
            Outcome::Granted(_) => Ended::Granted,
            Outcome::Declined(_) => Ended::Declined,
            Outcome::Expired | Outcome::Withdrawn(_) | Outcome::Unavailable => Ended::Expired,
            Outcome::Stale(_) => Ended::Stale,
        };
        desk.tell(answer.id, outcome);
        Ok(ended)
    }

    fn is_open(&self, id: PromptId) -> bool {
        self.desk().tray.opened().is_some_and(|prompt| prompt.id() == id)
    }

    /// The deal of a question has moved on to `revision`: an answer to what was shown before counts no more.
    pub fn revise(&self, id: PromptId, revision: u64) {
        if let Some(waiting) = self.desk().waiting.get_mut(&id) {
            waiting.revision = revision;
        }
    }

    /// Refuses everything that waits because of one party.
    pub fn refuse_all_of(&self, peer: Kid) {
        let ended = self.desk().tray.refuse_all_of(peer);
        self.end(ended, Withdrawn::NotNeeded);
    }

    /// Takes every question back and asks none from now on: the wallet is being locked.
    pub fn lock(&self) {
        let ended = {
            let mut desk = self.desk();
            desk.locked = true;
            desk.tray.shut_down()
        };
        self.end(ended, Withdrawn::Restart);
    }

    /// Tells whoever waits, and then the window, which may ask back.
    fn end(&self, ended: Vec<(PromptId, Outcome)>, why: Withdrawn) {
        for (id, outcome) in ended {
            self.desk().tell(id, outcome);
            self.0.window.withdraw(id, why);
        }
    }

    /// A panic of another holder leaves the tray as it was after its last whole step.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a waiting question looks away from the clock.
const PART: Span = Span::seconds(60);

impl Desk {
    /// Gives an outcome to whoever waits for it; whoever has gone has taken the question back already.
    fn tell(&mut self, id: PromptId, outcome: Outcome) {
        if let Some(waiting) = self.waiting.remove(&id)
            && waiting.tell.send(outcome).is_err()
        {
            tracing::debug!("nobody waits for this answer any more");
        }
    }
}

/// Takes a question back when nobody waits for its outcome any more.
struct TakeBack<'a> {
    consent: &'a Consent,
    id: PromptId,
}

impl Drop for TakeBack<'_> {
    fn drop(&mut self) {
        let taken_back = {
            let mut desk = self.consent.desk();
            desk.waiting.remove(&self.id);
            desk.tray.withdraw(self.id, Withdrawn::NotNeeded)
        };
        if taken_back.is_some() {
            self.consent.0.window.withdraw(self.id, Withdrawn::NotNeeded);
        }
    }
}

impl Matter<'_> {
    /// A question with these acts.
    pub fn ask(self, parts: Vec<Part>) -> Ask {
        Ask {
            parts,
            deal: self.deal.map(|deal| deal.id),
            revision: self.revision,
            peer: self.peer,
            deadline: self.deadline,
            circumstances: self.circumstances,
            warnings: self.warnings,
        }
    }
}

impl std::fmt::Debug for Consent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Consent(…)")
    }
}

/// The words in which facts are shown.
///
/// # Errors
/// [`ConsentFault::Gate`].
pub fn words() -> Result<Words, ConsentFault> {
    let english = ChoiceKey::new("en").map_err(semper_supporting::tinguin::facts::FactError::from);
    Ok(Words::read(english.map_err(semper_supporting::tinguin::gate::GateError::from)?, FACTS))
}

/// The word of a family in the journal.
const fn name(family: Critical) -> &'static str {
    match family {
        Critical::Sign => "sign",
        Critical::Pay => "pay",
        Critical::Exchange => "exchange",
        Critical::PurseMove => "purse-move",
        Critical::Disclose => "disclose",
        Critical::Install => "install",
        Critical::Trust => "trust",
        Critical::Dispute => "dispute",
        Critical::Allow => "allow",
        Critical::Revoke => "revoke",
        Critical::Release => "release",
        Critical::Setting => "setting",
    }
}
