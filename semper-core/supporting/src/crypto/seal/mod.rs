//! Sealing: data under a key of its own, and that key to a third party.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

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

crate::identifier! {
    /// The name of an escrow key: SHA-256 of its DER SubjectPublicKeyInfo.
    EscrowKid, 32
}

crate::identifier! {
    /// The public half of a third party's escrow key: X25519 (RFC 7748), as its capabilities name it.
    EscrowPublic, 32
}

/// DER of an X25519 SubjectPublicKeyInfo up to the key itself (RFC 8410, 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00];

impl EscrowPublic {
    /// Its DER SubjectPublicKeyInfo, 44 bytes.
    pub fn spki(&self) -> Vec<u8> {
        [SPKI_PREFIX.as_slice(), self.as_bytes()].concat()
    }

    /// Its name.
    pub fn kid(&self) -> EscrowKid {
        EscrowKid::from_bytes(*Digest::of(&self.spki()).as_bytes())
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
