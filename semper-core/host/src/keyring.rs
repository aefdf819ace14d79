//! The keys of a program: in memory while it runs, wrapped in its archive.
//!
//! Each is made of fresh bytes of the operating system and of the key under which it is wrapped. So whatever went
//! into that one, as what its owner typed when a wallet was made, has gone into all of them.

use std::sync::{Arc, RwLock};

use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    archive::{Batch, Column, Query, Row, RowOp, Store, StoreError, Table, Value},
    certificate::{Certificate, Serial},
    crypto::{
        keys::{GenerateKey, KeyError, KeyPurpose, KeyRef, KeyStore as _, SoftKeys, WrappedKey},
        signature::{Kid, PublicKey},
    },
    evidence::{Signable, Verified},
    registration::{message::CertificateRequest, seed::UserPart},
    time::Moment,
    tinguin::Permit,
};
use zeroize::Zeroizing;

use crate::chance::{self, NoChance, Source};

/// The table of wrapped keys.
pub const KEY: Table = Table {
    name: "key",
    columns: &[
        Column::bytes("kid"),
        Column::text("purpose"),
        Column::bytes("nonce"),
        Column::bytes("sealed"),
        Column::integer("created_s"),
    ],
    key: &["kid"],
    unique: &[],
    indexes: &[&["purpose"]],
};

/// The keys of one program. Clones share them.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<RwLock<SoftKeys>>,
    wrapping: Arc<Zeroizing<[u8; 32]>>,
}

/// Why a key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The key store refuses.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// Access control refuses.
    #[error("not allowed: {0}")]
    Denied(String),
    /// A stored key names a purpose that there is not.
    #[error("a key in the archive has no purpose this program knows")]
    Purpose,
    /// A thread that held the keys has died.
    #[error("the keys are locked for good; start the program again")]
    Poisoned,
}

impl Keyring {
    /// Reads the keys of the archive.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn load(store: &impl Store, wrapping: Zeroizing<[u8; 32]>) -> Result<Self, KeyringError> {
        let mut keys = SoftKeys::new();
        for row in store.query(vec![Query::of(KEY.name)]).await?.into_iter().flatten() {
            keys.import_wrapped(&read(&row)?, &wrapping)?;
        }
        Ok(Self { keys: Arc::new(RwLock::new(keys)), wrapping: Arc::new(wrapping) })
    }

    /// Makes a key while the program is being set up, or for its own work, and stores it before it is used.
    ///
    /// # Errors
    /// [`KeyringError`]; there is then no such key.
    pub async fn generate(
        &self,
        store: &impl Store,
        subject: &Subject,
        purpose: KeyPurpose,
        now: Moment,
    ) -> Result<KeyRef, KeyringError> {
        let act = GenerateKey { purpose, deal: None, at: now.whole_seconds() };
        let facts =
            Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let decision =
            decide(subject, Action::GenerateKey, &Object::with(&act, facts), None, &Limits::default(), now);
        let permit = match decision {
            Decision::Allow(permit) => permit,
            Decision::Ask(_) => return Err(KeyringError::Denied("a person has to be asked".into())),
            Decision::Deny(why) => return Err(KeyringError::Denied(why.to_string())),
        };
        let mut source = Source::mixed(Some(&UserPart::kept(&self.wrapping)))?;
        let (seed, nonce) = (source.secret::<32>()?, chance::random::<24>()?);
        let (key, wrapped) = {
            let mut keys = self.keys.write().map_err(|_| KeyringError::Poisoned)?;
            let key = keys.generate(purpose, &seed, permit, now)?;
            (key, keys.export_wrapped(&key, &self.wrapping, nonce)?)
        };
        let batch = Batch::new().row(RowOp::insert(KEY.name, row(&wrapped, now)));
        for committed in store.commit(vec![batch]).await {
            committed?;
        }
        Ok(key)
    }

    /// The first key for `purpose`; one is made if there is none yet.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn one(
        &self,
        store: &impl Store,
        subject: &Subject,
        purpose: KeyPurpose,
        now: Moment,
    ) -> Result<KeyRef, KeyringError> {
        match self.of(purpose)?.first() {
            Some(key) => Ok(*key),
            None => self.generate(store, subject, purpose, now).await,
        }
    }

    /// The keys for `purpose`, in the order of their names.
    ///
    /// # Errors
    /// [`KeyringError::Poisoned`].
    pub fn of(&self, purpose: KeyPurpose) -> Result<Vec<KeyRef>, KeyringError> {
        let keys = self.keys.read().map_err(|_| KeyringError::Poisoned)?;
        Ok(keys.keys().filter(|(_, its)| *its == purpose).map(|(key, _)| key).collect())
    }

    /// The public half of a key.
    ///
    /// # Errors
    /// [`KeyringError::Key`].
    pub fn public(&self, key: &KeyRef) -> Result<PublicKey, KeyringError> {
        Ok(self.keys.read().map_err(|_| KeyringError::Poisoned)?.public(key)?)
    }

    /// Signs what the permit names.
    ///
    /// # Errors
    /// [`KeyringError::Key`].
    pub fn sign<T: Signable>(
        &self,
        key: &KeyRef,
        permit: Permit<T>,
        now: Moment,
    ) -> Result<Verified<T>, KeyringError> {
        Ok(self.keys.read().map_err(|_| KeyringError::Poisoned)?.sign(key, permit, now)?)
    }

    /// Signs a statement of an authority, under its operator's policy.
    ///
    /// # Errors
    /// [`KeyringError::Denied`] for a statement that is not an authority's.
    pub fn attest<T: Signable>(
        &self,
        key: &KeyRef,
        policy: &Subject,
        statement: &T,
        now: Moment,
    ) -> Result<Verified<T>, KeyringError> {
        match decide(policy, Action::SignIdentity, &Object::of(statement), None, &Limits::default(), now) {
            Decision::Allow(permit) => self.sign(key, permit, now),
            Decision::Ask(_) => Err(KeyringError::Denied("a person has to be asked".into())),
            Decision::Deny(why) => Err(KeyringError::Denied(why.to_string())),
        }
    }

    /// The requests for certificates of the keys that the permit names, in its order.
    ///
    /// # Errors
    /// [`KeyringError::Key`].
    pub fn requests(
        &self,
        permit: Permit<CertificateRequest>,
        now: Moment,
    ) -> Result<Vec<Vec<u8>>, KeyringError> {
        Ok(self.keys.read().map_err(|_| KeyringError::Poisoned)?.requests(permit, now)?)
    }

    /// The certificate with which a stranger opens one connection, of a key of purpose deal.
    ///
    /// # Errors
    /// [`KeyringError::Key`].
    pub fn anonymous(&self, key: &KeyRef, serial: Serial, from: Moment) -> Result<Certificate, KeyringError> {
        Ok(self.keys.read().map_err(|_| KeyringError::Poisoned)?.anonymous(key, serial, from)?)
    }

    /// The PKCS#8 form of a key that authenticates in TLS.
    ///
    /// # Errors
    /// [`KeyringError::Key`] for a key of another purpose.
    pub fn tls_key(&self, key: &KeyRef) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        Ok(self.keys.read().map_err(|_| KeyringError::Poisoned)?.tls_key(key)?)
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(…)")
    }
}

fn row(wrapped: &WrappedKey, now: Moment) -> Row {
    Row::new()
        .with("kid", wrapped.key.kid())
        .with("purpose", wrapped.purpose.name())
        .with("nonce", wrapped.nonce)
        .with("sealed", wrapped.sealed.clone())
        .with("created_s", Value::seconds(now))
}

fn read(row: &Row) -> Result<WrappedKey, KeyringError> {
    let name = row.text("purpose")?;
    let purpose =
        KeyPurpose::ALL.into_iter().find(|purpose| purpose.name() == name).ok_or(KeyringError::Purpose)?;
    Ok(WrappedKey {
        purpose,
        key: KeyRef::of(Kid::from_bytes(row.array("kid")?)),
        nonce: row.array("nonce")?,
        sealed: row.bytes("sealed")?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use semper_supporting::archive::Schema;

    use super::*;
    use crate::folder::Folder;

    #[tokio::test]
    async fn keys_are_there_again_after_a_restart_and_only_for_what_they_were_made_for() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::create(place.path()).unwrap();
        let schema = || Schema::new(1).with(&[KEY]);
        let operator = Subject::Operator { policy: semper_supporting::crypto::digest::Digest::of(b"policy") };
        let archive = folder.archive(schema()).unwrap();
        let keys = Keyring::load(&archive, folder.wrapping_key()).await.unwrap();
        let now = chance::now();
        let made = keys.generate(&archive, &operator, KeyPurpose::Authority, now).await;
        let key = match made {
            Ok(key) => key,
            Err(error) => panic!("{error}"),
        };
        let public = keys.public(&key).unwrap();
        drop((keys, archive));
        let archive = folder.archive(schema()).unwrap();
        let keys = Keyring::load(&archive, folder.wrapping_key()).await.unwrap();
        assert_eq!(keys.of(KeyPurpose::Authority).unwrap(), [key]);
        assert_eq!(keys.of(KeyPurpose::Account).unwrap(), []);
        assert_eq!(keys.public(&key).unwrap(), public);
        assert!(keys.tls_key(&key).is_ok());
        assert!(Keyring::load(&archive, Zeroizing::new([0; 32])).await.is_err());
    }
}
