//! What programs hold of the engine: starting, submitting, watching, stopping.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use semper_supporting::{
    archive::{Batch, Query, Store},
    fault::Fault as _,
    machine::Refused,
    time::{ClockBack, Span},
    wire::{self, Record, STATE_LIMIT},
};
use tokio::{
    sync::{Semaphore, TryAcquireError, broadcast, mpsc, oneshot, watch},
    task::JoinSet,
};

use crate::{
    Clock, Effect, EngineError, Host, Key, Performer, Randomness,
    clock::Time,
    driver::{AnyStore, Core},
    outbox::{Mark, Outbox, Task},
    plan::Origin,
    recovery,
    registry::Registry,
    tables,
    timers::Timers,
};

/// What an engine is made of.
#[derive(Debug)]
pub struct Parts<H, S, P, C, R> {
    /// The program's machines.
    pub host: H,
    /// The archive, opened with [`TABLES`](crate::TABLES) in its schema.
    pub store: Arc<S>,
    /// What performs effects.
    pub performer: P,
    /// What tells the time.
    pub clock: C,
    /// Where random bytes come from.
    pub randomness: R,
    /// How much is done at once.
    pub limits: Limits,
}

/// How much is done at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// How many submitted inputs may wait or be worked on; the next one is told [`EngineError::Busy`].
    pub inputs: usize,
    /// How many effects of each class are performed at the same time, questions to the user not counted.
    pub effects: usize,
    /// How long a shutdown waits for effects that are being performed.
    pub grace: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self { inputs: 1024, effects: 256, grace: Span::seconds(5) }
    }
}

/// What became of an input. It is on the disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ack {
    /// Why it changed nothing, if so. It is kept in the journal all the same.
    pub refused: Option<Refused>,
    /// What was answered; for a repeated input, what was answered the first time.
    pub answers: Vec<Vec<u8>>,
}

/// A running engine. Clones are handles of the same one. It stops with [`Engine::shutdown`], or with the
/// runtime it runs on, as it would in a crash.
pub struct Engine<H: Host> {
    core: Arc<Core<H>>,
    inputs: Arc<Semaphore>,
    limits: Limits,
}

impl<H: Host> Clone for Engine<H> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), inputs: Arc::clone(&self.inputs), limits: self.limits }
    }
}

impl<H: Host> std::fmt::Debug for Engine<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<H: Host> Engine<H> {
    /// Starts an engine and takes up everything that an earlier one left undone.
    ///
    /// # Errors
    /// [`EngineError`] if the archive cannot be read.
    pub async fn start<S, P, C, R>(parts: Parts<H, S, P, C, R>) -> Result<Self, EngineError>
    where
        S: Store,
        P: Performer<H::Input>,
        C: Clock,
        R: Randomness,
    {
        let Parts { host, store, performer, clock, randomness, limits } = parts;
        let store: Arc<dyn AnyStore> = store;
        let past = recovery::past(&*store).await?;
        if let Some(back) = ClockBack::found(past.last, clock.now()) {
            tracing::warn!(code = back.code(), "{back} Time stands still until it has caught up.");
        }
        let (marks, marked) = mpsc::unbounded_channel();
        let core = Arc::new(Core {
            host,
            store,
            performer: Box::new(performer),
            time: Time::new(Arc::new(clock), past.last),
            randomness: Box::new(randomness),
            registry: Registry::new(),
            timers: Timers::default(),
            outbox: Outbox::new(limits.effects),
            marks,
            news: broadcast::Sender::new(1024),
            closing: watch::Sender::new(false),
            inner: Semaphore::new(limits.inputs),
            tasks: Mutex::new(JoinSet::new()),
            signed: AtomicU64::new(past.signed),
        });
        core.spawn(Arc::clone(&core).keep_marks(marked));
        let found = core.recover().await?;
        if found.effects > 0 || found.timers > 0 {
            tracing::info!(effects = found.effects, timers = found.timers, "taken up again");
        }
        core.spawn(Arc::clone(&core).keep_time());
        Ok(Self { core, inputs: Arc::new(Semaphore::new(limits.inputs)), limits })
    }

    /// Gives an instance an input. The answer comes once the step is on the disk; its effects follow.
    ///
    /// The step goes on even if the future is dropped.
    ///
    /// # Errors
    /// [`EngineError`]; then nothing has changed, except that a declined input may have been journaled.
    pub async fn submit(&self, key: Key, input: H::Input) -> Result<Ack, EngineError> {
        if *self.core.closing.borrow() {
            return Err(EngineError::Closed);
        }
        let room = Arc::clone(&self.inputs).try_acquire_owned().map_err(|error| match error {
            TryAcquireError::NoPermits => EngineError::Busy,
            TryAcquireError::Closed => EngineError::Closed,
        })?;
        let core = Arc::clone(&self.core);
        let step = tokio::spawn(async move {
            let _room = room;
            core.take(&key, &input, &Origin::Submitted).await
        });
        step.await.unwrap_or(Err(EngineError::Closed))
    }

    /// Watches an instance: what it shows now, and from now on. `None` while it has not begun.
    ///
    /// # Errors
    /// [`EngineError`] if its state cannot be read.
    pub async fn watch(&self, key: &Key) -> Result<watch::Receiver<Option<H::Snapshot>>, EngineError> {
        let mut held = self.core.registry.hold(&BTreeSet::from([key.clone()])).await;
        self.core.load(&mut held).await?;
        held.get(key).map(|cell| cell.shown.subscribe()).ok_or(EngineError::Unknown)
    }

    /// The names of instances whose state has changed, from now on. Whoever is too slow misses some, and is
    /// told how many.
    pub fn news(&self) -> broadcast::Receiver<Key> {
        self.core.news.subscribe()
    }

    /// The instances that have not ended, up to `limit` of them behind `after`.
    ///
    /// # Errors
    /// [`EngineError`] if the archive cannot be read.
    pub async fn open_instances(&self, after: Option<&Key>, limit: u32) -> Result<Vec<Key>, EngineError> {
        let mut query = Query::of(tables::INSTANCE.name).equal("ended", false).limit(limit);
        query.after = after.map(tables::instance_key);
        let rows = self.core.store.query(vec![query]).await?;
        Ok(rows.iter().flatten().map(tables::key_of).collect::<Result<_, _>>()?)
    }

    /// Has the host sign the head of the journal now, and keeps it: before a request to an arbiter, at the
    /// end of a deal, before an export.
    ///
    /// # Errors
    /// [`EngineError`] if the archive refuses.
    pub async fn sign_head(&self) -> Result<(), EngineError> {
        let head = self.core.commit(Batch::new()).await?.head;
        if let Some(row) = self.core.host.sign_head(head, self.core.time.now()) {
            self.core.commit(Batch::new().row(row)).await?;
            self.core.signed.fetch_max(head.seq, Ordering::AcqRel);
        }
        Ok(())
    }

    /// Waits until no effect of an instance is left to be done.
    pub async fn settled(&self, key: &Key) {
        self.core.outbox.settled(key).await;
    }

    /// Waits until every effect that has been performed is marked done.
    pub async fn flush(&self) {
        let (answer, answered) = oneshot::channel();
        if self.core.marks.send(Mark::Flush(answer)).is_ok() {
            // The other side answers, or is gone with nothing left to do.
            let _ = answered.await;
        }
    }

    /// Stops: takes no more inputs, finishes the steps that are under way, gives effects that are being
    /// performed a little time, and marks what is done. What is left is taken up at the next start, as it
    /// would be after a crash.
    pub async fn shutdown(self) {
        self.core.closing.send_replace(true);
        let all = u32::try_from(self.limits.inputs).unwrap_or(u32::MAX);
        if let Ok(every) = self.inputs.acquire_many(all).await {
            self.inputs.close();
            drop(every);
        }
        let mut tasks = std::mem::take(&mut *self.core.tasks());
        let grace = Duration::from_millis(self.limits.grace.as_millis());
        let ended = tokio::time::timeout(grace, async {
            // One task remains to the end: the one that keeps marks.
            while tasks.len() > 1 && tasks.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::info!(left = tasks.len(), "effects under way are left for the next start");
        }
        self.flush().await;
        tasks.shutdown().await;
    }
}

impl<H: Host> Core<H> {
    /// Runs a task that ends with the engine.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Turns timers that are due into inputs, until the engine closes.
    async fn keep_time(self: Arc<Self>) {
        let mut closing = self.closing.subscribe();
        loop {
            let next = self.timers.next();
            let wait = async {
                match next {
                    Some(moment) => self.time.until(moment).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = self.timers.changed() => {}
                _ = closing.wait_for(|closing| *closing) => return,
            }
            for alarm in self.timers.take_due(self.time.now()) {
                let core = Arc::clone(&self);
                self.spawn(async move { core.ring(alarm).await });
            }
        }
    }

    async fn ring(self: Arc<Self>, mut alarm: crate::timers::Alarm) {
        let _room = self.inner.acquire().await;
        let input = self.host.due(&alarm.key, &alarm.name);
        match self.take(&alarm.key, &input, &Origin::Timer(alarm.clone())).await {
            // Cleared or set anew in the meantime.
            Ok(_) | Err(EngineError::Stale) => {}
            Err(error) => {
                tracing::warn!(key = ?alarm.key, timer = ?alarm.name, %error, "a timer was not taken");
                alarm.wake = self.time.now().after(Span::seconds(5));
                self.timers.set_again(alarm);
            }
        }
    }
}

/// The state of an instance as it was committed last, for whoever has the archive and no engine at hand: a
/// performer that must know more than its effect says. `None` while it has not begun.
///
/// # Errors
/// [`EngineError`] if it cannot be read.
pub async fn stored<M: Record>(store: &impl Store, key: &Key) -> Result<Option<M>, EngineError> {
    let query = Query::of(tables::INSTANCE.name).equal("kind", key.kind.as_str()).equal("id", key.id.clone());
    let rows = store.query(vec![query]).await?;
    let Some(row) = rows.iter().flatten().next() else { return Ok(None) };
    Ok(Some(wire::decode(row.bytes("state")?, STATE_LIMIT)?))
}

/// The effects of an instance that are not done yet, in their order, for whoever shows what is being waited for.
///
/// # Errors
/// [`EngineError`] if they cannot be read.
pub async fn undone(store: &impl Store, key: &Key) -> Result<Vec<Effect>, EngineError> {
    let query = Query::of(tables::OUTBOX.name).equal("done", false);
    let query = query.equal("kind", key.kind.as_str()).equal("id", key.id.clone());
    let rows = store.query(vec![query]).await?;
    rows.iter().flatten().map(|row| Ok(Task::from_row(row)?.effect)).collect()
}
