//! Content keys as their owner stores them.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{BadSeal, ContentKey};
use crate::crypto::digest::Digest;

/// A content key sealed with XChaCha20-Poly1305 under a wrapping key, with its commitment as associated data:
/// one that opens is the key of the content whose description has this commitment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WrappedContentKey {
    /// The commitment to the key.
    pub commitment: Digest,
    /// 24 bytes that are never used twice with one wrapping key.
    pub nonce: [u8; 24],
    /// The sealed key, 48 bytes.
    pub sealed: Vec<u8>,
}

impl ContentKey {
    /// Wraps the key for storage. `nonce` is 24 fresh random bytes.
    ///
    /// # Errors
    /// [`BadSeal::Key`] if the wrapping key is no key.
    pub fn wrap(
        &self,
        wrapping: &Zeroizing<[u8; 32]>,
        nonce: [u8; 24],
    ) -> Result<WrappedContentKey, BadSeal> {
        let commitment = self.commitment();
        let payload = Payload { msg: self.as_bytes(), aad: &associated(&commitment) };
        let sealed = cipher(wrapping).encrypt(&XNonce::from(nonce), payload).map_err(|_| BadSeal::Key)?;
        Ok(WrappedContentKey { commitment, nonce, sealed })
    }
}

impl WrappedContentKey {
    /// Takes the key back.
    ///
    /// # Errors
    /// [`BadSeal::Key`] for one that was changed in any part or wrapped under another key.
    pub fn open(&self, wrapping: &Zeroizing<[u8; 32]>) -> Result<ContentKey, BadSeal> {
        let payload = Payload { msg: &self.sealed, aad: &associated(&self.commitment) };
        let opened = cipher(wrapping).decrypt(&XNonce::from(self.nonce), payload).map(Zeroizing::new);
        let opened = opened.map_err(|_| BadSeal::Key)?;
        let key = ContentKey::from_bytes(opened.as_slice().try_into().map_err(|_| BadSeal::Key)?);
        if key.commitment() == self.commitment { Ok(key) } else { Err(BadSeal::Key) }
    }
}

fn cipher(wrapping: &Zeroizing<[u8; 32]>) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**wrapping).into())
}

fn associated(commitment: &Digest) -> Vec<u8> {
    [b"semper-wrapped-content-key/1\n".as_slice(), commitment.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapped_key_comes_back_unless_anything_of_it_was_changed() {
        let (key, wrapping) = (ContentKey::from_bytes([7; 32]), Zeroizing::new([9; 32]));
        let wrapped = key.wrap(&wrapping, [1; 24]).unwrap();
        assert_eq!(wrapped.open(&wrapping), Ok(key));
        assert_eq!(wrapped.open(&Zeroizing::new([8; 32])), Err(BadSeal::Key));
        for byte in 0..wrapped.sealed.len() {
            let mut changed = wrapped.clone();
            changed.sealed[byte] ^= 1;
            assert_eq!(changed.open(&wrapping), Err(BadSeal::Key), "{byte}");
        }
        let renamed = WrappedContentKey { commitment: Digest::of(b"another"), ..wrapped };
        assert_eq!(renamed.open(&wrapping), Err(BadSeal::Key));
    }
}
