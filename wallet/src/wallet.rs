//! An open wallet: its archive and its keys.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use semper_archive_sqlite::{ArchiveKey, Options, SqliteArchive};
use semper_host::{
    chance, enrol,
    keyring::{self, Keyring, KeyringError},
    papers,
};
use semper_supporting::{
    access::Subject,
    archive::{
        Column, Direction, Query, Row, RowOp, Schema, Store as _, StoreError, Table,
        header::{HeaderError, MasterKey, Subkey},
        journal, record,
        schema::{Change, Migration},
    },
    crypto::{
        keys::{KeyPurpose, KeyRef},
        signature::Kid,
    },
    fault::Fault as _,
    time::{ClockBack, Moment, Span},
};
use semper_tinguin::widgets::emblem::Emblem;
use semper_trade::{acquaintance::ARBITER, sale::SALE};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::{
    account,
    fault::WalletFault,
    password::Password,
    pin, places,
    preferences::{self, PREFERENCE},
    profile::Profile,
    terms::{
        evaluators::{EVALUATOR, WITHDRAWN},
        pins::SERVICE,
    },
};

/// An open wallet. When the last one holding it lets go, the archive is closed and the keys are erased.
#[derive(Debug)]
pub struct Wallet {
    /// The archive.
    pub archive: Arc<SqliteArchive>,
    /// The keys.
    pub keys: Keyring,
    /// What the owner's picture is drawn from.
    pub emblem: Emblem,
    /// Whether it was opened for reading only.
    pub read_only: bool,
    /// After how long without use the window locks.
    pub lock_after: Span,
    /// Whether the clock shows less than when something was recorded last.
    pub clock_back: Option<ClockBack>,
    /// Its folder.
    pub folder: PathBuf,
    randomness: Zeroizing<[u8; 32]>,
}

/// How a wallet is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// For reading only, since a part of the archive is damaged.
    ReadOnly,
    /// For reading and writing.
    Whole,
}

/// What the owner's picture is drawn from: inside the archive, so that a program that can imitate the door
/// still cannot imitate what follows it.
const SEAL: Table = Table {
    name: "seal",
    columns: &[Column::integer("number"), Column::bytes("emblem")],
    key: &["number"],
    unique: &[],
    indexes: &[],
};

/// What the first wallets did not have: papers, money, places, the PIN, and what the engine keeps.
const SINCE_2: Migration = Migration {
    to: 2,
    changes: &[
        Change::AddTable(papers::PAPER.name),
        Change::AddTable(enrol::APPLICANT.name),
        Change::AddTable(account::ACCOUNT.name),
        Change::AddTable(account::PURSE.name),
        Change::AddTable(account::RUN.name),
        Change::AddTable(places::PLACE.name),
        Change::AddTable(pin::PIN.name),
        Change::AddTable(SALE.name),
        Change::AddTable(ARBITER.name),
        Change::AddTable("engine_instance"),
        Change::AddTable("engine_mark"),
        Change::AddTable("engine_outbox"),
        Change::AddTable("engine_timer"),
    ],
};

/// What came with the third version: the owner's preferences.
const SINCE_3: Migration = Migration { to: 3, changes: &[Change::AddTable(PREFERENCE.name)] };

/// What came with the fourth version: terms of business, and who is trusted to evaluate them.
const SINCE_4: Migration = Migration {
    to: 4,
    changes: &[
        Change::AddTable(EVALUATOR.name),
        Change::AddTable(WITHDRAWN.name),
        Change::AddTable(SERVICE.name),
    ],
};

/// The tables of a wallet's archive.
pub fn schema() -> Schema {
    Schema::new(4)
        .with(record::TABLES)
        .with(&[keyring::KEY, SEAL, papers::PAPER, enrol::APPLICANT])
        .with(&[account::ACCOUNT, account::PURSE, account::RUN, places::PLACE, pin::PIN])
        .with(&[SALE, ARBITER, PREFERENCE, EVALUATOR, WITHDRAWN, SERVICE])
        .with(semper_engine::TABLES)
        .migrate(SINCE_2)
        .migrate(SINCE_3)
        .migrate(SINCE_4)
}

/// The keys of a person, made with the wallet: to sign, for connections, for the money, for deals of one
/// business each, and for the heads of the journal.
pub(crate) const PURPOSES: [KeyPurpose; 5] =
    [KeyPurpose::Sign, KeyPurpose::Auth, KeyPurpose::Account, KeyPurpose::Deal, KeyPurpose::Journal];

/// The change that keeps what the picture is drawn from.
pub(crate) fn keep_emblem(seed: [u8; 32]) -> RowOp {
    RowOp::put(SEAL.name, Row::new().with("number", 1_i64).with("emblem", seed))
}

/// The key of the archive's file.
pub(crate) fn archive_key(master: &MasterKey) -> Result<ArchiveKey, HeaderError> {
    let both = master.database()?;
    let (key, salt) = both.split_first_chunk::<32>().ok_or(HeaderError::Damaged)?;
    let salt = salt.try_into().map_err(|_| HeaderError::Damaged)?;
    Ok(ArchiveKey::new(Zeroizing::new(*key), salt))
}

impl Wallet {
    /// Opens the wallet of `profile`. Deriving the key takes about a second on a thread of its own.
    ///
    /// # Errors
    /// [`WalletFault::Header`] for a wrong password or a damaged key file; [`WalletFault::Store`] if the
    /// archive is in use, or damaged: what is intact then opens with [`Mode::ReadOnly`].
    pub async fn unlock(profile: &Profile, password: Password, mode: Mode) -> Result<Self, WalletFault> {
        let (profile, folder) = (profile.clone(), profile.path().to_owned());
        let opening = spawn_blocking(move || open(&profile, &password, mode));
        let (archive, wrapping, randomness) =
            opening.await.map_err(|error| StoreError::Failed(error.to_string()))??;
        let keys = Keyring::load(&archive, wrapping).await?;
        let emblem = emblem(&archive).await?;
        let lock_after = preferences::lock_after(&preferences::load(&archive).await?);
        let clock_back = ClockBack::found(last(&archive).await?, chance::now());
        if let Some(back) = clock_back {
            tracing::warn!(code = back.code(), "{back}");
        }
        let read_only = mode == Mode::ReadOnly;
        let archive = Arc::new(archive);
        Ok(Self { archive, keys, emblem, read_only, lock_after, clock_back, folder, randomness })
    }

    /// The key from which the random bytes of steps are made.
    pub(crate) const fn randomness(&self) -> &Zeroizing<[u8; 32]> {
        &self.randomness
    }

    /// The names of all its keys.
    pub fn own_keys(&self) -> BTreeSet<Kid> {
        let keys = KeyPurpose::ALL.iter().filter_map(|purpose| self.keys.of(*purpose).ok());
        keys.flatten().map(|key| key.kid()).collect()
    }

    /// The person's first key for `purpose`; one is made in a wallet that was made without it.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn key(&self, purpose: KeyPurpose) -> Result<KeyRef, KeyringError> {
        self.keys.one(self.archive.as_ref(), &Subject::User, purpose, chance::now()).await
    }
}

/// The archive, the key under which keys are wrapped, and the one that random bytes are made of.
type Opened = (SqliteArchive, Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>);

fn open(profile: &Profile, password: &Password, mode: Mode) -> Result<Opened, WalletFault> {
    let header = profile.header()?;
    let master = header.unlock(password.expose())?;
    let read_only = mode == Mode::ReadOnly;
    let options = Options { key: Some(archive_key(&master)?), read_only, ..Options::default() };
    let archive = SqliteArchive::open(profile.path(), schema(), options)?;
    let opened = archive.opened();
    if opened.id != header.archive() {
        return Err(HeaderError::Damaged.into());
    }
    match opened.broken {
        Some(seq) if !read_only => Err(StoreError::Broken { seq }.into()),
        _ => Ok((archive, master.subkey(Subkey::Keys)?, master.subkey(Subkey::Randomness)?)),
    }
}

/// When something was recorded last.
async fn last(archive: &SqliteArchive) -> Result<Moment, StoreError> {
    let newest = Query::of(journal::TABLE.name).order("seq", Direction::Falling).limit(1);
    let rows = archive.query(vec![newest]).await?;
    let at = rows.iter().flatten().next().map(|row| row.count("at")).transpose()?;
    Ok(Moment::from_seconds(at.unwrap_or_default()))
}

async fn emblem(archive: &SqliteArchive) -> Result<Emblem, StoreError> {
    let rows = archive.query(vec![Query::of(SEAL.name)]).await?;
    let row = rows.into_iter().flatten().next();
    let row = row.ok_or_else(|| StoreError::Damaged("the picture is missing".to_owned()))?;
    Ok(Emblem::from_seed(row.array("emblem")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{account::purses, places::Places};

    #[tokio::test]
    async fn an_archive_of_the_first_version_is_brought_up_to_this_one() {
        let folder = tempfile::tempdir().unwrap();
        let first = Schema::new(1).with(record::TABLES).with(&[keyring::KEY, SEAL]);
        drop(SqliteArchive::open(folder.path(), first, Options::default()).unwrap());
        let archive = SqliteArchive::open(folder.path(), schema(), Options::default()).unwrap();
        assert_eq!(purses(&archive).await.unwrap(), []);
        assert_eq!(Places::load(&archive).await.unwrap(), Places::default());
        let every = schema().tables().iter().map(|table| Query::of(table.name)).collect();
        assert!(archive.query(every).await.is_ok());
    }
}
