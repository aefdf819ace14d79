//! Banks that answer, refuse, say nothing of use, or are somebody else.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
};

use semper_comm_tls::Session;
use semper_supporting::{
    certificate::{CertRole, Class},
    comm::{
        envelope::Envelope,
        frame::{Frame, Kind},
        hello::Complaint,
        session::Why,
    },
    crypto::signature::{Kid, Signature},
    evidence::SignedBytes,
    fault::Fault as _,
    time::Span,
    wire,
};
use semper_trade::calls::{CallFault, bank};
use semper_transfer::payment::module::BankReply;

use crate::market::{Market, close, endpoint, next};

fn request(byte: u8) -> SignedBytes {
    SignedBytes { tbs: vec![byte; 40], signature: Signature::from_bytes([byte; 64]) }
}

fn reply(reply: &BankReply, stream: u32) -> Frame {
    let body = wire::encode(reply, 1 << 16).unwrap();
    Envelope::unnumbered(None, body).frame(Kind::Payment, stream).unwrap()
}

/// Answers by the first byte of the request, and notes who asked.
async fn attend(mut session: Session, callers: Arc<Mutex<Vec<Kid>>>) {
    let peer = session.info.peer.kid();
    while let Some(frame) = next(&mut session).await {
        callers.lock().unwrap().push(peer);
        let signed: SignedBytes = wire::decode(&Envelope::read(&frame).unwrap().body, 1 << 16).unwrap();
        let answer = match signed.tbs[0] {
            1 => reply(&BankReply::NotYet, frame.stream),
            2 => reply(&BankReply::Refused("pay.declined".into()), frame.stream),
            3 => Complaint::about("wire.kind", Some(&frame)).frame(),
            4 => Complaint::about("net.busy", Some(&frame)).frame(),
            5 => Complaint::busy(Span::seconds(7)).frame(),
            6 => Frame::new(Kind::Payment, frame.stream, vec![0xff; 9]).unwrap(),
            _ => return close(session).await,
        };
        session.send.send(answer).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_a_refusal_a_complaint_and_a_silence_are_told_apart() {
    let market = Market::new();
    let (person, house) = (market.party(Class::PersonAuth), market.party(Class::Bank));
    let at = market.serve(&house, |_, session| attend(session, Arc::default())).await;
    let caller = market.caller(&person);
    let ask = async |byte: u8| bank::ask(&caller, &at, house.kid(), &request(byte)).await;
    assert_eq!(ask(1).await, Ok(BankReply::NotYet));
    assert_eq!(ask(2).await, Ok(BankReply::Refused("pay.declined".into())));
    assert_eq!(ask(3).await, Err(CallFault::Refused("wire.kind".into())));
    let busy = ask(4).await.unwrap_err();
    assert_eq!((busy.code(), busy.is_lasting()), ("call.refused", false));
    let later = ask(5).await.unwrap_err();
    assert_eq!((later.code(), later.is_lasting()), ("net.busy", false));
    let garbage = ask(6).await.unwrap_err();
    assert_eq!((garbage.code(), garbage.is_lasting()), ("call.unreadable", true));
    assert_eq!(ask(7).await, Err(CallFault::Unreachable(Why::Lost)));

    // Nobody listens on a port that was given back.
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let away = bank::ask(&caller, &endpoint(closed), house.kid(), &request(1)).await;
    assert_eq!(away, Err(CallFault::Unreachable(Why::Unreachable)));
    let long = SignedBytes { tbs: vec![0; 1 << 17], ..request(1) };
    let unsent = bank::ask(&caller, &at, house.kid(), &long).await.unwrap_err();
    assert_eq!(unsent.code(), "call.unsendable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bank_with_another_key_is_told_nothing() {
    let market = Market::new();
    let (person, house, other) =
        (market.party(Class::PersonAuth), market.party(Class::Bank), market.party(Class::Bank));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let at = market.serve(&other, move |_, session| attend(session, Arc::clone(&heard))).await;
    let refused = bank::ask(&market.caller(&person), &at, house.kid(), &request(1)).await;
    assert_eq!(refused, Err(CallFault::OtherKey { expected: house.kid(), found: other.kid() }));
    assert!(asked.lock().unwrap().is_empty());

    // Nor is somebody who is no bank at all, whatever its key.
    let shop = market.party(Class::Merchant);
    let at = market.serve(&shop, |_, session| attend(session, Arc::default())).await;
    let refused = bank::ask(&market.caller(&person), &at, shop.kid(), &request(1)).await.unwrap_err();
    assert_eq!(refused.code(), "cert.wrong-role");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_from_the_next_call_on_and_an_anonymous_one_beside_it() {
    let market = Market::new();
    let (old, new, house) =
        (market.party(Class::PersonAuth), market.party(Class::PersonAuth), market.party(Class::Bank));
    let nobody = market.nobody();
    let callers = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&callers);
    let at = market.serve(&house, move |_, session| attend(session, Arc::clone(&noted))).await;
    let caller = market.caller(&old);
    let (copy, hidden) = (caller.clone(), caller.appearing_as(nobody.identity()));
    let ask = async |caller| bank::ask(caller, &at, house.kid(), &request(1)).await.unwrap();
    ask(&copy).await;
    caller.renew(new.identity());
    ask(&copy).await;
    ask(&hidden).await;
    assert_eq!(*callers.lock().unwrap(), [old.kid(), new.kid(), nobody.kid()]);
    assert!(caller.call(&at, CertRole::Arbiter).await.is_err());
}
