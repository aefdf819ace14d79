//! Connections that are cut, over real sockets: everything is heard exactly once, and in order.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::sync::Arc;

use semper_comm_tls::{Admission, Line, Listener, Session};
use semper_supporting::{
    comm::{
        envelope::{Attended, Conversation},
        frame::Kind,
        session::{NetEvent, Why},
    },
    crypto::digest::Digest,
    deal::DealId,
};
use support::{Market, call, cut_after, listen};
use tokio::sync::mpsc;

const CONF: Digest = Digest::from_bytes([0; 32]);

fn named() -> Conversation {
    let mut conversation = Conversation::default();
    conversation.name(DealId::from_bytes([3; 32])).unwrap();
    conversation
}

/// A shop with one deal, which survives its connections: answers each order with a receipt, and notes what
/// it heard.
async fn shop(mut listener: Listener, heard: mpsc::UnboundedSender<(usize, u8)>) {
    let mut conversation = named();
    while let Some(Session { info, send, mut receive }) = listener.accept().await {
        let mut event = NetEvent::Up(Box::new(info));
        loop {
            let Attended { heard: envelope, send: again } = conversation.attend(&event).unwrap();
            for frame in again {
                let _ = send.send(frame).await;
            }
            if let Some(envelope) = envelope {
                let _ = heard.send((envelope.body.len(), envelope.body.first().copied().unwrap_or_default()));
                let receipt = conversation.send(Kind::Deal, CONF, envelope.body).unwrap();
                let _ = send.send(receipt).await;
            }
            event = receive.next().await;
            if matches!(event, NetEvent::Down(_)) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_message_cut_in_the_middle_is_heard_exactly_once() {
    let market = Market::new();
    let (merchant, person) = (market.merchant(), market.person());
    let (listener, _refused) = listen(market.server(&merchant, &[], Admission::certified())).await;
    // Once in the handshake, once in the middle of the first message, once in a later one.
    let wire = cut_after(listener.address(), vec![600, 50_000, 180_000]).await;
    let (to_heard, mut heard) = mpsc::unbounded_channel();
    let serving = tokio::spawn(shop(listener, to_heard));

    let mut line =
        Line::open_with(Arc::new(market.dialer()), call(wire, &person), market.clock.clone(), || 0);
    let mut conversation = named();
    let (mut ups, mut downs, mut receipts) = (0, 0, Vec::new());
    let orders: Vec<Vec<u8>> = (1..=4).map(|n| vec![n; 100_000]).collect();
    let mut waiting = orders.iter();
    while receipts.len() < orders.len() {
        let event = line.next().await;
        match &event {
            NetEvent::Up(_) => {
                ups += 1;
            }
            NetEvent::Down(why) => {
                assert!(!why.is_lasting(), "{why:?}");
                downs += 1;
            }
            _ => {}
        }
        let Attended { heard: receipt, send } = conversation.attend(&event).unwrap();
        for frame in send {
            let _ = line.send(frame).await;
        }
        // The first order goes out with the first connection, each further one after a receipt.
        let first = matches!(event, NetEvent::Up(_)) && conversation.sent().count == 0;
        if receipt.is_some() || first {
            receipts.extend(receipt.map(|envelope| envelope.body));
            if let Some(order) = waiting.next() {
                let frame = conversation.send(Kind::Exchange, CONF, order.clone()).unwrap();
                let _ = line.send(frame).await;
            }
        }
    }
    assert_eq!(receipts, orders);
    assert!(ups >= 3 && downs >= 3, "{ups} ups, {downs} downs");
    drop(line);
    serving.abort();
    let mut all = Vec::new();
    while let Ok(one) = heard.try_recv() {
        all.push(one);
    }
    assert_eq!(all, [(100_000, 1), (100_000, 2), (100_000, 3), (100_000, 4)]);
}

#[tokio::test]
async fn a_line_to_somebody_else_does_not_call_for_ever() {
    let market = Market::new();
    let (merchant, person) = (market.merchant(), market.person());
    let (listener, _refused) = listen(market.server(&merchant, &[], Admission::certified())).await;
    let stranger = Market::elsewhere().trust(&[]);
    let dialer = Arc::new(market.dialer_trusting(stranger));
    let mut line = Line::open(dialer, call(listener.address(), &person), market.clock.clone());
    let NetEvent::Down(why) = line.next().await else { panic!("a session with a stranger") };
    assert!(why.is_lasting(), "{why:?}");
    assert_eq!(line.next().await, NetEvent::Down(Why::Closed));
}

#[tokio::test]
async fn who_drops_a_line_hangs_up() {
    let market = Market::new();
    let (merchant, person) = (market.merchant(), market.person());
    let (mut listener, _refused) = listen(market.server(&merchant, &[], Admission::certified())).await;
    let dialer = Arc::new(market.dialer());
    let mut line = Line::open(dialer, call(listener.address(), &person), market.clock.clone());
    let (event, session) = tokio::join!(line.next(), listener.accept());
    assert!(matches!(event, NetEvent::Up(_)));
    let (sender, mut session) = (line.sender(), session.unwrap());
    drop(line);
    assert_eq!(session.receive.next().await, NetEvent::Down(Why::Lost));
    drop(sender);
}
