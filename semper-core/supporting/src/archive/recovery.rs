//! The recovery key: forty characters on a sheet of paper that open the archive without its password.
//!
//! Eight groups of five characters of Crockford's base 32: four random ones (160 bits in all) and one check
//! character over GF(32), in which the number of the group counts, so that a wrong character, two swapped
//! neighbours and a group in the wrong place are all noticed, and named by the group.

use std::fmt;

use zeroize::Zeroizing;

use crate::registration::prk::{ALPHABET, power, times};

/// How many groups a recovery key has.
pub const GROUPS: usize = 8;
/// How many random bytes make one.
pub const RANDOM: usize = 20;
/// Random characters in a group.
const DATA: usize = 4;
/// All characters.
const LENGTH: usize = GROUPS * (DATA + 1);

/// A recovery key. Erased when dropped, and printed by [`RecoveryKey::text`] only.
#[derive(Clone, Eq, PartialEq)]
pub struct RecoveryKey(Zeroizing<[u8; RANDOM]>);

/// Why a text is no recovery key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecoveryTypo {
    /// It has not forty characters.
    #[error("a recovery key has 40 characters in 8 groups")]
    Length,
    /// A group has a typing error.
    #[error("Group {group} has a typing error")]
    Group {
        /// The first such group, counted from 1.
        group: usize,
    },
}

impl RecoveryTypo {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Length => "recovery.length",
            Self::Group { .. } => "recovery.group",
        }
    }
}

impl RecoveryKey {
    /// The key of 20 random bytes.
    pub fn from_random(random: &Zeroizing<[u8; RANDOM]>) -> Self {
        Self(random.clone())
    }

    /// Its characters, in groups with spaces between them.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + GROUPS));
        for (group, symbols) in self.symbols().chunks(DATA).enumerate() {
            if group > 0 {
                text.push(' ');
            }
            for symbol in symbols.iter().copied().chain([check(group, symbols)]) {
                text.push(letter(symbol));
            }
        }
        text
    }

    /// Reads what somebody typed: in any case, with or without spaces and hyphens, O for 0, I and L for 1.
    ///
    /// # Errors
    /// [`RecoveryTypo`], naming the first group that is wrong.
    pub fn parse(text: &str) -> Result<Self, RecoveryTypo> {
        let typed: Zeroizing<Vec<Option<u8>>> = Zeroizing::new(
            text.chars().filter(|c| !matches!(c, ' ' | '-' | '\n')).take(LENGTH + 1).map(symbol).collect(),
        );
        if typed.len() != LENGTH {
            return Err(RecoveryTypo::Length);
        }
        let mut symbols = Zeroizing::new(Vec::with_capacity(GROUPS * DATA));
        for (group, typed) in typed.chunks(DATA + 1).enumerate() {
            let wrong = RecoveryTypo::Group { group: group + 1 };
            let values =
                typed.iter().copied().collect::<Option<Vec<u8>>>().map(Zeroizing::new).ok_or(wrong)?;
            let (last, data) = values.split_last().ok_or(wrong)?;
            if check(group, data) != *last {
                return Err(wrong);
            }
            symbols.extend_from_slice(data);
        }
        let mut bytes = Zeroizing::new([0; RANDOM]);
        // Eight characters of five bits are five bytes.
        for (five, eight) in bytes.chunks_mut(5).zip(symbols.chunks(8)) {
            let value = eight.iter().fold(0_u64, |value, symbol| value << 5 | u64::from(*symbol));
            five.copy_from_slice(value.to_be_bytes().get(3..).unwrap_or(&[0; 5]));
        }
        Ok(Self(bytes))
    }

    /// Its 20 bytes.
    pub(super) fn bytes(&self) -> &[u8; RANDOM] {
        &self.0
    }

    fn symbols(&self) -> Zeroizing<Vec<u8>> {
        let mut symbols = Zeroizing::new(Vec::with_capacity(GROUPS * DATA));
        for five in self.0.chunks(5) {
            let value = five.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            symbols.extend((0..8).rev().map(|place| u8::try_from(value >> (5 * place) & 31).unwrap_or(0)));
        }
        symbols
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKey")
    }
}

/// The check character: the sum of a^(i+1) s_i and the number of the group, counted from 1. The check character
/// itself has the weight a^0, so no two neighbours have one weight.
fn check(group: usize, symbols: &[u8]) -> u8 {
    let number = u8::try_from(group + 1).unwrap_or(0);
    symbols.iter().enumerate().fold(number, |sum, (place, symbol)| sum ^ times(power(place + 1), *symbol))
}

fn letter(symbol: u8) -> char {
    char::from(ALPHABET.get(usize::from(symbol)).copied().unwrap_or(b'?'))
}

fn symbol(character: char) -> Option<u8> {
    let upper = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|letter| char::from(*letter) == upper)?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(seed: u8) -> RecoveryKey {
        RecoveryKey::from_random(&Zeroizing::new(std::array::from_fn(|i| {
            seed.wrapping_mul(37) ^ (i as u8) << 3
        })))
    }

    #[test]
    fn a_key_is_read_as_it_was_printed_and_as_people_type_it() {
        let text = key(1).text();
        assert_eq!(text.len(), 47);
        assert_eq!(RecoveryKey::parse(&text), Ok(key(1)));
        let sloppy = text.to_lowercase().replace(' ', "-").replace('0', "o").replace('1', "l");
        assert_eq!(RecoveryKey::parse(&sloppy), Ok(key(1)));
    }

    #[test]
    fn every_wrong_character_and_every_swap_of_neighbours_is_noticed_in_its_group() {
        for seed in [0, 1, 200] {
            let good: Vec<char> = key(seed).text().replace(' ', "").chars().collect();
            for place in 0..LENGTH {
                let expected = Err(RecoveryTypo::Group { group: place / 5 + 1 });
                for letter in ALPHABET.map(char::from).into_iter().chain(['U', '€']) {
                    let mut typed = good.clone();
                    typed[place] = letter;
                    if typed != good {
                        assert_eq!(RecoveryKey::parse(&typed.iter().collect::<String>()), expected);
                    }
                }
                let mut typed = good.clone();
                if place % 5 < 4 && typed[place] != typed[place + 1] {
                    typed.swap(place, place + 1);
                    assert_eq!(RecoveryKey::parse(&typed.iter().collect::<String>()), expected);
                }
            }
        }
    }

    #[test]
    fn groups_in_the_wrong_order_are_noticed() {
        let text = key(1).text();
        let mut groups: Vec<_> = text.split(' ').collect();
        groups.swap(2, 5);
        assert_eq!(RecoveryKey::parse(&groups.join(" ")), Err(RecoveryTypo::Group { group: 3 }));
        assert_eq!(RecoveryKey::parse(""), Err(RecoveryTypo::Length));
        assert_eq!(RecoveryKey::parse(&"0".repeat(1000)), Err(RecoveryTypo::Length));
        assert!(!format!("{:?}", key(1)).contains(char::is_numeric));
    }

    proptest! {
        #[test]
        fn every_key_is_read_as_it_was_printed(bytes: [u8; RANDOM]) {
            let key = RecoveryKey::from_random(&Zeroizing::new(bytes));
            prop_assert_eq!(RecoveryKey::parse(&key.text()), Ok(key.clone()));
        }

        #[test]
        fn nothing_typed_panics(text in any::<String>()) {
            let _ = RecoveryKey::parse(&text);
        }
    }
}
