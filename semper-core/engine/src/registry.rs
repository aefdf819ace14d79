//! The instances that are in memory, one lock each: steps of one instance happen one after the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};

use crate::host::Key;

/// One instance.
#[derive(Debug)]
pub(crate) struct Cell<M, S> {
    /// Its version and state, when they are known to be those of the archive. Version 0 has no state.
    pub(crate) known: Option<(u64, Option<M>)>,
    /// What the outside sees.
    pub(crate) shown: watch::Sender<Option<S>>,
}

pub(crate) type Held<M, S> = BTreeMap<Key, OwnedMutexGuard<Cell<M, S>>>;
type Shared<M, S> = Arc<AsyncMutex<Cell<M, S>>>;

/// Beyond this many instances in memory, those that nobody holds or watches are forgotten.
const ROOM: usize = 16_384;

#[derive(Debug)]
pub(crate) struct Registry<M, S> {
    cells: Mutex<BTreeMap<Key, Shared<M, S>>>,
}

impl<M, S> Registry<M, S> {
    pub(crate) const fn new() -> Self {
        Self { cells: Mutex::new(BTreeMap::new()) }
    }

    /// Holds all `keys`. They are taken in their order, so that two callers never wait for each other.
    pub(crate) async fn hold(&self, keys: &BTreeSet<Key>) -> Held<M, S> {
        let mut held = BTreeMap::new();
        for key in keys {
            let cell = self.cell(key);
            held.insert(key.clone(), cell.lock_owned().await);
        }
        held
    }

    fn cell(&self, key: &Key) -> Shared<M, S> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = cells.get(key) {
            return Arc::clone(cell);
        }
        if cells.len() >= ROOM {
            cells.retain(|_, cell| {
                Arc::strong_count(cell) > 1
                    || cell.try_lock().is_ok_and(|cell| cell.shown.receiver_count() > 0)
            });
        }
        let cell = Arc::new(AsyncMutex::new(Cell { known: None, shown: watch::Sender::new(None) }));
        cells.insert(key.clone(), Arc::clone(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_instance_is_held_by_one_at_a_time() {
        let registry: Registry<(), ()> = Registry::new();
        let key = |n: u8| Key::new("x", [n]);
        let both = registry.hold(&BTreeSet::from([key(1), key(2)])).await;
        let cell = registry.cell(&key(1));
        assert!(cell.try_lock().is_err());
        drop(both);
        assert!(cell.try_lock().is_ok());
    }

    #[tokio::test]
    async fn only_what_nobody_holds_or_watches_is_forgotten() {
        let registry: Registry<(), ()> = Registry::new();
        let key = |n: usize| Key::new("x", n.to_be_bytes());
        let watched = registry.cell(&key(0)).lock().await.shown.subscribe();
        for n in 1..ROOM {
            registry.cell(&key(n));
        }
        let held = registry.cell(&key(1));
        registry.cell(&key(ROOM));
        let cells = registry.cells.lock().unwrap();
        assert_eq!(cells.len(), 3);
        assert!(cells.contains_key(&key(0)) && cells.contains_key(&key(1)));
        drop((watched, held));
    }
}
