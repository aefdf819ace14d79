//! Keys in memory, wrapped when they leave it.

use std::{collections::BTreeMap, fmt};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DestroyKey, GenerateKey, KeyError, KeyPurpose, KeyRef, KeyStore};
use crate::{
    certificate::{Certificate, Serial, issue, request},
    crypto::signature::{KeyPair, Kid, PublicKey},
    evidence::{Signable, SignedBytes, Verified, statement},
    registration::message::CertificateRequest,
    time::Moment,
    tinguin::{Permit, PermitError},
};

/// Ed25519 keys in the memory of this process.
///
/// They are erased when the store is dropped, which is how a locked wallet forgets them.
#[derive(Default)]
pub struct SoftKeys(BTreeMap<Kid, Entry>);

struct Entry {
    purpose: KeyPurpose,
    pair: KeyPair,
}

/// A key as it is stored: its seed sealed with XChaCha20-Poly1305 under a wrapping key, with purpose and name
/// as associated data.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct WrappedKey {
    /// What the key is for.
    pub purpose: KeyPurpose,
    /// The key.
    pub key: KeyRef,
    /// 24 bytes that are never used twice with one wrapping key.
    pub nonce: [u8; 24],
    /// The sealed seed, 48 bytes.
    pub sealed: Vec<u8>,
}

impl SoftKeys {
    /// A store without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// The keys in the store and what they are for.
    pub fn keys(&self) -> impl Iterator<Item = (KeyRef, KeyPurpose)> + '_ {
        self.0.iter().map(|(kid, entry)| (KeyRef::of(*kid), entry.purpose))
    }

    /// Wraps a key for storage. `nonce` is 24 fresh random bytes.
    ///
    /// # Errors
    /// [`KeyError::Unknown`].
    pub fn export_wrapped(
        &self,
        key: &KeyRef,
        wrapping: &Zeroizing<[u8; 32]>,
        nonce: [u8; 24],
    ) -> Result<WrappedKey, KeyError> {
        let entry = self.entry(key)?;
        let seed = entry.pair.seed();
        let aad = associated(entry.purpose, key);
        let sealed = cipher(wrapping)
            .encrypt(&XNonce::from(nonce), Payload { msg: seed.as_slice(), aad: aad.as_bytes() })
            .map_err(|_| KeyError::Wrapped)?;
        Ok(WrappedKey { purpose: entry.purpose, key: *key, nonce, sealed })
    }

    /// Takes a wrapped key back into the store.
    ///
    /// # Errors
    /// [`KeyError::Wrapped`] for one that was changed in any part or wrapped under another key.
    pub fn import_wrapped(
        &mut self,
        wrapped: &WrappedKey,
        wrapping: &Zeroizing<[u8; 32]>,
    ) -> Result<KeyRef, KeyError> {
        let aad = associated(wrapped.purpose, &wrapped.key);
        let payload = Payload { msg: &wrapped.sealed, aad: aad.as_bytes() };
        let opened = cipher(wrapping).decrypt(&XNonce::from(wrapped.nonce), payload).map(Zeroizing::new);
        let opened = opened.map_err(|_| KeyError::Wrapped)?;
        let mut seed = Zeroizing::new([0; 32]);
        if opened.len() != seed.len() {
            return Err(KeyError::Wrapped);
        }
        seed.copy_from_slice(&opened);
        let pair = KeyPair::from_seed(&seed);
        if pair.public().kid() != wrapped.key.kid() {
            return Err(KeyError::Wrapped);
        }
        self.0.insert(wrapped.key.kid(), Entry { purpose: wrapped.purpose, pair });
        Ok(wrapped.key)
    }

    fn entry(&self, key: &KeyRef) -> Result<&Entry, KeyError> {
        self.0.get(&key.kid()).ok_or(KeyError::Unknown(key.kid()))
    }
}

impl KeyStore for SoftKeys {
    fn generate(
        &mut self,
        purpose: KeyPurpose,
        seed: &Zeroizing<[u8; 32]>,
        permit: Permit<GenerateKey>,
        now: Moment,
    ) -> Result<KeyRef, KeyError> {
        if permit.redeem(now)?.purpose != purpose {
            return Err(PermitError::WrongObject.into());
        }
        let pair = KeyPair::from_seed(seed);
        let kid = pair.public().kid();
        if self.0.contains_key(&kid) {
            return Err(KeyError::Exists(kid));
        }
        self.0.insert(kid, Entry { purpose, pair });
        Ok(KeyRef::of(kid))
    }

    fn public(&self, key: &KeyRef) -> Result<PublicKey, KeyError> {
        self.entry(key).map(|entry| entry.pair.public())
    }

    fn purpose(&self, key: &KeyRef) -> Result<KeyPurpose, KeyError> {
        self.entry(key).map(|entry| entry.purpose)
    }

    fn sign<T: Signable>(
        &self,
        key: &KeyRef,
        permit: Permit<T>,
        now: Moment,
    ) -> Result<Verified<T>, KeyError> {
        let Entry { purpose, pair } = self.entry(key)?;
        if !purpose.signs(T::TYPE) {
            return Err(KeyError::WrongPurpose { purpose: *purpose });
        }
        permit.check(now)?;
        let named = statement::from_bytes::<T>(permit.bytes())?.signer();
        if named != key.kid() {
            return Err(KeyError::Signer { named, key: key.kid() });
        }
        let signed = SignedBytes { tbs: permit.bytes().to_vec(), signature: pair.sign(permit.bytes()) };
        signed.verify(&pair.public()).map_err(|_| KeyError::VerifyFailed)
    }

    fn tls_key(&self, key: &KeyRef) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let Entry { purpose, pair } = self.entry(key)?;
        if !purpose.authenticates() {
            return Err(KeyError::WrongPurpose { purpose: *purpose });
        }
        Ok(pair.pkcs8())
    }

    fn requests(&self, permit: Permit<CertificateRequest>, now: Moment) -> Result<Vec<Vec<u8>>, KeyError> {
        let asked = permit.redeem(now)?;
        let request_of = |kid: &Kid| {
            let Entry { purpose, pair } = self.entry(&KeyRef::of(*kid))?;
            if !purpose.is_certified() {
                return Err(KeyError::WrongPurpose { purpose: *purpose });
            }
            Ok(request::make(pair)?)
        };
        asked.keys.iter().map(request_of).collect()
    }

    fn anonymous(&self, key: &KeyRef, serial: Serial, from: Moment) -> Result<Certificate, KeyError> {
        let Entry { purpose, pair } = self.entry(key)?;
        if *purpose != KeyPurpose::Deal {
            return Err(KeyError::WrongPurpose { purpose: *purpose });
        }
        Ok(issue::anonymous(pair, serial, from)?)
    }

    fn destroy(&mut self, key: &KeyRef, permit: Permit<DestroyKey>, now: Moment) -> Result<(), KeyError> {
        if permit.redeem(now)?.key != *key {
            return Err(PermitError::WrongObject.into());
        }
        self.0.remove(&key.kid()).map(drop).ok_or(KeyError::Unknown(key.kid()))
    }
}

impl fmt::Debug for SoftKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}

fn cipher(wrapping: &Zeroizing<[u8; 32]>) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**wrapping).into())
}

fn associated(purpose: KeyPurpose, key: &KeyRef) -> String {
    format!("semper-key/1\n{}\n{key}\n", purpose.name())
}
