//! The daemon: its folder set up, or opened.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use semper_archive_sqlite::SqliteArchive;
use semper_comm_tls::{BadIdentity, Clock, Identity, Trust};
use semper_host::{
    Folder, FolderError, Keyring, KeyringError, Membership, MembershipError, Papers, Registration,
    chance::{self, NoChance},
    daemon::ListenError,
    enrol, keyring, papers,
};
use semper_supporting::{
    access::Subject,
    archive::{Change, Migration, Schema, StoreError, record},
    certificate::{Certificate, CertificateFault, inspect},
    comm::address::AddressError,
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
    },
    registration::record::Kind,
};
use semper_trade::{acquaintance::ARBITER, calls::Caller, sale::SALE};
use zeroize::Zeroizing;

use crate::{
    catalogue,
    config::{self, Config, ConfigError},
    goods::Goods,
    storefront::{display::DisplayError, offers::OFFER, stocking::LISTING},
    terms::{TERMS, TERMS_FILE},
    till::{self, Bank, Till, TillError},
};

/// A shop whose folder is open.
pub struct Program {
    /// What the operator decided.
    pub config: Config,
    /// What it keeps.
    pub store: Arc<SqliteArchive>,
    /// Its keys.
    pub keys: Keyring,
    /// Its key.
    pub key: KeyRef,
    /// Its own certificates, that of its key first, and those above them. They last as long as the folder.
    pub chain: Chain,
    papers: tokio::sync::Mutex<Papers>,
    /// What its connections trust.
    pub trust: Trust,
    /// Where it takes payments.
    pub till: Till,
    /// Its sealed goods.
    pub goods: Goods,
    /// Its folder.
    pub folder: PathBuf,
    wrapping: Zeroizing<[u8; 32]>,
    randomness: Zeroizing<[u8; 32]>,
}

/// The certificates of a shop.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its own.
    pub own: Vec<Certificate>,
    /// Those of the authorities above.
    pub above: Vec<Certificate>,
}

/// Why a shop cannot be set up or opened.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// Its archive.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its papers.
    #[error(transparent)]
    Papers(#[from] papers::PapersError),
    /// Its registration.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// Its till.
    #[error(transparent)]
    Till(#[from] TillError),
    /// A certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// An address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Its certificate and key do not fit.
    #[error(transparent)]
    Identity(#[from] BadIdentity),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// It cannot take calls.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The engine of its sales.
    #[error(transparent)]
    Engine(#[from] semper_engine::EngineError),
    /// What its pages show.
    #[error(transparent)]
    Display(#[from] DisplayError),
    /// A file or a socket.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// It is registered under other names, or with another bank, than it is set up with now.
    #[error("this shop is set up already, with another {0}: see {file} in its folder", file = config::FILE)]
    Differs(&'static str),
    /// It is not registered yet, or has no till yet.
    #[error("this shop is not set up yet: run `init` again with its letter")]
    Unfinished,
}

/// The subject of everything the shop does by its operator's configuration.
pub fn operator() -> Subject {
    Subject::Operator { policy: Digest::of(b"semper-merchantd configuration/1") }
}

/// What a shop keeps of its pages.
const SINCE_2: Migration =
    Migration { to: 2, changes: &[Change::AddTable(LISTING.name), Change::AddTable(OFFER.name)] };

/// What it keeps of its terms of business.
const SINCE_3: Migration =
    Migration { to: 3, changes: &[Change::AddTable(TERMS.name), Change::AddTable(TERMS_FILE.name)] };

fn schema() -> Schema {
    before_pages(3).with(&[LISTING, OFFER, TERMS, TERMS_FILE]).migrate(SINCE_2).migrate(SINCE_3)
}

/// What a shop has kept from the beginning.
fn before_pages(version: u32) -> Schema {
    Schema::new(version).with(record::TABLES).with(semper_engine::TABLES).with(&[
        keyring::KEY,
        papers::PAPER,
        enrol::APPLICANT,
        till::TILL,
        catalogue::ARTICLE,
        SALE,
        ARBITER,
    ])
}

/// A shop that is being set up, as far as it is.
struct Setup {
    config: Config,
    store: SqliteArchive,
    keys: Keyring,
    papers: Papers,
}

impl Program {
    /// Sets a shop up in `path`: folder, keys, certificates by a letter, and a till at its bank.
    ///
    /// Running it again after it was interrupted goes on where it stopped; after it was done it changes
    /// nothing.
    ///
    /// # Errors
    /// [`ProgramError`]; what was settled with the authority and the bank stays settled.
    pub async fn init(
        path: &Path,
        config: Config,
        registration: &Registration,
    ) -> Result<Till, ProgramError> {
        config.check(path)?;
        let mut setup = Setup::begin(path, config).await?;
        let key = setup.keys.one(&setup.store, &operator(), KeyPurpose::Authority, chance::now()).await?;
        setup.register(key, registration).await?;
        setup.open_till(key).await
    }

    /// Opens a shop that is set up.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn open(path: &Path) -> Result<Self, ProgramError> {
        let folder = Folder::open(path)?;
        let config = Config::read(path)?;
        let store = Arc::new(folder.archive(schema())?);
        let keys = Keyring::load(&*store, folder.wrapping_key()).await?;
        let papers = Papers::load(&*store).await?;
        let own = papers.own.first().ok_or(ProgramError::Unfinished)?;
        let key = KeyRef::of(inspect(own)?.key.kid());
        let till = till::stored(&*store).await?.ok_or(ProgramError::Unfinished)?;
        let goods = Goods::of(path);
        catalogue::tidy(&*store, &goods).await?;
        let trust = Trust::new(papers.snapshot());
        let chain = Chain { own: papers.own.clone(), above: papers.above.clone() };
        let papers = tokio::sync::Mutex::new(papers);
        let (wrapping, randomness) = (folder.wrapping_key(), folder.randomness_key());
        let folder = path.to_owned();
        Ok(Self { config, store, keys, key, chain, papers, trust, till, goods, folder, wrapping, randomness })
    }

    /// What it shows in connections.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub fn identity(&self) -> Result<Identity, ProgramError> {
        identity(&self.chain, &self.keys, &self.key)
    }

    /// Fetches the newest revocation lists, and lets connections count with them.
    ///
    /// # Errors
    /// [`ProgramError`]; the lists held stay in force.
    pub async fn renew_lists(&self) -> Result<(), ProgramError> {
        let mut papers = self.papers.lock().await;
        let before = papers.lists.clone();
        membership(&self.config, &self.store, &self.keys)?.renew_lists(&mut papers).await?;
        if papers.lists != before {
            tracing::info!("revocation lists are newer");
        }
        self.trust.replace(papers.snapshot());
        Ok(())
    }

    /// The key from which the random bytes of steps are made.
    pub fn randomness(&self) -> &Zeroizing<[u8; 32]> {
        &self.randomness
    }

    /// The key under which keys of articles are wrapped.
    pub fn wrapping(&self) -> &Zeroizing<[u8; 32]> {
        &self.wrapping
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Setup {
    async fn begin(path: &Path, config: Config) -> Result<Self, ProgramError> {
        let folder = match Folder::create(path) {
            Err(FolderError::Exists(_)) => Folder::open(path)?,
            other => other?,
        };
        let store = folder.archive(schema())?;
        let papers = Papers::load(&store).await?;
        if !papers.own.is_empty() {
            let before = Config::read(path)?;
            let till = till::stored(&store).await?;
            for (what, same) in [
                ("name, organisation, city, country or host", before.subject() == config.subject()),
                ("certification authority", before.authority == config.authority),
                ("bank", till.is_none() || before.bank == config.bank),
            ] {
                if !same {
                    return Err(ProgramError::Differs(what));
                }
            }
        }
        // What `shop init` has written stays.
        let before = Config::read(path).ok().and_then(|before| before.shop);
        let config = Config { shop: config.shop.clone().or(before), ..config };
        config.write(path)?;
        let keys = Keyring::load(&store, folder.wrapping_key()).await?;
        Ok(Self { config, store, keys, papers })
    }

    async fn register(&mut self, key: KeyRef, registration: &Registration) -> Result<(), ProgramError> {
        let membership = membership(&self.config, &self.store, &self.keys)?;
        if !self.papers.own.is_empty() {
            return Ok(membership.renew_lists(&mut self.papers).await?);
        }
        let subject = self.config.subject();
        Ok(membership.register(key, subject, Kind::Merchant, registration, &mut self.papers).await?)
    }

    async fn open_till(&self, key: KeyRef) -> Result<Till, ProgramError> {
        let own = self.papers.own.first().ok_or(ProgramError::Unfinished)?;
        let trust = Trust::new(self.papers.snapshot());
        let chain = Chain { own: self.papers.own.clone(), above: self.papers.above.clone() };
        let identity = identity(&chain, &self.keys, &key)?;
        let bank = Bank {
            store: &self.store,
            keys: &self.keys,
            operator: operator(),
            address: self.config.bank()?,
            caller: Caller::new(Clock::system(), trust, self.config.surroundings(), identity),
            certificate: own.digest(),
        };
        Ok(bank.till(self.config.currency()).await?)
    }
}

fn identity(chain: &Chain, keys: &Keyring, key: &KeyRef) -> Result<Identity, ProgramError> {
    let all = chain.own.iter().chain(&chain.above).cloned().collect::<Vec<_>>();
    Ok(Identity::new(&all, &keys.tls_key(key)?)?)
}

fn membership<'a>(
    config: &Config,
    store: &'a SqliteArchive,
    keys: &'a Keyring,
) -> Result<Membership<'a, SqliteArchive>, ProgramError> {
    let (authority, surroundings) = (config.authority()?, config.surroundings());
    Ok(Membership { store, keys, operator: operator(), authority, surroundings })
}

#[cfg(test)]
mod tests {
    use semper_supporting::archive::{Query, Store as _};

    use super::*;

    #[tokio::test]
    async fn a_shop_from_before_there_were_pages_gets_their_tables() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::create(&place.path().join("shop")).unwrap();
        drop(folder.archive(before_pages(1)).unwrap());
        let store = folder.archive(schema()).unwrap();
        let rows = store.query(vec![Query::of(LISTING.name), Query::of(OFFER.name)]).await.unwrap();
        assert_eq!(rows, [Vec::new(), Vec::new()]);
    }
}
