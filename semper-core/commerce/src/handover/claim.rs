//! The parts of a link that carry weight: what it points to, the claim on it, and whose key to expect.

use std::fmt;

use semper_supporting::crypto::{digest::Digest, signature::Kid};

use super::HandoverFault;

/// Crockford's base 32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many characters a claim has: 130 bits.
pub const CLAIM: usize = 26;
/// How many bytes of a key's digest a link names.
const PIN: usize = 8;
/// How many characters a reference has at most.
const REFERENCE: usize = 64;

/// What a link points to, in the shop's words: 1 to 64 letters, digits, dots, underscores and hyphens, one letter or
/// digit among them.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Reference(String);

/// A secret that lets its holder claim what a link points to, once: 26 characters of Crockford's base 32.
///
/// It is not shown: whoever reads it from a screen or a log could claim before the person it was made for.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Claim(String);

/// The beginning of SHA-256 of the shop's SubjectPublicKeyInfo, 64 bits: a link of one shop does not lead to another.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyPin([u8; PIN]);

/// Four characters that the page and the trusted window both show, so that a person sees that they belong together:
/// the first 20 bits of SHA-256(reference ‖ claim).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PairingCode([u8; 4]);

impl Reference {
    /// Takes a reference.
    ///
    /// # Errors
    /// [`HandoverFault::Link`].
    pub fn new(text: &str) -> Result<Self, HandoverFault> {
        let sound = (1..=REFERENCE).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            && text.bytes().any(|byte| byte.is_ascii_alphanumeric());
        if sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(HandoverFault::Link("what it points to is no name"))
        }
    }

    /// Makes one of random bytes that people can read to each other: `7Q2M-9XKD`, 40 bits.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        let text = crockford(&bytes);
        let (one, two) = text.split_at_checked(4).unwrap_or((&text, ""));
        Self(format!("{one}-{two}"))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Claim {
    /// Makes a claim of random bytes, five bits of each.
    pub fn from_random(bytes: &[u8; CLAIM]) -> Self {
        Self(crockford(bytes))
    }

    /// Takes a claim: 26 characters, capitals, none that Crockford leaves out.
    ///
    /// # Errors
    /// [`HandoverFault::Link`].
    pub fn parse(text: &str) -> Result<Self, HandoverFault> {
        if text.len() == CLAIM && text.bytes().all(|byte| ALPHABET.contains(&byte)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(HandoverFault::Link("the claim in it is none"))
        }
    }

    /// What a shop keeps of it, and compares: SHA-256 of its characters.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// Its characters, which are a secret until it is claimed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim(…)")
    }
}

impl KeyPin {
    /// The pin of a key.
    pub fn of(key: &Kid) -> Self {
        let mut pin = [0; PIN];
        pin.iter_mut().zip(key.as_bytes()).for_each(|(to, from)| *to = *from);
        Self(pin)
    }

    /// Takes a pin: 16 small hexadecimal digits.
    ///
    /// # Errors
    /// [`HandoverFault::Link`].
    pub fn parse(text: &str) -> Result<Self, HandoverFault> {
        semper_supporting::crypto::digest::parse_hex(text)
            .map(Self)
            .map_err(|_| HandoverFault::Link("the key in it is none"))
    }

    /// Whether `key` is one that the link means.
    pub fn fits(&self, key: &Kid) -> bool {
        *self == Self::of(key)
    }
}

impl fmt::Display for KeyPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl PairingCode {
    /// The code of what a link points to and the claim in it.
    pub fn of(reference: &Reference, claim: &Claim) -> Self {
        let digest = Digest::of_parts([reference.0.as_bytes(), claim.0.as_bytes()]);
        let [a, b, c, ..] = *digest.as_bytes();
        let bits = u32::from_be_bytes([0, a, b, c]) >> 4;
        let at = |shift: u32| symbol(u8::try_from((bits >> shift) & 31).unwrap_or(0));
        Self([at(15), at(10), at(5), at(0)])
    }
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

fn crockford(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(symbol(*byte))).collect()
}

/// The symbol of the five lower bits: every symbol is as likely as any other if the byte is random.
fn symbol(byte: u8) -> u8 {
    ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also computed by `printf '7Q2M-9XKD0H7TNV4C8R2J5W9YQKX3BZ6FMD' | sha256sum`.
    #[test]
    fn a_pairing_code_is_the_beginning_of_the_digest_of_reference_and_claim() {
        let reference = Reference::new("7Q2M-9XKD").unwrap();
        let claim = Claim::parse("0H7TNV4C8R2J5W9YQKX3BZ6FMD").unwrap();
        assert_eq!(PairingCode::of(&reference, &claim).to_string(), PAIRED);
        let other = Claim::parse("0H7TNV4C8R2J5W9YQKX3BZ6FME").unwrap();
        assert_ne!(PairingCode::of(&reference, &other).to_string(), PAIRED);
    }

    const PAIRED: &str = "DF7M";

    #[test]
    fn random_bytes_give_claims_and_references_that_are_read_again() {
        let bytes: [u8; CLAIM] = std::array::from_fn(|at| u8::try_from(at * 9).unwrap());
        let claim = Claim::from_random(&bytes);
        assert_eq!(Claim::parse(claim.reveal()).unwrap(), claim);
        let reference = Reference::from_random([255, 1, 2, 3, 32, 33, 34, 9]);
        assert_eq!(reference.as_str(), "Z123-0129");
        assert_eq!(Reference::new(reference.as_str()).unwrap(), reference);
    }

    #[test]
    fn a_claim_is_in_no_log() {
        let claim = Claim::from_random(&[7; CLAIM]);
        assert!(!format!("{claim:?}").contains(claim.reveal()));
    }

    #[test]
    fn a_pin_fits_the_key_it_was_made_of() {
        let key = Kid::from_bytes([0xab; 32]);
        let pin = KeyPin::of(&key);
        assert_eq!(KeyPin::parse(&pin.to_string()).unwrap(), pin);
        assert!(pin.fits(&key) && !pin.fits(&Kid::from_bytes([0xac; 32])));
        assert!(KeyPin::parse("ABABABABABABABAB").is_err());
    }
}
