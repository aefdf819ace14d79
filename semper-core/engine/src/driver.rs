//! The driver: for every input one plan, one transaction, and then its effects.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use semper_supporting::{
    archive::{
        Batch, Committed, Query, Row, RowOp, Store, StoreError, head,
        journal::{Entry, Head},
    },
    crypto::digest::Digest,
    machine::Refused,
    wire::{self, STATE_LIMIT},
};
use tokio::{
    sync::{Semaphore, broadcast, mpsc, watch},
    task::JoinSet,
};

use crate::{
    Ack, EngineError,
    clock::Time,
    host::{AnyPerformer, Host, Key},
    outbox::{Mark, Outbox, Task},
    plan::{self, Marked, Origin, Plan, Planned, Request},
    random::Randomness,
    registry::{Held, Registry},
    tables,
    timers::{Alarm, Timers},
};

/// How often a step is taken again because something it depends on changed in between.
const AGAIN: u32 = 5;
/// The most instances one transaction may touch.
const INSTANCES: usize = 16;

/// All parts of a running engine.
pub(crate) struct Core<H: Host> {
    pub(crate) host: H,
    pub(crate) store: Arc<dyn AnyStore>,
    pub(crate) performer: Box<dyn AnyPerformer<H::Input>>,
    pub(crate) time: Time,
    pub(crate) randomness: Box<dyn Randomness>,
    pub(crate) registry: Registry<H::Machine, H::Snapshot>,
    pub(crate) timers: Timers,
    pub(crate) outbox: Outbox,
    pub(crate) marks: mpsc::UnboundedSender<Mark>,
    pub(crate) news: broadcast::Sender<Key>,
    pub(crate) closing: watch::Sender<bool>,
    /// Room for inputs that come from timers and effects.
    pub(crate) inner: Semaphore,
    pub(crate) tasks: Mutex<JoinSet<()>>,
    /// The number of the journal's last entry that a signed head covers.
    pub(crate) signed: AtomicU64,
}

impl<H: Host> Core<H> {
    /// Takes one input: the one way in which anything ever happens.
    pub(crate) async fn take(
        self: &Arc<Self>,
        key: &Key,
        input: &H::Input,
        origin: &Origin,
    ) -> Result<Ack, EngineError> {
        let now = self.time.now();
        let mut wanted = BTreeSet::from([key.clone()]);
        let (mut blocks, mut marks, mut again) = (Vec::new(), false, 0);
        loop {
            let mut held = self.registry.hold(&wanted).await;
            self.load(&mut held).await?;
            let request = Request { key, input, origin, now, marks };
            let mut plan = match plan::plan(self, request, &held, &mut blocks).await? {
                Planned::Ready(plan) => plan,
                Planned::Needs(_) if wanted.len() == INSTANCES => return Err(EngineError::Runaway),
                Planned::Needs(other) => {
                    wanted.insert(other);
                    continue;
                }
                Planned::Repeated(marked) => return self.repeat(marked, origin).await,
                Planned::Declined(code, entry) => return self.decline(code, entry).await,
            };
            match self.commit(std::mem::take(&mut plan.batch)).await {
                Ok(committed) => {
                    let ack = self.settle(*plan, &mut held);
                    drop(held);
                    self.cover(committed.head);
                    return Ok(ack);
                }
                Err(StoreError::Guard(tables::ORIGIN)) => return Err(EngineError::Stale),
                Err(StoreError::Guard(tables::REPEATED)) => marks = true,
                Err(StoreError::Guard(_) | StoreError::Duplicate(_)) => {}
                Err(error) => {
                    held.values_mut().for_each(|cell| cell.known = None);
                    return Err(error.into());
                }
            }
            again += 1;
            if again > AGAIN {
                return Err(EngineError::Busy);
            }
            held.values_mut().for_each(|cell| cell.known = None);
        }
    }

    /// Reads the states of instances that are not in memory.
    pub(crate) async fn load(&self, held: &mut Held<H::Machine, H::Snapshot>) -> Result<(), EngineError> {
        let missing: Vec<Key> =
            held.iter().filter(|(_, cell)| cell.known.is_none()).map(|(key, _)| key.clone()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let query = |key: &Key| {
            let kind = Query::of(tables::INSTANCE.name).equal("kind", key.kind.as_str());
            kind.equal("id", key.id.clone())
        };
        let answers = self.store.query(missing.iter().map(query).collect()).await?;
        for (key, rows) in missing.iter().zip(answers) {
            let Some(cell) = held.get_mut(key) else { continue };
            cell.known = Some(match rows.first() {
                None => (0, None),
                Some(row) => {
                    let state: H::Machine = wire::decode(row.bytes("state")?, STATE_LIMIT)?;
                    let shown = self.host.snapshot(key, &state);
                    cell.shown.send_replace(Some(shown));
                    (row.count("ver")?, Some(state))
                }
            });
        }
        Ok(())
    }

    pub(crate) async fn look(&self, key: &Key, input: &H::Input) -> Result<Vec<Vec<Row>>, EngineError> {
        let queries = self.host.look(key, input);
        if queries.is_empty() { Ok(Vec::new()) } else { Ok(self.store.query(queries).await?) }
    }

    pub(crate) async fn find_mark(&self, key: &Key, mark: &Digest) -> Result<Option<Marked>, EngineError> {
        let query = Query::of(tables::MARK.name)
            .equal("kind", key.kind.as_str())
            .equal("id", key.id.clone())
            .equal("mark", *mark);
        let rows = self.store.query(vec![query]).await?;
        let Some(row) = rows.first().and_then(|rows| rows.first()) else { return Ok(None) };
        Ok(Some(wire::decode(row.bytes("answers")?, STATE_LIMIT)?))
    }

    /// Commits one batch.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<Committed, StoreError> {
        let mut answers = self.store.commit(vec![batch]).await;
        answers.pop().unwrap_or_else(|| Err(StoreError::misuse("one batch has one answer")))
    }

    /// Brings memory up to what was committed, while the instances are still held.
    fn settle(self: &Arc<Self>, plan: Plan<H>, held: &mut Held<H::Machine, H::Snapshot>) -> Ack {
        // Whoever sees the new state finds its effects on their way.
        for (key, to) in &plan.withdrawn {
            self.outbox.withdraw(key, to);
        }
        self.enqueue(plan.tasks);
        for (key, stepped) in plan.stepped {
            if !stepped.changed {
                continue;
            }
            if let Some(cell) = held.get_mut(&key) {
                cell.shown.send_replace(Some(self.host.snapshot(&key, &stepped.state)));
                cell.known = Some((stepped.before.saturating_add(1), Some(stepped.state)));
            }
            // Nobody may be listening.
            let _ = self.news.send(key);
        }
        for ((key, name), due) in plan.timers {
            match due {
                Some(due) => self.timers.set(Alarm { wake: due, key, name, due }),
                None => self.timers.clear(&key, &name),
            }
        }
        Ack { refused: plan.refused, answers: plan.answers }
    }

    /// Answers an input that was taken before: the same answers, and the same effects once more.
    async fn repeat(self: &Arc<Self>, marked: Marked, origin: &Origin) -> Result<Ack, EngineError> {
        let mut tasks = Vec::new();
        for (key, ver) in &marked.touched {
            let query = Query::of(tables::OUTBOX.name)
                .equal("kind", key.kind.as_str())
                .equal("id", key.id.clone())
                .equal("ver", i64::try_from(*ver).unwrap_or(i64::MAX))
                .equal("done", true);
            for row in self.store.query(vec![query]).await?.iter().flatten() {
                tasks.push(Task::from_row(row)?);
            }
        }
        let mut batch = Batch::new();
        if let Origin::Effect(task) = origin {
            batch = batch.row(task.done());
        }
        for task in &tasks {
            let row = tables::effect_key(&task.key, task.ver, task.n);
            batch = batch.row(RowOp::update(tables::OUTBOX.name, row, Row::new().with("done", false)));
        }
        if !batch.rows.is_empty() {
            self.commit(batch).await?;
        }
        self.enqueue(tasks);
        let answers = marked.answers.into_iter().map(|bytes| bytes.0).collect();
        Ok(Ack { refused: Some(Refused::Repeated), answers })
    }

    async fn decline(&self, code: &'static str, entry: Option<Box<Entry>>) -> Result<Ack, EngineError> {
        if let Some(entry) = entry {
            self.commit(Batch::new().entry(*entry)).await?;
        }
        Err(EngineError::Declined(code))
    }

    /// Has a head signed once enough entries have come since the last one.
    fn cover(&self, head: Head) {
        let signed = self.signed.load(Ordering::Acquire);
        let due = head::is_due(signed, head.seq);
        let swap = || self.signed.compare_exchange(signed, head.seq, Ordering::AcqRel, Ordering::Acquire);
        if due
            && swap().is_ok()
            && let Some(row) = self.host.sign_head(head, self.time.now())
        {
            // The receiver lives as long as the engine.
            let _ = self.marks.send(Mark::Row(row));
        }
    }
}

/// An archive of any type.
pub(crate) trait AnyStore: Send + Sync {
    fn commit(&self, batches: Vec<Batch>) -> Answer<'_, Vec<Result<Committed, StoreError>>>;
    fn query(&self, queries: Vec<Query>) -> Answer<'_, Result<Vec<Vec<Row>>, StoreError>>;
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl<S: Store> AnyStore for S {
    fn commit(&self, batches: Vec<Batch>) -> Answer<'_, Vec<Result<Committed, StoreError>>> {
        Box::pin(Store::commit(self, batches))
    }

    fn query(&self, queries: Vec<Query>) -> Answer<'_, Result<Vec<Vec<Row>>, StoreError>> {
        Box::pin(Store::query(self, queries))
    }
}
