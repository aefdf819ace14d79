//! How long a peer is listened to that says what has no place: every such frame costs the journal an entry, so a
//! deal has only so many of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use semper_engine::Key;
use semper_supporting::time::{Moment, Span};

/// How many frames of one deal may be refused in a row.
const MOST: u64 = 64;
/// How long until one more may be.
const REGAINED: Span = Span::minutes(1);

/// The frames that were refused lately, by sale. Copies share it.
///
/// It lives as long as the program: a peer whose frames are honest repeats one or two after a connection fell.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience(Arc<Mutex<BTreeMap<Key, Tried>>>);

#[derive(Clone, Copy, Debug)]
struct Tried {
    count: u64,
    at: Moment,
}

impl Tried {
    fn left(self, now: Moment) -> u64 {
        let regained = now.since(self.at).as_millis() / REGAINED.as_millis();
        self.count.saturating_sub(regained)
    }
}

impl Patience {
    /// Whether no frame of this sale is listened to at present.
    pub(super) fn is_out(&self, key: &Key, now: Moment) -> bool {
        self.all().get(key).is_some_and(|tried| tried.left(now) >= MOST)
    }

    /// A frame of this sale was refused.
    pub(super) fn lose(&self, key: &Key, now: Moment) {
        let mut all = self.all();
        let count = all.get(key).map_or(0, |tried| tried.left(now)).saturating_add(1);
        all.retain(|_, tried| tried.left(now) > 0);
        all.insert(key.clone(), Tried { count, at: now });
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Tried>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sale::KIND;

    #[test]
    fn patience_runs_out_for_one_sale_and_comes_back_with_time() {
        let (patience, start) = (Patience::default(), Moment::from_seconds(1_000_000));
        let (loud, calm) = (Key::new(KIND, b"loud"), Key::new(KIND, b"calm"));
        patience.lose(&calm, start);
        for _ in 0..MOST {
            assert!(!patience.is_out(&loud, start));
            patience.lose(&loud, start);
        }
        assert!(patience.is_out(&loud, start) && !patience.is_out(&calm, start));
        let later = start.after(REGAINED);
        assert!(!patience.is_out(&loud, later));
        patience.lose(&loud, later);
        assert!(patience.is_out(&loud, later));
        assert_eq!(patience.all().len(), 1, "whoever was calm for long is forgotten");
    }
}
