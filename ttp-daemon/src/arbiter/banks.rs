//! Errands to banks: what a case orders is sent until the bank has answered.
//!
//! An order is the same bytes however often it is sent, and a bank answers a repeat with what it answered
//! first. A bank that cannot be reached is asked again after 5 s, then after twice as long each time, up to
//! an hour.

use std::{sync::Arc, time::Duration};

use semper_comm_tls::{Call, Dialer, Expected, Identity, Network as _};
use semper_exchange::{deadlines::retry, generatable_verifiable::third_party::Event};
use semper_host::chance;
use semper_supporting::{
    archive::{Batch, Query, Relation, Store, Value},
    certificate::CertRole,
    comm::{
        envelope::Envelope,
        frame::{Frame, Kind},
        session::NetEvent,
    },
    crypto::{digest::Digest, keys::KeyRef},
    evidence::{Signable, SignedBytes, Statement as _, statement},
    time::Moment,
    wire,
};
use semper_transfer::{
    payment::{
        message::{Award, Freeze, Look},
        module::BankReply,
    },
    property::{Answer, Begun, Binding, TooLate, TtpItem as _},
};
use tokio::time::timeout;

use super::{
    Arbiter, ArbiterError, BankPlace,
    making::described,
    step::{Source, observed, revoked},
    tables::{Due, ERRAND, Errand},
};

/// How long a bank may take to answer one order.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often errands are looked at without a step having been taken.
const LOOK: Duration = Duration::from_secs(1);
/// How many errands are run in one go.
const AT_ONCE: u32 = 64;
/// The longest order and answer in bytes.
const ORDER: usize = 64 << 10;

/// A way to a bank.
pub trait Teller: Send + Sync + 'static {
    /// Sends an order and gives the bank's answer; nothing if it cannot be reached or does not answer.
    fn send(&self, bank: &BankPlace, order: SignedBytes) -> impl Future<Output = Option<BankReply>> + Send;
}

/// A way to banks over connections of the arbiter's own.
#[derive(Debug)]
pub struct TlsTeller {
    /// What calls.
    pub dialer: Arc<Dialer>,
    /// What the arbiter shows.
    pub identity: Identity,
}

impl Teller for TlsTeller {
    async fn send(&self, bank: &BankPlace, order: SignedBytes) -> Option<BankReply> {
        timeout(PATIENCE, self.call(bank, order)).await.ok().flatten()
    }
}

impl TlsTeller {
    async fn call(&self, bank: &BankPlace, order: SignedBytes) -> Option<BankReply> {
        let call = Call {
            to: bank.address.clone(),
            identity: self.identity.clone(),
            expected: Expected::Key(CertRole::Bank, bank.key.kid()),
        };
        let mut session = self.dialer.dial(&call).await.ok()?;
        let body = wire::encode(&order, ORDER).ok()?;
        let frame = Envelope::unnumbered(None, body).frame(Kind::Payment, 1).ok()?;
        session.send.send(frame).await.ok()?;
        loop {
            match session.receive.next().await {
                NetEvent::Frame(frame) if frame.kind == Kind::Payment => return read(&frame),
                NetEvent::Down(_) | NetEvent::Complained(_) | NetEvent::Busy(_) => return None,
                NetEvent::Frame(_) | NetEvent::Up(_) => {}
            }
        }
    }
}

fn read(frame: &Frame) -> Option<BankReply> {
    let envelope = Envelope::read(frame).ok()?;
    wire::decode(&envelope.body, ORDER).ok()
}

/// Runs errands until the task is dropped, each bank's on a task of its own.
pub async fn work<S: Store, T: Teller>(arbiter: Arc<Arbiter<S>>, teller: Arc<T>) {
    let mut at_work = tokio::task::JoinSet::new();
    let banks: Vec<Digest> = arbiter.banks.keys().copied().collect();
    for bank in banks.into_iter().map(Some).chain([None]) {
        let (arbiter, teller) = (Arc::clone(&arbiter), Arc::clone(&teller));
        at_work.spawn(async move { attend(&arbiter, &*teller, bank).await });
    }
    while at_work.join_next().await.is_some() {}
}

async fn attend<S: Store, T: Teller>(arbiter: &Arbiter<S>, teller: &T, bank: Option<Digest>) {
    let mut steps = arbiter.steps();
    loop {
        if let Err(error) = arbiter.run_errands(teller, bank, chance::now()).await {
            tracing::error!(%error, "errands could not be run");
            tokio::time::sleep(LOOK).await;
        }
        // A step may have ordered something; otherwise something put off may be due.
        let _ = timeout(LOOK, steps.changed()).await;
    }
}

impl<S: Store> Arbiter<S> {
    /// Runs the errands to `bank` that are due, and those that need no bank where there is none given.
    ///
    /// # Errors
    /// [`ArbiterError`]; what was answered before stays answered.
    pub async fn run_errands<T: Teller>(
        &self,
        teller: &T,
        bank: Option<Digest>,
        now: Moment,
    ) -> Result<(), ArbiterError> {
        let due = Query::of(ERRAND.name)
            .equal("bank", bank)
            .when("due_ms", Relation::AtMost, Value::millis(now))
            .order("due_ms", semper_supporting::archive::Direction::Rising)
            .limit(AT_ONCE);
        for row in self.store.query(vec![due]).await?.into_iter().flatten() {
            let due = Due::from_row(&row)?;
            match self.run_errand(teller, bank, &due).await {
                Err(ArbiterError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    // One case that is stuck does not stop the others.
                    tracing::error!(exchange = %due.xid, %error, "an errand cannot be run");
                    self.put_off(&due, chance::now()).await?;
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    async fn run_errand<T: Teller>(
        &self,
        teller: &T,
        bank: Option<Digest>,
        due: &Due,
    ) -> Result<(), ArbiterError> {
        let event = match (&due.errand, bank.and_then(|bank| self.banks.get(&bank))) {
            (Errand::Again(agr), _) => Some(Event::Elapsed(*agr)),
            (Errand::Observe(..) | Errand::Revoke(_), None) => None,
            (Errand::Observe(..) | Errand::Revoke(_), Some(place)) => {
                match self.order(due, chance::now()).await? {
                    Some(order) => {
                        let reply = teller.send(place, order).await;
                        self.read(due, reply).await?
                    }
                    None => None,
                }
            }
        };
        let now = chance::now();
        match event {
            Some(event) => {
                let source = Source { errand: Some(due.clone()), ..Source::default() };
                self.take(due.xid, &event, &source, now).await.map(drop)
            }
            None => self.put_off(due, now).await,
        }
    }

    /// Puts an errand off, each time for longer.
    async fn put_off(&self, due: &Due, now: Moment) -> Result<(), ArbiterError> {
        let later = due.later(now.after(retry(due.tries)));
        Ok(semper_host::record::commit(&*self.store, Batch::new().row(later)).await?)
    }

    /// The signed order of an errand.
    async fn order(&self, due: &Due, now: Moment) -> Result<Option<SignedBytes>, ArbiterError> {
        let Some(case) = self.stored(due.xid).await? else { return Ok(None) };
        let payments = self.payments();
        let order = match &due.errand {
            Errand::Observe(binding, look) => {
                match payments.observe(binding, described(&case.third_party, binding)?, *look) {
                    Begun::Ask(order) => order,
                    Begun::Done(_) => return Ok(None),
                }
            }
            Errand::Revoke(binding) => {
                match payments.revoke(binding, described(&case.third_party, binding)?) {
                    Begun::Ask(order) => order,
                    Begun::Done(_) => return Ok(None),
                }
            }
            Errand::Again(_) => return Ok(None),
        };
        let kind = statement::type_of(&order.tbs).unwrap_or_default();
        match kind.as_str() {
            Look::TYPE => self.sign_order::<Look>(&order.tbs, now).map(Some),
            Freeze::TYPE => self.sign_order::<Freeze>(&order.tbs, now).map(Some),
            Award::TYPE => self.sign_order::<Award>(&order.tbs, now).map(Some),
            _ => Err(ArbiterError::Draft(kind)),
        }
    }

    fn sign_order<T: Signable>(&self, tbs: &[u8], now: Moment) -> Result<SignedBytes, ArbiterError> {
        let key: &KeyRef = &self.key;
        let value: T = statement::from_bytes(tbs).map_err(|error| ArbiterError::Draft(error.to_string()))?;
        Ok(self.keys.attest(key, &self.policy, &value, now)?.bytes().clone())
    }

    /// What a bank's answer means for the case; nothing if it is to be asked again.
    async fn read(&self, due: &Due, reply: Option<BankReply>) -> Result<Option<Event>, ArbiterError> {
        let Some(case) = self.stored(due.xid).await? else { return Ok(None) };
        let answer = match reply {
            Some(BankReply::Signed(signed)) => Answer::Signed(signed),
            Some(BankReply::NotYet) => Answer::NotYet,
            Some(BankReply::Refused(code)) => return Ok(refused(due, &code)),
            None => {
                tracing::warn!(exchange = %due.xid, tries = due.tries, "the bank does not answer");
                return Ok(None);
            }
        };
        let payments = self.payments();
        let description = |binding: &Binding| described(&case.third_party, binding);
        let event = match &due.errand {
            Errand::Observe(binding, look) => {
                let read = payments.observed(binding, description(binding)?, *look, &answer);
                read.map(|observation| observed(binding, *look, observation))
            }
            Errand::Revoke(binding) => {
                let read = payments.revoked(binding, description(binding)?, &answer);
                read.map(|result| revoked(binding, result))
            }
            Errand::Again(_) => return Ok(None),
        };
        event.map(Some).or_else(|error| {
            tracing::error!(exchange = %due.xid, %error, "the bank's answer is none");
            Ok(None)
        })
    }
}

/// A bank that refuses to undo a payment because it does not name this arbiter never will undo it. Any other
/// refusal may pass.
fn refused(due: &Due, code: &str) -> Option<Event> {
    tracing::warn!(exchange = %due.xid, code, "the bank refuses an order");
    match &due.errand {
        Errand::Revoke(binding) if code == "pay.not-yours" => Some(revoked(binding, Err(TooLate))),
        Errand::Revoke(_) | Errand::Observe(..) | Errand::Again(_) => None,
    }
}
