//! Sums of money: minor units and currency, checked, never through a float.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest amount in minor units: it fits a signed 64-bit integer, an SQLite integer and the integers
/// of JSON readers everywhere.
pub const MAX: u64 = 999_999_999_999_999;

/// A currency of the compiled-in table (ISO 4217, with the legacy currencies of the euro area).
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Currency([u8; 3]);

/// A number of minor units, at most [`MAX`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Amount(u64);

/// A sum of money in one currency.
///
/// There is no order between sums of different currencies, and no operator that could overflow unseen.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Money {
    /// Its currency.
    pub currency: Currency,
    /// Its minor units.
    pub amount: Amount,
}

/// How a quotient is rounded; always spelled out.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Rounding {
    /// To the nearest, a half upwards.
    HalfUp,
    /// To the nearest, a half to the even neighbour.
    HalfEven,
    /// Downwards: what is given away.
    Floor,
    /// Upwards: what is taken.
    Ceil,
}

/// Why a sum cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MoneyError {
    /// The result would be above [`MAX`] or is not a number.
    #[error("the sum is larger than any this program handles")]
    Overflow,
    /// The result would be below zero.
    #[error("the sum would be below zero")]
    Underflow,
    /// The two sums are of different currencies.
    #[error("the sums are of different currencies")]
    Currency,
    /// The code is not in the table of currencies.
    #[error("not a currency this program knows")]
    UnknownCurrency,
    /// The text is not of the form `EUR 12.50` with exactly the digits of the currency.
    #[error("not a sum of the form EUR 12.50")]
    Form,
}

/// Code and digits after the point (ISO 4217; XTS is its code for tests, XEU the ECU).
const TABLE: &[(&[u8; 3], u32)] = &[
    (b"ATS", 2),
    (b"AUD", 2),
    (b"BEF", 2),
    (b"BHD", 3),
    (b"BRL", 2),
    (b"CAD", 2),
    (b"CHF", 2),
    (b"CLP", 0),
    (b"CNY", 2),
    (b"CZK", 2),
    (b"DEM", 2),
    (b"DKK", 2),
    (b"ESP", 0),
    (b"EUR", 2),
    (b"FIM", 2),
    (b"FRF", 2),
    (b"GBP", 2),
    (b"GRD", 2),
    (b"HKD", 2),
    (b"HUF", 2),
    (b"IEP", 2),
    (b"ILS", 2),
    (b"INR", 2),
    (b"ISK", 0),
    (b"ITL", 0),
    (b"JOD", 3),
    (b"JPY", 0),
    (b"KRW", 0),
    (b"KWD", 3),
    (b"LUF", 2),
    (b"MXN", 2),
    (b"NLG", 2),
    (b"NOK", 2),
    (b"NZD", 2),
    (b"OMR", 3),
    (b"PLN", 2),
    (b"PTE", 2),
    (b"RON", 2),
    (b"SEK", 2),
    (b"SGD", 2),
    (b"TND", 3),
    (b"TRY", 2),
    (b"USD", 2),
    (b"VND", 0),
    (b"XEU", 2),
    (b"XTS", 2),
    (b"ZAR", 2),
];

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");
    /// Play money: ISO 4217's code for tests, without value anywhere.
    pub const XTS: Self = Self(*b"XTS");

    /// The currency of this three-letter code.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] for a code outside the table.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let code: [u8; 3] = code.as_bytes().try_into().map_err(|_| MoneyError::UnknownCurrency)?;
        let known = TABLE.iter().any(|(known, _)| **known == code);
        known.then_some(Self(code)).ok_or(MoneyError::UnknownCurrency)
    }

    /// Its three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many digits stand after the point.
    pub fn digits(self) -> u32 {
        TABLE.iter().find(|(code, _)| **code == self.0).map_or(2, |(_, digits)| *digits)
    }

    /// Whether this is play money.
    pub fn is_play(self) -> bool {
        self == Self::XTS
    }
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `minor` minor units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] above [`MAX`].
    pub const fn new(minor: u64) -> Result<Self, MoneyError> {
        if minor > MAX { Err(MoneyError::Overflow) } else { Ok(Self(minor)) }
    }

    /// Its minor units.
    pub const fn minor(self) -> u64 {
        self.0
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_add(other.0).ok_or(MoneyError::Overflow).and_then(Self::new)
    }

    /// What is left of this without `other`.
    ///
    /// # Errors
    /// [`MoneyError::Underflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.0.checked_sub(other.0).map(Self).ok_or(MoneyError::Underflow)
    }

    /// This, `times` times.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, times: u32) -> Result<Self, MoneyError> {
        self.0.checked_mul(times.into()).ok_or(MoneyError::Overflow).and_then(Self::new)
    }

    /// This times `numerator / denominator`, rounded as said.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`], also for a denominator of zero.
    pub fn mul_ratio(self, numerator: u64, denominator: u64, rounding: Rounding) -> Result<Self, MoneyError> {
        let (product, denominator) = (u128::from(self.0) * u128::from(numerator), u128::from(denominator));
        let floor = product.checked_div(denominator).ok_or(MoneyError::Overflow)?;
        let twice = 2 * (product - floor * denominator);
        let up = match rounding {
            Rounding::Floor => false,
            Rounding::Ceil => twice > 0,
            Rounding::HalfUp => twice >= denominator,
            Rounding::HalfEven => twice > denominator || (twice == denominator && floor % 2 == 1),
        };
        u64::try_from(floor + u128::from(up)).map_err(|_| MoneyError::Overflow).and_then(Self::new)
    }
}

/// Shares `total` out by `weights`: each share rounded down, the rest handed out one unit each by the
/// largest remainder, ties to the lower index. The shares always add up to `total`.
///
/// # Errors
/// [`MoneyError::Overflow`] when there are no weights, or none above zero.
pub fn allocate(total: Amount, weights: &[u32]) -> Result<Vec<Amount>, MoneyError> {
    let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
    if sum == 0 {
        return Err(MoneyError::Overflow);
    }
    let mut shares = Vec::with_capacity(weights.len());
    let mut rest = total.0;
    for (index, weight) in weights.iter().enumerate() {
        let product = u128::from(total.0) * u128::from(*weight);
        let share = u64::try_from(product / sum).map_err(|_| MoneyError::Overflow)?;
        rest -= share;
        shares.push((index, share, product % sum));
    }
    shares.sort_by(|a, b| b.2.cmp(&a.2).then(a.0.cmp(&b.0)));
    for share in &mut shares {
        let extra = u64::from(rest > 0);
        share.1 += extra;
        rest -= extra;
    }
    shares.sort_by_key(|share| share.0);
    Ok(shares.into_iter().map(|(_, share, _)| Amount(share)).collect())
}

impl Money {
    /// `minor` minor units of `currency`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] above [`MAX`].
    pub fn new(minor: u64, currency: Currency) -> Result<Self, MoneyError> {
        Amount::new(minor).map(|amount| Self { currency, amount })
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self { currency, amount: Amount::ZERO }
    }

    /// Whether this is nothing.
    pub fn is_zero(self) -> bool {
        self.amount == Amount::ZERO
    }

    /// Its minor units.
    pub const fn minor(self) -> u64 {
        self.amount.0
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`MoneyError::Currency`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        let amount = self.same(other)?.amount.checked_add(other.amount)?;
        Ok(Self { amount, ..self })
    }

    /// What is left of this without `other`.
    ///
    /// # Errors
    /// [`MoneyError::Currency`], [`MoneyError::Underflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        let amount = self.same(other)?.amount.checked_sub(other.amount)?;
        Ok(Self { amount, ..self })
    }

    /// Reads the form of statements, `EUR 12.50`: exactly the currency's digits, no sign, no grouping.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        if text.len() > 20 {
            return Err(MoneyError::Form);
        }
        let (code, number) = text.split_once(' ').ok_or(MoneyError::Form)?;
        let currency = Currency::parse(code)?;
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let money = Self::new(digits.parse().map_err(|_| MoneyError::Form)?, currency)?;
        (money.to_string() == text).then_some(money).ok_or(MoneyError::Form)
    }

    fn same(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency == other.currency { Ok(self) } else { Err(MoneyError::Currency) }
    }
}

impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.same(*other).ok().map(|_| self.amount.cmp(&other.amount))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.digits();
        let unit = 10_u64.pow(digits);
        write!(f, "{} {}", self.currency.code(), self.amount.0 / unit)?;
        if digits > 0 {
            let width = usize::try_from(digits).map_err(|_| fmt::Error)?;
            write!(f, ".{:0width$}", self.amount.0 % unit)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amounts(minor: &[u64]) -> Vec<Amount> {
        minor.iter().map(|m| Amount::new(*m).unwrap()).collect()
    }

    #[test]
    fn a_sum_has_exactly_the_digits_of_its_currency() {
        for text in ["EUR 19.99", "EUR 0.05", "JPY 500", "KWD 1.250", "XTS 6.00", "EUR 9999999999999.99"] {
            assert_eq!(Money::parse(text).map(|m| m.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "EUR 19.9",
            "EUR 19",
            "EUR -1.00",
            "EUR +1.00",
            "EUR 01.00",
            "EUR 1,00",
            "eur 1.00",
            "EUR  1.00",
            "EUR 1.00 ",
            "XXX 1.00",
            "EUR 1e2.00",
            "EUR 99999999999999.99",
            "EUR",
            "",
            "EUR ٣.00",
        ] {
            assert!(Money::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sums_of_different_currencies_have_no_order_and_no_sum() {
        let (euro, play) = (Money::parse("EUR 1.00").unwrap(), Money::parse("XTS 1.00").unwrap());
        assert_eq!(euro.partial_cmp(&play), None);
        assert_eq!(euro.checked_add(play), Err(MoneyError::Currency));
    }

    #[test]
    fn nothing_overflows_unseen() {
        let most = Money::new(MAX, Currency::EUR).unwrap();
        let cent = Money::parse("EUR 0.01").unwrap();
        assert_eq!(most.checked_add(cent), Err(MoneyError::Overflow));
        assert_eq!(Money::zero(Currency::EUR).checked_sub(cent), Err(MoneyError::Underflow));
        assert_eq!(most.amount.checked_mul(2), Err(MoneyError::Overflow));
        assert_eq!(most.amount.mul_ratio(u64::MAX, 1, Rounding::Floor), Err(MoneyError::Overflow));
        assert_eq!(most.amount.mul_ratio(1, 0, Rounding::Floor), Err(MoneyError::Overflow));
    }

    #[test]
    fn quotients_are_rounded_as_said() {
        let five = Amount::new(5).unwrap();
        let all = [Rounding::HalfUp, Rounding::HalfEven, Rounding::Floor, Rounding::Ceil];
        let rounded: Vec<_> = all.map(|r| five.mul_ratio(1, 2, r).unwrap().minor()).into();
        assert_eq!(rounded, [3, 2, 2, 3]);
        // Regulation (EC) 1103/97: amounts of a legacy currency by the six-figure rate, rounded once.
        let hundred = Amount::new(10_000).unwrap();
        for (rate, euro) in [(195_583, 5113), (220_371, 4538), (655_957, 1524)] {
            assert_eq!(hundred.mul_ratio(100_000, rate, Rounding::HalfUp), Amount::new(euro));
        }
    }

    #[test]
    fn shares_follow_the_largest_remainder() {
        let share = |total, weights: &[u32]| allocate(Amount::new(total).unwrap(), weights);
        assert_eq!(share(100, &[1, 1, 1]), Ok(amounts(&[34, 33, 33])));
        assert_eq!(share(5, &[3, 7]), Ok(amounts(&[2, 3])));
        assert_eq!(share(1001, &[50, 30, 20]), Ok(amounts(&[501, 300, 200])));
        assert!(share(1, &[0, 0]).is_err() && share(1, &[]).is_err());
    }

    proptest! {
        #[test]
        fn shares_always_add_up(total in 0..=MAX, weights in proptest::collection::vec(0_u32..1000, 1..12)) {
            prop_assume!(weights.iter().any(|w| *w > 0));
            let shares = allocate(Amount::new(total).unwrap(), &weights).unwrap();
            prop_assert_eq!(shares.iter().map(|s| s.minor()).sum::<u64>(), total);
        }

        #[test]
        fn every_sum_is_read_as_it_was_written(minor in 0..=MAX, which in 0..TABLE.len()) {
            let money = Money::new(minor, Currency(*TABLE[which].0)).unwrap();
            prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
        }
    }
}
