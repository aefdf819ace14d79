//! Friction follows money: how long a prompt is armed and held, and what else it asks for.
//!
//! Whole numbers only. Play money counts one to one as euro, so that a trial feels like the real thing.

use serde::{Deserialize, Serialize};

use super::prompt::Critical;
use crate::{
    money::{Currency, Money},
    time::Span,
};

/// How much a person has to do to confirm.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Level {
    /// A short hold.
    A,
    /// A hold of a second.
    B,
    /// A longer hold, and the PIN.
    C,
    /// The longest hold, the PIN, and the amount typed again in whole units.
    D,
}

/// What a confirmation takes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Friction {
    /// The level.
    pub level: Level,
    /// How long the prompt must have been in view and undisturbed before it can be confirmed.
    pub arming: Span,
    /// How long the picture is then held.
    pub hold: Span,
    /// Whether the PIN is asked for.
    pub pin: bool,
    /// The amount to be typed again, in whole units of its currency.
    pub retype: Option<u64>,
}

/// The highest amounts of levels A, B and C in cents of euro. Users may lower them, which is more friction.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Thresholds {
    /// Up to here level A.
    pub a: u64,
    /// Up to here level B.
    pub b: u64,
    /// Up to here level C.
    pub c: u64,
}

/// What makes an act riskier than its amount.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Circumstances {
    /// Nothing was ever paid to this payee.
    pub first_payment: bool,
    /// The last twenty payments, in minor units of the same currency.
    pub recent: Vec<u64>,
    /// The means cannot be taken back, and no fair exchange protects it.
    pub irrevocable_unprotected: bool,
    /// What is installed was certified.
    pub certified: bool,
    /// An anchor of trust is added or raised, a limit raised, or seal, password or PIN changed.
    pub lowers_protection: bool,
    /// How many warnings the prompt carries.
    pub warnings: u32,
}

/// How many payments the median is taken of.
const RECENT: usize = 20;
/// How long each warning arms in addition.
const WARNING: u64 = 500;
/// How long a new anchor of trust is armed.
const TRUST: Span = Span::seconds(5);

impl Friction {
    /// Whatever either of both takes.
    pub fn and(self, other: Self) -> Self {
        Self {
            level: self.level.max(other.level),
            arming: self.arming.max(other.arming),
            hold: self.hold.max(other.hold),
            pin: self.pin || other.pin,
            retype: self.retype.max(other.retype),
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { a: 500, b: 5000, c: 50_000 }
    }
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    fn raised(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::C,
            Self::C | Self::D => Self::D,
        }
    }

    /// Arming and hold in milliseconds.
    fn times(self) -> (u64, u64) {
        match self {
            Self::A => (700, 600),
            Self::B => (1000, 1000),
            Self::C => (1500, 1600),
            Self::D => (2500, 2400),
        }
    }
}

/// The friction of an act of `family` over `amount`.
pub fn friction(
    family: Critical,
    amount: Option<Money>,
    circumstances: &Circumstances,
    thresholds: &Thresholds,
) -> Friction {
    let mut level = of_family(family, circumstances);
    if let Some(amount) = amount {
        level = level.max(of_amount(amount, circumstances, thresholds));
    }
    if circumstances.irrevocable_unprotected {
        level = level.max(Level::C);
    }
    if circumstances.lowers_protection {
        level = Level::D;
    }
    let (arming, hold) = level.times();
    let least = if family == Critical::Trust { TRUST.as_millis() } else { 0 };
    let warnings = WARNING.saturating_mul(circumstances.warnings.into());
    let retype = match (level, amount) {
        (Level::D, Some(amount)) => Some(whole_units(amount)),
        (Level::A | Level::B | Level::C | Level::D, _) => None,
    };
    Friction {
        level,
        arming: Span::millis(arming.max(least).saturating_add(warnings)),
        hold: Span::millis(hold),
        pin: level >= Level::C,
        retype,
    }
}

/// The level of an act that moves no money.
fn of_family(family: Critical, circumstances: &Circumstances) -> Level {
    match family {
        Critical::Sign | Critical::Pay | Critical::Exchange | Critical::PurseMove => Level::A,
        Critical::Install if circumstances.certified => Level::B,
        Critical::Install | Critical::Trust | Critical::Setting | Critical::Allow => Level::D,
        Critical::Disclose | Critical::Dispute | Critical::Revoke | Critical::Release => Level::C,
    }
}

fn of_amount(amount: Money, circumstances: &Circumstances, thresholds: &Thresholds) -> Level {
    if amount.currency != Currency::EUR && !amount.currency.is_play() {
        return Level::D;
    }
    let mut level = match amount.minor() {
        minor if minor <= thresholds.a => Level::A,
        minor if minor <= thresholds.b => Level::B,
        minor if minor <= thresholds.c => Level::C,
        _ => Level::D,
    };
    if circumstances.first_payment {
        level = level.raised();
    }
    if is_unusual(amount.minor(), &circumstances.recent) {
        level = level.raised();
    }
    level
}

/// Whether an amount is more than three times the median of the last payments.
fn is_unusual(minor: u64, recent: &[u64]) -> bool {
    let start = recent.len().saturating_sub(RECENT);
    let mut last: Vec<_> = recent.iter().skip(start).copied().collect();
    last.sort_unstable();
    // Of an even number, the lower of the two in the middle: the stricter one.
    let median = last.len().checked_sub(1).and_then(|most| last.get(most / 2));
    median.is_some_and(|median| minor > median.saturating_mul(3))
}

fn whole_units(amount: Money) -> u64 {
    amount.minor() / 10_u64.saturating_pow(amount.currency.digits())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level(text: &str, circumstances: &Circumstances) -> Level {
        let amount = Money::parse(text).unwrap();
        friction(Critical::Pay, Some(amount), circumstances, &Thresholds::default()).level
    }

    #[test]
    fn friction_follows_the_amount() {
        let ordinary = Circumstances::default();
        for (text, expected) in [
            ("EUR 0.00", Level::A),
            ("EUR 5.00", Level::A),
            ("EUR 5.01", Level::B),
            ("EUR 50.00", Level::B),
            ("EUR 50.01", Level::C),
            ("EUR 500.00", Level::C),
            ("EUR 500.01", Level::D),
            ("XTS 12.50", Level::B),
            ("XTS 500.01", Level::D),
            ("USD 0.01", Level::D),
            ("JPY 1", Level::D),
        ] {
            assert_eq!(level(text, &ordinary), expected, "{text}");
        }
    }

    #[test]
    fn what_is_unusual_raises_the_level() {
        let first = Circumstances { first_payment: true, ..Circumstances::default() };
        assert_eq!(level("EUR 12.50", &first), Level::C);
        let recent = Circumstances { recent: vec![100, 100, 400], ..Circumstances::default() };
        assert_eq!((level("EUR 3.00", &recent), level("EUR 3.01", &recent)), (Level::A, Level::B));
        let both = Circumstances { first_payment: true, ..recent };
        assert_eq!(level("EUR 4.00", &both), Level::C);
        let long_ago =
            Circumstances { recent: [vec![1; 30], vec![1000; 20]].concat(), ..Circumstances::default() };
        assert_eq!(level("EUR 4.00", &long_ago), Level::A);
        let lost = Circumstances { irrevocable_unprotected: true, ..Circumstances::default() };
        assert_eq!(level("EUR 0.10", &lost), Level::C);
    }

    #[test]
    fn level_d_asks_for_the_whole_units() {
        let of = |text| {
            friction(
                Critical::Pay,
                Some(Money::parse(text).unwrap()),
                &Circumstances::default(),
                &Thresholds::default(),
            )
        };
        assert_eq!(of("EUR 1240.99").retype, Some(1240));
        assert_eq!(of("JPY 700").retype, Some(700));
        assert_eq!(of("EUR 499.00").retype, None);
        assert!(of("EUR 499.00").pin && !of("EUR 50.00").pin);
    }

    #[test]
    fn acts_without_money_have_levels_of_their_own() {
        let of = |family, circumstances: Circumstances| {
            friction(family, None, &circumstances, &Thresholds::default())
        };
        let certified = Circumstances { certified: true, ..Circumstances::default() };
        assert_eq!(of(Critical::Install, certified).level, Level::B);
        assert_eq!(of(Critical::Install, Circumstances::default()).level, Level::D);
        assert_eq!(of(Critical::Trust, Circumstances::default()).arming, Span::seconds(5));
        for family in [Critical::Disclose, Critical::Dispute, Critical::Revoke, Critical::Release] {
            assert_eq!(of(family, Circumstances::default()).level, Level::C);
        }
        let warned = Circumstances { warnings: 3, ..Circumstances::default() };
        assert_eq!(of(Critical::Sign, warned).arming, Span::millis(2200));
    }

    #[test]
    fn a_bundle_takes_whatever_one_of_its_parts_takes() {
        let of = |family, text: &str| {
            let amount = Money::parse(text).ok();
            friction(family, amount, &Circumstances::default(), &Thresholds::default())
        };
        let (trust, pay) = (of(Critical::Trust, ""), of(Critical::Pay, "EUR 600.00"));
        for both in [trust.and(pay), pay.and(trust)] {
            assert_eq!((both.level, both.arming, both.retype), (Level::D, Span::seconds(5), Some(600)));
            assert!(both.pin && both.hold == Span::millis(2400));
        }
    }

    proptest! {
        #[test]
        fn more_money_never_takes_less(a in 0_u64..100_000, b in 0_u64..100_000, first: bool, odd: bool) {
            let circumstances = Circumstances {
                first_payment: first,
                irrevocable_unprotected: odd,
                recent: vec![1000; 5],
                ..Circumstances::default()
            };
            let of = |minor| {
                let amount = Money::new(minor, Currency::EUR).unwrap();
                friction(Critical::Pay, Some(amount), &circumstances, &Thresholds::default())
            };
            let (less, more) = (of(a.min(b)), of(a.max(b)));
            prop_assert!(less.level <= more.level && less.arming <= more.arming && less.hold <= more.hold);
            prop_assert!(less.arming >= Span::millis(700) && less.hold >= Span::millis(600));
        }
    }
}
