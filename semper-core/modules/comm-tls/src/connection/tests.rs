//! Conduct of one connection, over a pipe in memory and in the runtime's own time, which passes only when
//! everybody waits.

use semper_supporting::{
    certificate::{Serial, TrustSnapshot, Usage, issue::anonymous},
    comm::{
        fault::FrameError,
        frame::{HEADER, Taken},
        hello::{Complaint, Hello},
        limits::WINDOW,
        session::{DEAD, Exporter, KeyExchange, PeerView, QUIET},
    },
    crypto::signature::KeyPair,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{Instant, advance},
};

use super::*;
use crate::clock::duration;

const NOON: Moment = Moment::from_seconds(1_800_000_000);
/// How many bytes are under way in the pipe.
const PIPE: usize = 64 << 10;

fn handshake() -> Handshake {
    let key = KeyPair::from_seed(&[7; 32]);
    let chain = vec![anonymous(&key, Serial::from_random([7; 16]), NOON).unwrap()];
    let certificate = TrustSnapshot::default().verify_any(&chain, Usage::TlsClient, NOON).unwrap();
    Handshake {
        peer: PeerView { certificate, chain },
        exporter: Exporter::from_bytes([1; 32]),
        key_exchange: KeyExchange::X25519,
    }
}

fn terms(now: Moment) -> Terms {
    Terms {
        clock: Clock::reading(move || now),
        features: Features::default(),
        limits: Limits { pieces_per_second: 100_000, bytes_per_second: 1 << 40, ..Limits::default() },
        hidden: false,
        closing: watch::Sender::new(false).subscribe(),
        refusal: None,
        ended: Box::new(|_| {}),
    }
}

async fn pair_of(client: Terms, server: Terms) -> (Session, Session) {
    pair_through(PIPE, client, server).await
}

async fn pair_through(pipe: usize, client: Terms, server: Terms) -> (Session, Session) {
    let (here, there) = duplex(pipe);
    let (client, server) = tokio::join!(
        Session::open(here, Side::Client, handshake(), client),
        Session::open(there, Side::Server, handshake(), server),
    );
    (client.unwrap(), server.unwrap())
}

async fn pair() -> (Session, Session) {
    pair_of(terms(NOON), terms(NOON)).await
}

/// A server whose client is this pipe.
async fn server_of(there: DuplexStream) -> Result<Session, Why> {
    Session::open(there, Side::Server, handshake(), terms(NOON)).await
}

fn hello() -> Vec<u8> {
    Hello::new(NOON, Features::default()).frame().unwrap().pieces().flatten().collect()
}

/// Everything a server says until it closes.
async fn said(mut here: DuplexStream) -> Vec<Frame> {
    let mut bytes = Vec::new();
    here.read_to_end(&mut bytes).await.unwrap();
    let (mut frames, mut rest, mut said) = (Frames::of_server(), bytes.as_slice(), Vec::new());
    while let Some(taken) = frames.take(&mut rest).unwrap() {
        if let Taken::Whole(frame) = taken {
            said.push(frame);
        }
    }
    said
}

fn code(frame: &Frame) -> String {
    Complaint::read(frame).unwrap().code().to_owned()
}

fn deal(text: &str) -> Frame {
    Frame::new(Kind::Deal, 0, text.as_bytes().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn who_does_not_greet_within_five_seconds_is_left() {
    let (_here, there) = duplex(PIPE);
    let start = Instant::now();
    assert_eq!(server_of(there).await.unwrap_err(), Why::Silent);
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_greeting_that_drips_in_does_not_stretch_the_time() {
    let (mut here, there) = duplex(PIPE);
    let drip = tokio::spawn(async move {
        for byte in hello() {
            if here.write_all(&[byte]).await.is_err() {
                break;
            }
            advance(duration(Span::seconds(1))).await;
        }
    });
    assert_eq!(server_of(there).await.unwrap_err(), Why::Silent);
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whose_first_frame_is_no_greeting_hears_why_and_is_left() {
    let (mut here, there) = duplex(PIPE);
    let bytes: Vec<u8> = deal("order").pieces().flatten().collect();
    here.write_all(&bytes).await.unwrap();
    let (why, said) = tokio::join!(server_of(there), said(here));
    assert_eq!(why.unwrap_err(), Why::Frame(FrameError::Kind { kind: 3 }));
    assert_eq!(said.iter().map(code).collect::<Vec<_>>(), ["wire.kind"]);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_the_protocol_later_is_answered_with_its_code_and_the_end() {
    let mut too_long = deal("x").pieces().flatten().collect::<Vec<u8>>();
    too_long[..4].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut version = too_long.clone();
    version[4] = 2;
    let one_byte: Vec<u8> = {
        let mut piece: Vec<u8> = deal("x").pieces().flatten().collect();
        piece[7] = 0;
        piece
    };
    let cases = [
        (hello(), "wire.kind"),
        (too_long, "wire.too-long"),
        (version, "wire.version"),
        (one_byte.repeat(10_000), "wire.abuse"),
        (vec![0; HEADER], "wire.version"),
    ];
    for (bytes, expected) in cases {
        let (mut here, there) = duplex(1 << 20);
        here.write_all(&[hello(), bytes].concat()).await.unwrap();
        let mut server = server_of(there).await.unwrap();
        let said = said(here).await;
        assert_eq!(said.iter().skip(1).map(code).collect::<Vec<_>>(), [expected]);
        match server.receive.next().await {
            NetEvent::Down(Why::Frame(error)) => {
                assert_eq!(semper_supporting::fault::Fault::code(&error), expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn clocks_far_apart_let_certificates_pass_and_deals_not() {
    let (client, mut server) = pair_of(terms(NOON), terms(NOON.after(Span::minutes(6)))).await;
    let apart = Span::minutes(6);
    assert!(matches!(client.send.send(deal("order")).await, Err(Why::Clocks(found)) if found.apart == apart));
    let question = Frame::new(Kind::Ca, 1, b"list".to_vec()).unwrap();
    client.send.send(question.clone()).await.unwrap();
    assert_eq!(server.receive.next().await, NetEvent::Frame(question));

    // Who sends a deal frame all the same hears why it is not taken, and stays connected.
    let (mut here, there) = duplex(PIPE);
    let late = Hello::new(NOON.after(apart), Features::default()).frame().unwrap();
    let question = Frame::new(Kind::Ca, 1, b"list".to_vec()).unwrap();
    for frame in [&late, &deal("order"), &question] {
        here.write_all(&frame.pieces().flatten().collect::<Vec<_>>()).await.unwrap();
    }
    let mut server = server_of(there).await.unwrap();
    assert_eq!(server.receive.next().await, NetEvent::Frame(question));
    server.send.close();
    let said = said(here).await;
    assert_eq!(said.get(1).map(code).as_deref(), Some("deal.clock"));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_lives_by_its_heartbeat() {
    let (mut client, mut server) = pair().await;
    let start = Instant::now();
    let wait = duration(Span::minutes(60));
    let quiet = tokio::time::timeout(wait, async {
        tokio::select! { event = client.receive.next() => event, event = server.receive.next() => event }
    });
    assert!(quiet.await.is_err(), "nothing was to happen");
    assert_eq!(start.elapsed(), wait);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_falls_silent_is_given_up_after_ninety_seconds() {
    let (mut here, there) = duplex(PIPE);
    here.write_all(&hello()).await.unwrap();
    let mut server = server_of(there).await.unwrap();
    let start = Instant::now();
    assert_eq!(server.receive.next().await, NetEvent::Down(Why::Silent));
    assert_eq!(start.elapsed(), duration(DEAD));
    // It was asked twice whether it is there.
    let said = said(here).await;
    assert_eq!(said.iter().filter(|frame| frame.kind == Kind::Ping).count(), 2);
    assert_eq!(QUIET, Span::seconds(30));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_take_what_it_is_sent_is_given_up_after_thirty_seconds() {
    let (mut here, there) = duplex(1 << 10);
    here.write_all(&hello()).await.unwrap();
    let mut server = server_of(there).await.unwrap();
    let start = Instant::now();
    server.send.send(Frame::new(Kind::Deal, 0, vec![0; 4 << 10]).unwrap()).await.unwrap();
    assert_eq!(server.receive.next().await, NetEvent::Down(Why::Silent));
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_says_that_the_other_side_is_busy() {
    let (mut here, there) = duplex(1 << 10);
    here.write_all(&hello()).await.unwrap();
    let server = server_of(there).await.unwrap();
    let long = Frame::new(Kind::Deal, 0, vec![0; 4 << 10]).unwrap();
    let refused = (0..QUEUE + 2).find_map(|_| server.send.try_send(long.clone()).err());
    assert!(matches!(refused, Some(Why::Busy(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn chunks_stop_at_the_window_and_go_on_as_they_are_taken() {
    // A network that holds more than the window: the window is what stops.
    let (client, mut server) = pair_through(16 << 20, terms(NOON), terms(NOON)).await;
    let chunk = vec![5; 256 << 10];
    let count = 64;
    let sender = client.send.clone();
    let sending = tokio::spawn(async move {
        for n in 0..count {
            sender.send(Frame::chunk(1, n + 1 == count, chunk.clone()).unwrap()).await.unwrap();
        }
    });
    // Nobody takes anything, for longer than a silent peer would live.
    tokio::time::sleep(duration(Span::minutes(5))).await;
    assert_eq!(lock(&client.send.shared.outgoing).sent(), WINDOW);
    // A frame overtakes the chunks that wait.
    client.send.send(deal("abort")).await.unwrap();
    let (mut chunks, mut abort_after) = (0, None);
    while chunks < count {
        match server.receive.next().await {
            NetEvent::Frame(frame) if frame.kind == Kind::Chunk => chunks += 1,
            NetEvent::Frame(frame) => abort_after = Some((frame, chunks)),
            other => panic!("{other:?}"),
        }
    }
    sending.await.unwrap();
    let (frame, before) = abort_after.unwrap();
    assert_eq!(frame, deal("abort"));
    assert!(before < count, "{before}");
}

#[tokio::test(start_paused = true)]
async fn a_sender_beyond_its_rate_is_slowed_and_not_lost() {
    let slow = Terms { limits: Limits::default(), ..terms(NOON) };
    let (client, mut server) = pair_of(terms(NOON), slow).await;
    let start = Instant::now();
    let count = 1_000;
    tokio::spawn(async move {
        for n in 0..count {
            client.send.send(deal(&n.to_string())).await.unwrap();
        }
        client.send.fallen().await
    });
    for n in 0..count {
        assert_eq!(server.receive.next().await, NetEvent::Frame(deal(&n.to_string())));
    }
    // A thousand at fifty a second, two hundred of them at once.
    assert!((15..=17).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn closing_sends_what_is_queued_first() {
    let (client, mut server) = pair().await;
    for n in 0..10 {
        client.send.send(deal(&n.to_string())).await.unwrap();
    }
    drop(client);
    for n in 0..10 {
        assert_eq!(server.receive.next().await, NetEvent::Frame(deal(&n.to_string())));
    }
    assert_eq!(server.receive.next().await, NetEvent::Down(Why::Lost));
    assert_eq!(server.receive.next().await, NetEvent::Down(Why::Lost));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_closes_waits_seconds_for_a_peer_that_does_not_read() {
    let (mut here, there) = duplex(PIPE);
    let (closing, (told, ended)) = (watch::Sender::new(false), tokio::sync::oneshot::channel());
    let terms = Terms {
        closing: closing.subscribe(),
        ended: Box::new(|why| told.send(why.clone()).unwrap()),
        ..terms(NOON)
    };
    here.write_all(&hello()).await.unwrap();
    let server = Session::open(there, Side::Server, handshake(), terms).await.unwrap();
    let long = Frame::new(Kind::Exchange, 0, vec![1; 1 << 20]).unwrap();
    for _ in 0..QUEUE {
        server.send.send(long.clone()).await.unwrap();
    }
    closing.send_replace(true);
    let begun = Instant::now();
    // The peer is there all the time, and reads nothing.
    let why = ended.await.unwrap();
    assert_eq!(why, Why::Silent);
    assert!(begun.elapsed() < duration(CLOSING), "{:?}", begun.elapsed());
    assert_eq!(server.send.send(long).await, Err(Why::Silent));
    drop(here);
}

#[tokio::test(start_paused = true)]
async fn both_sides_may_send_much_at_once() {
    let (mut client, mut server) = pair().await;
    let long = Frame::new(Kind::Exchange, 0, vec![1; 1 << 20]).unwrap();
    let flood = |sender: Sender| {
        let long = long.clone();
        tokio::spawn(async move {
            for _ in 0..8 {
                sender.send(long.clone()).await.unwrap();
            }
        })
    };
    let (one, other) = (flood(client.send.clone()), flood(server.send.clone()));
    for _ in 0..8 {
        let (here, there) = tokio::join!(client.receive.next(), server.receive.next());
        assert_eq!((here, there), (NetEvent::Frame(long.clone()), NetEvent::Frame(long.clone())));
    }
    one.await.unwrap();
    other.await.unwrap();
}
