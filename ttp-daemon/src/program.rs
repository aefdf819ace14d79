//! The daemon: its folder opened, its roles at work.

use std::{fs, io, path::Path, sync::Arc};

use semper_archive_sqlite::SqliteArchive;
use semper_comm_tls::{BadIdentity, Identity, Trust};
use semper_host::{
    Folder, FolderError, Keyring, KeyringError, Membership, MembershipError, Papers,
    chance::{self, NoChance},
    daemon::ListenError,
    enrol, keyring, papers,
    record::commit,
};
use semper_supporting::{
    access::Subject,
    archive::{
        Batch, Schema, StoreError, record,
        schema::{Change, Migration},
    },
    certificate::{Certificate, CertificateFault, Issuance, Serial, inspect},
    comm::address::{AddressError, Endpoint},
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
    },
    registration::message::CertificateSet,
    time::Span,
};
use zeroize::Zeroizing;

use crate::{
    arbiter::{self, Arbiter, ArbiterError, Setup},
    authority::{Authority, AuthorityError},
    config::{Config, ConfigError, Role},
    counter::{self, Counter, CounterError},
    evaluator::{self, Evaluator},
    office::{self, Address, Office, OfficeError},
    others::{self, BadOther, Others},
};

/// A daemon whose folder is open.
#[derive(Debug)]
pub struct Program {
    /// What the operator decided.
    pub config: Config,
    /// What it keeps.
    pub store: Arc<SqliteArchive>,
    /// Its keys.
    pub keys: Keyring,
    /// Its key.
    pub key: KeyRef,
    /// What it trusts and what is its own.
    pub papers: tokio::sync::Mutex<Papers>,
    /// What its connections trust.
    pub trust: Trust,
    /// The registration office, if it has that role.
    pub office: Option<Office<SqliteArchive>>,
    /// The bank's counter, if it has that role.
    pub counter: Option<Counter<SqliteArchive>>,
    /// The arbiter, if it has that role.
    pub arbiter: Option<Arc<Arbiter<SqliteArchive>>>,
    /// The evaluator, if it has that role.
    pub evaluator: Option<Evaluator<SqliteArchive>>,
}

/// Why a daemon cannot be set up or opened.
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
    /// Its role as authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Its registration office.
    #[error(transparent)]
    Office(#[from] OfficeError),
    /// Its counter.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// Its cases.
    #[error(transparent)]
    Arbiter(#[from] ArbiterError),
    /// Its own registration.
    #[error(transparent)]
    Membership(#[from] MembershipError),
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
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// The certificate of another third party, before anything was set up.
    #[error("{0} (nothing was registered; the letter is still good)")]
    Other(BadOther),
    /// The certificate of another third party, when the daemon starts.
    #[error(transparent)]
    Known(#[from] BadOther),
    /// It is not registered yet.
    #[error("this daemon is not registered yet: run `init` again with its letter")]
    Unregistered,
}

pub use semper_host::Registration;

/// The subject of everything a daemon does by its operator's configuration.
pub fn operator() -> Subject {
    Subject::Operator { policy: Digest::of(b"semper-ttpd configuration/1") }
}

/// What came with the second version: the tables of an evaluator.
const SINCE_2: Migration =
    Migration { to: 2, changes: &[Change::AddTable("evaluation"), Change::AddTable("evaluation_list")] };

/// The tables of a daemon, whatever its roles.
pub fn schema() -> Schema {
    let counter = counter::tables();
    Schema::new(2)
        .with(record::TABLES)
        .with(&[keyring::KEY, papers::PAPER, enrol::APPLICANT])
        .with(office::TABLES)
        .with(&counter)
        .with(arbiter::TABLES)
        .with(evaluator::TABLES)
        .migrate(SINCE_2)
}

impl Program {
    /// Sets a daemon up in `path`: folder, keys, and certificates, its own or by a letter. The certificates of others
    /// that `config` names are checked first, and copied into the folder.
    ///
    /// Running it again after it was interrupted goes on where it stopped.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn init(
        path: &Path,
        mut config: Config,
        registration: Option<Registration>,
    ) -> Result<(), ProgramError> {
        let others = Others::read(&mut config, registration.as_ref(), chance::now())?;
        let folder = match Folder::create(path) {
            Err(FolderError::Exists(_)) => Folder::open(path)?,
            other => other?,
        };
        let store = folder.archive(schema())?;
        let keys = Keyring::load(&store, folder.wrapping_key()).await?;
        let mut papers = Papers::load(&store).await?;
        if !papers.own.is_empty() {
            publish(path, &papers)?;
            return Err(FolderError::Exists(path.to_owned()).into());
        }
        others.keep(path, &mut config)?;
        config.write(path)?;
        let key = keys.one(&store, &operator(), KeyPurpose::Authority, chance::now()).await?;
        if config.roles.contains(&Role::Arbiter) {
            arbiter::ensure_escrow_key(&store, &folder.wrapping_key()).await?;
            write(&path.join("policy.txt"), arbiter::POLICY, 0o644)?;
        }
        match registration {
            Some(registration) => {
                let (subject, kind) = (config.subject(), config.kind());
                let membership = membership(&config, &store, &keys)?;
                membership.register(key, subject, kind, &registration, &mut papers).await?;
            }
            None => found(path, &config, &store, &keys, key, &mut papers).await?,
        }
        publish(path, &Papers::load(&store).await?)
    }

    /// Opens a daemon.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn open(path: &Path) -> Result<Self, ProgramError> {
        let folder = Folder::open(path)?;
        let config = Config::read(path)?;
        let store = Arc::new(folder.archive(schema())?);
        let keys = Keyring::load(&*store, folder.wrapping_key()).await?;
        let mut papers = Papers::load(&*store).await?;
        let own = papers.own.first().ok_or(ProgramError::Unregistered)?;
        let key = KeyRef::of(inspect(own)?.key.kid());
        // Whoever was registered may have been killed before it was written.
        publish(path, &papers)?;
        let now = chance::now();
        let office = if config.roles.contains(&Role::Registration) {
            let address =
                Address { authority: config.name.clone(), host: config.host.clone(), port: config.port };
            let office = Office::open(Arc::clone(&store), address, now).await?;
            take_lists(&office, &store, &mut papers).await?;
            Some(office)
        } else {
            None
        };
        let counter = if config.roles.contains(&Role::Bank) {
            let arbiters = others::arbiters(path, &config, &papers.snapshot(), now)?;
            Some(Counter::open(Arc::clone(&store), keys.clone(), key, arbiters, config.gift_money()).await?)
        } else {
            None
        };
        let arbiter = if config.roles.contains(&Role::Arbiter) {
            let setup = Setup {
                store: Arc::clone(&store),
                keys: keys.clone(),
                key,
                chain: papers.own.iter().chain(&papers.above).cloned().collect(),
                name: config.name.clone(),
                escrow: arbiter::ensure_escrow_key(&*store, &folder.wrapping_key()).await?,
                banks: others::banks(path, &config, &papers.snapshot(), now)?,
                answer_within: Span::seconds(config.arbiter.answer_within),
            };
            Some(Arc::new(Arbiter::open(setup)?))
        } else {
            None
        };
        let evaluator = config.roles.contains(&Role::Evaluator).then(|| {
            Evaluator::open(evaluator::Setup {
                store: Arc::clone(&store),
                keys: keys.clone(),
                key,
                chain: papers.own.iter().chain(&papers.above).cloned().collect(),
                place: format!("{}:{}", config.host, config.port),
            })
        });
        let trust = Trust::new(papers.snapshot());
        let papers = tokio::sync::Mutex::new(papers);
        Ok(Self { config, store, keys, key, papers, trust, office, counter, arbiter, evaluator })
    }

    /// What it shows in connections.
    ///
    /// # Errors
    /// [`ProgramError`].
    pub async fn identity(&self) -> Result<Identity, ProgramError> {
        let papers = self.papers.lock().await;
        let own = papers.own.iter().chain(&papers.above).cloned().collect::<Vec<_>>();
        Ok(Identity::new(&own, &self.keys.tls_key(&self.key)?)?)
    }

    /// Issues or fetches the newest revocation lists, and lets connections count with them.
    ///
    /// # Errors
    /// [`ProgramError`]; the lists held stay in force.
    pub async fn renew_lists(&self) -> Result<(), ProgramError> {
        let mut papers = self.papers.lock().await;
        match &self.office {
            Some(office) => {
                office.renew(chance::now()).await?;
                take_lists(office, &self.store, &mut papers).await?;
            }
            None => {
                let before = papers.lists.clone();
                membership(&self.config, &self.store, &self.keys)?.renew_lists(&mut papers).await?;
                if papers.lists != before {
                    tracing::info!("revocation lists are newer");
                }
            }
        }
        self.trust.replace(papers.snapshot());
        Ok(())
    }
}

/// Sets up a certification authority, and certifies the daemon itself.
async fn found(
    path: &Path,
    config: &Config,
    store: &SqliteArchive,
    keys: &Keyring,
    key: KeyRef,
    papers: &mut Papers,
) -> Result<(), ProgramError> {
    let now = chance::now();
    let keep = |root: &Certificate, seed: &Zeroizing<[u8; 32]>| {
        write(&path.join("root.pem"), &root.to_pem(), 0o644)?;
        let digits = Zeroizing::new(seed.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        write(&path.join("root.key"), &digits, 0o600)
    };
    let authority = match Authority::open(store).await {
        Ok(authority) => authority,
        Err(AuthorityError::Missing) => {
            Authority::found(store, &config.country, &config.organisation, &config.name, now, keep).await?
        }
        Err(error) => return Err(error.into()),
    };
    let order = Issuance {
        class: *config.kind().classes().first().ok_or(ProgramError::Unregistered)?,
        subject: config.subject(),
        key: keys.public(&key)?,
        serial: Serial::from_random(chance::random()?),
        from: now.before(Span::minutes(1)).whole_seconds(),
        policy: None,
    };
    let certificates = vec![authority.issue(&order)?];
    let set = CertificateSet { certificates, chain: vec![authority.issuing().clone()] };
    papers.trust(store, authority.root().clone()).await?;
    commit(store, Papers::keep(&set, now)?.into_iter().fold(Batch::new(), Batch::row)).await?;
    Ok(())
}

fn membership<'a>(
    config: &Config,
    store: &'a SqliteArchive,
    keys: &'a Keyring,
) -> Result<Membership<'a, SqliteArchive>, ProgramError> {
    let surroundings = config.surroundings();
    let authority = Endpoint::parse(config.authority.as_deref().unwrap_or_default(), surroundings)?;
    Ok(Membership { store, keys, operator: operator(), authority, surroundings })
}

async fn take_lists(
    office: &Office<SqliteArchive>,
    store: &SqliteArchive,
    papers: &mut Papers,
) -> Result<(), ProgramError> {
    for list in office.lists().await {
        if !papers.lists.contains(&list) {
            papers.accept_list(store, list, chance::now()).await?;
        }
    }
    Ok(())
}

/// Keeps the daemon's certificates in its folder as what operators hand to each other: a bank takes its arbiters', an
/// arbiter its banks'.
fn publish(path: &Path, papers: &Papers) -> Result<(), ProgramError> {
    let file = path.join("certificate.pem");
    let chain: String = papers.own.iter().chain(&papers.above).map(Certificate::to_pem).collect();
    if fs::read_to_string(&file).is_ok_and(|there| there == chain) {
        return Ok(());
    }
    write(&file, &chain, 0o644)
}

/// Writes a file anew, so that it is on the disk when this returns.
pub(crate) fn write(path: &Path, text: &str, mode: u32) -> Result<(), ProgramError> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let failed = |error| ProgramError::File(path.display().to_string(), error);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
