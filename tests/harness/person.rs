//! A person or a merchant with a program: a folder, keys, papers, and calls over TLS.

use std::{path::Path, sync::Arc};

use semper_archive_sqlite::SqliteArchive;
use semper_comm_tls::{Call, Clock, Dialer, Expected, Identity, Network as _, Session, Trust};
use semper_host::{
    Folder, Keyring, Papers,
    chance::now,
    enrol::{self, EnrolError, Enrolment, Letter as Asked},
    keyring, papers,
};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject, decide},
    archive::{Batch, RowOp, Schema, Store as _, Value, record},
    certificate::{CertRole, Certificate, Serial, inspect},
    comm::{
        address::{Endpoint, Surroundings},
        frame::Frame,
        hello::{Complaint, Features},
        session::{NetEvent, Why},
    },
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
        signature::PublicKey,
    },
    evidence::{Signable, SignedBytes, Statement, statement},
    registration::{
        message::{CertificateRequest, CertificateSet},
        prk::Prk,
        record::{Kind, Names},
    },
    tinguin::Permit,
};
use tokio::time::timeout;

use crate::{
    daemon::PATIENCE,
    failure::{Failure, Result},
    letter::Letter,
};

/// Somebody with a program of the crates that all programs are made of.
///
/// There is no window: access control is asked in the name of a policy, as by a daemon, so that every
/// signature has its permit and nobody is asked. What people are asked is the matter of the window's tests.
#[derive(Debug)]
pub struct Person {
    pub(crate) store: SqliteArchive,
    pub(crate) keys: Keyring,
    pub(crate) papers: Papers,
    root: Certificate,
    kind: Kind,
    policy: Subject,
}

impl Person {
    /// Sets a person's program up in `folder`.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn create(folder: &Path, root: Certificate) -> Result<Self> {
        Self::of_kind(Kind::Person, folder, root).await
    }

    /// Sets a merchant's program up in `folder`: one key signs and authenticates.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn merchant(folder: &Path, root: Certificate) -> Result<Self> {
        Self::of_kind(Kind::Merchant, folder, root).await
    }

    async fn of_kind(kind: Kind, folder: &Path, root: Certificate) -> Result<Self> {
        let folder = Folder::create(folder)?;
        let store = folder.archive(schema())?;
        let keys = Keyring::load(&store, folder.wrapping_key()).await?;
        for purpose in purposes(kind).iter().chain(&[KeyPurpose::Deal, KeyPurpose::Account]) {
            keys.generate(&store, &Subject::User, *purpose, now()).await?;
        }
        let papers = Papers::load(&store).await?;
        let policy = Subject::Operator { policy: Digest::of(b"scripted customer/1") };
        Ok(Self { store, keys, papers, root, kind, policy })
    }

    /// Registers by a letter and fetches the newest revocation lists.
    ///
    /// # Errors
    /// [`Failure`] with what the person is told.
    pub async fn register(&mut self, letter: &Letter) -> Result<()> {
        let address = Endpoint::parse(letter.must("Address")?, Surroundings::Demo)?;
        self.enrol(letter, &address, |_| {}).await?;
        self.fetch_lists(&address).await
    }

    /// Registers by a letter at an address, with the names as `write` leaves them; no lists are fetched.
    ///
    /// # Errors
    /// [`EnrolError`] inside, as the person's program has it.
    pub async fn enrol(
        &mut self,
        letter: &Letter,
        address: &Endpoint,
        write: impl FnOnce(&mut Names),
    ) -> Result<CertificateSet> {
        self.try_enrol(letter, address, write).await?.map_err(Failure::from)
    }

    /// As [`Person::enrol`], but what the authority or the wire refuses is a result of its own.
    ///
    /// # Errors
    /// [`Failure`] for what has nothing to do with either.
    pub async fn try_enrol(
        &mut self,
        letter: &Letter,
        address: &Endpoint,
        write: impl FnOnce(&mut Names),
    ) -> Result<std::result::Result<CertificateSet, EnrolError>> {
        if !letter.names(&self.root) {
            return Err(Failure::new("the words in the letter are not those of the root"));
        }
        let mut names = Names {
            name: letter.must("For")?.to_owned(),
            organisation: letter.line("Organisation").map(str::to_owned),
            city: letter.line("City").map(str::to_owned),
            country: letter.line("Country").map(str::to_owned),
        };
        write(&mut names);
        let keys =
            purposes(self.kind).iter().map(|purpose| self.key(*purpose)).collect::<Result<Vec<_>>>()?;
        let asked = CertificateRequest {
            root: self.root.digest(),
            kind: self.kind,
            names: names.clone(),
            keys: keys.iter().map(KeyRef::kid).collect(),
            at: now().whole_seconds(),
        };
        let permit = self.permit(Action::Register, &asked)?;
        let requests = self.keys.requests(permit, now())?;
        let letter = Asked {
            address: address.clone(),
            root: self.root.clone(),
            prk: Prk::parse(letter.must("Registration key")?)?,
            names,
            kind: self.kind,
            dns: if self.kind == Kind::Merchant { vec![HOST.to_owned()] } else { Vec::new() },
        };
        let enrolment = Enrolment {
            store: &self.store,
            keys: &self.keys,
            anonymous: self.key(KeyPurpose::Deal)?,
            surroundings: Surroundings::Demo,
            clock: Clock::system(),
            progress: None,
        };
        Ok(enrolment.run(letter, requests, &mut self.papers, now).await)
    }

    /// Forgets that it ever registered, as a program does whose folder came out of an old backup.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn forget_registration(&mut self) -> Result<()> {
        let delete = RowOp::delete(enrol::APPLICANT.name, vec![Value::from(0_i64)]);
        for done in self.store.commit(vec![Batch::new().row(delete)]).await {
            done?;
        }
        Ok(())
    }

    /// Fetches the newest revocation lists.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn fetch_lists(&mut self, authority: &Endpoint) -> Result<()> {
        let enrolment = Enrolment {
            store: &self.store,
            keys: &self.keys,
            anonymous: self.key(KeyPurpose::Deal)?,
            surroundings: Surroundings::Demo,
            clock: Clock::system(),
            progress: None,
        };
        Ok(enrolment.fetch_lists(authority, &mut self.papers, now).await?)
    }

    /// The one key of a purpose.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn key(&self, purpose: KeyPurpose) -> Result<KeyRef> {
        self.keys.of(purpose)?.first().copied().ok_or_else(|| Failure::of("no key", purpose.name()))
    }

    /// The public half of the key that disposes of accounts.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn account_key(&self) -> Result<PublicKey> {
        Ok(self.keys.public(&self.key(KeyPurpose::Account)?)?)
    }

    /// The certificates, the one to sign with first; none before the registration.
    pub fn certificates(&self) -> &[Certificate] {
        &self.papers.own
    }

    /// The certificate that is shown in connections.
    ///
    /// # Errors
    /// [`Failure`] before the registration.
    pub fn holder(&self) -> Result<Digest> {
        Ok(self.connects()?.digest())
    }

    fn authenticates(&self) -> Result<KeyPurpose> {
        let mut all = purposes(self.kind).iter().copied();
        all.find(|purpose| purpose.authenticates()).ok_or_else(|| Failure::new("no key for connections"))
    }

    fn connects(&self) -> Result<&Certificate> {
        let key = self.key(self.authenticates()?)?;
        let mut own = self.papers.own.iter();
        let found = own.find(|one| inspect(one).is_ok_and(|inside| inside.key.kid() == key.kid()));
        found.ok_or_else(|| Failure::new("not registered"))
    }

    /// Calls a daemon that must be certified for `role` under the name it is called by.
    ///
    /// # Errors
    /// [`Failure`] if this person cannot call at all; inside, why there is no connection.
    pub async fn call(&mut self, to: &Endpoint, role: CertRole) -> Result<std::result::Result<Session, Why>> {
        self.call_by(Clock::system(), to, role).await
    }

    /// As [`Person::call`], by a clock that may be wrong.
    ///
    /// # Errors
    /// As [`Person::call`].
    pub async fn call_by(
        &mut self,
        clock: Clock,
        to: &Endpoint,
        role: CertRole,
    ) -> Result<std::result::Result<Session, Why>> {
        let chain: Vec<Certificate> =
            std::iter::once(self.connects()?).chain(&self.papers.above).cloned().collect();
        let identity = Identity::new(&chain, &self.keys.tls_key(&self.key(self.authenticates()?)?)?)?;
        self.dial(clock, identity, to, role).await
    }

    /// As [`Person::call`], with a certificate that this person made for itself.
    ///
    /// # Errors
    /// As [`Person::call`].
    pub async fn call_as_stranger(
        &mut self,
        to: &Endpoint,
        role: CertRole,
    ) -> Result<std::result::Result<Session, Why>> {
        let (key, own) = (self.key(KeyPurpose::Deal)?, self.anonymous()?);
        let identity = Identity::new(&[own], &self.keys.tls_key(&key)?)?;
        self.dial(Clock::system(), identity, to, role).await
    }

    /// A certificate that this person made for itself.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn anonymous(&self) -> Result<Certificate> {
        let serial = Serial::from_random(semper_host::random()?);
        Ok(self.keys.anonymous(&self.key(KeyPurpose::Deal)?, serial, now().whole_seconds())?)
    }

    async fn dial(
        &self,
        clock: Clock,
        identity: Identity,
        to: &Endpoint,
        role: CertRole,
    ) -> Result<std::result::Result<Session, Why>> {
        let trust = Trust::new(self.papers.snapshot());
        let dialer = Dialer::new(clock, trust, Surroundings::Demo, Features::default());
        let call = Call { to: to.clone(), identity, expected: Expected::Role(role) };
        Ok(Arc::new(dialer).dial(&call).await)
    }

    /// Signs a statement of a type, of which the bytes are given.
    ///
    /// # Errors
    /// [`Failure`] if access control or the key refuses.
    pub(crate) fn sign<T: Signable>(&self, key: &KeyRef, tbs: &[u8]) -> Result<SignedBytes> {
        let value: T = statement::from_bytes(tbs)?;
        let permit = self.permit(Action::SignIdentity, &value)?;
        Ok(self.keys.sign(key, permit, now())?.bytes().clone())
    }

    fn permit<T: Statement>(&self, action: Action, value: &T) -> Result<Permit<T>> {
        let facts = Facts { circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let object = Object::with(value, facts);
        match decide(&self.policy, action, &object, None, &Limits::default(), now()) {
            Decision::Allow(permit) => Ok(permit),
            Decision::Ask(family) => Err(Failure::new(format!("a person has to be asked ({family:?})"))),
            Decision::Deny(why) => Err(Failure::of(why.code(), why)),
        }
    }
}

/// Sends a frame and waits for the frame that answers it; a complaint or the fall of the connection instead
/// is told apart.
///
/// # Errors
/// [`Failure`] if nothing comes at all.
pub async fn ask(session: &mut Session, frame: Frame) -> Result<std::result::Result<Frame, Unanswered>> {
    let kind = frame.kind;
    if let Err(why) = session.send.send(frame).await {
        return Ok(Err(Unanswered::Fell(why.to_string())));
    }
    loop {
        let event = timeout(PATIENCE, session.receive.next()).await;
        match event.map_err(|_| Failure::new("no answer came, and the connection stands"))? {
            NetEvent::Frame(frame) if frame.kind == kind => return Ok(Ok(frame)),
            NetEvent::Complained(complaint) => return Ok(Err(Unanswered::Complained(complaint))),
            NetEvent::Down(why) => return Ok(Err(Unanswered::Fell(why.to_string()))),
            NetEvent::Up(_) | NetEvent::Busy(_) | NetEvent::Frame(_) => {}
        }
    }
}

/// Why a question was not answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unanswered {
    /// The other side found something wrong with it.
    Complained(Complaint),
    /// The connection fell.
    Fell(String),
}

/// The host of every daemon and shop of a trial.
pub const HOST: &str = "localhost";

/// The keys that are certified, in the order of the set.
const fn purposes(kind: Kind) -> &'static [KeyPurpose] {
    match kind {
        Kind::Person => &[KeyPurpose::Sign, KeyPurpose::Auth],
        _ => &[KeyPurpose::Authority],
    }
}

fn schema() -> Schema {
    Schema::new(1).with(record::TABLES).with(&[keyring::KEY, papers::PAPER, enrol::APPLICANT])
}
