//! A market in this process: an authority, a bank and an arbiter serve over TLS, a merchant and a
//! person exchange.

use std::{
    future::Future,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use semper_archive_sqlite::SqliteArchive;
use semper_comm_tls::{Clock, Identity, Trust};
use semper_exchange::recourse::{KnownThirdParty, Question, Said, TtpAnswer, TtpRequest};
use semper_host::{Folder, Keyring, Membership, Papers, Registration, chance::now, enrol, keyring, papers};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject as WhoActs, decide},
    archive::{Schema, record},
    certificate::{CertRole, Certificate, Subject, inspect, profile::BusinessKind},
    comm::{
        address::{Endpoint, Surroundings},
        session::NetEvent,
    },
    crypto::{
        digest::Digest,
        keys::{KeyPurpose, KeyRef},
        signature::PublicKey,
    },
    evidence::{Signable, SignedBytes, Verified},
    money::{Currency, Money},
    registration::{
        message::CertificateRequest,
        prk::Prk,
        record::{Kind, Names},
    },
};
use semper_trade::calls::{self, CallFault, Caller};
use semper_transfer::payment::{
    AccountId, MsgId,
    message::{Account, AccountKind, Balance, Inspect, Open},
    module::BankReply,
};
use semper_ttp_daemon::{
    config::{ArbiterConfig, BankConfig, BankEntry, Config, Role},
    control::{Command, Unprinted, execute},
    program::{Program, ProgramError, operator},
    serve::serve,
};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// How long anything may take before the test counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that serves in this process.
pub(crate) struct Daemon {
    pub(crate) folder: PathBuf,
    pub(crate) at: Endpoint,
    pub(crate) program: Option<Arc<Program>>,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<Result<(), ProgramError>>>,
}

impl Daemon {
    fn new(folder: PathBuf) -> (Self, u16) {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let at = Endpoint::parse(&format!("localhost:{port}"), Surroundings::Demo).unwrap();
        (Self { folder, at, program: None, stop: None, serving: None }, port)
    }

    /// Opens its folder, as soon as nobody else has it open any more.
    pub(crate) async fn open(&mut self) -> Arc<Program> {
        let opened = async {
            loop {
                match Program::open(&self.folder).await {
                    Ok(program) => return Arc::new(program),
                    Err(error) if error.to_string().contains("open") => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let program = timeout(PATIENCE, opened).await.expect("the folder stays in use");
        self.program = Some(Arc::clone(&program));
        program
    }

    pub(crate) async fn start(&mut self) {
        let program = self.open().await;
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, ready) = oneshot::channel();
        let until = async {
            // Whoever drops the sender stops it, too.
            let _ = stopped.await;
        };
        self.serving = Some(tokio::spawn(serve(program, until, |address| tell.send(address).unwrap())));
        self.stop = Some(stop);
        timeout(PATIENCE, ready).await.expect("does not get ready").expect("ended before it was ready");
    }

    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            timeout(PATIENCE, serving).await.expect("does not end").unwrap().unwrap();
        }
        self.program = None;
    }

    pub(crate) fn program(&self) -> &Program {
        self.program.as_ref().expect("is not open")
    }
}

/// Somebody who exchanges.
pub(crate) struct Party {
    _store: SqliteArchive,
    keys: Keyring,
    pub(crate) key: KeyRef,
    /// The key of its connections: a person has one of its own for them.
    auth: KeyRef,
    pub(crate) papers: Papers,
}

impl Party {
    /// The certificate it signs under.
    pub(crate) fn certificate(&self) -> Digest {
        self.own(&self.key).digest()
    }

    fn own(&self, key: &KeyRef) -> &Certificate {
        let mut own = self.papers.own.iter();
        own.find(|one| inspect(one).unwrap().key.kid() == key.kid()).unwrap()
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.keys.public(&self.key).unwrap()
    }

    /// Its certificate and those above it.
    pub(crate) fn chain(&self) -> Vec<Certificate> {
        self.chain_of(&self.key)
    }

    fn chain_of(&self, key: &KeyRef) -> Vec<Certificate> {
        std::iter::once(self.own(key)).chain(&self.papers.above).cloned().collect()
    }

    pub(crate) fn sign<T: Signable>(&self, value: &T) -> Verified<T> {
        let object = Object::of(value);
        match decide(&operator(), Action::SignIdentity, &object, None, &Limits::default(), now()) {
            Decision::Allow(permit) => self.keys.sign(&self.key, permit, now()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn caller(&self) -> Caller {
        let key = self.keys.tls_key(&self.auth).unwrap();
        let identity = Identity::new(&self.chain_of(&self.auth), &key).unwrap();
        Caller::new(Clock::system(), Trust::new(self.papers.snapshot()), Surroundings::Demo, identity)
    }

    /// Asks a bank.
    pub(crate) async fn ask_bank<T: Signable>(&self, bank: &Daemon, value: &T) -> BankReply {
        let request = self.sign(value);
        calls::bank::ask(&self.caller(), &bank.at, bank_key(bank).kid(), request.bytes()).await.unwrap()
    }

    /// The arbiter's capabilities, as this party's calls check them.
    pub(crate) async fn caps(&self, arbiter: &Daemon) -> (KnownThirdParty, PublicKey) {
        let introduced = calls::arbiter::introduce(&self.caller(), &arbiter.at).await.unwrap();
        let known = introduced.arbiter;
        (KnownThirdParty { facts: known.facts(), capabilities: known.capabilities }, known.key)
    }

    /// Asks the arbiter about itself.
    pub(crate) async fn consult(&self, arbiter: &Daemon, request: &TtpRequest) -> TtpAnswer {
        let mut session = self.caller().call(&arbiter.at, CertRole::Arbiter).await.unwrap();
        session.send.send(request.frame(3).unwrap()).await.unwrap();
        match timeout(PATIENCE, session.receive.next()).await.expect("no answer") {
            NetEvent::Frame(frame) => TtpAnswer::read(&frame).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Asks the arbiter and hears it to the end.
    pub(crate) async fn ask_arbiter(
        &self,
        arbiter: &Daemon,
        question: &Question,
    ) -> Result<Vec<Said>, String> {
        let (caller, kid) = (self.caller(), arbiter.program().key.kid());
        let mut heard = Vec::new();
        let asked = calls::arbiter::ask(&caller, &arbiter.at, kid, question, |said| heard.extend(said));
        match asked.await {
            Ok(()) => Ok(heard),
            Err(CallFault::Refused(code)) => Err(code),
            Err(fault) => panic!("{fault}"),
        }
    }

    /// Opens an account and gives it back with its key.
    pub(crate) async fn account(&self, bank: &Daemon, kind: AccountKind) -> AccountId {
        let open = Open {
            to: bank.program().key.kid(),
            signer: self.key.kid(),
            msg: fresh(),
            key: self.public(),
            holder: self.own(&self.auth).digest(),
            kind,
            currency: Currency::parse("XTS").unwrap(),
            parent: None,
            at: now().whole_seconds(),
        };
        let BankReply::Signed(signed) = self.ask_bank(bank, &open).await else { panic!("no account") };
        signed.verify::<Account>(&bank_key(bank)).unwrap().account
    }

    /// What the bank's books say is on an account of this party's: disposable, and pending.
    pub(crate) async fn funds(&self, bank: &Daemon, account: AccountId) -> (Money, Money) {
        let inspect = Inspect {
            to: bank.program().key.kid(),
            signer: self.key.kid(),
            msg: fresh(),
            account,
            at: now().whole_seconds(),
        };
        let BankReply::Signed(signed) = self.ask_bank(bank, &inspect).await else { panic!("no balance") };
        let balance = signed.verify::<Balance>(&bank_key(bank)).unwrap();
        (balance.funds, balance.pending)
    }
}

pub(crate) fn bank_key(bank: &Daemon) -> PublicKey {
    bank.program().keys.public(&bank.program().key).unwrap()
}

pub(crate) fn fresh() -> MsgId {
    MsgId::from_bytes(semper_host::random().unwrap())
}

pub(crate) fn xts(text: &str) -> Money {
    Money::parse(&format!("XTS {text}")).unwrap()
}

/// Everybody.
pub(crate) struct Market {
    pub(crate) authority: Daemon,
    pub(crate) bank: Daemon,
    pub(crate) arbiter: Daemon,
    root: String,
    pub(crate) place: tempfile::TempDir,
}

impl Market {
    pub(crate) async fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let (mut authority, port) = Daemon::new(place.path().join("authority"));
        Program::init(&authority.folder, config(Role::Registration, port, None), None).await.unwrap();
        authority.start().await;
        let root = std::fs::read_to_string(authority.folder.join("root.pem")).unwrap();
        let (bank, bank_port) = Daemon::new(place.path().join("bank"));
        let (arbiter, arbiter_port) = Daemon::new(place.path().join("arbiter"));
        let mut market = Self { authority, bank, arbiter, root, place };

        let at = market.authority.at.to_string();
        let mut bank_config = config(Role::Bank, bank_port, Some(at.clone()));
        bank_config.bank.gift = Some("XTS 100.00".into());
        let letter = market.letter(Kind::Bank, "Trial bank").await;
        Program::init(&market.bank.folder, bank_config, Some(letter)).await.unwrap();

        let mut arbiter_config = config(Role::Arbiter, arbiter_port, Some(at));
        arbiter_config.arbiter = ArbiterConfig {
            banks: vec![BankEntry {
                address: market.bank.at.to_string(),
                certificate: market.bank.folder.join("certificate.pem"),
            }],
            ..ArbiterConfig::default()
        };
        let letter = market.letter(Kind::Arbiter, "Trial arbiter").await;
        Program::init(&market.arbiter.folder, arbiter_config, Some(letter)).await.unwrap();
        // A bank that is registered is told of its arbiters in its configuration.
        let mut bank_config = Config::read(&market.bank.folder).unwrap();
        bank_config.bank.arbiters.push(market.arbiter.folder.join("certificate.pem"));
        bank_config.write(&market.bank.folder).unwrap();
        market.bank.start().await;
        market.arbiter.start().await;
        market
    }

    /// What its operator gets who is entered at the authority.
    pub(crate) async fn letter(&self, kind: Kind, name: &str) -> Registration {
        let command = Command::Enter {
            kind,
            name: name.into(),
            organisation: (kind != Kind::Person).then(|| "Trial".into()),
            city: matches!(kind, Kind::Merchant | Kind::Person).then(|| "Darmstadt".into()),
            country: Some("DE".into()),
            dns: if kind == Kind::Person { Vec::new() } else { vec!["localhost".into()] },
            attributes: Vec::new(),
            print: true,
        };
        let done = execute(self.authority.program(), &Unprinted::default(), command).await;
        assert!(done.good, "{}", done.text);
        Registration { root: self.root.clone(), letter: done.text }
    }

    /// A merchant with a certificate.
    pub(crate) async fn merchant(&self, name: &str) -> Party {
        let registration = self.letter(Kind::Merchant, name).await;
        let folder = Folder::create(&self.place.path().join(name)).unwrap();
        let schema =
            Schema::new(1).with(record::TABLES).with(&[keyring::KEY, papers::PAPER, enrol::APPLICANT]);
        let store = folder.archive(schema).unwrap();
        let keys = Keyring::load(&store, folder.wrapping_key()).await.unwrap();
        let key = keys.one(&store, &operator(), KeyPurpose::Authority, now()).await.unwrap();
        let mut papers = Papers::load(&store).await.unwrap();
        let membership = Membership {
            store: &store,
            keys: &keys,
            operator: operator(),
            authority: self.authority.at.clone(),
            surroundings: Surroundings::Demo,
        };
        let subject = Subject {
            country: Some("DE".into()),
            locality: Some("Darmstadt".into()),
            organisation: Some("Trial".into()),
            common_name: name.into(),
            dns: vec!["localhost".into()],
            business: Some(BusinessKind::Business),
            ..Subject::default()
        };
        membership.register(key, subject, Kind::Merchant, &registration, &mut papers).await.unwrap();
        Party { _store: store, keys, key, auth: key, papers }
    }

    /// A person with its two certificates.
    pub(crate) async fn person(&self, name: &str) -> Party {
        let registration = self.letter(Kind::Person, name).await;
        let folder = Folder::create(&self.place.path().join(name)).unwrap();
        let schema =
            Schema::new(1).with(record::TABLES).with(&[keyring::KEY, papers::PAPER, enrol::APPLICANT]);
        let store = folder.archive(schema).unwrap();
        let keys = Keyring::load(&store, folder.wrapping_key()).await.unwrap();
        let mut made = Vec::new();
        for purpose in [KeyPurpose::Sign, KeyPurpose::Auth, KeyPurpose::Deal] {
            made.push(keys.generate(&store, &WhoActs::User, purpose, now()).await.unwrap());
        }
        let (key, auth, anonymous) = (made[0], made[1], made[2]);
        let root = Certificate::from_pem(&registration.root).unwrap();
        let names = Names {
            name: name.into(),
            organisation: None,
            city: Some("Darmstadt".into()),
            country: Some("DE".into()),
        };
        let asked = CertificateRequest {
            root: root.digest(),
            kind: Kind::Person,
            names: names.clone(),
            keys: vec![key.kid(), auth.kid()],
            at: now().whole_seconds(),
        };
        let facts = Facts { circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let object = Object::with(&asked, facts);
        let permit = match decide(&operator(), Action::Register, &object, None, &Limits::default(), now()) {
            Decision::Allow(permit) => permit,
            other => panic!("{other:?}"),
        };
        let requests = keys.requests(permit, now()).unwrap();
        let line = registration.letter.lines().find_map(|line| line.trim().strip_prefix("Registration key"));
        let letter = enrol::Letter {
            address: self.authority.at.clone(),
            root,
            prk: Prk::parse(line.unwrap().trim()).unwrap(),
            names,
            kind: Kind::Person,
            dns: Vec::new(),
        };
        let mut papers = Papers::load(&store).await.unwrap();
        let enrolment = enrol::Enrolment {
            store: &store,
            keys: &keys,
            anonymous,
            surroundings: Surroundings::Demo,
            clock: Clock::system(),
            progress: None,
        };
        enrolment.run(letter, requests, &mut papers, now).await.unwrap();
        enrolment.fetch_lists(&self.authority.at, &mut papers, now).await.unwrap();
        Party { _store: store, keys, key, auth, papers }
    }

    pub(crate) async fn close(mut self) {
        self.arbiter.stop().await;
        self.bank.stop().await;
        self.authority.stop().await;
    }
}

/// What an operator decides who has not named anybody else yet.
pub(crate) fn config(role: Role, port: u16, authority: Option<String>) -> Config {
    let name = match role {
        Role::Registration => "Trial authority",
        Role::Bank => "Trial bank",
        Role::Arbiter => "Trial arbiter",
        Role::Evaluator => "Trial evaluator",
    };
    Config {
        name: name.into(),
        organisation: "Trial".into(),
        country: "DE".into(),
        host: "localhost".into(),
        port,
        listen: (Ipv4Addr::LOCALHOST, port).into(),
        roles: vec![role],
        demo: true,
        authority,
        lists_every_s: 3600,
        bank: BankConfig::default(),
        arbiter: ArbiterConfig::default(),
    }
}

/// Runs a test on a runtime of its own.
pub(crate) fn trial<F: Future<Output = ()>>(steps: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE * 3, steps()).await.expect("the trial does not end") });
}

/// Signed bytes of any answer.
pub(crate) fn bytes(said: &[Said]) -> Vec<SignedBytes> {
    said.iter().map(|said| said.statement.clone()).collect()
}
