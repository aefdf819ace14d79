//! When to stop waiting for the other side. These timers decide nothing: whoever gives up asks the third
//! party, and no deadline of a party's clock ever ends an exchange.

use semper_supporting::time::Span;
use serde::{Deserialize, Serialize};

/// How long a party waits before it gives up, as OFFER advises.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Deadlines {
    /// For the answer to OFFER, in seconds.
    pub t_accept: u64,
    /// For the other side's items after agreement, in seconds.
    pub t_item: u64,
    /// For CLOSE, in seconds; what must be undoable stays so for a margin beyond it.
    pub t_close: u64,
}

impl Deadlines {
    /// With somebody in front of the screen: five minutes, ten minutes, a day.
    pub const INTERACTIVE: Self = Self { t_accept: 5 * 60, t_item: 10 * 60, t_close: 24 * 60 * 60 };
    /// With nobody waiting: a week for the answer.
    pub const UNATTENDED: Self = Self { t_accept: 7 * 24 * 60 * 60, ..Self::INTERACTIVE };

    /// How long `timer` runs.
    pub const fn of(&self, timer: Timer) -> Span {
        match timer {
            Timer::Accept => Span::seconds(self.t_accept),
            Timer::Item => Span::seconds(self.t_item),
            Timer::Close => Span::seconds(self.t_close),
            Timer::Again => AGAIN,
            Timer::Answer => FIRST_RETRY,
        }
    }
}

/// How long what is sealed, signed and recorded is kept, in days: ten years.
pub const RETAIN_DAYS: u64 = 3653;
/// How long after NOT-YET a party waits before it asks the third party to undo.
pub const AGAIN: Span = Span::minutes(1);
/// How long the first repetition of a request to the third party waits; each further one twice as long.
pub const FIRST_RETRY: Span = Span::seconds(5);
/// The longest wait between two repetitions.
pub const LAST_RETRY: Span = Span::hours(1);
/// How much longer than `t-close` a hold or a right to undo must last for a responder to rely on it.
pub const LEAST_MARGIN: Span = Span::hours(24);

/// What a machine may be waiting for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Timer {
    /// The answer to OFFER.
    Accept,
    /// The other side's items.
    Item,
    /// CLOSE.
    Close,
    /// The time after NOT-YET.
    Again,
    /// The third party's answer.
    Answer,
}

/// How long to wait before repeating a request for the `n`th time, counted from 0.
pub fn retry(n: u8) -> Span {
    (0..n)
        .fold(FIRST_RETRY, |span, _| if span < LAST_RETRY { span.doubled() } else { LAST_RETRY })
        .min(LAST_RETRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_double_up_to_an_hour() {
        assert_eq!(retry(0), Span::seconds(5));
        assert_eq!(retry(1), Span::seconds(10));
        assert_eq!(retry(9), Span::seconds(2560));
        assert_eq!(retry(10), Span::hours(1));
        assert_eq!(retry(u8::MAX), Span::hours(1));
    }
}
