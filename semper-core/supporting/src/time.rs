//! Points in time and spans of time, as inputs of machines.

use std::fmt;

use crate::fault::{Blame, Fault, Standing};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, never before it.
///
/// Machines compute with milliseconds. In a statement a moment is RFC 3339 in UTC with whole seconds, so
/// one that is to be signed is rounded down first with [`Moment::whole_seconds`]; the statement writer
/// refuses any other.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Moment(u64);

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Span(u64);

/// Why a text is no moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a time of the form 2026-03-01T10:00:00Z")]
pub struct BadMoment;

/// The last moment that can be written with four digits of year.
const LAST_SECOND: u64 = 253_402_300_799;

impl Moment {
    /// The moment `milliseconds` after the epoch.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds)
    }

    /// The moment `seconds` after the epoch.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The same moment rounded down to a whole second, as statements carry it.
    pub const fn whole_seconds(self) -> Self {
        Self(self.0 - self.0 % 1000)
    }

    /// The moment `span` later; stays at the end of time instead of overflowing.
    pub const fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The moment `span` earlier; stays at the epoch instead of going below it.
    pub const fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is; nothing if it is not after it.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// Reads the form of statements: RFC 3339, UTC, whole seconds, `Z`.
    ///
    /// # Errors
    /// [`BadMoment`] for any other form, even one RFC 3339 allows.
    pub fn parse(text: &str) -> Result<Self, BadMoment> {
        let read = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| BadMoment)?;
        let moment = u64::try_from(read.unix_timestamp()).map(Self::from_seconds).map_err(|_| BadMoment)?;
        (moment.to_string() == text).then_some(moment).ok_or(BadMoment)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds().min(LAST_SECOND);
        let text = i64::try_from(seconds)
            .ok()
            .and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok())
            .and_then(|at| at.to_offset(UtcOffset::UTC).format(&Rfc3339).ok())
            .ok_or(fmt::Error)?;
        f.write_str(&text)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_u64(self.0);
        }
        if !self.0.is_multiple_of(1000) || self.seconds() > LAST_SECOND {
            return Err(serde::ser::Error::custom(
                "a signed time has whole seconds and a year of four digits",
            ));
        }
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return u64::deserialize(deserializer).map(Self);
        }
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Span {
    /// Its length in English words, in the largest unit that leaves a number above one.
    pub fn in_words(self) -> String {
        let seconds = self.as_millis() / 1000;
        match seconds {
            1 => "1 second".to_owned(),
            0..120 => format!("{seconds} seconds"),
            120..7_200 => format!("{} minutes", seconds / 60),
            7_200..172_800 => format!("{} hours", seconds / 3_600),
            _ => format!("{} days", seconds / 86_400),
        }
    }

    /// A span of `n` milliseconds.
    pub const fn millis(n: u64) -> Self {
        Self(n)
    }

    /// A span of `n` seconds.
    pub const fn seconds(n: u64) -> Self {
        Self(n.saturating_mul(1000))
    }

    /// A span of `n` minutes.
    pub const fn minutes(n: u64) -> Self {
        Self::seconds(n.saturating_mul(60))
    }

    /// A span of `n` hours.
    pub const fn hours(n: u64) -> Self {
        Self::minutes(n.saturating_mul(60))
    }

    /// A span of `n` days of 24 hours.
    pub const fn days(n: u64) -> Self {
        Self::hours(n.saturating_mul(24))
    }

    /// Its length in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Twice as long.
    pub const fn doubled(self) -> Self {
        Self(self.0.saturating_mul(2))
    }
}

/// The clock of this computer shows less than when it was last looked at.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("Your clock went back by {}.", .by.in_words())]
pub struct ClockBack {
    /// By how much, at least a second.
    pub by: Span,
}

impl ClockBack {
    /// What `now` says of a clock that has shown `last` before; nothing of steps below a second, which are not recorded.
    pub fn found(last: Moment, now: Moment) -> Option<Self> {
        let by = last.since(now);
        (by >= Span::seconds(1)).then_some(Self { by })
    }
}

impl Fault for ClockBack {
    fn code(&self) -> &'static str {
        "clock.back"
    }

    fn blame(&self) -> Blame {
        Blame::Ourselves
    }

    /// What is recorded until the clock has caught up bears the last time again.
    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_and_read_in_the_form_of_statements() {
        let text = "2026-03-01T10:00:00Z";
        assert_eq!(Moment::parse(text).map(|m| m.to_string()), Ok(text.to_owned()));
        assert_eq!(Moment::from_seconds(0).to_string(), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn other_forms_of_rfc_3339_are_refused() {
        for text in [
            "2026-03-01T10:00:00.5Z",
            "2026-03-01T10:00:00+00:00",
            "2026-03-01t10:00:00z",
            "2026-03-01 10:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-02-30T00:00:00Z",
            "",
        ] {
            assert_eq!(Moment::parse(text), Err(BadMoment), "{text}");
        }
    }

    #[test]
    fn arithmetic_stays_inside_time() {
        assert_eq!(Moment::from_millis(5).before(Span::seconds(1)), Moment::from_millis(0));
        assert_eq!(Moment::from_millis(u64::MAX).after(Span::days(1)), Moment::from_millis(u64::MAX));
        assert_eq!(Moment::from_seconds(9).since(Moment::from_seconds(4)), Span::seconds(5));
    }

    #[test]
    fn a_span_is_named_in_its_largest_unit() {
        let said = [
            (Span::seconds(1), "1 second"),
            (Span::seconds(119), "119 seconds"),
            (Span::seconds(120), "2 minutes"),
            (Span::hours(47), "47 hours"),
            (Span::days(365), "365 days"),
        ];
        for (span, words) in said {
            assert_eq!(span.in_words(), words);
        }
    }

    #[test]
    fn a_clock_that_went_back_is_told_in_the_words_that_are_fixed() {
        let at = Moment::from_seconds;
        let back = ClockBack::found(at(10_000), at(6_400)).unwrap();
        assert_eq!(
            (back.code(), back.to_string().as_str()),
            ("clock.back", "Your clock went back by 60 minutes.")
        );
        assert_eq!(ClockBack::found(at(10), at(10)), None);
        assert_eq!(ClockBack::found(Moment::from_millis(10_999), at(10)), None);
        assert_eq!(ClockBack::found(at(10), at(11)), None);
    }
}
