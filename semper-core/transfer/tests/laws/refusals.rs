//! What the managers of statements and data refuse, beyond the laws.

use semper_supporting::{
    crypto::{
        digest::Digest,
        seal::{ContentKey, content::seal_whole},
    },
    evidence::Signable as _,
};
use semper_transfer::{
    conformance::{Case, Subject},
    data::{Checked, DataManager, DataThirdParty},
    description::{Addressee, Description, Semantics},
    escrow::{EscrowCert, EscrowUse},
    fault::{ItemFault, Mismatch},
    item::{CertifiedEscrow, Item},
    property::{
        Attached, BadPermit, Begun, Binding, ExchangeEnabled, GenGrade, GenerationPermit, Got, Permitted,
        TtpItem,
    },
    statement::{StatementManager, StatementThirdParty},
};

use crate::{
    data::{Reports, report},
    market::{self, ARBITER, BANK, BUYER, NOW, SELLER},
    statement::Statements,
};

fn permit(subject: &dyn Subject, case: &Case) -> Permitted {
    let keys = market::third_party();
    let party = subject.party();
    party.make_permit(&case.item, &case.description, &case.binding, &keys, &[7; 64]).unwrap()
}

fn check(party: &dyn ExchangeEnabled, case: &Case, permitted: &Permitted) -> Result<GenGrade, ItemFault> {
    let (keys, certificates) = (market::third_party(), market::certificates());
    party.check_permit(&case.description, permitted, &case.binding, &keys, &certificates)
}

#[test]
fn a_certified_escrow_pasted_into_another_owner_s_offer_is_no_permit() {
    let mut reports = Reports::certified();
    let case = reports.case(1);
    let permitted = permit(&reports, &case);
    assert_eq!(check(reports.party(), &case, &permitted), Ok(GenGrade::Certified));
    let thief = Case { binding: Binding { owner: BUYER.certificate(), ..case.binding.clone() }, ..case };
    assert_eq!(check(reports.party(), &thief, &permitted), Err(ItemFault::BadPermit));
}

/// The certificate that `by` signs about the escrow of report 1.
fn certified_by(by: market::Person) -> (Case, CertifiedEscrow) {
    let (description, key, _) = report(1);
    let to = market::third_party();
    let of = EscrowUse::of_catalogue(SELLER.certificate(), description.hash().unwrap(), &to);
    let escrow = of.seal(&to, key.as_bytes(), &[5; 32]).unwrap();
    let Description::Data(data) = &description else { panic!("a report is data") };
    let cert = EscrowCert {
        desc: description.hash().unwrap(),
        owner: SELLER.certificate(),
        cert_t: to.certificate,
        escrow: Digest::of(&escrow),
        sealed: data.sealed.unwrap(),
        key: data.key.unwrap(),
        plain_ok: true,
        by: by.certificate(),
        at: NOW,
        signer: by.kid(),
    };
    assert_eq!(cert.signer(), by.kid());
    let certified = CertifiedEscrow { escrow, certificate: by.sign(&cert) };
    let case = Reports::sealed().case(1);
    let item = Item::Data { key, certified: Some(certified.clone()) };
    (Case { item, ..case }, certified)
}

#[test]
fn the_word_of_an_evaluator_counts_only_where_it_is_trusted() {
    let (case, _) = certified_by(BANK);
    let permitted = permit(&Reports::sealed(), &case);
    assert_eq!(check(&DataManager::new(), &case, &permitted), Err(ItemFault::BadPermit));
    let trusting = DataManager::new().trusting([BANK.certificate()]);
    assert_eq!(check(&trusting, &case, &permitted), Ok(GenGrade::Certified));
    // The word is the named signer's own, or nothing.
    let (_, mut forged) = certified_by(ARBITER);
    forged.certificate.signature = certified_by(BANK).1.certificate.signature;
    let attached = Attached::of([forged.escrow]).with(forged.certificate);
    assert!(check(&trusting, &case, &Permitted { attached, ..permitted }).is_err());
}

#[test]
fn a_permit_without_what_it_names_is_refused() {
    for mut subject in [Reports::sealed(), Reports::certified()] {
        let case = subject.case(1);
        let bare = Permitted { attached: Attached::none(), ..permit(&subject, &case) };
        assert_eq!(check(subject.party(), &case, &bare), Err(ItemFault::Missing));
    }
}

#[test]
fn the_key_of_other_content_is_not_sealed() {
    let case = Reports::sealed().case(1);
    let other = Case { item: Item::Data { key: ContentKey::from_bytes([1; 32]), certified: None }, ..case };
    let keys = market::third_party();
    let made =
        DataManager::new().make_permit(&other.item, &other.description, &other.binding, &keys, &[7; 64]);
    assert_eq!(made, Err(ItemFault::Mismatch(Mismatch::Key)));
}

#[test]
fn a_fitting_key_to_other_content_is_told_from_a_wrong_key() {
    let (description, key, _) = report(1);
    let binding = market::binding(1, semper_transfer::property::Side::Originator, SELLER, &description);
    let verify = |key: ContentKey, measured| {
        let got = Got::Data { key, measured };
        DataManager::new().verify_received(&description, &got, &binding, &market::certificates())
    };
    let (_, other) = seal_whole(&key, b"something else").unwrap();
    let (_, right) = seal_whole(&key, b"Report number 1.").unwrap();
    assert!(verify(key.clone(), Some(right)).is_ok());
    assert_eq!(verify(ContentKey::from_bytes([1; 32]), Some(right)), Err(Mismatch::Key));
    assert_eq!(verify(key.clone(), None), Err(Mismatch::Content));
    assert_eq!(verify(key.clone(), Some(other)), Err(Mismatch::Sealed));
    let mis_sealed = semper_supporting::crypto::seal::Measured { plain: other.plain, ..right };
    assert_eq!(verify(key, Some(mis_sealed)), Err(Mismatch::Content));
}

#[test]
fn a_third_party_certifies_only_what_it_has_opened_and_compared() {
    let (description, key, _) = report(1);
    let to = market::third_party();
    let owner = SELLER.certificate();
    let of = EscrowUse::of_catalogue(owner, description.hash().unwrap(), &to);
    let keys = market::escrow_keys();
    let arbiter = DataThirdParty { escrow: &keys };
    let wrong = of.seal(&to, &[1; 32], &[5; 32]).unwrap();
    let checked = Checked { owner, description: &description, escrow: &wrong };
    assert_eq!(arbiter.open_for_check(&checked), Err(BadPermit::Content));
    let escrow = of.seal(&to, key.as_bytes(), &[5; 32]).unwrap();
    let checked = Checked { owner, description: &description, escrow: &escrow };
    let (_, other) = seal_whole(&key, b"something else").unwrap();
    assert_eq!(arbiter.certify(&checked, &key, other, ARBITER.kid(), NOW), Err(Mismatch::Sealed));
}

#[test]
fn an_attestation_does_not_stand_for_what_others_must_accept() {
    let mut statements = Statements::for_others();
    let case = statements.case(1);
    let affidavit = Permitted {
        permit: GenerationPermit {
            grade: GenGrade::Affidavit,
            description: case.binding.description,
            basis: None,
        },
        attached: Attached::none(),
    };
    assert_eq!(check(&StatementManager, &case, &affidavit), Err(ItemFault::BadPermit));
    let keys = market::escrow_keys();
    let arbiter = StatementThirdParty { escrow: &keys };
    let made = arbiter.generate(&case.binding, &case.description, &affidavit, &market::certificates());
    assert_eq!(made, Begun::Done(Err(BadPermit::Scope)));
    let Description::Statement(between) = Statements::between_the_parties().case(1).description else {
        panic!("a receipt is a statement")
    };
    assert!(!between.is_for_others());
    let open = semper_transfer::description::StatementDescription {
        addressee: Addressee::Anybody,
        semantics: Semantics::Order,
        ..between
    };
    assert!(open.is_for_others());
}

#[test]
fn nobody_permits_the_statement_of_somebody_else() {
    let mut statements = Statements::between_the_parties();
    let case = statements.case(1);
    let stolen = Case { binding: Binding { owner: BUYER.certificate(), ..case.binding.clone() }, ..case };
    let keys = market::third_party();
    let made =
        StatementManager.make_permit(&stolen.item, &stolen.description, &stolen.binding, &keys, &[7; 64]);
    assert_eq!(made, Err(ItemFault::Mismatch(Mismatch::Signature)));
}
