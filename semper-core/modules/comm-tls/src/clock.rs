//! Where this module reads the time.

use std::{fmt, sync::Arc, time::SystemTime};

use semper_supporting::time::{Moment, Span};
use tokio::time::Instant;

/// The clocks of a program: the wall's, for certificates and greetings, and a steady one for waiting.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> Moment + Send + Sync>,
    start: Instant,
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self::reading(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Moment::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
        })
    }

    /// A clock that shows what `wall` says.
    pub fn reading(wall: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self { wall: Arc::new(wall), start: Instant::now() }
    }

    /// What the clock on the wall shows.
    pub fn now(&self) -> Moment {
        (self.wall)()
    }

    /// Steady time: counts from the making of the clock and never goes back.
    pub(crate) fn steady(&self) -> Moment {
        Moment::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// The instant at which steady time shows `moment`.
    pub(crate) fn instant(&self, moment: Moment) -> Instant {
        self.start + duration(moment.since(Moment::default()))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// A span as the runtime counts it.
pub(crate) fn duration(span: Span) -> std::time::Duration {
    std::time::Duration::from_millis(span.as_millis())
}
