//! The personal registration key: 16 characters in a letter, and what both sides compute from them.
//!
//! Fourteen random characters of Crockford's base 32 (70 bits) and two check characters of a Reed–Solomon code
//! over GF(32), shortened to length 16, with distance 3: one wrong character is located, any two are noticed.
//! Seventy bits are enough because the authority counts tries and because computing K from a guess takes
//! 64 MiB and a tenth of a second (Argon2id, RFC 9106).

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{
    certificate::Certificate,
    crypto::digest::{Digest, deserialize_hex, serialize_hex},
    fault::{Blame, Fault, Standing},
};

/// How many characters a key has.
pub const PRK_LENGTH: usize = 16;
/// How many of them are random.
pub const PRK_RANDOM: usize = 14;
const GROUP: usize = 4;
pub(crate) const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

crate::identifier! {
    /// What a wallet names its registration by: the first 8 bytes of a digest of K.
    PrkId, 8
}

/// A personal registration key. Erased when dropped and never printed but by [`Prk::text`].
#[derive(Clone, Eq, PartialEq)]
pub struct Prk(Zeroizing<[u8; PRK_LENGTH]>);

/// Why a text is no registration key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PrkFault {
    /// It has not 16 characters.
    #[error("The registration key has 16 characters in 4 groups; {got} were entered.")]
    Length {
        /// How many were entered.
        got: usize,
    },
    /// One character is wrong, or no character of a key.
    #[error("One character in group {group} is wrong.")]
    Typo {
        /// The group, counted from 1.
        group: usize,
    },
    /// More than one character is wrong; which, nobody can say.
    #[error("The groups do not fit each other. Check for a typing error.")]
    Unclear,
}

impl Fault for PrkFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "prk.length",
            Self::Typo { .. } => "prk.typo",
            Self::Unclear => "prk.unclear",
        }
    }

    fn blame(&self) -> Blame {
        Blame::User
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

impl Prk {
    /// The key of 14 random bytes, of which five bits each count.
    pub fn from_random(random: &[u8; PRK_RANDOM]) -> Self {
        let mut symbols = Zeroizing::new([0; PRK_LENGTH]);
        for (symbol, byte) in symbols.iter_mut().zip(random) {
            *symbol = byte & 31;
        }
        let (sum, weighted) = syndromes(&symbols);
        // Both check characters together make both sums zero: c14 + c15 = sum, a^14 c14 + a^15 c15 = weighted.
        let last = divide(weighted ^ times(power(14), sum), power(14) ^ power(15));
        let [.., c14, c15] = &mut *symbols;
        (*c14, *c15) = (sum ^ last, last);
        Self(symbols)
    }

    /// Reads a key as people type it: lower case, `O` for `0`, `I` and `L` for `1`, hyphens and white space
    /// anywhere.
    ///
    /// # Errors
    /// [`PrkFault`], which names the group of a single wrong character.
    pub fn parse(text: &str) -> Result<Self, PrkFault> {
        let typed: Zeroizing<Vec<Option<u8>>> = Zeroizing::new(
            text.chars()
                .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '–'))
                .map(symbol)
                .collect(),
        );
        let got = typed.len();
        let mut symbols = Zeroizing::new([0; PRK_LENGTH]);
        if got != symbols.len() {
            return Err(PrkFault::Length { got });
        }
        let mut strangers = 0;
        let mut strange = 0;
        for (place, (to, from)) in symbols.iter_mut().zip(typed.iter()).enumerate() {
            match from {
                Some(symbol) => *to = *symbol,
                None => (strangers, strange) = (strangers + 1, place),
            }
        }
        match strangers {
            0 => check(&symbols).map(|()| Self(symbols)),
            1 => Err(PrkFault::Typo { group: strange / GROUP + 1 }),
            _ => Err(PrkFault::Unclear),
        }
    }

    /// The key in four groups of four, for the letter.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PRK_LENGTH + 3));
        for (place, symbol) in self.0.iter().enumerate() {
            if place > 0 && place.is_multiple_of(GROUP) {
                text.push('-');
            }
            text.push(ALPHABET.get(usize::from(*symbol)).map_or('?', |byte| char::from(*byte)));
        }
        text
    }

    /// The value K that stands for the key: Argon2id over its 16 characters with 64 MiB, 3 passes, 4 lanes. The
    /// salt is bound to the root that the letter names, so that a key of one authority is none of another.
    ///
    /// # Errors
    /// [`KeyFault`] if the memory for it cannot be had.
    pub fn derive(&self, root: &Certificate) -> Result<PrkKey, KeyFault> {
        let salt = Digest::of_parts([b"semper-prk/1".as_slice(), root.der()]);
        let characters = Zeroizing::new(self.text().replace('-', ""));
        let params = Params::new(64 << 10, 3, 4, Some(32)).map_err(|_| KeyFault)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(characters.as_bytes(), salt.as_bytes(), &mut *key)
            .map_err(|_| KeyFault)?;
        Ok(PrkKey(key))
    }
}

/// K could not be computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the registration key cannot be derived: not enough memory")]
pub struct KeyFault;

/// K: what the authority stores instead of the key, and what both sides prove to know.
#[derive(Clone)]
pub struct PrkKey(Zeroizing<[u8; 32]>);

impl PrkKey {
    /// The name of the registration.
    pub fn id(&self) -> PrkId {
        let digest = Digest::of_parts([b"semper-prk-id/1".as_slice(), self.0.as_slice()]);
        let mut id = [0; 8];
        id.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
        PrkId::from_bytes(id)
    }

    /// The wallet's proof: HMAC-SHA-256 (RFC 2104) over the nonce, the exporter value of the TLS session
    /// (RFC 9266) and the digest of what is asked.
    pub fn mac(&self, nonce: &[u8; 32], exporter: &[u8; 32], asked: &Digest) -> [u8; 32] {
        self.hmac([nonce, exporter, asked.as_bytes()])
    }

    /// The authority's proof over what it gives: the digests of what was asked and of the answer.
    pub fn mac2(&self, asked: &Digest, given: &Digest) -> [u8; 32] {
        self.hmac([b"semper-prk-set/1".as_slice(), asked.as_bytes(), given.as_bytes()])
    }

    fn hmac<'a>(&self, parts: impl IntoIterator<Item: AsRef<[u8]> + 'a>) -> [u8; 32] {
        // HMAC fills a key up to one block with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block.iter_mut().zip(self.0.iter()).for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        for part in parts {
            mac.update(part.as_ref());
        }
        mac.finalize().into_bytes().into()
    }
}

/// Whether two proofs are equal, in a time that does not depend on where they differ.
pub fn same_mac(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

impl PartialEq for PrkKey {
    fn eq(&self, other: &Self) -> bool {
        same_mac(&self.0, &other.0)
    }
}

impl Eq for PrkKey {}

impl fmt::Debug for PrkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrkKey({})", self.id())
    }
}

impl fmt::Debug for Prk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prk(…)")
    }
}

impl Serialize for PrkKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for PrkKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_hex(deserializer).map(|bytes| Self(Zeroizing::new(bytes)))
    }
}

fn symbol(character: char) -> Option<u8> {
    let character = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|byte| char::from(*byte) == character)?;
    u8::try_from(place).ok()
}

/// Checks the code: with one wrong character of value e at place i the sums are e and a^i e, so that their
/// quotient names the place.
fn check(symbols: &[u8; PRK_LENGTH]) -> Result<(), PrkFault> {
    match syndromes(symbols) {
        (0, 0) => Ok(()),
        (0, _) | (_, 0) => Err(PrkFault::Unclear),
        (sum, weighted) => {
            let quotient = divide(weighted, sum);
            match (0..PRK_LENGTH).find(|place| power(*place) == quotient) {
                Some(place) => Err(PrkFault::Typo { group: place / GROUP + 1 }),
                None => Err(PrkFault::Unclear),
            }
        }
    }
}

/// The sum of all symbols, and the sum of all a^i c_i.
fn syndromes(symbols: &[u8; PRK_LENGTH]) -> (u8, u8) {
    symbols.iter().enumerate().fold((0, 0), |(sum, weighted), (place, symbol)| {
        (sum ^ symbol, weighted ^ times(power(place), *symbol))
    })
}

/// Product in GF(32) = GF(2)[x] / (x^5 + x^2 + 1), without a table that a secret would index.
pub(crate) fn times(a: u8, b: u8) -> u8 {
    let mut product = 0;
    let mut shifted = a;
    for bit in 0..5 {
        product ^= shifted & (0_u8.wrapping_sub(b >> bit & 1));
        shifted = shifted << 1 ^ (0_u8.wrapping_sub(shifted >> 4 & 1) & 0x25);
    }
    product & 31
}

/// The `exponent`th power of a = x.
pub(crate) fn power(exponent: usize) -> u8 {
    (0..exponent).fold(1, |value, _| times(value, 2))
}

/// Quotient in GF(32): b to the power of 30 is its inverse.
fn divide(a: u8, b: u8) -> u8 {
    (0..30).fold(a, |value, _| times(value, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Prk {
        Prk::from_random(b"fourteen bytes")
    }

    /// The code is linear, so what holds for the sample holds for the error alone; a second key is for safety.
    fn samples() -> [[u8; PRK_LENGTH]; 3] {
        [*sample().0, *Prk::from_random(&[0; 14]).0, *Prk::from_random(&[255; 14]).0]
    }

    #[test]
    fn a_key_is_read_as_it_was_printed_and_as_people_type_it() {
        let text = sample().text();
        assert_eq!(text.len(), 19);
        assert_eq!(Prk::parse(&text), Ok(sample()));
        let sloppy = text.to_lowercase().replace('-', "  ").replace('0', "o").replace('1', "l");
        assert_eq!(Prk::parse(&sloppy), Ok(sample()));
        assert_eq!(Prk::parse(&text.replace('1', "I").replace('-', "")), Ok(sample()));
    }

    #[test]
    fn every_single_error_is_located_in_its_group() {
        for good in samples() {
            for place in 0..PRK_LENGTH {
                for error in 1..32 {
                    let mut bad = good;
                    bad[place] ^= error;
                    assert_eq!(check(&bad), Err(PrkFault::Typo { group: place / 4 + 1 }), "{place} {error}");
                }
            }
        }
    }

    #[test]
    fn every_double_error_is_noticed() {
        for good in samples() {
            for first in 0..PRK_LENGTH {
                for second in first + 1..PRK_LENGTH {
                    for errors in 0..31 * 31_u16 {
                        let mut bad = good;
                        bad[first] ^= (errors / 31 + 1) as u8;
                        bad[second] ^= (errors % 31 + 1) as u8;
                        assert!(check(&bad).is_err(), "{first} {second} {errors}");
                    }
                }
            }
        }
    }

    /// Swapping two characters adds their difference at both places, so all differences are all swaps.
    #[test]
    fn every_swap_of_neighbours_is_noticed_and_not_blamed_on_a_group() {
        for good in samples() {
            for place in 0..PRK_LENGTH - 1 {
                for difference in 1..32 {
                    let mut swapped = good;
                    swapped[place] ^= difference;
                    swapped[place + 1] ^= difference;
                    assert_eq!(check(&swapped), Err(PrkFault::Unclear), "{place} {difference}");
                }
            }
        }
    }

    #[test]
    fn a_character_that_is_none_is_located_too() {
        let text = sample().text();
        let mut strange = text.replace('-', "").into_bytes();
        strange[9] = b'U';
        let mut strange = String::from_utf8(strange).unwrap();
        assert_eq!(Prk::parse(&strange), Err(PrkFault::Typo { group: 3 }));
        strange.replace_range(0..1, "#");
        assert_eq!(Prk::parse(&strange), Err(PrkFault::Unclear));
        assert_eq!(Prk::parse(&text[1..]), Err(PrkFault::Length { got: 15 }));
        assert_eq!(Prk::parse(""), Err(PrkFault::Length { got: 0 }));
    }

    #[test]
    fn the_field_is_one() {
        for a in 0..32 {
            for b in 1..32 {
                assert_eq!(times(divide(a, b), b), a);
            }
        }
        let powers: std::collections::BTreeSet<_> = (0..31).map(power).collect();
        assert_eq!(powers.len(), 31);
    }

    #[test]
    fn k_depends_on_key_and_root_and_proves_both_ways() {
        let root = |n| Certificate::from_der(&[n; 8]).unwrap();
        let key = sample().derive(&root(1)).unwrap();
        assert_eq!(sample().derive(&root(1)), Ok(key.clone()));
        assert_ne!(sample().derive(&root(2)).unwrap().id(), key.id());
        assert_ne!(Prk::from_random(&[1; 14]).derive(&root(1)).unwrap().id(), key.id());
        let (asked, given) = (Digest::of(b"asked"), Digest::of(b"given"));
        let mac = key.mac(&[1; 32], &[2; 32], &asked);
        assert!(same_mac(&mac, &key.mac(&[1; 32], &[2; 32], &asked)));
        assert!(!same_mac(&mac, &key.mac(&[2; 32], &[2; 32], &asked)));
        assert!(!same_mac(&mac, &key.mac2(&asked, &given)));
        assert!(!format!("{key:?}{:?}", sample()).contains(&*sample().text()));
    }
}
