//! What a connection costs each end: an authority with two parties in memory, who call one another over TLS on this
//! machine.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::mpsc,
    thread,
    time::Duration,
};

use semper_comm_tls::{
    Admission, Call, Clock, Dialer, Expected, Identity, Listener, Network as _, Server, Trust,
};
use semper_host::chance::now;
use semper_supporting::{
    certificate::{
        CertRole, Certificate, Class, Issuance, Issuer, Serial, Subject, TrustSnapshot,
        status::{LIST_VALIDITY, ROOT_LIST_VALIDITY},
    },
    comm::{
        address::{Endpoint, Surroundings},
        hello::Features,
        limits::Limits,
    },
    crypto::signature::KeyPair,
    time::{Moment, Span},
};
use semper_tests::{Failure, Result, person::HOST};
use tokio::runtime::Builder;

use crate::measure::{Effort, median, thread_cpu};

/// A root, an authority below it, and their lists, on which nobody is.
pub(crate) struct World {
    authority: Issuer,
    /// What everybody trusts.
    pub(crate) trusted: TrustSnapshot,
    since: Moment,
}

/// Somebody who is certified.
pub(crate) struct Party {
    /// The certificate, and that of the authority.
    pub(crate) chain: Vec<Certificate>,
    key: KeyPair,
}

/// CPU time for each connection, in microseconds: TCP, the handshake with both certificates and lists checked,
/// greetings, and the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// Of whoever calls.
    pub(crate) caller: f64,
    /// Of whoever is called.
    pub(crate) callee: f64,
}

impl World {
    /// A new one.
    ///
    /// # Errors
    /// [`Failure`] if a certificate cannot be issued.
    pub(crate) fn new() -> Result<Self> {
        let since = now().before(Span::hours(1)).whole_seconds();
        let root = Issuer::root(pair(1), authority("Root"), serial(1), since)?;
        let below = order(Class::IssuingCa, authority("Issuing"), &pair(2), 2, since);
        let authority = Issuer::open(pair(2), root.issue(&below)?)?;
        let mut trusted =
            TrustSnapshot { roots: vec![root.certificate().clone()], ..TrustSnapshot::default() };
        trusted.accept_authority(authority.certificate().clone(), now())?;
        for (issuer, validity) in [(&root, ROOT_LIST_VALIDITY), (&authority, LIST_VALIDITY)] {
            trusted.accept_list(issuer.issue_list(1, since, validity, &[])?, now())?;
        }
        Ok(Self { authority, trusted, since })
    }

    /// A merchant who can be called.
    ///
    /// # Errors
    /// [`Failure`] if the certificate cannot be issued.
    pub(crate) fn merchant(&self) -> Result<Party> {
        let about = Subject { organisation: Some("Shop".into()), dns: vec![HOST.into()], ..person() };
        self.party(Class::Merchant, about, 3)
    }

    fn customer(&self) -> Result<Party> {
        self.party(Class::PersonAuth, person(), 4)
    }

    fn party(&self, class: Class, subject: Subject, seed: u8) -> Result<Party> {
        let key = pair(seed);
        let own = self.authority.issue(&order(class, subject, &key, seed, self.since))?;
        Ok(Party { chain: vec![own, self.authority.certificate().clone()], key })
    }

    /// What a connection costs each end.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub(crate) fn connect(&self, effort: Effort) -> Result<Ends> {
        // The first round warms up.
        let rounds = (0..=effort.rounds).map(|_| self.round(effort.connections));
        let rounds = rounds.skip(1).collect::<Result<Vec<_>>>()?;
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(effort.connections);
        Ok(Ends {
            caller: median(rounds.iter().map(|(caller, _)| each(*caller)).collect()),
            callee: median(rounds.iter().map(|(_, callee)| each(*callee)).collect()),
        })
    }

    /// So many connections, one after the other, each end on a thread of its own; the CPU time of the two.
    fn round(&self, count: u32) -> Result<(Duration, Duration)> {
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            let callee = scope.spawn(move || self.answer(count, &tell));
            let caller = match told.recv() {
                Ok(at) => self.call(count, at),
                Err(_) => Err(Failure::new("nobody can be called")),
            };
            let callee = callee.join().map_err(|_| Failure::new("whoever was called has died"))?;
            Ok((caller?, callee?))
        })
    }

    fn answer(&self, count: u32, tell: &mpsc::Sender<SocketAddr>) -> Result<Duration> {
        let merchant = self.merchant()?;
        let identity = Identity::new(&merchant.chain, &merchant.key.pkcs8())?;
        let trust = Trust::new(self.trusted.clone());
        let server = Server::new(Clock::system(), trust, identity, Admission::certified());
        let server = server.with_limits(Limits { connections: 4096, per_address: 4096, ..Limits::default() });
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            let mut listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), server).await?;
            tell.send(listener.address())?;
            let before = thread_cpu();
            let mut last = None;
            for _ in 0..count {
                // The one before is held until the next one stands: it is the caller who hangs up.
                last = listener.accept().await;
                if last.is_none() {
                    return Err(Failure::new("the listener has ended"));
                }
            }
            drop(last);
            Ok(thread_cpu() - before)
        })
    }

    fn call(&self, count: u32, at: SocketAddr) -> Result<Duration> {
        let customer = self.customer()?;
        let identity = Identity::new(&customer.chain, &customer.key.pkcs8())?;
        let to = Endpoint::parse(&format!("{HOST}:{}", at.port()), Surroundings::Demo)?;
        let call = Call { to, identity, expected: Expected::Role(CertRole::Merchant) };
        let trust = Trust::new(self.trusted.clone());
        let dialer = Dialer::new(Clock::system(), trust, Surroundings::Demo, Features::default());
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            let before = thread_cpu();
            for _ in 0..count {
                drop(dialer.dial(&call).await.map_err(|why| Failure::of("no connection", why))?);
            }
            Ok(thread_cpu() - before)
        })
    }
}

fn order(class: Class, subject: Subject, key: &KeyPair, number: u8, from: Moment) -> Issuance {
    Issuance { class, subject, key: key.public(), serial: serial(number), from, policy: None }
}

fn pair(seed: u8) -> KeyPair {
    KeyPair::from_seed(&[seed; 32])
}

fn serial(number: u8) -> Serial {
    Serial::from_random([number; 16])
}

fn authority(name: &str) -> Subject {
    let organisation = Some("Authority".into());
    Subject { country: Some("DE".into()), organisation, common_name: name.into(), ..Subject::default() }
}

fn person() -> Subject {
    Subject {
        country: Some("DE".into()),
        locality: Some("Darmstadt".into()),
        common_name: "Ada Weber".into(),
        ..Subject::default()
    }
}
