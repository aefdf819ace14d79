//! Pure Ed25519 (RFC 8032, 5.1) over the exact bytes of a statement, verified strictly.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

use super::digest::{Digest, deserialize_hex, serialize_hex};

crate::identifier! {
    /// The name of a key: SHA-256 of its DER SubjectPublicKeyInfo.
    Kid, 32
}

/// An Ed25519 public key that is not of small order.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

/// An Ed25519 signature: 64 bytes.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Signature([u8; 64]);

/// An Ed25519 key pair. Its secret is erased when it is dropped and never printed.
pub struct KeyPair(SigningKey);

/// Why a key or a signature is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// The bytes are no point of the curve, or one of small order.
    #[error("not a usable Ed25519 key")]
    BadKey,
    /// The signature does not verify under the key over these bytes.
    #[error("the signature does not verify")]
    BadSignature,
}

/// DER of an Ed25519 SubjectPublicKeyInfo up to the key itself (RFC 8410, 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// DER of an Ed25519 PKCS#8 key, version 1, up to the seed (RFC 8410, 7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

impl PublicKey {
    /// The key made of these 32 bytes.
    ///
    /// # Errors
    /// [`SignatureError::BadKey`] if they are no point, or one of small order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError::BadKey)?;
        if key.is_weak() { Err(SignatureError::BadKey) } else { Ok(Self(key)) }
    }

    /// The key in a DER SubjectPublicKeyInfo of exactly the Ed25519 form.
    ///
    /// # Errors
    /// [`SignatureError::BadKey`] for any other algorithm or encoding.
    pub fn from_spki(der: &[u8]) -> Result<Self, SignatureError> {
        let raw = der.strip_prefix(&SPKI_PREFIX).ok_or(SignatureError::BadKey)?;
        Self::from_bytes(raw.try_into().map_err(|_| SignatureError::BadKey)?)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Its DER SubjectPublicKeyInfo, 44 bytes.
    pub fn spki(&self) -> Vec<u8> {
        [SPKI_PREFIX.as_slice(), self.as_bytes()].concat()
    }

    /// Its name.
    pub fn kid(&self) -> Kid {
        Kid::from_bytes(*Digest::of(&self.spki()).as_bytes())
    }

    /// Checks `signature` over `message`, accepting a subset of what OpenSSL accepts.
    ///
    /// # Errors
    /// [`SignatureError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        super::tally::note(|tally| &mut tally.verifications);
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| SignatureError::BadSignature)
    }
}

impl KeyPair {
    /// The pair of this 32-byte seed, which must come from a generator of random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Its seed, to be wrapped and stored.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Its PKCS#8 form (48 bytes of DER), as TLS libraries and `openssl` read it.
    pub fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([PKCS8_PREFIX.as_slice(), self.0.as_bytes()].concat())
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `message`. The result depends on key and message only. Other crates sign through a key store,
    /// which takes a permit.
    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        super::tally::note(|tally| &mut tally.signatures);
        Signature(self.0.sign(message).to_bytes())
    }
}

impl Signature {
    /// The signature made of these 64 bytes.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// Its 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl std::hash::Hash for PublicKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.kid())
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.public().kid())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(")?;
        self.0.iter().take(8).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_hex(deserializer).map(Self)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_hex(self.as_bytes(), serializer)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_bytes(&deserialize_hex(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::digest::parse_hex;

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn signs_as_rfc_8032_says() {
        let seed = parse_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let pair = KeyPair::from_seed(&seed);
        let signature = pair.sign(&[0x72]);
        let expected = parse_hex(concat!(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ));
        assert_eq!(Ok(*signature.as_bytes()), expected);
        assert_eq!(pair.public().verify(&[0x72], &signature), Ok(()));
        assert_eq!(pair.public().verify(&[0x73], &signature), Err(SignatureError::BadSignature));
    }

    #[test]
    fn keys_of_small_order_are_refused() {
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(SignatureError::BadKey));
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(SignatureError::BadKey));
    }

    #[test]
    fn a_key_is_the_same_after_its_der_form() {
        let public = KeyPair::from_seed(&[7; 32]).public();
        assert_eq!(PublicKey::from_spki(&public.spki()), Ok(public));
        assert_eq!(PublicKey::from_spki(&public.spki()[1..]), Err(SignatureError::BadKey));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let text = format!("{:?}", KeyPair::from_seed(&[7; 32]));
        assert!(!text.contains("0707") && !text.contains("[7, 7"), "{text}");
    }
}
