//! What a daemon that has stopped has kept: its archive, opened as its program would.

use std::path::Path;

use semper_archive_sqlite::SqliteArchive;
use semper_host::{Folder, Papers};
use semper_supporting::{
    archive::{Query, Row, Store as _, journal},
    certificate::Certificate,
    registration::record::{RegState, Registration},
    wire,
};
use semper_ttp_daemon::{office::REGISTRATION, program::schema};

use tokio::sync::RwLockReadGuard;

use crate::{
    daemon::STARTING,
    failure::{Failure, Result},
};

/// The archive of a stopped daemon. Nothing can be started while it is open.
#[derive(Debug)]
pub struct Kept {
    /// The archive.
    pub store: SqliteArchive,
    journal: Vec<Row>,
    // The last field: the archive is closed before anything is started.
    _still: RwLockReadGuard<'static, ()>,
}

impl Kept {
    /// Opens the archive in the folder of a daemon that does not run.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn read(folder: &Path) -> Result<Self> {
        let still = STARTING.read().await;
        let store = Folder::open(folder)?.archive(schema())?;
        let journal = rows(&store, journal::TABLE.name).await?;
        Ok(Self { store, journal, _still: still })
    }

    /// All rows of a table, up to as many as one query gives.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn rows(&self, table: &'static str) -> Result<Vec<Row>> {
        rows(&self.store, table).await
    }

    /// The daemon's own certificates.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn own(&self) -> Result<Vec<Certificate>> {
        Ok(Papers::load(&self.store).await?.own)
    }

    /// How many entries of the journal say exactly this.
    pub fn journal(&self, words: &str) -> usize {
        self.journal.iter().filter(|row| row.bytes("payload") == Ok(words.as_bytes())).count()
    }

    /// The certificates that the authority issued for a registration.
    ///
    /// # Errors
    /// [`Failure`] if there are none.
    pub async fn issued(&self, id: &str) -> Result<Vec<Certificate>> {
        for row in self.rows(REGISTRATION.name).await? {
            let registration: Registration = wire::decode(row.bytes("record")?, wire::STATE_LIMIT)?;
            if let RegState::Used(_, set) = registration.state
                && registration.id.to_string() == id
            {
                return Ok(set.certificates);
            }
        }
        Err(Failure::of("no certificates were issued for", id))
    }
}

async fn rows(store: &SqliteArchive, table: &'static str) -> Result<Vec<Row>> {
    Ok(store.query(vec![Query::of(table)]).await?.into_iter().flatten().collect())
}
