//! Every fault of certificates, registration and the seed has its words for people.

use semper_supporting::{
    certificate::{CertRole, CertificateFault as C},
    fault::Fault,
    registration::{
        applicant::Failure, letter::LetterFault, message::Refusal as R, prk::PrkFault, seed::SeedFault,
    },
    time::Moment,
};

const TEXTS: [&str; 2] = [
    include_str!("../../../assets/locale/en/certificate.ftl"),
    include_str!("../../../assets/locale/en/registration.ftl"),
];

/// Whether there is a message of this id with its two attributes before the next message begins.
fn is_told(id: &str) -> bool {
    TEXTS.iter().any(|text| {
        let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("{id} =")));
        let found = lines.next().is_some();
        let own: Vec<_> = lines.take_while(|line| line.starts_with(' ')).map(str::trim_start).collect();
        found
            && [".standing = ", ".advice = "].iter().all(|part| own.iter().any(|line| line.starts_with(part)))
    })
}

#[test]
fn every_fault_has_words_that_say_where_things_stand_and_what_to_do() {
    let at = Moment::default();
    let what = || "what".to_owned();
    let faults: [&dyn Fault; 29] = [
        &C::Profile { what: what() },
        &C::WrongRole { expected: CertRole::Bank },
        &C::WrongUsage,
        &C::NotValid { from: at, until: at, now: at },
        &C::Untrusted { what: what() },
        &C::Revoked,
        &C::ListMissing,
        &C::ListStale { days: 8 },
        &C::ListRollback { held: 2, offered: 1 },
        &C::BadList { what: what() },
        &C::BadKey,
        &C::BadSubject { what: what() },
        &R::UnknownPrk,
        &R::Nonce,
        &R::NameDiffers { left: 1 },
        &R::Locked { until: at },
        &R::Void,
        &R::AlreadyIssued { at, until: at },
        &R::BadKey,
        &R::NotOurs,
        &Failure::BadAnswer,
        &Failure::OtherNames { given: what() },
        &PrkFault::Length { got: 1 },
        &PrkFault::Typo { group: 1 },
        &PrkFault::Unclear,
        &LetterFault::Line { line: "For" },
        &LetterFault::OtherRoot,
        &SeedFault::TooShort { counted: 1 },
        &SeedFault::TooRegular { counted: 1 },
    ];
    for fault in faults {
        assert!(is_told(&fault.code().replace('.', "-")), "{} has no words", fault.code());
    }
    assert!(!is_told("ca-nothing"));
}
