//! Third parties that introduce themselves, and their answers as they come.

use std::sync::{Arc, Mutex};

use semper_comm_tls::Session;
use semper_exchange::{
    generatable_verifiable::PROTO,
    message::Caps,
    recourse::{Question, Said, TtpAnswer, TtpRequest},
};
use semper_supporting::{
    certificate::{Certificate, Class},
    comm::session::Why,
    crypto::{digest::Digest, seal::EscrowKey, signature::Signature},
    evidence::{SignedBytes, statement::Bytes},
    fault::Fault as _,
};
use semper_trade::calls::{
    CallFault,
    arbiter::{Introduced, ask, introduce},
};
use semper_transfer::property::GenGrade;
use zeroize::Zeroizing;

use crate::market::{Market, Party, close, next};

fn caps(market: &Market, party: &Party) -> Caps {
    Caps {
        cert_t: party.certificate(),
        name: "Trial".into(),
        protos: vec![PROTO.into()],
        generates: vec![GenGrade::Sealed],
        authorities: vec![Digest::of(b"bank")],
        escrow_key: Bytes(EscrowKey::from_seed(&Zeroizing::new([5; 32])).public().as_bytes().to_vec()),
        escrow_limit: 1 << 26,
        policy: Digest::of(b"policy"),
        answer_within: 60,
        at: market.now().whole_seconds(),
        signer: party.kid(),
    }
}

/// What somebody hears who asks `party` for its capabilities, and gets these.
async fn introduced(
    market: &Market,
    party: &Party,
    caps: SignedBytes,
    chain: Vec<Certificate>,
) -> Result<Introduced, CallFault> {
    let answer = TtpAnswer::Caps { caps, chain };
    let at = market
        .serve(party, move |_, mut session| {
            let answer = answer.clone();
            async move {
                let frame = next(&mut session).await.unwrap();
                assert_eq!(TtpRequest::read(&frame), Ok(TtpRequest::Caps));
                session.send.send(answer.frame(frame.stream).unwrap()).await.unwrap();
                close(session).await;
            }
        })
        .await;
    introduce(&market.caller(&market.party(Class::PersonAuth)), &at).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_is_known_by_its_certificate_and_its_signed_capabilities() {
    let market = Market::new();
    let party = market.party(Class::Arbiter);
    let caps = caps(&market, &party);
    let signed = party.sign(&caps);
    let known = introduced(&market, &party, signed.clone(), party.chain.clone()).await.unwrap();
    assert_eq!((&known.caps, &known.chain), (&signed, &party.chain));
    let arbiter = &known.arbiter;
    assert_eq!((arbiter.certificate, arbiter.key.kid()), (party.certificate(), party.kid()));
    assert_eq!((arbiter.name.as_str(), arbiter.policy), ("Trial", caps.policy));
    assert_eq!(arbiter.capabilities.authorities, caps.authorities);
    assert_eq!(arbiter.capabilities.longest, caps.escrow_limit);
    // What was kept says the same later.
    let again = Introduced::verify(known.caps.clone(), known.chain.clone(), &market.trust(), market.now());
    assert_eq!(again, Ok(known));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_third_party_cannot_prove_of_itself_is_not_believed() {
    let market = Market::new();
    let (party, other) = (market.party(Class::Arbiter), market.party(Class::Arbiter));
    let honest = caps(&market, &party);
    for (change, why) in [
        (Caps { cert_t: other.certificate(), ..honest.clone() }, "arbiter.caps"),
        (Caps { escrow_key: Bytes(vec![1; 31]), ..honest.clone() }, "arbiter.caps"),
        (Caps { name: "Supreme court".into(), ..honest.clone() }, "arbiter.caps"),
        (Caps { protos: vec!["xfer/1".into()], ..honest.clone() }, "arbiter.caps"),
    ] {
        let refused = introduced(&market, &party, party.sign(&change), party.chain.clone()).await;
        assert_eq!(refused.unwrap_err().code(), why);
    }
    let mut forged = party.sign(&honest);
    forged.signature = Signature::from_bytes([3; 64]);
    let refused = introduced(&market, &party, forged, party.chain.clone()).await;
    assert!(matches!(refused, Err(CallFault::Evidence(_))), "{refused:?}");
    let shop = market.party(Class::Merchant);
    let refused = introduced(&market, &party, party.sign(&honest), shop.chain).await;
    assert!(matches!(refused, Err(CallFault::Certificate(_))), "{refused:?}");
    // Another one's capabilities are right, but it is not asked here.
    let others = other.sign(&caps(&market, &other));
    let refused = introduced(&market, &party, others, other.chain.clone()).await;
    assert_eq!(refused, Err(CallFault::OtherKey { expected: other.kid(), found: party.kid() }));
}

fn said(byte: u8) -> Said {
    let statement = SignedBytes { tbs: vec![byte; 40], signature: Signature::from_bytes([byte; 64]) };
    Said { statement, records: Vec::new(), made: None }
}

fn question() -> Question {
    Question {
        request: said(1).statement,
        offer: said(2).statement,
        accept: None,
        chains: Vec::new(),
        blobs: Vec::new(),
    }
}

/// Answers every question with these frames, then hangs up.
async fn answers(mut session: Session, answers: Vec<TtpAnswer>) {
    let Some(frame) = next(&mut session).await else { return };
    assert_eq!(TtpRequest::read(&frame), Ok(TtpRequest::Ask(Box::new(question()))));
    for answer in answers {
        session.send.send(answer.frame(frame.stream).unwrap()).await.unwrap();
    }
    close(session).await;
}

/// What is heard of a third party that answers so, and what became of the call.
async fn heard(frames: Vec<TtpAnswer>) -> (Vec<Vec<Said>>, Result<(), CallFault>) {
    let market = Market::new();
    let (party, person) = (market.party(Class::Arbiter), market.party(Class::PersonAuth));
    let at = market.serve(&party, move |_, session| answers(session, frames.clone())).await;
    let mut heard = Vec::new();
    let caller = market.caller(&person);
    let done = ask(&caller, &at, party.kid(), &question(), |said| heard.push(said)).await;
    (heard, done)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_heard_in_their_order_and_to_their_end() {
    let receipt = TtpAnswer::Said { said: vec![said(1)], more: true };
    let rest = TtpAnswer::Said { said: vec![said(2), said(3)], more: false };
    let after = TtpAnswer::Said { said: vec![said(4)], more: false };
    let (told, done) = heard(vec![receipt, rest, after]).await;
    assert_eq!((told, done), (vec![vec![said(1)], vec![said(2), said(3)]], Ok(())));
    // The rest may come later, to whoever asks again.
    let receipt = TtpAnswer::Said { said: vec![said(1)], more: true };
    let nothing = TtpAnswer::Said { said: Vec::new(), more: false };
    assert_eq!(heard(vec![receipt, nothing]).await, (vec![vec![said(1)]], Ok(())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_heard_before_the_connection_fell_is_not_lost() {
    let receipt = TtpAnswer::Said { said: vec![said(1)], more: true };
    let (told, done) = heard(vec![receipt]).await;
    assert_eq!(told, [[said(1)]]);
    assert_eq!(done, Err(CallFault::Unreachable(Why::Lost)));
    assert!(!done.unwrap_err().is_lasting());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_told_by_their_code_and_answers_without_end_are_not_heard() {
    for (code, word, lasting) in [
        ("arbiter.too-often", "arbiter.too-often", false),
        ("arbiter.refused", "arbiter.refused", true),
        ("You have won!\u{202e}", "internal", false),
    ] {
        let (told, done) = heard(vec![TtpAnswer::Refused(code.into())]).await;
        assert!(told.is_empty());
        let fault = done.unwrap_err();
        assert_eq!((&fault, fault.is_lasting()), (&CallFault::Refused(word.into()), lasting));
    }
    let endless = vec![TtpAnswer::Said { said: vec![said(1)], more: true }; 20];
    let (told, done) = heard(endless).await;
    assert_eq!((told.len(), done.unwrap_err().code()), (16, "call.unreadable"));
    let (told, done) = heard(vec![TtpAnswer::Caps { caps: said(1).statement, chain: Vec::new() }]).await;
    assert_eq!((told.len(), done.unwrap_err().code()), (0, "call.unreadable"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_with_another_key_is_told_nothing() {
    let market = Market::new();
    let (party, other) = (market.party(Class::Arbiter), market.party(Class::Arbiter));
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let at = market
        .serve(&other, move |_, mut session| {
            let count = Arc::clone(&count);
            async move {
                while next(&mut session).await.is_some() {
                    *count.lock().unwrap() += 1;
                }
            }
        })
        .await;
    let caller = market.caller(&market.party(Class::PersonAuth));
    let refused = ask(&caller, &at, party.kid(), &question(), |_| panic!("nothing was said")).await;
    assert_eq!(refused, Err(CallFault::OtherKey { expected: party.kid(), found: other.kid() }));
    assert_eq!(*asked.lock().unwrap(), 0);
}
