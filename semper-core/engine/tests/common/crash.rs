//! A process that ends at a chosen moment: from then on nothing it does comes to an end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use semper_engine::{Effect, Key, Performed, Performer};
use semper_supporting::archive::{Batch, Committed, Query, Row, Store, StoreError};
use tokio::sync::Notify;

use super::{Input, Peer};

/// The moments at which a process can end, counted from 0, and the one at which this one does.
#[derive(Debug)]
pub struct Crash {
    at: Option<u64>,
    seen: AtomicU64,
    dead: AtomicBool,
    ended: Notify,
}

impl Crash {
    pub fn at(moment: Option<u64>) -> Arc<Self> {
        let (seen, dead) = (AtomicU64::new(0), AtomicBool::new(false));
        Arc::new(Self { at: moment, seen, dead, ended: Notify::new() })
    }

    /// How many moments have passed.
    pub fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }

    /// Ends when the process has.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }

    async fn moment(&self) {
        let number = self.seen.fetch_add(1, Ordering::SeqCst);
        if self.at == Some(number) {
            self.dead.store(true, Ordering::SeqCst);
            self.ended.notify_one();
        }
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

/// An archive whose process may end before or after each commit.
#[derive(Debug)]
pub struct CrashingStore<S> {
    pub inner: Arc<S>,
    pub crash: Arc<Crash>,
}

impl<S: Store> Store for CrashingStore<S> {
    async fn commit(&self, batches: Vec<Batch>) -> Vec<Result<Committed, StoreError>> {
        self.crash.moment().await;
        let answers = self.inner.commit(batches).await;
        self.crash.moment().await;
        answers
    }

    async fn query(&self, queries: Vec<Query>) -> Result<Vec<Vec<Row>>, StoreError> {
        self.inner.query(queries).await
    }
}

/// A performer whose process may end before or after each effect.
#[derive(Debug)]
pub struct CrashingPeer {
    pub inner: Peer,
    pub crash: Arc<Crash>,
}

impl Performer<Input> for CrashingPeer {
    async fn perform(&self, key: &Key, effect: &Effect, attempt: u32) -> Performed<Input> {
        self.crash.moment().await;
        let performed = self.inner.perform(key, effect, attempt).await;
        self.crash.moment().await;
        performed
    }
}
