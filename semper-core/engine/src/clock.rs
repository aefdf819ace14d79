//! Time: the one place that asks the machine what time it is.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use semper_supporting::time::{Moment, Span};
use tokio::sync::watch;

/// What tells the time and waits for it.
pub trait Clock: Send + Sync + 'static {
    /// The time now. May go backwards; the engine does not.
    fn now(&self) -> Moment;

    /// Ends once the clock shows `moment` or later.
    fn until(&self, moment: Moment) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// After how long a waiting task looks at the machine's clock again, which may have been set.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn until(&self, moment: Moment) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let left = moment.since(self.now());
                if left == Span::default() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(left.as_millis()).min(LOOK_AGAIN)).await;
            }
        })
    }
}

/// A clock that stands still until it is moved: for simulations and tests.
#[derive(Clone, Debug)]
pub struct VirtualClock(Arc<watch::Sender<Moment>>);

impl VirtualClock {
    /// A clock that shows `moment`.
    pub fn at(moment: Moment) -> Self {
        Self(Arc::new(watch::Sender::new(moment)))
    }

    /// Moves it on by `span`.
    pub fn advance(&self, span: Span) {
        self.0.send_modify(|now| *now = now.after(span));
    }

    /// Sets it to `moment`, backwards too.
    pub fn set(&self, moment: Moment) {
        self.0.send_replace(moment);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Moment {
        *self.0.borrow()
    }

    fn until(&self, moment: Moment) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut shown = self.0.subscribe();
        Box::pin(async move {
            // The sender is ours as long as this borrow lives, so the wait does not fail.
            let _ = shown.wait_for(|now| *now >= moment).await;
        })
    }
}

/// The engine's time: that of its clock, but never before what it has shown or journaled already.
#[derive(Clone)]
pub(crate) struct Time {
    clock: Arc<dyn Clock>,
    last: Arc<AtomicU64>,
}

impl Time {
    pub(crate) fn new(clock: Arc<dyn Clock>, last: Moment) -> Self {
        Self { clock, last: Arc::new(AtomicU64::new(last.millis())) }
    }

    pub(crate) fn now(&self) -> Moment {
        let shown = self.clock.now().millis();
        Moment::from_millis(self.last.fetch_max(shown, Ordering::AcqRel).max(shown))
    }

    /// Waits for `span` by the clock itself, so that a clock set back does not stop retries.
    pub(crate) async fn pause(&self, span: Span) {
        self.clock.until(self.clock.now().after(span)).await;
    }

    pub(crate) async fn until(&self, moment: Moment) {
        if moment > self.now() {
            self.clock.until(moment).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_while_the_clock_is_behind() {
        let clock = VirtualClock::at(Moment::from_seconds(100));
        let time = Time::new(Arc::new(clock.clone()), Moment::from_seconds(50));
        assert_eq!(time.now(), Moment::from_seconds(100));
        clock.set(Moment::from_seconds(60));
        assert_eq!(time.now(), Moment::from_seconds(100));
        clock.set(Moment::from_seconds(101));
        assert_eq!(time.now(), Moment::from_seconds(101));
    }

    #[test]
    fn the_clock_of_the_machine_is_after_this_was_written() {
        assert!(SystemClock.now() > Moment::from_seconds(1_750_000_000));
    }

    #[tokio::test]
    async fn a_wait_ends_when_the_clock_is_moved() {
        let clock = VirtualClock::at(Moment::from_seconds(1));
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until(Moment::from_seconds(10)).await }
        });
        clock.advance(Span::seconds(8));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        clock.advance(Span::seconds(1));
        waiting.await.unwrap();
    }
}
