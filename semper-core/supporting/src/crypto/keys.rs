//! The key store: the only place where a key signs, and only what a permit names.
//!
//! There is no call that takes bare bytes. A [`Permit`] holds the exact bytes, was minted by the gate or by
//! access control, and is used up; TLS is the one other use of a key, through [`KeyStore::tls_key`]. Both are
//! listed in `docs/key-uses.md`.

mod soft;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use self::soft::{SoftKeys, WrappedKey};
use super::signature::{Kid, PublicKey};
use crate::{
    access::class::{self, Class},
    certificate::{Certificate, CertificateFault, Serial},
    deal::DealId,
    evidence::{
        Signable, Verified,
        statement::{Statement, StatementError},
    },
    fault::Fault as _,
    registration::message::CertificateRequest,
    time::Moment,
    tinguin::{Permit, PermitError},
};

/// What a key is for. A key made for one purpose refuses every other.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPurpose {
    /// Signs in a certified person's name.
    Sign,
    /// Authenticates a certified person in TLS.
    Auth,
    /// Signs, and authenticates in TLS, for one deal or one pseudonym, whose certificate has both usages.
    Deal,
    /// Signs orders about one account at a bank.
    Account,
    /// Signs the heads of the own journal.
    Journal,
    /// Signs and authenticates for a merchant or a third party, whose certificate has both usages.
    Authority,
}

/// Names a key in a key store: the name of its public half.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct KeyRef(Kid);

/// The act of making a key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GenerateKey {
    /// What the key is for.
    pub purpose: KeyPurpose,
    /// The deal it is for, if it is for one only.
    pub deal: Option<DealId>,
    /// When it is made, in whole seconds.
    pub at: Moment,
}

/// The act of destroying a key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DestroyKey {
    /// The key.
    pub key: KeyRef,
    /// When it is destroyed, in whole seconds.
    pub at: Moment,
}

impl Statement for GenerateKey {
    const TYPE: &'static str = "act/generate-key";
}

impl Statement for DestroyKey {
    const TYPE: &'static str = "act/destroy-key";
}

/// Why a key store did not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// There is no such key here.
    #[error("no key {0} in this store")]
    Unknown(Kid),
    /// The key was made for something else.
    #[error("a key for {purpose:?} does not do this")]
    WrongPurpose {
        /// What the key is for.
        purpose: KeyPurpose,
    },
    /// There is a key of this seed already.
    #[error("the key {0} exists already")]
    Exists(Kid),
    /// The permit does not permit this.
    #[error(transparent)]
    Permit(#[from] PermitError),
    /// The statement names another signer than the key.
    #[error("the statement is to be signed by {named}, not by {key}")]
    Signer {
        /// The signer the statement names.
        named: Kid,
        /// The key that was to sign it.
        key: Kid,
    },
    /// The bytes of the permit are no statement of its type.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The signature that was made does not verify: a fault of the machine. It was not released.
    #[error("the signature made does not verify and was not released")]
    VerifyFailed,
    /// The certificate or the request cannot be written.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// A wrapped key was changed, or belongs to another wrapping key.
    #[error("the wrapped key cannot be opened")]
    Wrapped,
}

impl KeyError {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "key.unknown",
            Self::WrongPurpose { .. } => "key.wrong-purpose",
            Self::Exists(_) => "key.exists",
            Self::Permit(error) => error.code(),
            Self::Signer { .. } => "stmt.signer",
            Self::Statement(error) => error.code(),
            Self::VerifyFailed => "key.verify-failed",
            Self::Certificate(fault) => fault.code(),
            Self::Wrapped => "key.wrapped",
        }
    }
}

/// Where private keys live: in memory, or in a token.
pub trait KeyStore {
    /// Makes the key of `seed`, 32 bytes from a generator of random bytes.
    ///
    /// # Errors
    /// [`KeyError::Permit`] if the permit has expired or is for another purpose, [`KeyError::Exists`].
    fn generate(
        &mut self,
        purpose: KeyPurpose,
        seed: &Zeroizing<[u8; 32]>,
        permit: Permit<GenerateKey>,
        now: Moment,
    ) -> Result<KeyRef, KeyError>;

    /// The public half of a key.
    ///
    /// # Errors
    /// [`KeyError::Unknown`].
    fn public(&self, key: &KeyRef) -> Result<PublicKey, KeyError>;

    /// What a key is for.
    ///
    /// # Errors
    /// [`KeyError::Unknown`].
    fn purpose(&self, key: &KeyRef) -> Result<KeyPurpose, KeyError>;

    /// Signs what the permit names, and nothing else, and checks the signature before releasing it.
    ///
    /// # Errors
    /// [`KeyError`]: no such key, a key for another purpose, an expired permit, another signer's statement.
    fn sign<T: Signable>(
        &self,
        key: &KeyRef,
        permit: Permit<T>,
        now: Moment,
    ) -> Result<Verified<T>, KeyError>
    where
        Self: Sized;

    /// The PKCS#8 form of a key that authenticates in TLS, for the TLS library and nobody else.
    ///
    /// # Errors
    /// [`KeyError::WrongPurpose`] for a key whose certificate has no usage for TLS.
    fn tls_key(&self, key: &KeyRef) -> Result<Zeroizing<Vec<u8>>, KeyError>;

    /// The requests for certificates (PKCS#10) of the keys that the permit names, in its order. Each holds its
    /// key and the proof of possession, and nothing else.
    ///
    /// # Errors
    /// [`KeyError::Permit`], [`KeyError::Unknown`], [`KeyError::WrongPurpose`] for a key that is never certified.
    fn requests(&self, permit: Permit<CertificateRequest>, now: Moment) -> Result<Vec<Vec<u8>>, KeyError>;

    /// The certificate with which an anonymous party opens the connections of the one deal that the key is for.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], [`KeyError::WrongPurpose`] for any key but that of a deal.
    fn anonymous(&self, key: &KeyRef, serial: Serial, from: Moment) -> Result<Certificate, KeyError>;

    /// Destroys a key for ever.
    ///
    /// # Errors
    /// [`KeyError::Permit`] if the permit has expired or names another key, [`KeyError::Unknown`].
    fn destroy(&mut self, key: &KeyRef, permit: Permit<DestroyKey>, now: Moment) -> Result<(), KeyError>;
}

impl KeyPurpose {
    /// All purposes.
    pub const ALL: [Self; 6] =
        [Self::Sign, Self::Auth, Self::Deal, Self::Account, Self::Journal, Self::Authority];

    /// Whether a key of this purpose may sign statements of type `kind`.
    pub fn signs(self, kind: &str) -> bool {
        let Some(class) = class::of(kind) else { return false };
        match self {
            Self::Sign => match class {
                Class::Item | Class::Commit | Class::Protocol | Class::Payment | Class::Complaint => true,
                Class::Inquiry | Class::Owner | Class::Seller => true,
                Class::Authority | Class::Journal | Class::Act => false,
            },
            Self::Deal => match class {
                Class::Item | Class::Commit | Class::Protocol | Class::Payment | Class::Complaint => true,
                Class::Inquiry => true,
                Class::Owner | Class::Seller | Class::Authority | Class::Journal | Class::Act => false,
            },
            Self::Account => kind.starts_with("pay/") && class != Class::Authority,
            Self::Journal => class == Class::Journal,
            Self::Authority => !matches!(class, Class::Journal | Class::Act),
            Self::Auth => false,
        }
    }

    /// Whether authorities certify keys of this purpose.
    pub fn is_certified(self) -> bool {
        match self {
            Self::Sign | Self::Auth | Self::Deal | Self::Authority => true,
            Self::Account | Self::Journal => false,
        }
    }

    /// Whether a key of this purpose authenticates in TLS.
    pub fn authenticates(self) -> bool {
        match self {
            Self::Auth | Self::Deal | Self::Authority => true,
            Self::Sign | Self::Account | Self::Journal => false,
        }
    }

    /// Its name, as statements write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Auth => "auth",
            Self::Deal => "deal",
            Self::Account => "account",
            Self::Journal => "journal",
            Self::Authority => "authority",
        }
    }
}

impl KeyRef {
    /// The reference to the key of this name.
    pub fn of(kid: Kid) -> Self {
        Self(kid)
    }

    /// The name of the key's public half, as `signer` lines write it.
    pub fn kid(&self) -> Kid {
        self.0
    }
}

impl fmt::Display for KeyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
