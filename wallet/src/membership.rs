//! Membership: the wallet's owner registered with a certification authority, by its letter.
//!
//! The keys are made with the wallet. The person reads in a prompt which authority is asked for certificates of
//! which name, and only then anything leaves. A registration that was interrupted goes on without another
//! prompt, with the requests that were confirmed.

use semper_archive_sqlite::SqliteArchive;
use semper_comm_tls::{BadIdentity, Clock, Identity, Trust};
use semper_host::{
    chance,
    enrol::{self, APPLICANT, EnrolError, Enrolment, Letter, Stand},
    keyring::KeyringError,
    papers::{Papers, PapersError},
};
use semper_supporting::{
    access::{self, Action, Circumstance},
    archive::{Query, Store as _, StoreError},
    certificate::{Certificate, CertificateFault, inspect},
    comm::address::{AddressError, Endpoint, Surroundings},
    crypto::keys::KeyPurpose,
    registration::{
        applicant::Applicant,
        letter::{LetterFault, Received},
        message::CertificateRequest,
        record::Kind,
    },
    wire::{self, WireError},
};
use semper_trade::calls::Caller;
use tokio::sync::watch;

use crate::{
    consent::{Consent, ConsentFault, Matter},
    places::{Places, PlacesFault},
    wallet::Wallet,
};

/// The keys that are certified, in the order of the set.
const CERTIFIED: [KeyPurpose; 2] = [KeyPurpose::Sign, KeyPurpose::Auth];

/// The owner of a wallet as a member of a certification authority.
#[derive(Clone, Debug)]
pub struct Membership {
    consent: Consent,
    progress: Option<watch::Sender<Stand>>,
}

/// Why the owner is not registered, or cannot call anybody.
#[derive(Debug, thiserror::Error)]
pub enum MembershipFault {
    /// The person declined, or was not asked.
    #[error(transparent)]
    Consent(#[from] ConsentFault),
    /// The letter is none, or not from the authority of this root.
    #[error(transparent)]
    Letter(#[from] LetterFault),
    /// The address in the letter is not called.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The authority declined, or cannot be reached.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// There is no certificate yet.
    #[error("not registered yet")]
    NotRegistered,
    /// No authority is known, of whom lists could be had.
    #[error("no certification authority is known")]
    NoAuthority,
    /// The keys refuse.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The papers cannot be read.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// The places cannot be read.
    #[error(transparent)]
    Places(#[from] PlacesFault),
    /// A certificate cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// Certificate and key do not go together.
    #[error(transparent)]
    Identity(#[from] BadIdentity),
    /// What was stored cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl Membership {
    /// The membership of the person who gives `consent`.
    pub fn new(consent: Consent) -> Self {
        Self { consent, progress: None }
    }

    /// Tells `progress` how far a registration is.
    #[must_use]
    pub fn telling(self, progress: watch::Sender<Stand>) -> Self {
        Self { progress: Some(progress), ..self }
    }

    /// Registers by a letter, or goes on with the registration that was begun, and fetches the newest lists.
    ///
    /// The words of `root` are compared with the letter before anything else. The authority becomes the one
    /// that the wallet knows.
    ///
    /// # Errors
    /// [`MembershipFault`]; what was settled with the authority stays settled, and calling again goes on. A
    /// person who declines leaves nothing behind.
    pub async fn register(&self, letter: &Received, root: Certificate) -> Result<Papers, MembershipFault> {
        letter.compare(&root)?;
        let wallet = self.consent.wallet();
        let store = wallet.archive.as_ref();
        let mut places = Places::load(store).await?;
        let address = Endpoint::parse(&letter.address, places.surroundings)?;
        let requests =
            if self.has_begun(letter).await? { Vec::new() } else { self.requests(letter, &root).await? };
        let asked = Letter {
            address: address.clone(),
            root,
            prk: letter.prk.clone(),
            names: letter.names.clone(),
            kind: Kind::Person,
            dns: Vec::new(),
        };
        let mut papers = Papers::load(store).await?;
        if papers.own.is_empty() {
            // Whoever is interrupted goes on there.
            places.authority = Some(address.clone());
            places.keep(store).await?;
        }
        self.enrolment(places.surroundings).await?.run(asked, requests, &mut papers, chance::now).await?;
        places.authority = Some(address);
        places.keep(store).await?;
        self.renew_lists().await
    }

    /// Goes on with a registration that was begun and that the authority has not declined, with the same keys and
    /// the same requests, and fetches the newest lists; nothing if there is none.
    ///
    /// # Errors
    /// As [`Membership::register`].
    pub async fn resume(&self) -> Result<Option<Papers>, MembershipFault> {
        let store = self.consent.wallet().archive.as_ref();
        let places = Places::load(store).await?;
        let Some(address) = places.authority else { return Ok(None) };
        let mut papers = Papers::load(store).await?;
        let enrolment = self.enrolment(places.surroundings).await?;
        match enrolment.resume(address, &mut papers, chance::now).await? {
            Some(_) => self.renew_lists().await.map(Some),
            None => Ok(None),
        }
    }

    async fn enrolment(
        &self,
        surroundings: Surroundings,
    ) -> Result<Enrolment<'_, SqliteArchive>, MembershipFault> {
        let plain = enrolment(self.consent.wallet(), surroundings).await?;
        Ok(Enrolment { progress: self.progress.clone(), ..plain })
    }

    /// Fetches the newest revocation lists.
    ///
    /// # Errors
    /// [`MembershipFault`]; the lists held stay in force.
    pub async fn renew_lists(&self) -> Result<Papers, MembershipFault> {
        renew_lists(self.consent.wallet()).await
    }

    /// The way to everybody else, under the own certified name.
    ///
    /// # Errors
    /// [`MembershipFault::NotRegistered`] before there are certificates.
    pub async fn caller(&self) -> Result<Caller, MembershipFault> {
        caller(self.consent.wallet()).await
    }

    /// The confirmed requests for certificates.
    async fn requests(&self, letter: &Received, root: &Certificate) -> Result<Vec<Vec<u8>>, MembershipFault> {
        let wallet = self.consent.wallet();
        let mut keys = Vec::with_capacity(CERTIFIED.len());
        for purpose in CERTIFIED {
            keys.push(wallet.key(purpose).await?.kid());
        }
        let asked = CertificateRequest {
            root: root.digest(),
            kind: Kind::Person,
            names: letter.names.clone(),
            keys,
            at: chance::now().whole_seconds(),
        };
        let facts = access::Facts { circumstances: &[Circumstance::FirstStart], ..access::Facts::default() };
        let matter = Matter { facts, ..Matter::default() };
        let permit = self.consent.permit(Action::Register, asked, root, matter).await?;
        Ok(wallet.keys.requests(permit, self.consent.now())?)
    }

    /// Whether a registration by this letter was begun that the authority has not declined: its requests are kept.
    async fn has_begun(&self, letter: &Received) -> Result<bool, MembershipFault> {
        let rows = self.consent.wallet().archive.query(vec![Query::of(APPLICANT.name)]).await?;
        let Some(row) = rows.into_iter().flatten().next() else { return Ok(false) };
        let applicant: Applicant = wire::decode(row.bytes("state")?, wire::STATE_LIMIT)?;
        Ok(enrol::goes_on(&applicant, &letter.names, Kind::Person, &[]))
    }
}

/// Fetches the newest revocation lists of the authority that a wallet knows; nothing is signed for that.
///
/// # Errors
/// [`MembershipFault`]; the lists held stay in force.
pub async fn renew_lists(wallet: &Wallet) -> Result<Papers, MembershipFault> {
    let store = wallet.archive.as_ref();
    let places = Places::load(store).await?;
    let authority = places.authority.ok_or(MembershipFault::NoAuthority)?;
    let mut papers = Papers::load(store).await?;
    enrolment(wallet, places.surroundings).await?.fetch_lists(&authority, &mut papers, chance::now).await?;
    Ok(papers)
}

/// The way of a wallet to everybody else, under its owner's certified name.
///
/// # Errors
/// [`MembershipFault::NotRegistered`] before there are certificates.
pub async fn caller(wallet: &Wallet) -> Result<Caller, MembershipFault> {
    let store = wallet.archive.as_ref();
    let (papers, places) = (Papers::load(store).await?, Places::load(store).await?);
    let key = wallet.key(KeyPurpose::Auth).await?;
    let own = certificate_of(&papers, key.kid()).ok_or(MembershipFault::NotRegistered)?;
    let chain: Vec<Certificate> = std::iter::once(own).chain(&papers.above).cloned().collect();
    let identity = Identity::new(&chain, &wallet.keys.tls_key(&key)?)?;
    let trust = Trust::new(papers.snapshot());
    Ok(Caller::new(Clock::system(), trust, places.surroundings, identity))
}

async fn enrolment(
    wallet: &Wallet,
    surroundings: Surroundings,
) -> Result<Enrolment<'_, SqliteArchive>, MembershipFault> {
    Ok(Enrolment {
        store: wallet.archive.as_ref(),
        keys: &wallet.keys,
        anonymous: wallet.key(KeyPurpose::Deal).await?,
        surroundings,
        clock: Clock::system(),
        progress: None,
    })
}

/// The own certificate of a key.
pub fn certificate_of(
    papers: &Papers,
    key: semper_supporting::crypto::signature::Kid,
) -> Option<&Certificate> {
    papers.own.iter().find(|own| inspect(own).is_ok_and(|content| content.key.kid() == key))
}

impl MembershipFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        use semper_supporting::fault::Fault as _;
        match self {
            Self::Consent(fault) => fault.code(),
            Self::Letter(fault) => fault.code(),
            Self::Address(fault) => fault.code(),
            Self::Enrol(EnrolError::Failure(failure)) => failure.code(),
            Self::Enrol(EnrolError::Unreachable { why, .. }) => why.code(),
            Self::Enrol(_) => "membership.failed",
            Self::NotRegistered => "membership.none",
            Self::NoAuthority => "membership.no-authority",
            Self::Keys(_) | Self::Identity(_) => "wallet.keys",
            Self::Store(error) => error.code(),
            Self::Papers(PapersError::Store(error)) | Self::Places(PlacesFault::Store(error)) => error.code(),
            Self::Papers(PapersError::Certificate(fault)) | Self::Certificate(fault) => fault.code(),
            Self::Places(PlacesFault::Address(fault)) => fault.code(),
            Self::Wire(_) => "wallet.damaged",
        }
    }
}
