//! A process that ends at a chosen transaction of its archive, as if the power failed there.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Signal, getpid, kill_process};
use semper_archive_sqlite::Watch;

use crate::failure::Failure;

/// On which side of a transaction a process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The transaction is written and not committed: nothing of it stays, and what came before it was done.
    Before,
    /// The transaction is on the disk, and nothing that follows from it has happened.
    After,
}

/// When a process ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Doom {
    /// On which side.
    pub side: Side,
    /// Of which transaction, counted from 1.
    pub at: u64,
}

/// Counts the transactions of a process, and ends it at its doom. Copies share the count.
#[derive(Clone, Debug, Default)]
pub struct Fate(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    doom: Option<Doom>,
    count: u64,
}

impl fmt::Display for Doom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{side} {}", self.at)
    }
}

impl FromStr for Doom {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let none = || Failure::of("no doom", text);
        let (side, at) = text.split_once(' ').ok_or_else(none)?;
        let side = match side {
            "before" => Side::Before,
            "after" => Side::After,
            _ => return Err(none()),
        };
        Ok(Self { side, at: at.parse().map_err(|_| none())? })
    }
}

impl Fate {
    /// Sets the doom, and counts anew.
    pub fn set(&self, doom: Doom) {
        *self.counted() = Counted { doom: Some(doom), count: 0 };
    }

    /// Lifts the doom; tells how many transactions there were since it was set.
    pub fn spare(&self) -> u64 {
        let mut counted = self.counted();
        counted.doom = None;
        counted.count
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Fate {
    fn before(&self) {
        let mut counted = self.counted();
        counted.count += 1;
        if counted.doom == Some(Doom { side: Side::Before, at: counted.count }) {
            end();
        }
    }

    fn after(&self) {
        let counted = self.counted();
        if counted.doom == Some(Doom { side: Side::After, at: counted.count }) {
            end();
        }
    }
}

/// Ends this process where it stands. Nothing after this happens.
fn end() {
    // Nobody is refused a signal to itself.
    let _ = kill_process(getpid(), Signal::KILL);
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doom_is_read_as_it_is_written() {
        for doom in [Doom { side: Side::Before, at: 1 }, Doom { side: Side::After, at: 77 }] {
            assert_eq!(doom.to_string().parse::<Doom>().unwrap(), doom);
        }
        for text in ["", "before", "after x", "at 3"] {
            assert!(text.parse::<Doom>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_counted_begins_with_the_doom() {
        let fate = Fate::default();
        fate.before();
        fate.after();
        fate.set(Doom { side: Side::After, at: 3 });
        fate.before();
        fate.after();
        assert_eq!(fate.spare(), 1);
    }
}
