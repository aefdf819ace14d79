//! A root with an authority below it, certified parties, and servers that do what a test wants.

use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU8, Ordering},
};

use semper_comm_tls::{Admission, Clock, Identity, Listener, Server, Session, Trust};
use semper_supporting::{
    access::{Action, Circumstance, Decision, Facts, Limits, Object, Subject as Actor, decide},
    certificate::{
        Certificate, Class, Issuance, Issuer, Serial, Subject, TrustSnapshot,
        issue::anonymous,
        status::{LIST_VALIDITY, ROOT_LIST_VALIDITY},
    },
    comm::{
        address::{Endpoint, Surroundings},
        frame::Frame,
        session::NetEvent,
    },
    crypto::{
        digest::Digest,
        keys::{GenerateKey, KeyPurpose, KeyStore as _, SoftKeys},
        signature::{KeyPair, Kid},
    },
    evidence::{Signable, SignedBytes},
    time::{Moment, Span},
};
use semper_trade::calls::Caller;
use zeroize::Zeroizing;

pub(crate) const HOST: &str = "third.localhost";

/// Who certifies everybody.
pub(crate) struct Market {
    root: Issuer,
    authority: Issuer,
    clock: Clock,
    seeds: AtomicU8,
}

/// Somebody with a key and a certificate.
pub(crate) struct Party {
    pub(crate) chain: Vec<Certificate>,
    seed: [u8; 32],
    clock: Clock,
}

impl Market {
    pub(crate) fn new() -> Self {
        let clock = Clock::system();
        let from = clock.now().before(Span::days(2));
        let subject = |name: &str| Subject {
            country: Some("DE".into()),
            organisation: Some("Authority".into()),
            common_name: name.into(),
            ..Subject::default()
        };
        let serial = |n| Serial::from_random([n; 16]);
        let root = Issuer::root(KeyPair::from_seed(&[1; 32]), subject("Root"), serial(1), from).unwrap();
        let key = KeyPair::from_seed(&[2; 32]);
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
        Self { root, authority, clock, seeds: AtomicU8::new(10) }
    }

    pub(crate) fn trust(&self) -> TrustSnapshot {
        let (now, listed) = (self.clock.now(), self.clock.now().before(Span::hours(1)));
        let mut snapshot =
            TrustSnapshot { roots: vec![self.root.certificate().clone()], ..TrustSnapshot::default() };
        snapshot.accept_authority(self.authority.certificate().clone(), now).unwrap();
        snapshot.accept_list(self.root.issue_list(1, listed, ROOT_LIST_VALIDITY, &[]).unwrap(), now).unwrap();
        snapshot.accept_list(self.authority.issue_list(1, listed, LIST_VALIDITY, &[]).unwrap(), now).unwrap();
        snapshot
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn party(&self, class: Class) -> Party {
        let person = class == Class::PersonAuth;
        let n = self.seeds.fetch_add(1, Ordering::Relaxed);
        let subject = Subject {
            country: Some("DE".into()),
            locality: matches!(class, Class::Merchant | Class::PersonAuth).then(|| "Darmstadt".into()),
            organisation: (!person).then(|| "Trial".into()),
            common_name: "Trial".into(),
            dns: (!person).then(|| HOST.to_owned()).into_iter().collect(),
            ..Subject::default()
        };
        let order = Issuance {
            class,
            subject,
            key: KeyPair::from_seed(&[n; 32]).public(),
            serial: Serial::from_random([n; 16]),
            from: self.clock.now().before(Span::days(1)),
            policy: None,
        };
        let chain = vec![self.authority.issue(&order).unwrap(), self.authority.certificate().clone()];
        Party { chain, seed: [n; 32], clock: self.clock.clone() }
    }

    /// Who made its own certificate.
    pub(crate) fn nobody(&self) -> Party {
        let n = self.seeds.fetch_add(1, Ordering::Relaxed);
        let key = KeyPair::from_seed(&[n; 32]);
        let from = self.clock.now().before(Span::hours(1));
        let chain = vec![anonymous(&key, Serial::from_random([n; 16]), from).unwrap()];
        Party { chain, seed: [n; 32], clock: self.clock.clone() }
    }

    pub(crate) fn caller(&self, party: &Party) -> Caller {
        let trust = Trust::new(self.trust());
        Caller::new(self.clock.clone(), trust, Surroundings::Demo, party.identity())
    }

    /// Serves as `party`: every connection by `attend`, which is told its number from 0.
    pub(crate) async fn serve<F, A>(&self, party: &Party, attend: A) -> Endpoint
    where
        F: Future<Output = ()> + Send + 'static,
        A: Fn(usize, Session) -> F + Send + 'static,
    {
        let trust = Trust::new(self.trust());
        let admission = Admission::certified().and_anonymous();
        let server = Server::new(self.clock.clone(), trust, party.identity(), admission);
        let mut listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), server).await.unwrap();
        let address = listener.address();
        tokio::spawn(async move {
            let mut number = 0;
            while let Some(session) = listener.accept().await {
                tokio::spawn(attend(number, session));
                number += 1;
            }
        });
        endpoint(address)
    }
}

pub(crate) fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::parse(&format!("{HOST}:{}", address.port()), Surroundings::Demo).unwrap()
}

/// The next frame; nothing once the connection fell.
pub(crate) async fn next(session: &mut Session) -> Option<Frame> {
    loop {
        match session.receive.next().await {
            NetEvent::Frame(frame) => return Some(frame),
            NetEvent::Down(_) => return None,
            _ => {}
        }
    }
}

/// Closes once everything is written, and waits until the other side has gone, too.
pub(crate) async fn close(mut session: Session) {
    session.send.close();
    while next(&mut session).await.is_some() {}
}

impl Party {
    pub(crate) fn identity(&self) -> Identity {
        Identity::new(&self.chain, &KeyPair::from_seed(&self.seed).pkcs8()).unwrap()
    }

    pub(crate) fn kid(&self) -> Kid {
        KeyPair::from_seed(&self.seed).public().kid()
    }

    pub(crate) fn certificate(&self) -> Digest {
        self.chain[0].digest()
    }

    /// Signs as an authority does.
    pub(crate) fn sign<T: Signable>(&self, value: &T) -> SignedBytes {
        let (purpose, now) = (KeyPurpose::Authority, self.clock.now().whole_seconds());
        let act = GenerateKey { purpose, deal: None, at: now };
        let facts =
            Facts { key: Some(purpose), circumstances: &[Circumstance::FirstStart], ..Facts::default() };
        let object = Object::with(&act, facts);
        let made = decide(&Actor::User, Action::GenerateKey, &object, None, &Limits::default(), now);
        let Decision::Allow(permit) = made else { panic!("no key") };
        let mut keys = SoftKeys::new();
        let key = keys.generate(purpose, &Zeroizing::new(self.seed), permit, now).unwrap();
        let actor = Actor::Authority { policy: Digest::of(b"policy") };
        let object = Object::of(value);
        match decide(&actor, Action::SignIdentity, &object, None, &Limits::default(), now) {
            Decision::Allow(permit) => keys.sign(&key, permit, now).unwrap().bytes().clone(),
            other => panic!("{}: {other:?}", T::TYPE),
        }
    }
}
