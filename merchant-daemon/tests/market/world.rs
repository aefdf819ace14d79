//! A certification authority and a bank in this process, over real connections.

use std::{net::SocketAddr, path::Path, sync::Arc};

use semper_comm_tls::{Call, Clock, Dialer, Expected, Identity, Network as _, Session, Trust};
use semper_host::{Registration, control::Done};
use semper_merchant_daemon::config::{Config, Waiting};
use semper_supporting::{
    certificate::CertRole,
    comm::{
        address::{Endpoint, Surroundings},
        hello::Features,
        session::Why,
    },
    registration::record::Kind,
};
use semper_ttp_daemon::{
    config::{BankConfig, Config as Third, Role},
    control::{Command, Unprinted, execute},
    program::Program,
    serve::serve,
};
use tempfile::TempDir;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

/// A daemon of a third party at work. It stops when this is dropped.
pub(crate) struct Running {
    pub(crate) program: Arc<Program>,
    pub(crate) address: String,
    _folder: TempDir,
    work: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.work.abort();
    }
}

async fn start(folder: TempDir) -> Running {
    let program = Arc::new(Program::open(folder.path()).await.unwrap());
    let (to_address, address) = oneshot::channel::<SocketAddr>();
    let serving = Arc::clone(&program);
    let work = tokio::spawn(async move {
        let ready = |address| to_address.send(address).unwrap();
        serve(serving, std::future::pending(), ready).await.unwrap();
    });
    let address = format!("localhost:{}", address.await.unwrap().port());
    Running { program, address, _folder: folder, work }
}

fn third(name: &str, role: Role, authority: Option<String>) -> Third {
    Third {
        name: name.into(),
        organisation: "Trial".into(),
        country: "DE".into(),
        host: "localhost".into(),
        port: 7443,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        roles: vec![role],
        demo: true,
        authority,
        bank: BankConfig::default(),
        arbiter: Default::default(),
        lists_every_s: 3600,
    }
}

/// A certification authority.
pub(crate) async fn authority() -> Running {
    let folder = tempfile::tempdir().unwrap();
    Program::init(folder.path(), third("Trial authority", Role::Registration, None), None).await.unwrap();
    start(folder).await
}

impl Running {
    /// What somebody gets from this authority who was entered by its operator.
    pub(crate) async fn letter(&self, kind: Kind, name: &str, city: Option<&str>) -> Registration {
        let command = Command::Enter {
            kind,
            name: name.into(),
            organisation: Some("Trial".into()),
            city: city.map(str::to_owned),
            country: Some("DE".into()),
            dns: vec!["localhost".into()],
            attributes: Vec::new(),
            print: true,
        };
        let Done { good, text } = execute(&self.program, &Unprinted::default(), command).await;
        assert!(good, "{text}");
        let [root, _] = self.program.office.as_ref().unwrap().certificates().await;
        Registration { root: root.to_pem(), letter: text }
    }

    /// A bank that is registered here.
    pub(crate) async fn bank(&self) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let letter = self.letter(Kind::Bank, "Trial bank", None).await;
        let config = third("Trial bank", Role::Bank, Some(self.address.clone()));
        Program::init(folder.path(), config, Some(letter)).await.unwrap();
        start(folder).await
    }

    /// What this bank's books hold: the kinds of its accounts, and their names.
    pub(crate) async fn accounts(&self) -> Vec<(&'static str, String)> {
        let listed = self.program.counter.as_ref().unwrap().list().await.unwrap();
        listed.into_iter().map(|one| (one.kind, one.account)).collect()
    }

    /// Calls as this daemon.
    pub(crate) async fn call(&self, to: &str, role: CertRole) -> Result<Session, Why> {
        let identity = self.program.identity().await.unwrap();
        call(&self.program.trust, identity, to, role).await
    }
}

/// Calls somebody.
pub(crate) async fn call(
    trust: &Trust,
    identity: Identity,
    to: &str,
    role: CertRole,
) -> Result<Session, Why> {
    let dialer = Dialer::new(Clock::system(), trust.clone(), Surroundings::Demo, Features::default());
    let to = Endpoint::parse(to, Surroundings::Demo).unwrap();
    dialer.dial(&Call { to, identity, expected: Expected::Role(role) }).await
}

/// A shop that is to be registered at `authority` and to have its till at `bank`.
pub(crate) fn shop(authority: &str, bank: &str) -> Config {
    Config {
        name: "Trial shop".into(),
        organisation: "Trial".into(),
        city: "Darmstadt".into(),
        country: "DE".into(),
        host: "localhost".into(),
        port: 7445,
        dns: Vec::new(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        demo: true,
        authority: authority.into(),
        bank: bank.into(),
        lists_every_s: 3600,
        arbiters: Vec::new(),
        deadlines: Waiting::default(),
        shop: None,
    }
}

/// Writes `length` bytes that repeat nowhere near.
pub(crate) fn write_file(path: &Path, length: usize) {
    let mut state = 1_u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()
    });
    let bytes: Vec<u8> = words.flatten().take(length).collect();
    std::fs::write(path, bytes).unwrap();
}

/// A wire to `to`, which is cut once `bytes` have come back from there.
pub(crate) async fn cut_after(to: &str, bytes: u64) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", socket.local_addr().unwrap().port());
    let to = to.replace("localhost", "127.0.0.1");
    tokio::spawn(async move {
        let (caller, _) = socket.accept().await.unwrap();
        let callee = TcpStream::connect(to).await.unwrap();
        let (mut from_caller, mut to_caller) = caller.into_split();
        let (from_callee, mut to_callee) = callee.into_split();
        let mut limited = from_callee.take(bytes);
        tokio::select! {
            _ = tokio::io::copy(&mut limited, &mut to_caller) => {}
            _ = tokio::io::copy(&mut from_caller, &mut to_callee) => {}
        }
    });
    address
}
