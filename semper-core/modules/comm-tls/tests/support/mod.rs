//! A small market for the tests: a root, an authority, parties, a listener on a free port of this machine,
//! and a wire that can be cut.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use semper_comm_tls::{Admission, Call, Clock, Dialer, Expected, Identity, Listener, Server, Trust};
use semper_supporting::{
    certificate::{
        CertRole, Certificate, Class, Issuance, Issuer, Serial, Subject, TrustSnapshot,
        issue::anonymous,
        status::{LIST_VALIDITY, ROOT_LIST_VALIDITY, RevocationReason, RevokedEntry},
    },
    comm::{
        address::{Endpoint, Surroundings},
        hello::Features,
        session::Why,
    },
    crypto::signature::KeyPair,
    time::{Moment, Span},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

pub const NOW: Moment = Moment::from_seconds(1_800_000_000);
pub const HOST: &str = "shop.localhost";

/// A root, an authority below it, and their lists.
pub struct Market {
    root: Issuer,
    authority: Issuer,
    numbers: AtomicU64,
    pub clock: Clock,
}

/// A certificate, its key and its serial number.
pub struct Party {
    pub chain: Vec<Certificate>,
    pub key: KeyPair,
    pub serial: Serial,
}

impl Party {
    pub fn identity(&self) -> Identity {
        Identity::new(&self.chain, &self.key.pkcs8()).unwrap()
    }

    pub fn kid(&self) -> semper_supporting::crypto::signature::Kid {
        self.key.public().kid()
    }
}

impl Market {
    pub fn new() -> Self {
        Self::of_root(1)
    }

    /// A market under another root.
    pub fn elsewhere() -> Self {
        Self::of_root(101)
    }

    fn of_root(seed: u8) -> Self {
        let subject = |name: &str| Subject {
            country: Some("DE".into()),
            organisation: Some("Authority".into()),
            common_name: name.into(),
            ..Subject::default()
        };
        let from = NOW.before(Span::days(30));
        let serial = |n| Serial::from_random([n; 16]);
        let root = Issuer::root(KeyPair::from_seed(&[seed; 32]), subject("Root"), serial(1), from).unwrap();
        let key = KeyPair::from_seed(&[seed + 1; 32]);
        let order = Issuance {
            class: Class::IssuingCa,
            subject: subject("Issuing"),
            key: key.public(),
            serial: serial(2),
            from,
            policy: None,
        };
        let certificate = root.issue(&order).unwrap();
        let authority = Issuer::open(key, certificate).unwrap();
        Self { root, authority, numbers: AtomicU64::new(10), clock: Clock::reading(|| NOW) }
    }

    /// What everybody trusts, with these certificates revoked.
    pub fn trust(&self, revoked: &[&Party]) -> Trust {
        self.trust_as_of(revoked, NOW.before(Span::hours(1)))
    }

    pub fn trust_as_of(&self, revoked: &[&Party], listed: Moment) -> Trust {
        let mut snapshot =
            TrustSnapshot { roots: vec![self.root.certificate().clone()], ..TrustSnapshot::default() };
        snapshot.accept_authority(self.authority.certificate().clone(), NOW).unwrap();
        let entries: Vec<_> = revoked
            .iter()
            .map(|party| RevokedEntry {
                serial: party.serial,
                at: listed,
                reason: RevocationReason::KeyCompromise,
            })
            .collect();
        let lists = [
            self.root.issue_list(1, listed, ROOT_LIST_VALIDITY, &[]).unwrap(),
            self.authority.issue_list(1, listed, LIST_VALIDITY, &entries).unwrap(),
        ];
        for list in lists {
            snapshot.accept_list(list, NOW).unwrap();
        }
        Trust::new(snapshot)
    }

    /// Trust in the root alone: who has just confirmed its words.
    pub fn trust_in_root(&self) -> Trust {
        Trust::new(TrustSnapshot { roots: vec![self.root.certificate().clone()], ..TrustSnapshot::default() })
    }

    pub fn merchant(&self) -> Party {
        self.party(Class::Merchant, NOW.before(Span::days(1)), Some(HOST))
    }

    pub fn ca_service(&self) -> Party {
        self.party(Class::CaService, NOW.before(Span::days(1)), Some(HOST))
    }

    pub fn person(&self) -> Party {
        self.party(Class::PersonAuth, NOW.before(Span::days(1)), None)
    }

    pub fn party(&self, class: Class, from: Moment, host: Option<&str>) -> Party {
        let (key, serial) = self.numbered();
        let third = !matches!(class, Class::Merchant | Class::PersonAuth | Class::PersonSign);
        let subject = Subject {
            country: Some("DE".into()),
            locality: (!third).then(|| "Darmstadt".into()),
            organisation: host.map(|_| "Fogra".into()),
            common_name: "Ada Weber".into(),
            dns: host.map(str::to_owned).into_iter().collect(),
            ..Subject::default()
        };
        let order = Issuance { class, subject, key: key.public(), serial, from, policy: None };
        let chain = vec![self.authority.issue(&order).unwrap(), self.authority.certificate().clone()];
        Party { chain, key, serial }
    }

    /// Who made its own certificate.
    pub fn nobody(&self) -> Party {
        let (key, serial) = self.numbered();
        let chain = vec![anonymous(&key, serial, NOW.before(Span::days(1))).unwrap()];
        Party { chain, key, serial }
    }

    fn numbered(&self) -> (KeyPair, Serial) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let seed = [number; 4].concat().try_into().unwrap();
        (KeyPair::from_seed(&seed), Serial::from_random([number; 2].concat().try_into().unwrap()))
    }

    pub fn server(&self, party: &Party, revoked: &[&Party], admission: Admission) -> Server {
        Server::new(self.clock.clone(), self.trust(revoked), party.identity(), admission)
    }

    pub fn dialer(&self) -> Dialer {
        self.dialer_trusting(self.trust(&[]))
    }

    pub fn dialer_trusting(&self, trust: Trust) -> Dialer {
        Dialer::new(self.clock.clone(), trust, Surroundings::Demo, Features::default())
    }
}

pub fn call(to: SocketAddr, party: &Party) -> Call {
    call_role(to, party, CertRole::Merchant)
}

pub fn call_role(to: SocketAddr, party: &Party, role: CertRole) -> Call {
    Call { to: endpoint(to), identity: party.identity(), expected: Expected::Role(role) }
}

pub fn endpoint(to: SocketAddr) -> Endpoint {
    Endpoint::parse(&format!("{HOST}:{}", to.port()), Surroundings::Demo).unwrap()
}

/// Listens on a free port, and hands on why calls are refused.
pub async fn listen(server: Server) -> (Listener, mpsc::UnboundedReceiver<Why>) {
    let (refusals, refused) = mpsc::unbounded_channel();
    let server = server.telling(move |_, why| {
        let _ = refusals.send(why.clone());
    });
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), server).await.unwrap();
    (listener, refused)
}

/// A wire to `to`. The first call through it is cut once the first number of bytes has gone from caller to
/// callee, and so on; later calls are whole.
pub async fn cut_after(to: SocketAddr, bytes: Vec<u64>) -> SocketAddr {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut allowances = bytes.into_iter();
        while let Ok((caller, _)) = socket.accept().await {
            let allowance = allowances.next();
            tokio::spawn(async move {
                let callee = TcpStream::connect(to).await.unwrap();
                carry(caller, callee, allowance).await;
            });
        }
    });
    address
}

async fn carry(caller: TcpStream, callee: TcpStream, allowance: Option<u64>) {
    let (mut from_caller, mut to_caller) = caller.into_split();
    let (mut from_callee, mut to_callee) = callee.into_split();
    let there = async {
        match allowance {
            Some(bytes) => {
                let mut limited = (&mut from_caller).take(bytes);
                let _ = tokio::io::copy(&mut limited, &mut to_callee).await;
            }
            None => {
                let _ = tokio::io::copy(&mut from_caller, &mut to_callee).await;
                let _ = to_callee.shutdown().await;
                // Carries the last words back.
                std::future::pending::<()>().await;
            }
        }
    };
    let back = async {
        let _ = tokio::io::copy(&mut from_callee, &mut to_caller).await;
    };
    tokio::select! { () = there => {}, () = back => {} }
}
