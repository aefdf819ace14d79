//! Sealing: data under a key of its own, and that key to a third party.
//!
//! Content is sealed once, in chunks, under a random [`ContentKey`] ([`content`]). Buyers fetch the sealed
//! form, compare its hash with the offer, and lack only the key. The key is sealed to a third party
//! ([`escrow`]), which can release it if its owner does not. `docs/formats/sealed-data.md` has the format
//! byte by byte.

pub mod content;
pub mod escrow;
mod wrapped;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use self::{
    content::{CHUNK, Opener, SEALED_CHUNK, Sealer},
    escrow::{EscrowKey, EscrowKid, EscrowPublic, WrappedEscrowKey},
    wrapped::WrappedContentKey,
};
use super::digest::{Digest, deserialize_hex, serialize_hex};

/// The key one item's content is sealed under: 32 random bytes, erased when dropped and never printed.
#[derive(Clone, Eq, PartialEq, Zeroize, ZeroizeOnDrop)]
pub struct ContentKey([u8; 32]);

/// What a commitment to a content key is hashed over before the key.
const KEY_COMMITMENT: &[u8] = b"semper-key/1\n";

impl ContentKey {
    /// The key of these bytes, which must come from a generator of random bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What an offer says of the key while it is secret: SHA-256 of `semper-key/1`, LF and the key.
    ///
    /// The cipher alone would not commit: one ciphertext can be made that opens under two keys to two
    /// contents. The commitment leaves one key, and the digest of the content one content.
    pub fn commitment(&self) -> Digest {
        Digest::of_parts([KEY_COMMITMENT, &self.0])
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentKey({})", self.commitment())
    }
}

impl Serialize for ContentKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for ContentKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_hex(deserializer).map(Self)
    }
}

/// What streaming over sealed content measured.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Measured {
    /// Length of the content in bytes.
    pub length: u64,
    /// SHA-256 of the content.
    pub plain: Digest,
    /// SHA-256 of the sealed content.
    pub sealed: Digest,
}

/// Why something sealed cannot be opened, or something cannot be sealed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum BadSeal {
    /// A chunk is not what was sealed at this place under this key: changed, moved, cut off, or not the last.
    #[error("chunk {index} is not what was sealed there under this key")]
    Chunk {
        /// Its index, from 0.
        index: u32,
    },
    /// A chunk has a length that no chunk has at its place.
    #[error("chunk {index} has a length no chunk has there")]
    Length {
        /// Its index, from 0.
        index: u32,
    },
    /// The last chunk is missing.
    #[error("the content ends before its last chunk")]
    Unfinished,
    /// There is more than the last chunk, or more than can be counted.
    #[error("there is more after the last chunk")]
    TooLong,
    /// The escrow does not open under this key with these associated data.
    #[error("the escrow does not open under this key for this use")]
    Escrow,
    /// The public key cannot be sealed to.
    #[error("the escrow key is not usable")]
    Key,
}

impl BadSeal {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Chunk { .. } => "seal.chunk",
            Self::Length { .. } => "seal.length",
            Self::Unfinished => "seal.unfinished",
            Self::TooLong => "seal.too-long",
            Self::Escrow => "seal.escrow",
            Self::Key => "seal.key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commitment_is_over_a_fixed_line_and_the_key() {
        let commitment = ContentKey::from_bytes([7; 32]).commitment();
        let mut text = b"semper-key/1\n".to_vec();
        text.extend([7; 32]);
        assert_eq!(commitment, Digest::of(&text));
    }

    #[test]
    fn a_content_key_is_not_printed() {
        let text = format!("{:?}", ContentKey::from_bytes([7; 32]));
        assert!(!text.contains("0707") && !text.contains("[7, 7"), "{text}");
    }
}
