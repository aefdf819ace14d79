//! Bytes from outside, random or spoilt, are answered with a fault and never with a panic.
//!
//! Runs a thousand inputs for each reader; `PROPTEST_CASES=100000` runs as many as it says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod pki;

use std::sync::LazyLock;

use pki::{World, key, now};
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::Config};
use semper_supporting::{
    certificate::{Certificate, Class, Crl, TrustSnapshot, Usage, inspect, request, status::LIST_VALIDITY},
    registration::{
        message::{Answer, Asked, Call, CertificateSet, RegFinish},
        prk::{Prk, PrkId},
        record::Names,
    },
};

/// What is spoilt: one of each kind of thing that comes from outside.
struct Samples {
    trust: TrustSnapshot,
    certificates: Vec<Vec<u8>>,
    lists: Vec<Vec<u8>>,
    requests: Vec<Vec<u8>>,
    calls: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    pem: Vec<Vec<u8>>,
}

static SAMPLES: LazyLock<Samples> = LazyLock::new(|| {
    let world = World::new();
    let trust = world.trust();
    let leaves: Vec<_> =
        [Class::PersonSign, Class::Merchant, Class::Bank].map(|class| world.issue(class)).into();
    let request = request::make(&key(3)).unwrap();
    let names = Names {
        name: "Ada".into(),
        organisation: None,
        city: Some("Darmstadt".into()),
        country: Some("DE".into()),
    };
    let finish = RegFinish {
        prk_id: PrkId::from_bytes([1; 8]),
        asked: Asked { requests: vec![request.clone(); 2], names },
        mac: [2; 32],
    };
    let set = CertificateSet { certificates: leaves.clone(), chain: vec![world.ca.certificate().clone()] };
    let list = world.ca.issue_list(9, now(), LIST_VALIDITY, &[]).unwrap();
    let calls = [Call::RegBegin { prk_id: PrkId::from_bytes([1; 8]) }, Call::RegFinish(finish)];
    let answers = [Answer::Set { set, mac2: [3; 32] }, Answer::Crl(list), Answer::Nonce([4; 32])];
    Samples {
        certificates: leaves.iter().chain(&trust.roots).map(|one| one.der().to_vec()).collect(),
        lists: trust.crls.iter().map(|list| list.der().to_vec()).collect(),
        requests: vec![request],
        calls: calls.iter().map(|call| call.write().unwrap()).collect(),
        answers: answers.iter().map(|answer| answer.write().unwrap()).collect(),
        pem: leaves.iter().map(|one| one.to_pem().into_bytes()).collect(),
        trust,
    }
});

#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    Cut(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, to)| Edit::Set(at, to)),
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..6)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        2 => (any::<Index>(), 1..6_u8).prop_map(|(at, count)| Edit::Remove(at, count)),
        1 => any::<Index>().prop_map(Edit::Cut),
    ]
}

/// A sample with some edits, or bytes that never were anything.
fn spoilt(samples: fn(&Samples) -> &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> {
    let edited = (any::<Index>(), vec(edit(), 1..8)).prop_map(move |(which, edits)| {
        let samples = samples(&SAMPLES);
        let mut bytes = samples[which.index(samples.len())].clone();
        for edit in edits {
            let length = bytes.len().max(1);
            match edit {
                Edit::Set(at, to) => bytes.iter_mut().skip(at.index(length)).take(1).for_each(|b| *b = to),
                Edit::Flip(at, bit) => {
                    bytes.iter_mut().skip(at.index(length)).take(1).for_each(|b| *b ^= 1 << bit);
                }
                Edit::Insert(at, new) => {
                    let at = at.index(length).min(bytes.len());
                    bytes.splice(at..at, new);
                }
                Edit::Remove(at, count) => {
                    let at = at.index(length).min(bytes.len());
                    bytes.drain(at..(at + usize::from(count)).min(bytes.len()));
                }
                Edit::Cut(at) => bytes.truncate(at.index(length)),
            }
        }
        bytes
    });
    prop_oneof![7 => edited, 1 => vec(any::<u8>(), 0..600)]
}

fn cases() -> Config {
    let default = Config::default();
    // What PROPTEST_CASES says, or a thousand.
    Config { cases: if default.cases == 256 { 1000 } else { default.cases }, ..default }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_spoilt_certificate_is_refused(der in spoilt(|samples| &samples.certificates)) {
        let known = SAMPLES.certificates.contains(&der);
        if let Ok(certificate) = Certificate::from_der(&der) {
            let _content = inspect(&certificate);
            for usage in [Usage::Sign, Usage::TlsServer, Usage::TlsClient] {
                let found = SAMPLES.trust.verify_any(std::slice::from_ref(&certificate), usage, now());
                prop_assert!(known || found.is_err());
            }
        }
    }

    #[test]
    fn a_spoilt_authority_or_root_leads_nowhere(der in spoilt(|samples| &samples.certificates)) {
        let known = SAMPLES.certificates.contains(&der);
        if let (Ok(certificate), false) = (Certificate::from_der(&der), known) {
            let leaf = Certificate::from_der(&SAMPLES.certificates[1]).unwrap();
            let mut trust = SAMPLES.trust.clone();
            trust.intermediates = vec![certificate.clone()];
            prop_assert!(trust.verify_any(&[leaf.clone(), certificate.clone()], Usage::Sign, now()).is_err());
            prop_assert!(trust.clone().accept_authority(certificate.clone(), now()).is_err());
            trust.roots = vec![certificate];
            let _found = trust.verify_any(&[leaf], Usage::Sign, now());
        }
    }

    #[test]
    fn a_spoilt_list_is_nobodys(der in spoilt(|samples| &samples.lists)) {
        let known = SAMPLES.lists.contains(&der);
        if let Ok(list) = Crl::from_der(&der) {
            prop_assert!(known || SAMPLES.trust.clone().accept_list(list, now()).is_err());
        }
    }

    #[test]
    fn a_spoilt_request_proves_nothing(der in spoilt(|samples| &samples.requests)) {
        prop_assert!(SAMPLES.requests.contains(&der) || request::check(&der).is_err());
    }

    #[test]
    fn a_message_is_read_as_it_would_be_written_or_not_at_all(
        call in spoilt(|samples| &samples.calls),
        answer in spoilt(|samples| &samples.answers),
    ) {
        if let Ok(read) = Call::read(&call) {
            prop_assert_eq!(read.write().unwrap(), call);
        }
        if let Ok(read) = Answer::read(&answer) {
            prop_assert_eq!(read.write().unwrap(), answer);
        }
    }

    #[test]
    fn any_text_is_read_as_pem_or_as_a_registration_key_without_harm(
        pem in spoilt(|samples| &samples.pem),
        text in "\\PC{0,24}",
    ) {
        let _found = Certificate::all_from_pem(&String::from_utf8_lossy(&pem), 3);
        let _found = Prk::parse(&text);
    }
}
