//! Many peers at once, over real sockets: who stalls, who breaks rules, who stays when the house closes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod support;

use std::net::SocketAddr;

use semper_comm_tls::{Admission, Call, Dialer, Listener, Network, Session};
use semper_supporting::{
    comm::{
        fault::FrameError,
        frame::{Frame, Kind},
        limits::Limits,
        session::{NetEvent, Why},
    },
    fault::Fault,
};
use support::{Market, Party, call, listen};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinHandle};

const CROWD: Limits = Limits {
    connections: 256,
    per_address: 256,
    pieces_per_second: 50,
    bytes_per_second: 10 << 20,
    burst: 4,
};

fn question(text: &str) -> Frame {
    Frame::new(Kind::Ca, 1, text.as_bytes().to_vec()).unwrap()
}

/// Answers every question with a long answer, each session on a task of its own.
fn serve(mut listener: Listener) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(Session { send, mut receive, .. }) = listener.accept().await {
            tokio::spawn(async move {
                while let NetEvent::Frame(frame) = receive.next().await {
                    let answer = Frame::new(Kind::Ca, frame.stream, vec![9; 128 << 10]).unwrap();
                    if send.send(answer).await.is_err() {
                        break;
                    }
                }
            });
        }
    })
}

#[tokio::test]
async fn a_hundred_stalled_peers_stop_nobody_else() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let server = market.server(&shop, &[], Admission::certified()).with_limits(CROWD);
    let (listener, _refused) = listen(server).await;
    let to = listener.address();
    let serving = serve(listener);
    let mut stalled = Vec::new();
    let mut silent = Vec::new();
    for n in 0..100 {
        if n % 2 == 0 {
            // Asks for much and never reads an answer.
            let session = market.dialer().dial(&call(to, &person)).await.unwrap();
            for _ in 0..16 {
                session.send.send(question("everything")).await.unwrap();
            }
            stalled.push(session);
        } else {
            // Says half a greeting of TLS and nothing more.
            let mut stream = TcpStream::connect(to).await.unwrap();
            stream.write_all(&[0x16, 3, 1]).await.unwrap();
            silent.push(stream);
        }
    }
    let mut lively = market.dialer().dial(&call(to, &person)).await.unwrap();
    for _ in 0..20 {
        lively.send.send(question("one")).await.unwrap();
        let NetEvent::Frame(answer) = lively.receive.next().await else { panic!("no answer") };
        assert_eq!(answer.payload.len(), 128 << 10);
    }
    drop((stalled, silent));
    serving.abort();
}

#[tokio::test]
async fn one_address_gets_no_more_connections_than_its_share() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let limits = Limits { per_address: 2, ..CROWD };
    let server = market.server(&shop, &[], Admission::certified()).with_limits(limits);
    let (mut listener, mut refusals) = listen(server).await;
    let (dialer, call) = (market.dialer(), call(listener.address(), &person));
    let mut open = Vec::new();
    for _ in 0..2 {
        let (client, server) = tokio::join!(dialer.dial(&call), listener.accept());
        open.push((client.unwrap(), server.unwrap()));
    }
    assert!(dialer.dial(&call).await.is_err());
    assert_eq!(refusals.recv().await.unwrap().code(), "net.busy");
    // Who leaves makes room.
    let (client, mut server) = open.pop().unwrap();
    drop(client);
    assert_eq!(server.receive.next().await, NetEvent::Down(Why::Lost));
    drop(server);
    let again = async {
        loop {
            if let Ok(session) = dialer.dial(&call).await {
                return session;
            }
        }
    };
    let (_client, _server) = tokio::join!(again, listener.accept());
}

/// Shakes hands as a proper client would, and then says what it should not.
async fn misbehave(market: &Market, to: SocketAddr, party: &Party) -> Result<(), Why> {
    let Session { send, mut receive, .. } = market.dialer().dial(&call(to, party)).await?;
    // A pong that confirms what was never sent.
    let token = semper_supporting::comm::hello::Token { chunks: 1 << 40, number: 0 };
    send.send(token.pong()).await?;
    while !matches!(receive.next().await, NetEvent::Down(_)) {}
    Ok(())
}

#[tokio::test]
async fn who_breaks_the_protocol_three_times_is_told_to_come_back_later() {
    let market = Market::new();
    let (shop, person, other) = (market.merchant(), market.person(), market.person());
    let (mut listener, _refused) = listen(market.server(&shop, &[], Admission::certified())).await;
    let to = listener.address();
    for _ in 0..3 {
        let (done, session) = tokio::join!(misbehave(&market, to, &person), listener.accept());
        done.unwrap();
        let mut session = session.unwrap();
        let fallen = session.receive.next().await;
        assert!(matches!(fallen, NetEvent::Down(Why::Frame(FrameError::Window { .. }))), "{fallen:?}");
    }
    let refused = loop {
        // The third mistake counts once its connection has ended.
        tokio::select! {
            refused = misbehave(&market, to, &person) => if let Err(why) = refused { break why },
            _ = listener.accept() => {}
        }
    };
    let Why::Busy(busy) = refused else { panic!("{refused:?}") };
    assert_eq!(busy.until, support::NOW.after(semper_supporting::time::Span::minutes(10)));
    // Another certificate from the same address is heard.
    let (dialer, call) = (market.dialer(), call(to, &other));
    let (client, server) = tokio::join!(dialer.dial(&call), listener.accept());
    assert!(client.is_ok() && server.is_some());
}

#[tokio::test]
async fn a_listener_that_shuts_down_sends_what_was_queued() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let (mut listener, _refused) = listen(market.server(&shop, &[], Admission::certified())).await;
    let (dialer, call): (Dialer, Call) = (market.dialer(), call(listener.address(), &person));
    let (client, server) = tokio::join!(dialer.dial(&call), listener.accept());
    let (mut client, server) = (client.unwrap(), server.unwrap());
    for n in 0..5 {
        server.send.send(question(&n.to_string())).await.unwrap();
    }
    let reading = async {
        for n in 0..5 {
            assert_eq!(client.receive.next().await, NetEvent::Frame(question(&n.to_string())));
        }
        assert_eq!(client.receive.next().await, NetEvent::Down(Why::Lost));
        drop(client);
    };
    tokio::join!(listener.shut_down(), reading);
    assert!(dialer.dial(&call).await.is_err());
}

#[tokio::test]
async fn a_listener_shuts_down_in_seconds_though_a_peer_does_not_read() {
    let market = Market::new();
    let (shop, person) = (market.merchant(), market.person());
    let (mut listener, _refused) = listen(market.server(&shop, &[], Admission::certified())).await;
    let (dialer, call): (Dialer, Call) = (market.dialer(), call(listener.address(), &person));
    let (client, server) = tokio::join!(dialer.dial(&call), listener.accept());
    let (client, server) = (client.unwrap(), server.unwrap());
    // More than every buffer on the way holds; the peer takes nothing of it.
    let long = Frame::new(Kind::Exchange, 1, vec![9; 1 << 20]).unwrap();
    while server.send.try_send(long.clone()).is_ok() {}
    let begun = std::time::Instant::now();
    listener.shut_down().await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(client);
}
