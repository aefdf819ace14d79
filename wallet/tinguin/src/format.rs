//! Sums of money, whole numbers, dates and times as people of five languages write them.
//!
//! Everything is computed on integers: a sum is its minor units and the number of digits behind the
//! separator, and never passes through a float. Inner spaces do not break, so that no figure is torn
//! apart at the end of a line.

use crate::texts::{Msg, Texts};

/// A space that does not break.
const SPACE: char = '\u{A0}';
/// The narrow space that does not break, between groups of figures in French.
const NARROW: char = '\u{202F}';
/// A true minus: a hyphen could be read as a dash, and a line could break after it.
const MINUS: char = '\u{2212}';

/// A language, with its way of writing figures and dates.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Locale {
    /// German.
    De,
    /// Greek.
    El,
    /// English.
    En,
    /// French.
    Fr,
    /// Dutch.
    Nl,
}

/// Where the currency stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Before,
    After,
}

impl Locale {
    /// All five, English first.
    pub const ALL: [Self; 5] = [Self::En, Self::De, Self::Fr, Self::Nl, Self::El];

    /// Names the language as BCP 47 does.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::De => "de",
            Self::El => "el",
            Self::En => "en",
            Self::Fr => "fr",
            Self::Nl => "nl",
        }
    }

    /// The sign in front of the decimal digits; an entry of an amount accepts no other.
    #[must_use]
    pub const fn decimal(self) -> char {
        match self {
            Self::En => '.',
            Self::De | Self::El | Self::Fr | Self::Nl => ',',
        }
    }

    const fn group(self) -> char {
        match self {
            Self::En => ',',
            Self::De | Self::El | Self::Nl => '.',
            Self::Fr => NARROW,
        }
    }

    const fn currency(self) -> Place {
        match self {
            Self::En | Self::Nl => Place::Before,
            Self::De | Self::El | Self::Fr => Place::After,
        }
    }

    /// The names of the months, short, with the stop that belongs to them.
    const fn months(self) -> [&'static str; 12] {
        match self {
            Self::De => [
                "Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.",
                "Dez.",
            ],
            Self::El => {
                ["Ιαν", "Φεβ", "Μαρ", "Απρ", "Μαΐ", "Ιουν", "Ιουλ", "Αυγ", "Σεπ", "Οκτ", "Νοε", "Δεκ"]
            }
            Self::En => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
            Self::Fr => [
                "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
                "déc.",
            ],
            Self::Nl => ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
        }
    }

    /// The mark after the day of the month.
    const fn day_mark(self) -> &'static str {
        match self {
            Self::De => ".",
            Self::El | Self::En | Self::Fr | Self::Nl => "",
        }
    }
}

/// A sum of money as the window gets it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Amount {
    /// The sum in minor units (cents), negative for a debt.
    pub minor: i64,
    /// How many digits stand behind the separator: 2 for EUR, 0 for JPY.
    pub exponent: u8,
    /// The code of ISO 4217; XTS for play money.
    pub currency: String,
}

impl Amount {
    /// Puts a sum together.
    #[must_use]
    pub fn new(minor: i64, exponent: u8, currency: &str) -> Self {
        Self { minor, exponent, currency: currency.to_owned() }
    }

    /// Splits the sum into its whole units and the digits behind the separator, without sign.
    fn digits(&self) -> (String, String) {
        let exponent = usize::from(self.exponent);
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = exponent.saturating_add(1));
        let (whole, part) = digits.split_at(digits.len().saturating_sub(exponent));
        (whole.to_owned(), part.to_owned())
    }
}

/// Writes a sum: `EUR 1,240.00`, `1.240,00 €`, `1 240,00 €`, `€ 1.240,00`.
#[must_use]
pub fn money(locale: Locale, amount: &Amount) -> String {
    let (whole, part) = amount.digits();
    let mut figures = grouped(locale, &whole);
    if !part.is_empty() {
        figures.push(locale.decimal());
        figures.push_str(&part);
    }
    // English names the currency by its code; elsewhere the euro has its sign, and only the euro,
    // since other signs stand for several currencies.
    let name = match (locale, amount.currency.as_str()) {
        (Locale::De | Locale::El | Locale::Fr | Locale::Nl, "EUR") => "€",
        (_, code) => code,
    };
    let minus = if amount.minor < 0 { MINUS.to_string() } else { String::new() };
    match (locale.currency(), locale) {
        (Place::Before, Locale::Nl) => format!("{name}{SPACE}{minus}{figures}"),
        (Place::Before, _) => format!("{minus}{name}{SPACE}{figures}"),
        (Place::After, _) => format!("{minus}{figures}{SPACE}{name}"),
    }
}

/// Writes a sum in words below its figures, so that a misread separator shows; nothing for a currency
/// that has no words here, or for a debt.
#[must_use]
pub fn spelled(texts: &Texts, amount: &Amount) -> Option<String> {
    if amount.exponent != 2 || amount.minor < 0 {
        return None;
    }
    let minor = amount.minor.unsigned_abs();
    let (units, cents) = (minor / 100, minor % 100);
    let whole = integer(texts.locale(), units);
    let part = integer(texts.locale(), cents);
    // Only the plural depends on these numbers, and beyond the small ones it no longer changes.
    let units = u32::try_from(units).unwrap_or(u32::MAX);
    let cents = u32::try_from(cents).unwrap_or(u32::MAX);
    match amount.currency.as_str() {
        "EUR" => Some(texts.get(Msg::SpelledEur { units, cents, whole: &whole, part: &part })),
        "XTS" => Some(texts.get(Msg::SpelledXts { units, cents, whole: &whole, part: &part })),
        _ => None,
    }
}

/// Writes a whole number in groups of three.
#[must_use]
pub fn integer(locale: Locale, number: u64) -> String {
    grouped(locale, &number.to_string())
}

fn grouped(locale: Locale, digits: &str) -> String {
    let mut out = String::with_capacity(digits.len().saturating_mul(2));
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            out.push(locale.group());
        }
        out.push(digit);
    }
    out
}

/// Why an entry is no amount.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// Nothing but white space.
    #[error("nothing entered")]
    Empty,
    /// A letter, a sign, a separator of groups or of another language.
    #[error("{0:?} does not belong in an amount")]
    Character(char),
    /// More than one decimal separator.
    #[error("second decimal separator")]
    SecondSeparator,
    /// More digits behind the separator than the currency has, or a separator without digits.
    #[error("wrong number of digits behind the separator")]
    Decimals,
    /// More than a sum can hold.
    #[error("amount too large")]
    TooLarge,
}

impl EntryFault {
    /// Names the fault for logs and texts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "tinguin.entry-empty",
            Self::Character(_) => "tinguin.entry-character",
            Self::SecondSeparator => "tinguin.entry-second-separator",
            Self::Decimals => "tinguin.entry-decimals",
            Self::TooLarge => "tinguin.entry-too-large",
        }
    }
}

/// Reads an amount somebody typed, as minor units.
///
/// Accepts digits and at most one decimal separator of the language, and drops nothing silently: a
/// separator of groups could be meant as a decimal one, so it is refused.
///
/// # Errors
/// The first thing that does not fit, as [`EntryFault`].
pub fn parse_amount(locale: Locale, exponent: u8, entry: &str) -> Result<i64, EntryFault> {
    let entry = entry.trim();
    if entry.is_empty() {
        return Err(EntryFault::Empty);
    }
    let mut minor: i64 = 0;
    let mut decimals: Option<u8> = None;
    let mut leading = 0_usize;
    for character in entry.chars() {
        if character == locale.decimal() {
            if decimals.is_some() {
                return Err(EntryFault::SecondSeparator);
            }
            decimals = Some(0);
            continue;
        }
        let digit = match character {
            '0'..='9' => character.to_digit(10).map_or(0, i64::from),
            other => return Err(EntryFault::Character(other)),
        };
        match &mut decimals {
            Some(count) if *count >= exponent => return Err(EntryFault::Decimals),
            Some(count) => *count = count.saturating_add(1),
            None => leading = leading.saturating_add(1),
        }
        minor = push_digit(minor, digit)?;
    }
    if leading == 0 || decimals == Some(0) {
        return Err(EntryFault::Decimals);
    }
    for _ in decimals.unwrap_or(0)..exponent {
        minor = push_digit(minor, 0)?;
    }
    Ok(minor)
}

fn push_digit(minor: i64, digit: i64) -> Result<i64, EntryFault> {
    minor.checked_mul(10).and_then(|minor| minor.checked_add(digit)).ok_or(EntryFault::TooLarge)
}

/// A point in time as a clock on the wall shows it, with the name of its zone.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Civil {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    milli: Option<u16>,
    zone: String,
}

impl Civil {
    /// Takes a date (year, month, day) and a time (hour, minute, second, and millisecond where it is
    /// known), or nothing if a part is out of its range.
    #[must_use]
    pub fn new(date: (u16, u8, u8), time: (u8, u8, u8, Option<u16>), zone: &str) -> Option<Self> {
        let ((year, month, day), (hour, minute, second, milli)) = (date, time);
        let fits = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second <= 60
            && milli.is_none_or(|milli| milli < 1000);
        fits.then(|| Self { year, month, day, hour, minute, second, milli, zone: zone.to_owned() })
    }

    /// The point in time that computers count from, in the zone named.
    #[must_use]
    pub fn epoch(zone: &str) -> Self {
        let (hour, minute, second, milli) = (0, 0, 0, None);
        Self { year: 1970, month: 1, day: 1, hour, minute, second, milli, zone: zone.to_owned() }
    }

    fn month(&self, locale: Locale) -> &'static str {
        locale.months().get(usize::from(self.month).saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// Writes a date: `3 Mar 2027`.
#[must_use]
pub fn date(locale: Locale, at: &Civil) -> String {
    format!("{}{SPACE}{:04}", day(locale, at), at.year)
}

/// Writes a date of this year: `3 Mar`.
#[must_use]
pub fn day(locale: Locale, at: &Civil) -> String {
    format!("{}{}{SPACE}{}", at.day, locale.day_mark(), at.month(locale))
}

/// Writes the time of day: `14:05`.
#[must_use]
pub fn time(at: &Civil) -> String {
    format!("{:02}:{:02}", at.hour, at.minute)
}

/// Writes the time of day with seconds, as the status line has it: `14:05:12`.
#[must_use]
pub fn clock(at: &Civil) -> String {
    format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second)
}

/// Writes the time of day as exactly as it is known, as the log has it: `14:05:12.031`, or `14:05:12`
/// where there is nothing finer than seconds.
#[must_use]
pub fn clock_exact(at: &Civil) -> String {
    match at.milli {
        None => clock(at),
        Some(milli) => format!("{}.{milli:03}", clock(at)),
    }
}

/// Writes date, time and zone: `3 Mar 2027, 14:05 CET`.
#[must_use]
pub fn moment(locale: Locale, at: &Civil) -> String {
    format!("{}, {}{SPACE}{}", date(locale, at), time(at), at.zone)
}

/// Writes date, time with seconds, and zone, as evidence has it: `3 Mar 2027, 14:05:12 CET`.
#[must_use]
pub fn moment_exact(locale: Locale, at: &Civil) -> String {
    format!("{}, {}{SPACE}{}", date(locale, at), clock(at), at.zone)
}

/// Writes a span that is running out: `09:41` (minutes and seconds), `3:09:41` from an hour on.
#[must_use]
pub fn countdown(seconds: u64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 { format!("{minutes:02}:{rest:02}") } else { format!("{hours}:{minutes:02}:{rest:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(locale: Locale, minor: i64, exponent: u8, currency: &str) -> String {
        money(locale, &Amount::new(minor, exponent, currency))
    }

    #[test]
    fn every_language_writes_a_sum_its_own_way() {
        let sums = Locale::ALL.map(|locale| written(locale, 124_000, 2, "EUR"));
        let expected = [
            "EUR\u{A0}1,240.00",
            "1.240,00\u{A0}€",
            "1\u{202F}240,00\u{A0}€",
            "€\u{A0}1.240,00",
            "1.240,00\u{A0}€",
        ];
        assert_eq!(sums, expected);
    }

    #[test]
    fn a_currency_without_a_sign_keeps_its_code() {
        assert_eq!(written(Locale::De, 1250, 2, "XTS"), "12,50\u{A0}XTS");
        assert_eq!(written(Locale::Nl, 1250, 2, "USD"), "USD\u{A0}12,50");
    }

    #[test]
    fn a_debt_has_a_minus_and_the_smallest_sum_has_its_zeros() {
        assert_eq!(written(Locale::En, -5, 2, "EUR"), "\u{2212}EUR\u{A0}0.05");
        assert_eq!(written(Locale::Nl, -500, 2, "EUR"), "€\u{A0}\u{2212}5,00");
        assert_eq!(written(Locale::Fr, -500, 2, "EUR"), "\u{2212}5,00\u{A0}€");
    }

    #[test]
    fn the_exponent_says_where_the_separator_stands() {
        assert_eq!(written(Locale::En, 1240, 0, "JPY"), "JPY\u{A0}1,240");
        assert_eq!(written(Locale::En, 1240, 3, "BHD"), "BHD\u{A0}1.240");
        assert_eq!(written(Locale::En, i64::MIN, 2, "EUR"), "\u{2212}EUR\u{A0}92,233,720,368,547,758.08");
    }

    #[test]
    fn what_is_written_without_groups_reads_back() {
        for locale in Locale::ALL {
            for minor in [0, 1, 9, 10, 99, 100, 101, 1250, 99_999, 1_000_000, i64::MAX] {
                for exponent in [0, 1, 2, 3] {
                    let (whole, part) = Amount::new(minor, exponent, "EUR").digits();
                    let separator = if part.is_empty() { String::new() } else { locale.decimal().into() };
                    let entry = format!("{whole}{separator}{part}");
                    assert_eq!(parse_amount(locale, exponent, &entry), Ok(minor), "{entry}");
                }
            }
        }
    }

    #[test]
    fn an_entry_drops_nothing_silently() {
        let read = |entry| parse_amount(Locale::En, 2, entry);
        assert_eq!(read("12"), Ok(1200));
        assert_eq!(read("12.5"), Ok(1250));
        assert_eq!(read(" 12.50 "), Ok(1250));
        assert_eq!(read(""), Err(EntryFault::Empty));
        assert_eq!(read("1,240"), Err(EntryFault::Character(',')));
        assert_eq!(read("12.5.0"), Err(EntryFault::SecondSeparator));
        assert_eq!(read("12.505"), Err(EntryFault::Decimals));
        assert_eq!(read("12."), Err(EntryFault::Decimals));
        assert_eq!(read(".50"), Err(EntryFault::Decimals));
        assert_eq!(read("-5"), Err(EntryFault::Character('-')));
        assert_eq!(read("١٢"), Err(EntryFault::Character('١')));
        assert_eq!(read("92233720368547758.08"), Err(EntryFault::TooLarge));
        assert_eq!(parse_amount(Locale::De, 2, "12,50"), Ok(1250));
        assert_eq!(parse_amount(Locale::De, 2, "12.50"), Err(EntryFault::Character('.')));
    }

    #[test]
    fn sums_are_spelled_with_their_plurals() {
        let texts = Texts::english();
        let spell = |minor| spelled(&texts, &Amount::new(minor, 2, "EUR"));
        assert_eq!(spell(2490).as_deref(), Some("24 euros and 90 cents"));
        assert_eq!(spell(101).as_deref(), Some("1 euro and 1 cent"));
        assert_eq!(spell(124_000).as_deref(), Some("1,240 euros and 0 cents"));
        let play = spelled(&texts, &Amount::new(1250, 2, "XTS"));
        assert_eq!(play.as_deref(), Some("12 units and 50 hundredths of play money"));
        assert_eq!(spelled(&texts, &Amount::new(5, 0, "JPY")), None);
    }

    #[test]
    fn dates_have_the_months_of_their_language() {
        let at = Civil::new((2027, 3, 3), (14, 5, 12, Some(31)), "CET").unwrap();
        let dates = Locale::ALL.map(|locale| date(locale, &at).replace(SPACE, " "));
        assert_eq!(dates, ["3 Mar 2027", "3. März 2027", "3 mars 2027", "3 mrt 2027", "3 Μαρ 2027"]);
        assert_eq!(moment(Locale::En, &at), "3\u{A0}Mar\u{A0}2027, 14:05\u{A0}CET");
        assert_eq!(moment_exact(Locale::En, &at), "3\u{A0}Mar\u{A0}2027, 14:05:12\u{A0}CET");
        assert_eq!(clock_exact(&at), "14:05:12.031");
        let at = Civil::new((2027, 3, 3), (14, 5, 12, None), "CET").unwrap();
        assert_eq!(clock_exact(&at), "14:05:12");
    }

    #[test]
    fn a_civil_time_out_of_range_is_none() {
        assert_eq!(Civil::new((2027, 13, 3), (14, 5, 12, None), "CET"), None);
        assert_eq!(Civil::new((2027, 3, 3), (24, 0, 0, None), "CET"), None);
        assert_eq!(Civil::new((2027, 3, 3), (14, 5, 12, Some(1000)), "CET"), None);
    }

    #[test]
    fn a_countdown_shows_hours_only_when_there_are_some() {
        assert_eq!(countdown(581), "09:41");
        assert_eq!(countdown(11_381), "3:09:41");
    }
}
