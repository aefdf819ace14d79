//! What a program that has stopped has kept: its archive, opened as the program itself would.

use std::{path::Path, sync::Arc};

use semper_archive_sqlite::SqliteArchive;
use semper_host::{Folder, Papers};
use semper_merchant_daemon::program::Program as Shop;
use semper_supporting::{
    archive::{Direction, Query, Row, Store as _, journal, record::ITEM},
    certificate::Certificate,
    crypto::digest::Digest,
    deal::DealId,
    registration::record::{RegState, Registration},
    wire,
};
use semper_trade::sale::{self, Entry};
use semper_ttp_daemon::{office::REGISTRATION, program::schema};
use semper_wallet::{
    password::Password,
    profile::Profile,
    wallet::{Mode, Wallet},
};
use tokio::sync::RwLockReadGuard;

use crate::{
    daemon::STARTING,
    failure::{Failure, Result},
    shopper::PASSWORD,
};

/// The archive of a stopped program. Nothing can be started while it is open.
#[derive(Debug)]
pub struct Kept {
    /// The archive.
    pub store: Arc<SqliteArchive>,
    journal: Vec<Row>,
    // The last field: the archive is closed before anything is started.
    _still: RwLockReadGuard<'static, ()>,
}

impl Kept {
    /// Opens the archive in the folder of a third party that does not run.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn read(folder: &Path) -> Result<Self> {
        let still = STARTING.read().await;
        let store = Arc::new(Folder::open(folder)?.archive(schema())?);
        Self::of(store, still).await
    }

    /// Opens the archive in the folder of a shop that does not run.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn shop(folder: &Path) -> Result<Self> {
        let still = STARTING.read().await;
        Self::of(Shop::open(folder).await?.store, still).await
    }

    /// Opens the archive of a shopper's wallet that nobody has open.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn wallet(folder: &Path) -> Result<Self> {
        let still = STARTING.read().await;
        let wallet = Wallet::unlock(&Profile::at(folder), Password::new(PASSWORD)?, Mode::Whole).await?;
        Self::of(wallet.archive, still).await
    }

    async fn of(store: Arc<SqliteArchive>, still: RwLockReadGuard<'static, ()>) -> Result<Self> {
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
        Ok(Papers::load(&*self.store).await?.own)
    }

    /// Its sales, the one that changed last first.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn sales(&self) -> Result<Vec<Entry>> {
        Ok(sale::list(&*self.store).await?)
    }

    /// SHA-256 and length in bytes of every item that is kept of a deal.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn items(&self, deal: DealId) -> Result<Vec<(Digest, u64)>> {
        let of_it = Query::of(ITEM.name).equal("deal", deal);
        let rows = self.store.query(vec![of_it]).await?;
        let item = |row: &Row| Ok((Digest::from_bytes(row.array("hash")?), row.count("size")?));
        rows.iter().flatten().map(item).collect()
    }

    /// How many entries its journal has.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn entries(&self) -> Result<u64> {
        let newest = Query::of(journal::TABLE.name).order("seq", Direction::Falling);
        let rows = self.store.query(vec![newest]).await?;
        Ok(rows.iter().flatten().next().map(|row| row.count("seq")).transpose()?.unwrap_or_default())
    }

    /// The kinds of the entries of its journal, the first entry first.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn kinds(&self) -> Result<Vec<String>> {
        let mut kinds = Vec::new();
        let mut query = Query::of(journal::TABLE.name);
        loop {
            let rows: Vec<Row> = self.store.query(vec![query]).await?.into_iter().flatten().collect();
            let Some(last) = rows.last() else { return Ok(kinds) };
            query = Query::of(journal::TABLE.name).after(&journal::TABLE, last);
            for row in &rows {
                kinds.push(row.text("kind")?.to_owned());
            }
        }
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
