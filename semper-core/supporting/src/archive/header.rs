//! The key file of an archive, `archive.hdr`: how a password or a recovery key opens the master key.
//!
//! ```text
//! password --Argon2id--> KEK --opens--> MK      recovery key --HKDF--> KEK --opens--> MK
//! MK --HKDF-SHA-256--> db, files, keys, backup, archive-sign
//! ```
//!
//! Argon2id is that of RFC 9106, HKDF that of RFC 5869; a key is wrapped with XChaCha20-Poly1305 and the
//! header's own values as associated data. Pure: random bytes come in, bytes go out; writing the file
//! (new file, fsync, rename, one older copy kept) is for the programs.

#[cfg(test)]
mod tests;

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{ArchiveId, recovery::RecoveryKey};
use crate::{crypto::digest::Digest, wire};

/// What a key file begins with.
pub const MAGIC: &[u8; 8] = b"SEMPARC1";
/// The most bytes a key file has.
pub const HEADER_LIMIT: usize = 4096;
/// The fewest characters of a password.
pub const PASSWORD_LEAST: usize = 10;
const VERSION: u16 = 1;

/// What opening with a password costs: memory, passes and lanes of Argon2id.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// The key file of an archive.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Header {
    version: u16,
    archive: ArchiveId,
    cost: Cost,
    salt: [u8; 16],
    password: Wrap,
    recovery: Option<Wrap>,
}

/// A wrapped master key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Wrap {
    nonce: [u8; 24],
    sealed: Vec<u8>,
}

/// The random bytes of one wrap under a password. Fresh for every use.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// Salt of the derivation.
    pub salt: [u8; 16],
    /// Nonce of the wrap.
    pub nonce: [u8; 24],
}

/// The master key of an archive. Erased when dropped, never printed.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// What a key below the master key is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Subkey {
    /// The bytes of items.
    Files,
    /// Wrapping signing keys: [`crate::crypto::keys::SoftKeys::export_wrapped`].
    Keys,
    /// Backups.
    Backup,
    /// The seed of the key that signs journal heads.
    ArchiveSign,
    /// From which the random bytes of steps are made.
    Randomness,
}

/// Why an archive does not open.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HeaderError {
    /// The key file is damaged, or was made by a newer program.
    #[error("the archive's key file is damaged")]
    Damaged,
    /// The key file asks for more memory or time than any archive needs, or for less than is safe.
    #[error("the archive's key file asks for {memory} KiB and {passes} passes")]
    Parameters {
        /// The memory it asks for, in KiB.
        memory: u32,
        /// The passes it asks for.
        passes: u32,
    },
    /// The password is not that of the archive.
    #[error("wrong password")]
    WrongPassword,
    /// The recovery key is not that of the archive, or it has none.
    #[error("this key does not belong to this wallet")]
    WrongRecoveryKey,
    /// A new password is too short, or longer than any person types.
    #[error("a password has 10 to 512 characters")]
    Password,
}

impl HeaderError {
    /// The stable dotted code of the fault.
    pub fn code(self) -> &'static str {
        match self {
            Self::Damaged => "archive.header",
            Self::Parameters { .. } => "archive.parameters",
            Self::WrongPassword => "unlock.wrong-password",
            Self::WrongRecoveryKey => "archive.recovery-key",
            Self::Password => "archive.password-length",
        }
    }
}

impl Cost {
    /// The least an archive may have: 64 MiB, three passes (RFC 9106, 4, second choice).
    pub const LEAST: Self = Self { memory: 64 << 10, passes: 3, lanes: 4 };
    /// What a new archive has unless the computer is slow: 256 MiB, three passes.
    pub const USUAL: Self = Self { memory: 256 << 10, passes: 3, lanes: 4 };
    /// The most memory a key file may ask for: 2 GiB.
    const MOST_MEMORY: u32 = 2 << 20;
    /// The most passes and lanes.
    const MOST: u32 = 16;

    fn check(self) -> Result<Self, HeaderError> {
        let memory = (Self::LEAST.memory..=Self::MOST_MEMORY).contains(&self.memory);
        let passes = (Self::LEAST.passes..=Self::MOST).contains(&self.passes);
        if memory && passes && (1..=Self::MOST).contains(&self.lanes) {
            return Ok(self);
        }
        Err(HeaderError::Parameters { memory: self.memory, passes: self.passes })
    }
}

impl Header {
    /// Makes the key file of a new archive around `master`, 32 fresh random bytes.
    ///
    /// # Errors
    /// [`HeaderError::Password`], [`HeaderError::Parameters`].
    pub fn create(
        archive: ArchiveId,
        master: &MasterKey,
        password: &[u8],
        cost: Cost,
        fresh: Fresh,
    ) -> Result<Self, HeaderError> {
        let empty = Wrap { nonce: [0; 24], sealed: Vec::new() };
        let mut header =
            Self { version: VERSION, archive, cost, salt: fresh.salt, password: empty, recovery: None };
        header.set_password(master, password, cost, fresh)?;
        Ok(header)
    }

    /// Wraps the master key under another password. Nothing else in the archive changes.
    ///
    /// # Errors
    /// [`HeaderError::Password`], [`HeaderError::Parameters`].
    pub fn set_password(
        &mut self,
        master: &MasterKey,
        password: &[u8],
        cost: Cost,
        fresh: Fresh,
    ) -> Result<(), HeaderError> {
        let length = std::str::from_utf8(password).map_or(0, |text| text.chars().count());
        if !(PASSWORD_LEAST..=512).contains(&length) {
            return Err(HeaderError::Password);
        }
        let cost = cost.check()?;
        let key = derive(password, &fresh.salt, cost)?;
        let aad = self.password_aad(cost, &fresh.salt);
        let password = Wrap::seal(&key, fresh.nonce, master, &aad)?;
        (self.cost, self.salt, self.password) = (cost, fresh.salt, password);
        Ok(())
    }

    /// Adds or replaces the wrap under a recovery key.
    ///
    /// # Errors
    /// [`HeaderError::Damaged`] if the master key cannot be wrapped.
    pub fn set_recovery(
        &mut self,
        master: &MasterKey,
        recovery: &RecoveryKey,
        nonce: [u8; 24],
    ) -> Result<(), HeaderError> {
        let key = self.recovery_key(recovery)?;
        self.recovery = Some(Wrap::seal(&key, nonce, master, &self.recovery_aad())?);
        Ok(())
    }

    /// Opens the master key with the password. Takes about a second, by intention.
    ///
    /// # Errors
    /// [`HeaderError::WrongPassword`].
    pub fn unlock(&self, password: &[u8]) -> Result<MasterKey, HeaderError> {
        let key = derive(password, &self.salt, self.cost.check()?)?;
        let aad = self.password_aad(self.cost, &self.salt);
        self.password.open(&key, &aad).ok_or(HeaderError::WrongPassword)
    }

    /// Opens the master key with the recovery key.
    ///
    /// # Errors
    /// [`HeaderError::WrongRecoveryKey`].
    pub fn recover(&self, recovery: &RecoveryKey) -> Result<MasterKey, HeaderError> {
        let wrap = self.recovery.as_ref().ok_or(HeaderError::WrongRecoveryKey)?;
        let key = self.recovery_key(recovery)?;
        wrap.open(&key, &self.recovery_aad()).ok_or(HeaderError::WrongRecoveryKey)
    }

    /// The archive it belongs to.
    pub fn archive(&self) -> ArchiveId {
        self.archive
    }

    /// Whether a recovery key opens it.
    pub fn has_recovery(&self) -> bool {
        self.recovery.is_some()
    }

    /// The bytes of the key file: the magic, the encoded header, and a digest against damage.
    ///
    /// # Errors
    /// [`HeaderError::Damaged`] if it cannot be encoded within [`HEADER_LIMIT`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, HeaderError> {
        let body = wire::encode(self, HEADER_LIMIT - 40).map_err(|_| HeaderError::Damaged)?;
        let mut bytes = [MAGIC.as_slice(), &body].concat();
        bytes.extend_from_slice(Digest::of(&bytes).as_bytes());
        Ok(bytes)
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`HeaderError::Damaged`]; [`HeaderError::Parameters`] before any memory is taken.
    pub fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        if bytes.len() > HEADER_LIMIT {
            return Err(HeaderError::Damaged);
        }
        let (content, digest) = bytes.split_last_chunk::<32>().ok_or(HeaderError::Damaged)?;
        let body = content.strip_prefix(MAGIC).ok_or(HeaderError::Damaged)?;
        if Digest::of(content).as_bytes() != digest {
            return Err(HeaderError::Damaged);
        }
        let header: Self = wire::decode(body, HEADER_LIMIT).map_err(|_| HeaderError::Damaged)?;
        let whole = |wrap: &Wrap| wrap.sealed.len() == 48;
        if header.version != VERSION || !whole(&header.password) || !header.recovery.iter().all(whole) {
            return Err(HeaderError::Damaged);
        }
        header.cost.check()?;
        Ok(header)
    }

    fn password_aad(&self, cost: Cost, salt: &[u8; 16]) -> Vec<u8> {
        let Cost { memory, passes, lanes } = cost;
        let cost = [memory, passes, lanes].map(u32::to_be_bytes).concat();
        [self.common_aad("password").as_slice(), &cost, salt].concat()
    }

    fn recovery_aad(&self) -> Vec<u8> {
        self.common_aad("recovery")
    }

    fn common_aad(&self, wrap: &str) -> Vec<u8> {
        let version = self.version.to_be_bytes();
        [MAGIC.as_slice(), &version, self.archive.as_bytes(), wrap.as_bytes(), b"\n"].concat()
    }

    fn recovery_key(&self, recovery: &RecoveryKey) -> Result<Zeroizing<[u8; 32]>, HeaderError> {
        expand(Some(self.archive.as_bytes()), recovery.bytes(), "semper-archive/1 recovery")
    }
}

impl Wrap {
    fn seal(key: &[u8; 32], nonce: [u8; 24], master: &MasterKey, aad: &[u8]) -> Result<Self, HeaderError> {
        let payload = Payload { msg: master.0.as_slice(), aad };
        let sealed = XChaCha20Poly1305::new(key.into()).encrypt(&XNonce::from(nonce), payload);
        sealed.map(|sealed| Self { nonce, sealed }).map_err(|_| HeaderError::Damaged)
    }

    fn open(&self, key: &[u8; 32], aad: &[u8]) -> Option<MasterKey> {
        let payload = Payload { msg: &self.sealed, aad };
        let opened = XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(self.nonce), payload).ok()?;
        let opened = Zeroizing::new(opened);
        let mut master = Zeroizing::new([0; 32]);
        if opened.len() != master.len() {
            return None;
        }
        master.copy_from_slice(&opened);
        Some(MasterKey(master))
    }
}

impl MasterKey {
    /// The master key of 32 fresh random bytes.
    pub fn from_random(random: Zeroizing<[u8; 32]>) -> Self {
        Self(random)
    }

    /// The raw key and the salt of the database: 32 and 16 bytes, one after the other.
    ///
    /// # Errors
    /// [`HeaderError::Damaged`], which no length asked for here causes.
    pub fn database(&self) -> Result<Zeroizing<[u8; 48]>, HeaderError> {
        expand(None, self.0.as_slice(), "semper-archive/1 db")
    }

    /// A key below this one.
    ///
    /// # Errors
    /// [`HeaderError::Damaged`], which no length asked for here causes.
    pub fn subkey(&self, subkey: Subkey) -> Result<Zeroizing<[u8; 32]>, HeaderError> {
        let label = match subkey {
            Subkey::Files => "semper-archive/1 files",
            Subkey::Keys => "semper-archive/1 keys",
            Subkey::Backup => "semper-archive/1 backup",
            Subkey::ArchiveSign => "semper-archive/1 archive-sign",
            Subkey::Randomness => "semper-archive/1 randomness",
        };
        expand(None, self.0.as_slice(), label)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey")
    }
}

fn derive(password: &[u8], salt: &[u8; 16], cost: Cost) -> Result<Zeroizing<[u8; 32]>, HeaderError> {
    let Cost { memory, passes, lanes } = cost;
    let refused = |_| HeaderError::Parameters { memory, passes };
    let params = Params::new(memory, passes, lanes, Some(32)).map_err(refused)?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, key.as_mut_slice())
        .map_err(refused)?;
    Ok(key)
}

fn expand<const N: usize>(
    salt: Option<&[u8]>,
    secret: &[u8],
    label: &str,
) -> Result<Zeroizing<[u8; N]>, HeaderError> {
    let mut key = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(salt, secret)
        .expand(label.as_bytes(), key.as_mut_slice())
        .map_err(|_| HeaderError::Damaged)?;
    Ok(key)
}
