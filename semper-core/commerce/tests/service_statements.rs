//! What merchants and evaluators sign about services: golden files, rules, and proof of equivocation.
#![expect(clippy::disallowed_methods, reason = "tests read their golden files")]
#![cfg(test)]

mod common;

use std::path::Path;

use common::{
    AT,
    world::{Somebody, World, changed, packed},
};
use semper_commerce::{
    download::{
        Equivocation, EvaluationRevocations, Package, Scope, ServiceEvaluation, ServiceFault, ServiceTerms,
        evaluation::{self, EvaluationSerial, Findings, Reason, Withdrawn},
        terms_statement,
    },
    service::statechart::Pii,
};
use semper_supporting::{
    crypto::{digest::Digest, signature::Kid},
    evidence::{Statement, Verified, registry::is_registered, statement},
    fault::Fault as _,
    money::Money,
    time::{Moment, Span},
};

fn scope() -> Scope {
    Scope {
        pay: Money::parse("EUR 2000.00").ok(),
        reveal: vec![Pii::Name, Pii::Address],
        sign: vec!["order".to_owned(), "refusal".to_owned()],
        third: vec!["arbiter".to_owned()],
        open: vec!["application/pdf".to_owned()],
        store: Some(50 << 20),
        ..Scope::default()
    }
}

fn terms() -> ServiceTerms {
    ServiceTerms {
        service: "org.semper.retail.mailorder".to_owned(),
        version: "1.0.0".to_owned(),
        package_sha256: Digest::of(b"package"),
        terms_sha256: Digest::of(b"terms"),
        signer: Kid::from_bytes([1; 32]),
        cert: Digest::of(b"certificate"),
        offered_from: Moment::parse("2026-11-20T00:00:00Z").unwrap(),
        offered_until: Moment::parse("2027-11-20T00:00:00Z").unwrap(),
        supersedes_sha256: None,
    }
}

fn reviewed() -> ServiceEvaluation {
    ServiceEvaluation {
        package_sha256: Digest::of(b"package"),
        service: "org.semper.retail.mailorder".to_owned(),
        version: "1.0.0".to_owned(),
        grade: 2,
        scope: scope(),
        jurisdiction: vec!["DE".to_owned(), "AT".to_owned()],
        lints: "1".to_owned(),
        report_sha256: Digest::of(b"report"),
        notes_sha256: None,
        issued: AT,
        expires: AT.after(Span::days(365)),
        list: "https://evaluator.example/withdrawn".to_owned(),
        serial: EvaluationSerial::from_bytes([5; 16]),
        signer: Kid::from_bytes([2; 32]),
        cert: Digest::of(b"certificate"),
    }
}

fn list() -> EvaluationRevocations {
    EvaluationRevocations {
        number: 12,
        issued: AT,
        next: AT.after(Span::days(7)),
        revoked: vec![Withdrawn {
            serial: EvaluationSerial::from_bytes([5; 16]),
            at: AT.before(Span::hours(1)),
            reason: Reason::KeyCompromise,
        }],
        signer: Kid::from_bytes([2; 32]),
        cert: Digest::of(b"certificate"),
    }
}

fn is_golden<T: Statement + PartialEq + std::fmt::Debug>(value: &T) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/service");
    let golden = std::fs::read(folder.join(format!("{}.txt", T::TYPE))).unwrap();
    let bytes = statement::to_bytes(value).unwrap();
    assert_eq!(String::from_utf8(golden).unwrap(), String::from_utf8(bytes.clone()).unwrap());
    assert_eq!(statement::from_bytes::<T>(&bytes).as_ref(), Ok(value));
    assert!(is_registered(T::TYPE));
}

#[test]
fn the_statements_are_those_of_the_golden_files() {
    is_golden(&terms());
    is_golden(&reviewed());
    is_golden(&list());
}

#[test]
fn a_scope_that_allows_nothing_is_written_and_read_as_well() {
    let nothing = ServiceEvaluation { scope: Scope::default(), ..reviewed() };
    let bytes = statement::to_bytes(&nothing).unwrap();
    assert_eq!(statement::from_bytes::<ServiceEvaluation>(&bytes), Ok(nothing));
}

fn findings(grade: u8, valid: Span) -> Findings {
    Findings {
        grade,
        scope: scope(),
        jurisdiction: vec!["DE".to_owned()],
        lints: "1".to_owned(),
        report_sha256: Digest::of(b"report"),
        notes_sha256: None,
        valid,
        list: "https://evaluator.example/withdrawn".to_owned(),
        serial: EvaluationSerial::from_bytes([5; 16]),
    }
}

#[test]
fn only_evaluators_evaluate_and_only_for_a_year_and_only_merchants_offer() {
    let world = World::new();
    let (shop, judge) = (world.merchant(1, "Fogra"), world.evaluator(2, "TÜV"));
    let package = packed().package;
    let year = Span::days(366);
    let draft = |who: &Somebody, grade, valid| {
        evaluation::draft(&package, findings(grade, valid), &who.verified, AT).map_err(|fault| fault.code())
    };
    assert!(draft(&judge, 3, year).is_ok());
    for (who, grade, valid) in [
        (&shop, 2, year),
        (&judge, 0, year),
        (&judge, 4, year),
        (&judge, 2, Span::days(367)),
        (&judge, 2, Span::days(0)),
    ] {
        assert_eq!(draft(who, grade, valid), Err("service.bad-statement"));
    }
    let signed = judge.signed::<ServiceEvaluation>(&draft(&judge, 2, year).unwrap());
    assert!(evaluation::verify(signed.statement.clone(), &judge.verified).is_ok());
    assert!(evaluation::verify(signed.statement, &world.evaluator(3, "Other").verified).is_err());
    let list = |who: &Somebody, valid| evaluation::draft_list(1, Vec::new(), &who.verified, AT, valid);
    assert!(list(&judge, Span::days(7)).is_ok());
    assert!(list(&judge, Span::days(8)).is_err() && list(&shop, Span::days(7)).is_err());
    let offer = |who: &Somebody, until| terms_statement::draft(&package, &who.verified, AT, until, None);
    assert!(offer(&shop, AT.after(year)).is_ok());
    assert!(offer(&shop, AT).is_err() && offer(&judge, AT.after(year)).is_err());
}

fn said(shop: &Somebody, package: &Package) -> Verified<ServiceTerms> {
    let until = AT.after(Span::days(365));
    shop.sign(&terms_statement::draft(package, &shop.verified, AT, until, None).unwrap())
}

#[test]
fn two_texts_under_one_version_are_proved_by_what_the_shop_signed_alone() {
    let world = World::new();
    let shop = world.merchant(1, "Fogra");
    let key = shop.hand.public();
    let first = said(&shop, &packed().package);
    let second = said(&shop, &changed(&[("P14D", "P7D")]).package);
    let proof = Equivocation::of(&first, &second).unwrap();
    let fault = proof.verify(&key, &key).unwrap();
    assert_eq!(
        (fault.code(), fault.to_string().as_str()),
        (
            "service.equivocation",
            "This shop has signed two different texts under the same version 1.0.0. Both are kept as evidence. \
             The service is blocked."
        )
    );
    // Nothing else is a proof: the same twice, another version, another shop, other bytes, another key.
    assert_eq!(Equivocation::of(&first, &first), None);
    let next = said(&shop, &changed(&[("version = \"1.0.0\"", "version = \"1.0.1\"")]).package);
    assert_eq!(Equivocation::of(&first, &next), None);
    let other = world.merchant(4, "Eurocom");
    assert_eq!(Equivocation::of(&first, &said(&other, &changed(&[("P14D", "P7D")]).package)), None);
    let same = Equivocation { first: first.bytes().clone(), second: first.bytes().clone() };
    assert!(matches!(same.verify(&key, &key), Err(ServiceFault::BadStatement { .. })));
    let mut changed = proof.clone();
    changed.second.tbs[80] ^= 1;
    assert!(changed.verify(&key, &key).is_err());
    assert!(proof.verify(&key, &other.hand.public()).is_err());
}
