//! Opening, resuming and closing a deal: tables, golden files, and every field a lying peer could change.
#![expect(clippy::disallowed_methods, reason = "tests read their golden files")]
#![cfg(test)]

mod common;

use std::path::Path;

use common::{AT, Hand};
use proptest::prelude::*;
use semper_commerce::deal::{
    Client, ClientInput, DealAccept, DealClose, DealFault, DealNonce, DealOpen, DealPropose, DealResume,
    Duty, House, Intent, OpeningOutput, Outcome, Party, Range, Ranges, Salt, Server, ServerInput, Standing,
    Terms, ThirdPartyTerms,
};
use semper_exchange::message::Draft;
use semper_supporting::{
    comm::{envelope::Conversation, frame::Kind, session::Exporter},
    crypto::{digest::Digest, keys::KeyPurpose, signature::Kid},
    deal::{Anonymity, Confidentiality, ContextAuthority, DealContext, DealId, EvidenceLevel},
    evidence::{Signable, Verified},
    fault::Fault as _,
    machine::{Machine as _, Refused},
    money::{Currency, Money},
    time::Span,
    wire,
};

const SESSION: Exporter = Exporter::from_bytes([7; 32]);

fn party(seed: u8, name: &str) -> Party {
    Party {
        certificate: Digest::of(&[seed]),
        key: hand(seed).public(),
        tls: Kid::from_bytes([seed; 32]),
        name: Some(name.to_owned()),
    }
}

fn hand(seed: u8) -> Hand {
    Hand::new(KeyPurpose::Authority, seed)
}

fn sign<T: Signable>(seed: u8, value: &T) -> Verified<T> {
    hand(seed).sign(value)
}

fn sign_draft<T: Signable>(seed: u8, draft: &Draft) -> Verified<T> {
    sign(seed, &draft.read::<T>().unwrap())
}

fn arbiter(n: u8) -> ThirdPartyTerms {
    ThirdPartyTerms { duty: Duty::Exchange, certificate: Digest::of(&[n]), policy: Digest::of(b"policy") }
}

fn ranges() -> Ranges {
    Ranges {
        anonymity_peer: Range::from_to(Anonymity::Identified, Anonymity::Identified),
        anonymity_bank: Range::only(Anonymity::Identified),
        anonymity_third: Range::only(Anonymity::Identified),
        network_hidden: Range::only(false),
        confidentiality: Range::from_to(Confidentiality::Channel, Confidentiality::Item),
        evidence: Range {
            at_least: EvidenceLevel::Origin,
            at_most: EvidenceLevel::Full,
            wish: EvidenceLevel::Full,
        },
        currency: vec![Currency::XTS],
        third_party: vec![arbiter(3)],
    }
}

fn terms() -> Terms {
    Terms {
        terms_sha256: Digest::of(b"terms"),
        package_sha256: Digest::of(b"package"),
        statement_sha256: Digest::of(b"statement"),
    }
}

fn intent(terms: Option<Terms>) -> Intent {
    Intent {
        me: party(2, "Ines Ortmann"),
        peer: party(1, "Fogra"),
        terms,
        invite: Some("fogra/kb-17".into()),
        ranges: ranges(),
        ceiling: Money::parse("XTS 20.00").ok(),
        modules: vec!["payment/sim".into(), "exchange/gxv".into(), "exchange/xfer".into()],
        locale: "en".into(),
    }
}

fn house(terms: Option<Terms>) -> House {
    House {
        me: party(1, "Fogra"),
        terms,
        ranges: Ranges { third_party: vec![arbiter(4), arbiter(3)], ..ranges() },
        modules: vec!["exchange/gxv".into(), "payment/sim".into()],
        lifetime: Span::days(30),
    }
}

fn nonce(n: u8) -> DealNonce {
    DealNonce::from_bytes([n; 32])
}

fn said(outputs: &[OpeningOutput]) -> Draft {
    outputs
        .iter()
        .find_map(|output| match output {
            OpeningOutput::Say(draft) => Some(draft.clone()),
            OpeningOutput::Opened(_) | OpeningOutput::Refuse(_) => None,
        })
        .unwrap()
}

fn refusal(outputs: &[OpeningOutput]) -> DealFault {
    match outputs {
        [OpeningOutput::Refuse(fault)] => fault.clone(),
        other => panic!("not refused: {other:?}"),
    }
}

fn proposed() -> (Client, Verified<DealPropose>) {
    let step = Client::Ready(Box::new(intent(Some(terms())))).step(ClientInput::Begin(nonce(1), AT));
    let propose = sign_draft(2, &said(&step.outputs));
    (step.state, propose)
}

fn answer(propose: &Verified<DealPropose>) -> (Server, Vec<OpeningOutput>) {
    let input = ServerInput::Proposed(
        Box::new(propose.clone()),
        Box::new(party(2, "Ines Ortmann")),
        SESSION,
        nonce(2),
        AT,
    );
    let step = Server::Listening(Box::new(house(Some(terms())))).step(input);
    (step.state, step.outputs)
}

fn accepted() -> (Client, Server, Verified<DealAccept>) {
    let (client, propose) = proposed();
    let (server, outputs) = answer(&propose);
    let accept = sign_draft(1, &said(&outputs));
    (client, server, accept)
}

fn confirm(client: Client, accept: &Verified<DealAccept>) -> (Client, Vec<OpeningOutput>) {
    let step = client.step(ClientInput::Accepted(Box::new(accept.clone()), vec![SESSION], AT));
    (step.state, step.outputs)
}

fn opened() -> (Client, Server, Verified<DealOpen>) {
    let (client, server, accept) = accepted();
    let (client, outputs) = confirm(client, &accept);
    let open: Verified<DealOpen> = sign_draft(2, &said(&outputs));
    let step = server.step(ServerInput::Confirmed(Box::new(open.clone()), vec![SESSION], AT));
    (client, step.state, open)
}

fn context(client: &Client) -> DealContext {
    let Client::Open(context) = client else { panic!("not open") };
    (**context).clone()
}

#[test]
fn an_honest_opening_ends_open_on_both_sides_with_the_same_deal() {
    let authority = ContextAuthority::claim();
    let (client, server, _) = opened();
    let (ours, theirs) = (client.open_deal(&authority).unwrap(), server.open_deal(&authority).unwrap());
    let (ours, theirs) = (ours.context().clone(), theirs.context().clone());
    assert_eq!((ours.me.clone(), ours.peer.clone()), (theirs.peer.clone(), theirs.me.clone()));
    assert_eq!(ours, DealContext { me: theirs.peer.clone(), peer: theirs.me.clone(), ..theirs });
    assert_eq!(ours.attributes.evidence, EvidenceLevel::Full);
    assert_eq!(ours.attributes.third_party, Some(arbiter(3).certificate));
    assert_eq!(ours.expires, AT.after(Span::days(30)));
}

#[test]
fn nobody_is_open_before_both_have_signed() {
    let authority = ContextAuthority::claim();
    let (client, server, accept) = accepted();
    assert_eq!(client.open_deal(&authority), None);
    assert_eq!(server.open_deal(&authority), None);
    assert_eq!(accept.module, ["payment/sim", "exchange/gxv"]);
}

#[test]
fn the_statements_are_those_of_the_golden_files() {
    let (_, propose) = proposed();
    let (client, _, accept) = accepted();
    let (_, _, open) = opened();
    let (client, _) = confirm(client, &accept);
    let mut standing = Standing::new(&context(&client), party(2, "Ines Ortmann"), party(1, "Fogra"), 2);
    let talk = Conversation::default();
    let resume = standing.resume(&talk, SESSION, AT).unwrap();
    let close = standing.close(&talk, Outcome::Done, Money::parse("XTS 12.50").ok(), AT).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/deal");
    for (name, tbs) in [
        ("deal-propose", propose.bytes().tbs.clone()),
        ("deal-accept", accept.bytes().tbs.clone()),
        ("deal-open", open.bytes().tbs.clone()),
        ("deal-resume", resume.tbs().to_vec()),
        ("deal-close", close.tbs().to_vec()),
    ] {
        let path = folder.join(format!("{name}.txt"));
        assert_eq!(std::fs::read_to_string(path).unwrap(), String::from_utf8(tbs).unwrap(), "{name}");
    }
}

#[test]
fn an_opening_survives_its_journal_at_every_step() {
    let (client, server, accept) = accepted();
    let bytes = wire::encode(&client, 1 << 16).unwrap();
    assert_eq!(wire::decode::<Client>(&bytes, 1 << 16).unwrap(), client);
    let bytes = wire::encode(&server, 1 << 16).unwrap();
    assert_eq!(wire::decode::<Server>(&bytes, 1 << 16).unwrap(), server);
    let (client, _) = confirm(client, &accept);
    let bytes = wire::encode(&client, 1 << 16).unwrap();
    assert_eq!(wire::decode::<Client>(&bytes, 1 << 16).unwrap(), client);
}

/// Every field of `deal-propose` that the server does not take as it comes.
#[test]
fn a_proposal_the_server_cannot_take_is_refused_by_its_code() {
    type Change = fn(&mut DealPropose);
    let table: [(Change, &str); 13] = [
        (|p| p.lines.terms_sha256 = Some(Digest::of(b"other")), "terms.unknown"),
        (|p| p.lines.terms_sha256 = None, "terms.unknown"),
        (|p| p.package_sha256 = None, "terms.unknown"),
        (|p| p.statement_sha256 = Some(Digest::of(b"other")), "terms.unknown"),
        (|p| p.nonce = nonce(2), "deal.bad-nonce"),
        (|p| p.spki = Kid::from_bytes([9; 32]), "deal.wrong-key"),
        (|p| p.lines.cert = Digest::of(b"other"), "deal.wrong-key"),
        (|p| p.lines.at = AT.after(Span::minutes(6)), "deal.clock"),
        (|p| p.lines.at = AT.before(Span::minutes(6)), "deal.clock"),
        (|p| p.lines.deal = Some(DealId::from_bytes([1; 32])), "deal.mismatch"),
        (|p| p.attribute.currency = vec![Currency::EUR], "deal.attribute-unsatisfiable"),
        (|p| p.attribute.third_party = vec![arbiter(9)], "deal.attribute-unsatisfiable"),
        (|p| p.attribute.anonymity_peer = Range::only(Anonymity::Anonymous), "deal.attribute-unsatisfiable"),
    ];
    let (_, honest) = proposed();
    assert!(matches!(answer(&honest).0, Server::Accepted(..)));
    for (n, (change, code)) in table.into_iter().enumerate() {
        let mut propose = honest.value().clone();
        change(&mut propose);
        let (state, outputs) = answer(&sign(2, &propose));
        assert_eq!(refusal(&outputs).code(), code, "row {n}");
        assert_eq!(state, Server::Refused);
    }
}

type AcceptChange = fn(&mut DealAccept);

/// Every field of `deal-accept`, changed by a lying server.
const LIES: [(AcceptChange, &str); 24] = [
    (|a| a.propose = Digest::of(b"other"), "deal.mismatch"),
    (|a| a.nonce = nonce(1), "deal.bad-nonce"),
    (|a| a.nonce = nonce(3), "deal.mismatch"),
    (|a| a.spki = Kid::from_bytes([9; 32]), "deal.wrong-key"),
    (|a| a.exporter = Exporter::from_bytes([9; 32]), "deal.mismatch"),
    (|a| a.lines.deal = None, "deal.mismatch"),
    (|a| a.lines.deal = Some(DealId::from_bytes([9; 32])), "deal.mismatch"),
    (|a| a.lines.terms_sha256 = None, "deal.mismatch"),
    (|a| a.lines.conf = Some(Digest::of(b"conf")), "deal.mismatch"),
    (|a| a.lines.seq = 2, "deal.mismatch"),
    (|a| a.lines.salt = Some(Salt::from_bytes([1; 32])), "deal.mismatch"),
    (|a| a.lines.cert = Digest::of(b"other"), "deal.wrong-key"),
    (|a| a.lines.at = AT.after(Span::minutes(6)), "deal.clock"),
    (|a| a.chosen.attributes.anonymity_bank = Anonymity::Anonymous, "deal.bad-choice"),
    (|a| a.chosen.attributes.evidence = EvidenceLevel::None, "deal.bad-choice"),
    (|a| a.chosen.attributes.confidentiality = Confidentiality::Padded, "deal.bad-choice"),
    (|a| a.chosen.attributes.network_hidden = true, "deal.bad-choice"),
    (|a| a.chosen.attributes.currency = vec![Currency::EUR], "deal.bad-choice"),
    (|a| a.chosen.third_party = Some(arbiter(9)), "deal.bad-choice"),
    (|a| a.chosen.third_party = None, "deal.bad-choice"),
    (|a| a.ceiling = Money::parse("XTS 20.01").ok(), "deal.bad-choice"),
    (|a| a.module.push("payment/cash".into()), "deal.bad-choice"),
    (|a| a.locale = "de".into(), "deal.bad-choice"),
    (|a| a.expires = AT.after(Span::days(401)), "deal.bad-choice"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One lie or several: none is taken, whatever the server signs.
    #[test]
    fn every_field_changed_by_the_server_is_refused(
        lies in proptest::collection::btree_set(0..LIES.len(), 1..4)
    ) {
        let (client, _, honest) = accepted();
        let mut accept = honest.value().clone();
        for lie in &lies {
            LIES[*lie].0(&mut accept);
        }
        let (state, outputs) = confirm(client, &sign(1, &accept));
        prop_assert_eq!(state, Client::Refused);
        let code = refusal(&outputs).code();
        prop_assert!(lies.iter().any(|lie| LIES[*lie].1 == code), "{code}");
    }
}

#[test]
fn each_lie_of_the_server_has_its_code() {
    for (n, (change, code)) in LIES.into_iter().enumerate() {
        let (client, _, honest) = accepted();
        let mut accept = honest.value().clone();
        change(&mut accept);
        let (_, outputs) = confirm(client, &sign(1, &accept));
        assert_eq!(refusal(&outputs).code(), code, "row {n}");
    }
}

#[test]
fn every_field_of_the_confirmation_changed_by_the_client_is_refused() {
    type Change = fn(&mut DealOpen);
    let table: [(Change, &str); 8] = [
        (|o| o.accept = Digest::of(b"other"), "deal.mismatch"),
        (|o| o.exporter = Exporter::from_bytes([9; 32]), "deal.mismatch"),
        (|o| o.lines.deal = None, "deal.mismatch"),
        (|o| o.lines.terms_sha256 = None, "deal.mismatch"),
        (|o| o.lines.seq = 3, "deal.mismatch"),
        (|o| o.lines.conf = Some(Digest::of(b"conf")), "deal.mismatch"),
        (|o| o.lines.cert = Digest::of(b"other"), "deal.wrong-key"),
        (|o| o.lines.at = AT.before(Span::hours(1)), "deal.clock"),
    ];
    let (client, server, accept) = accepted();
    let (_, outputs) = confirm(client, &accept);
    let honest: Verified<DealOpen> = sign_draft(2, &said(&outputs));
    for (n, (change, code)) in table.into_iter().enumerate() {
        let mut open = honest.value().clone();
        change(&mut open);
        let input = ServerInput::Confirmed(Box::new(sign(2, &open)), vec![SESSION], AT);
        let step = server.clone().step(input);
        assert_eq!(refusal(&step.outputs).code(), code, "row {n}");
        assert_eq!(step.state, Server::Refused);
    }
}

#[test]
fn a_stranger_signs_nothing_in_the_deal() {
    let (client, _, honest) = accepted();
    let mut accept = honest.value().clone();
    accept.lines.signer = party(5, "").key.kid();
    let (state, outputs) = confirm(client, &sign(5, &accept));
    assert_eq!((state, refusal(&outputs)), (Client::Refused, DealFault::WrongKey));
}

#[test]
fn whoever_declines_before_the_end_opens_nothing() {
    let (client, server, _) = accepted();
    let step = client.step(ClientInput::Declined);
    assert_eq!((step.state, refusal(&step.outputs)), (Client::Refused, DealFault::Declined));
    let step = server.step(ServerInput::Declined);
    assert_eq!((step.state, refusal(&step.outputs)), (Server::Refused, DealFault::Declined));
}

#[test]
fn what_is_out_of_place_changes_nothing() {
    let (client, server, open) = opened();
    let step = client.clone().step(ClientInput::Begin(nonce(9), AT));
    assert_eq!((step.state, step.refused), (client, Some(Refused::OutOfPlace)));
    let input = ServerInput::Confirmed(Box::new(open), vec![SESSION], AT);
    let step = server.clone().step(input);
    assert_eq!((step.state, step.refused), (server, Some(Refused::OutOfPlace)));
}

/// Both sides of an open deal, after one frame of the client.
fn standing() -> (Standing, Standing, Conversation, Conversation) {
    let (client, _, _) = opened();
    let context = context(&client);
    let ours = Standing::new(&context, party(2, "Ines Ortmann"), party(1, "Fogra"), 2);
    let theirs = Standing::new(&context, party(1, "Fogra"), party(2, "Ines Ortmann"), 1);
    let (mut buyer, mut shop) = (Conversation::default(), Conversation::default());
    buyer.name(context.id).unwrap();
    shop.name(context.id).unwrap();
    let frame = buyer.send(Kind::Deal, Digest::of(b"conf"), b"order".to_vec()).unwrap();
    shop.receive(&frame).unwrap();
    (ours, theirs, buyer, shop)
}

#[test]
fn a_deal_goes_on_over_a_new_connection_of_the_same_key_only() {
    let (mut ours, theirs, buyer, shop) = standing();
    let (new, tls) = (Exporter::from_bytes([8; 32]), party(2, "").tls);
    let draft = ours.resume(&buyer, new, AT).unwrap();
    let resume: Verified<DealResume> = sign_draft(2, &draft);
    assert_eq!(theirs.check_resume(&resume, &shop, (new, tls), AT), Ok(()));
    let wrong = Err(DealFault::WrongKey);
    assert_eq!(theirs.check_resume(&resume, &shop, (SESSION, tls), AT), wrong, "another connection");
    assert_eq!(
        theirs.check_resume(&resume, &shop, (new, Kid::from_bytes([9; 32])), AT),
        wrong,
        "another key"
    );
    let mut forged = resume.value().clone();
    forged.received.seq = 5;
    let fault = theirs.check_resume(&sign(2, &forged), &shop, (new, tls), AT).unwrap_err();
    assert_eq!(fault.code(), "deal.fork");
    let mut other = resume.value().clone();
    other.lines.deal = Some(DealId::from_bytes([9; 32]));
    let fault = theirs.check_resume(&sign(2, &other), &shop, (new, tls), AT).unwrap_err();
    assert_eq!(fault, DealFault::Mismatch("deal"));
}

#[test]
fn two_sides_part_only_in_agreement() {
    let (mut ours, theirs, buyer, shop) = standing();
    let paid = Money::parse("XTS 12.50").ok();
    let close: Verified<DealClose> = sign_draft(2, &ours.close(&buyer, Outcome::Done, paid, AT).unwrap());
    assert_eq!(theirs.check_close(&close, &shop, (Outcome::Done, paid), AT), Ok(()));
    let differs = Err(DealFault::LedgerDiffers);
    assert_eq!(theirs.check_close(&close, &shop, (Outcome::Nothing, paid), AT), differs);
    assert_eq!(theirs.check_close(&close, &shop, (Outcome::Done, None), AT), differs);
}
