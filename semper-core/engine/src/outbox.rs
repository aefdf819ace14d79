//! Effects on their way: in order for each receiver, tried again until done, marked done in bundles.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use semper_supporting::{
    archive::{Batch, Row, RowOp, StoreError, journal::Entry},
    time::Span,
    wire::{self, STATE_LIMIT},
};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};

use crate::{
    EngineError,
    driver::Core,
    host::{Class, Effect, Host, Key, Performed},
    journal,
    plan::Origin,
    tables,
};

/// The most marks that share one transaction.
const MARKS: usize = 1024;

/// An effect that is not done yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Task {
    pub(crate) key: Key,
    pub(crate) ver: u64,
    pub(crate) n: u64,
    pub(crate) effect: Effect,
    pub(crate) jitter: u64,
}

/// What the task that marks effects done is given.
#[derive(Debug)]
pub(crate) enum Mark {
    /// A change of a row that stands for itself.
    Row(RowOp),
    /// Asks to be told once everything before it is committed.
    Flush(oneshot::Sender<()>),
}

/// The effects by instance and receiver.
#[derive(Debug)]
pub(crate) struct Outbox {
    lanes: Mutex<BTreeMap<(Key, String), Lane>>,
    /// Woken whenever a lane ends.
    ended: Notify,
    slots: Slots,
}

/// How many effects are performed at a time. Peers that do not read keep nothing from banks and third parties.
#[derive(Debug)]
struct Slots {
    peer: Semaphore,
    third_party: Semaphore,
    payment: Semaphore,
}

#[derive(Debug, Default)]
struct Lane {
    tasks: VecDeque<Arc<Task>>,
    changed: Arc<Notify>,
}

impl Task {
    pub(crate) fn from_row(row: &Row) -> Result<Self, EngineError> {
        Ok(Self {
            key: tables::key_of(row)?,
            ver: row.count("ver")?,
            n: row.count("n")?,
            effect: wire::decode(row.bytes("effect")?, STATE_LIMIT)?,
            jitter: row.count("jitter")?,
        })
    }

    /// Marks it done: its row is kept where it may have to be repeated, else gone.
    pub(crate) fn done(&self) -> RowOp {
        let row = tables::effect_key(&self.key, self.ver, self.n);
        if self.effect.repeat {
            RowOp::update(tables::OUTBOX.name, row, Row::new().with("done", true))
        } else {
            RowOp::delete(tables::OUTBOX.name, row)
        }
    }

    fn lane(&self) -> (Key, String) {
        (self.key.clone(), self.effect.to.clone())
    }

    /// How long to wait after the failure number `attempt`: doubled each time up to the class's most, less
    /// up to a half by the chance that was journaled with the step.
    fn patience(&self, attempt: u32) -> Span {
        let (first, most) = self.effect.class.spans();
        let whole = first.as_millis().saturating_mul(1_u64.checked_shl(attempt).unwrap_or(u64::MAX));
        let whole = whole.min(most.as_millis());
        let turn = self.jitter.rotate_left(attempt.wrapping_mul(7));
        let less = turn.checked_rem(whole.div_euclid(2).max(1)).unwrap_or(0);
        Span::millis(whole.saturating_sub(less))
    }
}

impl Class {
    const fn spans(self) -> (Span, Span) {
        match self {
            Self::Peer | Self::Local => (Span::seconds(1), Span::seconds(60)),
            Self::ThirdParty => (Span::seconds(5), Span::hours(1)),
            Self::Payment => (Span::seconds(1), Span::minutes(5)),
        }
    }
}

impl Outbox {
    pub(crate) const fn new(slots: usize) -> Self {
        Self {
            lanes: Mutex::new(BTreeMap::new()),
            ended: Notify::const_new(),
            slots: Slots {
                peer: Semaphore::const_new(slots),
                third_party: Semaphore::const_new(slots),
                payment: Semaphore::const_new(slots),
            },
        }
    }

    /// The effects of an instance to one receiver that are not done.
    pub(crate) fn waiting(&self, key: &Key, to: &str) -> Vec<(u64, u64)> {
        let lanes = self.lanes();
        let lane = lanes.get(&(key.clone(), to.to_owned()));
        lane.map(|lane| lane.tasks.iter().map(|task| (task.ver, task.n)).collect()).unwrap_or_default()
    }

    /// Gives up what [`Outbox::waiting`] lists.
    pub(crate) fn withdraw(&self, key: &Key, to: &str) {
        if let Some(lane) = self.lanes().get_mut(&(key.clone(), to.to_owned())) {
            lane.tasks.clear();
            lane.changed.notify_one();
        }
    }

    /// Adds a task; tells whether its lane has to be started.
    fn push(&self, task: Task) -> bool {
        let mut lanes = self.lanes();
        let name = task.lane();
        let started = lanes.contains_key(&name);
        let lane = lanes.entry(name).or_default();
        if !lane.tasks.iter().any(|other| (other.ver, other.n) == (task.ver, task.n)) {
            lane.tasks.push_back(Arc::new(task));
        }
        !started
    }

    /// The next task of a lane; a lane without one ends.
    fn front(&self, name: &(Key, String)) -> Option<(Arc<Task>, Arc<Notify>)> {
        let mut lanes = self.lanes();
        let front = lanes
            .get(name)
            .and_then(|lane| lane.tasks.front().map(|task| (Arc::clone(task), Arc::clone(&lane.changed))));
        if front.is_none() {
            lanes.remove(name);
            self.ended.notify_waiters();
        }
        front
    }

    /// Waits until no effect of this instance is left to be done.
    pub(crate) async fn settled(&self, key: &Key) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // Counts from here on, so that no end is missed.
            ended.as_mut().enable();
            if !self.lanes().keys().any(|(one, _)| one == key) {
                return;
            }
            ended.await;
        }
    }

    fn is_front(&self, task: &Arc<Task>) -> bool {
        let lanes = self.lanes();
        lanes
            .get(&task.lane())
            .and_then(|lane| lane.tasks.front())
            .is_some_and(|front| Arc::ptr_eq(front, task))
    }

    fn pop(&self, task: &Arc<Task>) {
        if let Some(lane) = self.lanes().get_mut(&task.lane())
            && lane.tasks.front().is_some_and(|front| Arc::ptr_eq(front, task))
        {
            lane.tasks.pop_front();
        }
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<(Key, String), Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: Host> Core<H> {
    /// Hands over effects that are committed.
    pub(crate) fn enqueue(self: &Arc<Self>, tasks: Vec<Task>) {
        for task in tasks {
            let name = task.lane();
            if self.outbox.push(task) {
                let core = Arc::clone(self);
                self.spawn(async move { core.perform_lane(name).await });
            }
        }
    }

    /// Performs the effects of one instance to one receiver, one after the other.
    async fn perform_lane(self: Arc<Self>, name: (Key, String)) {
        let mut closing = self.closing.subscribe();
        while let Some((task, changed)) = self.outbox.front(&name) {
            let mut attempt = 0_u32;
            while self.outbox.is_front(&task) {
                if *closing.borrow() {
                    return;
                }
                if self.perform(&task, attempt, &changed).await {
                    self.outbox.pop(&task);
                    break;
                }
                tokio::select! {
                    () = self.time.pause(task.patience(attempt)) => {}
                    () = changed.notified() => {}
                    _ = closing.wait_for(|closing| *closing) => return,
                }
                attempt = attempt.saturating_add(1);
            }
        }
    }

    /// Tries to perform `task` once; tells whether it is dealt with. What is withdrawn meanwhile is waited for no
    /// longer: a question leaves the tray, a download stops. An answer that is there is taken to the end.
    async fn perform(self: &Arc<Self>, task: &Arc<Task>, attempt: u32, changed: &Notify) -> bool {
        let performing = async {
            // Questions to the user wait as long as they wait; they take no room from the network.
            let slots = &self.outbox.slots;
            let _slot = match task.effect.class {
                Class::Local => None,
                Class::Peer => slots.peer.acquire().await.ok(),
                Class::ThirdParty => slots.third_party.acquire().await.ok(),
                Class::Payment => slots.payment.acquire().await.ok(),
            };
            self.performer.perform(&task.key, &task.effect, attempt).await
        };
        let withdrawn = async {
            while self.outbox.is_front(task) {
                changed.notified().await;
            }
        };
        let performed = tokio::select! {
            biased;
            performed = performing => performed,
            () = withdrawn => return true,
        };
        match performed {
            Performed::Done => {
                let _ = self.marks.send(Mark::Row(task.done()));
                true
            }
            Performed::Answered(input) => {
                let _room = self.inner.acquire().await;
                match self.take(&task.key, &input, &Origin::Effect(Arc::clone(task))).await {
                    Ok(_) | Err(EngineError::Stale) => true,
                    Err(error) => {
                        tracing::warn!(key = ?task.key, to = ?task.effect.to, %error, "an answer was not taken");
                        false
                    }
                }
            }
            Performed::Failed(why) => {
                tracing::debug!(key = ?task.key, to = ?task.effect.to, attempt, ?why, "will be tried again");
                false
            }
            Performed::Dropped(why) => self.give_up(task, why).await,
        }
    }

    /// Journals that an effect can never be performed, and marks it done.
    async fn give_up(&self, task: &Task, why: String) -> bool {
        tracing::error!(key = ?task.key, to = ?task.effect.to, ?why, "an effect cannot be performed");
        let Ok(salt) = self.randomness.salt() else { return false };
        let payload = format!("{:?} to {:?}: {why}", task.key, task.effect.to).into_bytes();
        let entry = Entry { at: self.time.now(), kind: journal::DROPPED, deal: None, salt, payload };
        self.commit(Batch::new().row(task.done()).entry(entry)).await.is_ok()
    }

    /// Commits marks in bundles until the engine is gone.
    pub(crate) async fn keep_marks(self: Arc<Self>, mut marks: mpsc::UnboundedReceiver<Mark>) {
        while let Some(first) = marks.recv().await {
            let (mut batches, mut flushes) = (Vec::new(), Vec::new());
            let mut next = Some(first);
            while let Some(mark) = next.take() {
                match mark {
                    Mark::Row(op) => batches.push(Batch::new().row(op)),
                    Mark::Flush(answer) => flushes.push(answer),
                }
                if batches.len() < MARKS {
                    next = marks.try_recv().ok();
                }
            }
            self.keep(batches).await;
            for answer in flushes {
                // Whoever asked may have gone.
                let _ = answer.send(());
            }
        }
    }

    /// Commits `batches`, each for itself, and tries again those that met a failing disk. A mark that is
    /// lost means that an effect is performed once more.
    async fn keep(&self, mut batches: Vec<Batch>) {
        while !batches.is_empty() {
            let answers = self.store.commit(batches.clone()).await;
            let failed: Vec<Batch> = batches
                .into_iter()
                .zip(answers)
                .filter_map(|(batch, answer)| match answer {
                    // Absent: withdrawn meanwhile.
                    Ok(_) | Err(StoreError::Absent(_)) => None,
                    Err(error) => {
                        tracing::warn!(%error, "an effect could not be marked done");
                        matches!(error, StoreError::Full | StoreError::Failed(_)).then_some(batch)
                    }
                })
                .collect();
            batches = failed;
            if *self.closing.borrow() {
                return;
            }
            if !batches.is_empty() {
                self.time.pause(Span::seconds(1)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(class: Class, n: u64, jitter: u64) -> Task {
        let effect = Effect { class, to: "peer".into(), body: vec![], repeat: false };
        Task { key: Key::new("x", [1]), ver: 1, n, effect, jitter }
    }

    #[test]
    fn patience_doubles_within_the_bounds_of_its_class() {
        let bounds = [
            (Class::Peer, 1_000, 60_000),
            (Class::ThirdParty, 5_000, 3_600_000),
            (Class::Payment, 1_000, 300_000),
        ];
        for (class, first, most) in bounds {
            for jitter in [0, 1, u64::MAX / 3, u64::MAX >> 1] {
                let spans: Vec<u64> =
                    (0..80).map(|attempt| task(class, 0, jitter).patience(attempt).as_millis()).collect();
                for (attempt, span) in spans.iter().enumerate() {
                    let whole = (first << attempt.min(40)).min(most);
                    assert!(*span <= whole && *span >= whole / 2, "{class:?} {attempt}: {span}");
                }
            }
        }
        assert_ne!(task(Class::Peer, 0, 77_777).patience(3), task(Class::Peer, 0, 99).patience(3));
    }

    #[test]
    fn a_lane_keeps_its_order_takes_nothing_twice_and_can_be_withdrawn() {
        let outbox = Outbox::new(1);
        assert!(outbox.push(task(Class::Peer, 1, 0)));
        assert!(!outbox.push(task(Class::Peer, 2, 0)) && !outbox.push(task(Class::Peer, 1, 0)));
        let key = Key::new("x", [1]);
        assert_eq!(outbox.waiting(&key, "peer"), vec![(1, 1), (1, 2)]);
        let name = (key.clone(), "peer".to_owned());
        let (first, _) = outbox.front(&name).unwrap();
        outbox.withdraw(&key, "peer");
        assert!(!outbox.is_front(&first) && outbox.front(&name).is_none());
        assert!(outbox.push(task(Class::Peer, 3, 0)), "an ended lane starts again");
    }
}
