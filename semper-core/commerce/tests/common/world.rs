//! A merchant and evaluators with certificates, and packages of the services that come with SEMPER.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its part")]

use semper_commerce::download::{
    pack::{Packed, Parts, pack},
    package::Signed,
    shipped,
};
use semper_exchange::message::Draft;
use semper_supporting::{
    certificate::{
        CertRole, Certificate, Class, Issuance, Issuer, Serial, Subject, TrustSnapshot, Usage,
        VerifiedCertificate,
        profile::BusinessKind,
        status::{LIST_VALIDITY, ROOT_LIST_VALIDITY},
    },
    crypto::{keys::KeyPurpose, signature::KeyPair},
    evidence::{Signable, Verified},
    time::Span,
};

use super::{AT, Hand};

/// Somebody with a key, a certificate, and an authority that gave it.
pub struct Somebody {
    pub hand: Hand,
    pub chain: Vec<Certificate>,
    pub verified: VerifiedCertificate,
}

pub struct World {
    ca: Issuer,
    pub trust: TrustSnapshot,
}

fn authority(name: &str) -> Subject {
    Subject {
        country: Some("DE".into()),
        organisation: Some("GMD".into()),
        common_name: name.into(),
        ..Subject::default()
    }
}

impl World {
    pub fn new() -> Self {
        let start = AT.before(Span::days(30));
        let key = |n: u8| KeyPair::from_seed(&[n; 32]);
        let serial = |n: u8| Serial::from_random([n; 16]);
        let root = Issuer::root(key(201), authority("Root"), serial(1), start).unwrap();
        let order = Issuance {
            class: Class::IssuingCa,
            subject: authority("Authority"),
            key: key(202).public(),
            serial: serial(2),
            from: start,
            policy: None,
        };
        let certificate = root.issue(&order).unwrap();
        let ca = Issuer::open(key(202), certificate.clone()).unwrap();
        let mut trust = TrustSnapshot {
            roots: vec![root.certificate().clone()],
            intermediates: vec![certificate],
            ..TrustSnapshot::default()
        };
        let listed = AT.before(Span::hours(1));
        trust.accept_list(ca.issue_list(7, listed, LIST_VALIDITY, &[]).unwrap(), AT).unwrap();
        trust.accept_list(root.issue_list(7, listed, ROOT_LIST_VALIDITY, &[]).unwrap(), AT).unwrap();
        Self { ca, trust }
    }

    pub fn merchant(&self, seed: u8, organisation: &str) -> Somebody {
        self.somebody(Class::Merchant, CertRole::Merchant, seed, organisation, "shop.example")
    }

    pub fn evaluator(&self, seed: u8, organisation: &str) -> Somebody {
        self.somebody(Class::Evaluator, CertRole::Evaluator, seed, organisation, "evaluator.example")
    }

    pub fn somebody(
        &self,
        class: Class,
        role: CertRole,
        seed: u8,
        organisation: &str,
        host: &str,
    ) -> Somebody {
        let hand = Hand::new(KeyPurpose::Authority, seed);
        let subject = Subject {
            locality: (class == Class::Merchant).then(|| "Darmstadt".to_owned()),
            dns: vec![host.to_owned()],
            business: (class == Class::Merchant).then_some(BusinessKind::Business),
            organisation: Some(organisation.to_owned()),
            common_name: organisation.to_owned(),
            ..authority("")
        };
        let order = Issuance {
            class,
            subject,
            key: hand.public(),
            serial: Serial::from_random([seed; 16]),
            from: AT.before(Span::days(1)),
            policy: None,
        };
        let chain = vec![self.ca.issue(&order).unwrap()];
        let verified = self.trust.verify(&chain, role, Usage::Sign, AT).unwrap();
        Somebody { hand, chain, verified }
    }
}

impl Somebody {
    pub fn sign<T: Signable>(&self, draft: &Draft) -> Verified<T> {
        self.hand.sign(&draft.read::<T>().unwrap())
    }

    /// What is signed, as it comes in a package or from a server.
    pub fn signed<T: Signable>(&self, draft: &Draft) -> Signed {
        Signed { statement: self.sign::<T>(draft).bytes().clone(), chain: self.chain.clone() }
    }
}

pub fn parts() -> Parts {
    shipped::parts("mailorder.toml").unwrap()
}

pub fn packed() -> Packed {
    pack(&parts()).unwrap()
}

/// The mail-order service with its terms changed.
pub fn changed(changes: &[(&str, &str)]) -> Packed {
    let mut parts = parts();
    let mut text = String::from_utf8(parts.service).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    parts.service = text.into_bytes();
    pack(&parts).unwrap()
}
