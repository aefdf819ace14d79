//! Durations as terms of business write them (ISO 8601 without weeks, seconds and fractions).

use std::fmt;

use semper_supporting::time::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration such as `P14D` or `PT30M`.
///
/// A year is 366 days and a month of the date part 31, so that no window is shorter than the calendar's.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Duration {
    minutes: u64,
}

/// The text is not a duration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a duration of the form P1Y2M3DT4H5M")]
pub struct BadDuration;

const DAY: u64 = 24 * 60;

impl Duration {
    /// `n` days.
    pub const fn days(n: u64) -> Self {
        Self { minutes: n.saturating_mul(DAY) }
    }

    /// Reads `text`: the designators in their order, each at most once with 1 to 5 digits, at least one of them.
    ///
    /// # Errors
    /// [`BadDuration`] for anything else, a zero duration included.
    pub fn parse(text: &str) -> Result<Self, BadDuration> {
        let rest = text.strip_prefix('P').ok_or(BadDuration)?;
        let (date, time) = match rest.split_once('T') {
            Some((_, "")) => return Err(BadDuration),
            Some(halves) => halves,
            None => (rest, ""),
        };
        let date = units(date, &[('Y', 366 * DAY), ('M', 31 * DAY), ('D', DAY)])?;
        let time = units(time, &[('H', 60), ('M', 1)])?;
        match date + time {
            0 => Err(BadDuration),
            minutes => Ok(Self { minutes }),
        }
    }

    /// Its length.
    pub const fn span(self) -> Span {
        Span::minutes(self.minutes)
    }
}

/// The sum of `text` in minutes, its units a subsequence of `known`.
fn units(mut text: &str, known: &[(char, u64)]) -> Result<u64, BadDuration> {
    let mut sum = 0_u64;
    let mut known = known.iter();
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or(BadDuration)?;
        let (number, rest) = text.split_at(digits);
        let mut letters = rest.chars();
        let unit = letters.next().ok_or(BadDuration)?;
        let (_, minutes) = known.find(|(letter, _)| *letter == unit).ok_or(BadDuration)?;
        if !(1..=5).contains(&number.len()) {
            return Err(BadDuration);
        }
        let number: u64 = number.parse().map_err(|_| BadDuration)?;
        sum += number * minutes;
        text = letters.as_str();
    }
    Ok(sum)
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours, minutes) = (self.minutes / DAY, self.minutes % DAY / 60, self.minutes % 60);
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if hours + minutes > 0 {
            f.write_str("T")?;
        }
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_count_as_the_longest_the_calendar_has() {
        for (text, minutes) in [
            ("P1Y", 366 * DAY),
            ("P1M", 31 * DAY),
            ("PT1M", 1),
            ("P1DT2H3M", DAY + 123),
            ("P2Y1D", 733 * DAY),
        ] {
            assert_eq!(Duration::parse(text).unwrap().span(), Span::minutes(minutes), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "PT1S",
            "P1W",
            "P0D",
            "P-1D",
            "P1.5D",
            "P1D2M",
            "P1DT",
            "PT1D",
            "p1d",
            "P1D ",
            "P123456D",
            "P1D1D",
            "P\u{661}D",
        ] {
            assert!(Duration::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["P366D", "PT1H30M", "P1DT1M", "PT5M"] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), text);
        }
    }
}
