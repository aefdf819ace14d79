//! Randomness: one fresh block for every step, journaled by reference before anything of it leaves.

use std::fmt;

use hkdf::Hkdf;
use semper_supporting::crypto::digest::Digest;
use sha2::Sha512;
use zeroize::Zeroizing;

/// There is no randomness to be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the operating system gives no randomness")]
pub struct RandomError;

/// The random bytes of one step, and what the journal keeps of them.
pub struct Block {
    bytes: Zeroizing<[u8; 64]>,
    reference: [u8; 32],
}

/// Where random bytes come from.
pub trait Randomness: Send + Sync + 'static {
    /// A fresh block.
    ///
    /// # Errors
    /// [`RandomError`]; the program must stop then.
    fn draw(&self) -> Result<Block, RandomError>;

    /// The block that has this reference, for going through a journal again.
    fn again(&self, reference: [u8; 32]) -> Block;

    /// 32 fresh bytes for the salt of a journal entry.
    ///
    /// # Errors
    /// [`RandomError`].
    fn salt(&self) -> Result<[u8; 32], RandomError>;
}

/// Blocks made of a secret key and a fresh number of the operating system: HKDF-SHA-512 (RFC 5869) with the
/// key as keying material, the number as salt. The number is the reference that is journaled; without the
/// key it says nothing about the block.
pub struct KeyedRandomness {
    key: Zeroizing<[u8; 32]>,
}

const INFO: &[u8] = b"semper-engine-block/1";

impl Block {
    /// The block of these bytes, under the reference by which its source makes them again.
    pub const fn new(bytes: Zeroizing<[u8; 64]>, reference: [u8; 32]) -> Self {
        Self { bytes, reference }
    }

    /// Its 64 bytes.
    pub fn bytes(&self) -> &[u8; 64] {
        &self.bytes
    }

    /// 32 bytes of their own for each `label`, where a step needs several values.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        let expanded =
            Hkdf::<Sha512>::new(None, self.bytes.as_slice()).expand(label.as_bytes(), out.as_mut());
        debug_assert!(expanded.is_ok(), "32 bytes are within the reach of HKDF-SHA-512");
        out
    }

    /// What the journal keeps of it.
    pub const fn reference(&self) -> &[u8; 32] {
        &self.reference
    }

    /// A number made of this block for place `n`, for jitter.
    pub(crate) fn jitter(&self, n: u64) -> u64 {
        let digest = Digest::of_parts([b"jitter".as_slice(), self.bytes.as_slice(), &n.to_be_bytes()]);
        digest.as_bytes().iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({})", Digest::from_bytes(self.reference))
    }
}

impl KeyedRandomness {
    /// A source with this secret key, which belongs to the archive and is kept with its keys.
    pub const fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self { key }
    }
}

impl fmt::Debug for KeyedRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedRandomness(…)")
    }
}

impl Randomness for KeyedRandomness {
    fn draw(&self) -> Result<Block, RandomError> {
        Ok(self.again(self.salt()?))
    }

    fn again(&self, reference: [u8; 32]) -> Block {
        let mut bytes = Zeroizing::new([0; 64]);
        let made = Hkdf::<Sha512>::new(Some(&reference), self.key.as_slice()).expand(INFO, bytes.as_mut());
        debug_assert!(made.is_ok(), "64 bytes are within the reach of HKDF-SHA-512");
        Block { bytes, reference }
    }

    fn salt(&self) -> Result<[u8; 32], RandomError> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|_| RandomError)?;
        Ok(salt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_made_again_from_its_reference_and_the_key_only() {
        let source = KeyedRandomness::new(Zeroizing::new([1; 32]));
        let (one, two) = (source.draw().unwrap(), source.draw().unwrap());
        assert_ne!(one.bytes(), two.bytes());
        assert_eq!(source.again(*one.reference()).bytes(), one.bytes());
        let other = KeyedRandomness::new(Zeroizing::new([2; 32]));
        assert_ne!(other.again(*one.reference()).bytes(), one.bytes());
    }

    #[test]
    fn labels_give_different_values_and_nothing_shows_them() {
        let block = KeyedRandomness::new(Zeroizing::new([1; 32])).again([3; 32]);
        assert_ne!(block.derive("nonce"), block.derive("salt"));
        assert_ne!(block.derive("nonce").as_slice(), &block.bytes()[..32]);
        assert_eq!(format!("{block:?}"), format!("Block({})", "03".repeat(32)));
    }
}
