//! Timers: which one is next. What is set and cleared is decided in the steps' transactions.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::{Mutex, PoisonError},
};

use semper_supporting::time::Moment;
use tokio::sync::Notify;

use crate::host::Key;

/// A timer that is set.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Alarm {
    /// When the engine wakes up for it: when it is due, or later after a failure.
    pub(crate) wake: Moment,
    pub(crate) key: Key,
    pub(crate) name: String,
    /// When it is due, as the archive has it.
    pub(crate) due: Moment,
}

#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: Mutex<Set>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Set {
    by_time: BTreeSet<Alarm>,
    by_name: BTreeMap<(Key, String), Alarm>,
}

impl Timers {
    /// Sets a timer, in place of one of the same name.
    pub(crate) fn set(&self, alarm: Alarm) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.remove(&alarm.key, &alarm.name);
        set.by_name.insert((alarm.key.clone(), alarm.name.clone()), alarm.clone());
        set.by_time.insert(alarm);
        drop(set);
        self.changed.notify_one();
    }

    /// Sets a timer again after a failure, unless it was set or cleared meanwhile.
    pub(crate) fn set_again(&self, alarm: Alarm) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Vacant(free) = set.by_name.entry((alarm.key.clone(), alarm.name.clone())) {
            free.insert(alarm.clone());
            set.by_time.insert(alarm);
        }
        drop(set);
        self.changed.notify_one();
    }

    pub(crate) fn clear(&self, key: &Key, name: &str) {
        self.set.lock().unwrap_or_else(PoisonError::into_inner).remove(key, name);
    }

    /// The time of the next timer.
    pub(crate) fn next(&self) -> Option<Moment> {
        let set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.by_time.first().map(|alarm| alarm.wake)
    }

    /// Takes out every timer whose time has come.
    pub(crate) fn take_due(&self, now: Moment) -> Vec<Alarm> {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        while set.by_time.first().is_some_and(|alarm| alarm.wake <= now) {
            if let Some(alarm) = set.by_time.pop_first() {
                set.by_name.remove(&(alarm.key.clone(), alarm.name.clone()));
                due.push(alarm);
            }
        }
        due
    }

    /// Ends when a timer was set.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl Set {
    fn remove(&mut self, key: &Key, name: &str) {
        if let Some(alarm) = self.by_name.remove(&(key.clone(), name.to_owned())) {
            self.by_time.remove(&alarm);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(name: &str, due: u64) -> Alarm {
        let due = Moment::from_seconds(due);
        Alarm { wake: due, key: Key::new("x", [1]), name: name.into(), due }
    }

    #[test]
    fn the_earliest_comes_first_and_a_timer_is_set_once() {
        let timers = Timers::default();
        for (name, due) in [("a", 5), ("b", 3), ("a", 9)] {
            timers.set(alarm(name, due));
        }
        assert_eq!(timers.next(), Some(Moment::from_seconds(3)));
        assert_eq!(timers.take_due(Moment::from_seconds(5)), vec![alarm("b", 3)]);
        timers.clear(&Key::new("x", [1]), "a");
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn setting_again_after_a_failure_does_not_undo_a_newer_timer() {
        let timers = Timers::default();
        timers.set(alarm("a", 9));
        timers.set_again(alarm("a", 5));
        assert_eq!(timers.take_due(Moment::from_seconds(99)), vec![alarm("a", 9)]);
    }
}
