//! What the decoder of frames promises, however the bytes are cut and whatever they are.

use proptest::{collection::vec, prelude::*};

use super::*;

fn hello() -> Frame {
    Frame::new(Kind::Hello, 0, vec![1, 2, 3]).unwrap()
}

fn bytes(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::pieces).flatten().collect()
}

/// Everything that `frames` says to these bytes, up to the first violation.
fn feed(frames: &mut Frames, mut bytes: &[u8]) -> Result<Vec<Frame>, FrameError> {
    let mut whole = Vec::new();
    while let Some(taken) = frames.take(&mut bytes)? {
        if let Taken::Whole(frame) = taken {
            whole.push(frame);
        }
    }
    assert!(bytes.is_empty(), "bytes are left although no frame is ready");
    Ok(whole)
}

/// A decoder that has seen the greeting.
fn greeted() -> Frames {
    let mut frames = Frames::of_client();
    assert_eq!(feed(&mut frames, &bytes(&[hello()])), Ok(vec![hello()]));
    frames
}

fn header(length: u32, kind: u8, flags: u16, stream: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&length.to_be_bytes());
    header[4..6].copy_from_slice(&[VERSION, kind]);
    header[6..8].copy_from_slice(&flags.to_be_bytes());
    header[8..12].copy_from_slice(&stream.to_be_bytes());
    header
}

#[test]
fn a_header_is_sixteen_bytes_big_endian() {
    let frame = Frame::new(Kind::Ca, 0x0102_0304, b"abc".to_vec()).unwrap();
    let piece: Vec<_> = frame.pieces().collect();
    assert_eq!(piece, [[&[0, 0, 0, 3, 1, 11, 0, 1, 1, 2, 3, 4, 0, 0, 0, 0], b"abc".as_slice()].concat()]);
}

#[test]
fn a_long_exchange_message_travels_in_pieces_and_arrives_whole() {
    let frame = Frame::new(Kind::Exchange, 0, vec![7; Kind::Exchange.limit()]).unwrap();
    assert_eq!(frame.pieces().count(), 17);
    let mut frames = greeted();
    assert_eq!(feed(&mut frames, &bytes(std::slice::from_ref(&frame))), Ok(vec![frame]));
    assert!(frames.is_between_frames());
}

#[test]
fn other_frames_may_pass_between_the_pieces_of_a_message() {
    let long = Frame::new(Kind::Exchange, 0, vec![7; 100_000]).unwrap();
    let ping = Frame::new(Kind::Ping, 0, vec![1; 16]).unwrap();
    let chunk = Frame::chunk(3, false, vec![9; 256 * KIB]).unwrap();
    let pieces: Vec<_> = long.pieces().collect();
    let between = [pieces[0].clone(), bytes(&[ping.clone(), chunk.clone()]), pieces[1].clone()].concat();
    assert_eq!(feed(&mut greeted(), &between), Ok(vec![ping, chunk, long]));
}

#[test]
fn each_chunk_is_a_frame_of_its_own() {
    let chunks = [
        Frame::chunk(1, false, vec![1]).unwrap(),
        Frame::chunk(2, true, vec![2]).unwrap(),
        Frame::chunk(1, true, Vec::new()).unwrap(),
    ];
    assert_eq!(feed(&mut greeted(), &bytes(&chunks)), Ok(chunks.to_vec()));
}

#[test]
fn every_violation_of_a_header_has_its_code() {
    use crate::fault::Fault;
    let limit = |kind: Kind| u32::try_from(kind.piece_limit()).unwrap();
    let mut wrong_version = header(0, 3, 1, 0);
    wrong_version[4] = 2;
    let mut reserved = header(0, 3, 1, 0);
    reserved[15] = 1;
    let table = [
        (wrong_version, "wire.version"),
        (header(0, 0, 1, 0), "wire.kind"),
        (header(0, 14, 1, 0), "wire.kind"),
        (header(0, 1, 1, 0), "wire.kind"),
        (header(0, 2, 1, 0), "wire.kind"),
        (header(0, 3, 2, 0), "wire.flags"),
        (header(0, 3, 0x8001, 0), "wire.flags"),
        (header(1, 7, 0, 0), "wire.flags"),
        (header(1, 9, 0, 0), "wire.flags"),
        (header(1, 13, 0, 0), "wire.flags"),
        (header(0, 3, 0, 0), "wire.not-canonical"),
        (header(0, 6, 0, 1), "wire.not-canonical"),
        (header(1, 7, 1, 1), "wire.not-canonical"),
        (reserved, "wire.not-canonical"),
        (header(u32::MAX, 4, 1, 0), "wire.too-long"),
    ];
    for (header, code) in table {
        let error = feed(&mut greeted(), &header).unwrap_err();
        assert_eq!(error.code(), code, "{header:?}");
    }
    for kind in Kind::ALL.into_iter().skip(2) {
        let error = feed(&mut greeted(), &header(limit(kind) + 1, kind.number(), 1, 0)).unwrap_err();
        assert_eq!(error.code(), "wire.too-long", "{kind:?}");
    }
}

#[test]
fn nothing_of_a_payload_is_kept_before_its_header_was_checked() {
    let mut frames = greeted();
    let mut bytes = header(u32::MAX, 4, 1, 0).to_vec();
    bytes.extend([0; 1000]);
    assert!(feed(&mut frames, &bytes).is_err());
    assert_eq!(frames.buffered(), 0);
}

#[test]
fn the_first_frame_is_the_greeting_and_no_other() {
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Hello) {
        let kind = kind.number();
        let error = feed(&mut Frames::of_client(), &header(0, kind, 1, 0));
        assert_eq!(error, Err(FrameError::Kind { kind }));
    }
    let refusal = Frame::new(Kind::Error, 0, vec![1]).unwrap();
    assert_eq!(feed(&mut Frames::of_server(), &bytes(std::slice::from_ref(&refusal))), Ok(vec![refusal]));
    assert_eq!(
        feed(&mut Frames::of_server(), &bytes(&[hello()])),
        Err(FrameError::Kind { kind: Kind::Hello.number() })
    );
    assert_eq!(feed(&mut greeted(), &bytes(&[hello()])), Err(FrameError::Kind { kind: 1 }));
}

#[test]
fn a_message_stays_below_the_limit_of_its_kind() {
    let piece = [header(65_536, 3, 0, 0).as_slice(), &[0; 65_536]].concat();
    let mut frames = greeted();
    assert_eq!(feed(&mut frames, &piece), Ok(vec![]));
    assert_eq!(feed(&mut frames, &piece), Ok(vec![]));
    let error = feed(&mut frames, &header(1, 3, 1, 0));
    assert_eq!(error, Err(FrameError::TooLong { limit: 131_072, got: 131_073 }));
}

#[test]
fn pieces_of_two_messages_do_not_mix() {
    for (kind, stream) in [(3, 1), (4, 0)] {
        let mut frames = greeted();
        assert_eq!(feed(&mut frames, &[header(1, 3, 0, 0).as_slice(), &[0]].concat()), Ok(vec![]));
        assert_eq!(feed(&mut frames, &header(1, kind, 1, stream)), Err(FrameError::Flags { flags: 1 }));
    }
}

#[test]
fn ten_thousand_pieces_of_one_byte_are_abuse() {
    let mut frames = greeted();
    let piece = [header(1, 4, 0, 0).as_slice(), &[0]].concat();
    let taken = (0..10_000).take_while(|_| feed(&mut frames, &piece).is_ok()).count();
    assert_eq!(taken, usize::try_from(PIECES).unwrap());
    assert_eq!(feed(&mut frames, &piece), Err(FrameError::Abuse));
    assert_eq!(frames.buffered(), 0);
}

#[test]
fn a_message_has_no_second_encoding_with_an_empty_end() {
    let mut frames = greeted();
    assert_eq!(feed(&mut frames, &[header(1, 4, 0, 0).as_slice(), &[0]].concat()), Ok(vec![]));
    assert_eq!(feed(&mut frames, &header(0, 4, 1, 0)), Err(FrameError::NotCanonical));
}

#[test]
fn a_peer_that_broke_a_rule_is_not_heard_again() {
    let mut frames = Frames::of_client();
    let error = feed(&mut frames, &header(0, 3, 1, 0)).unwrap_err();
    assert_eq!(feed(&mut frames, &bytes(&[hello()])), Err(error));
}

#[test]
fn frames_that_could_not_be_read_are_not_made() {
    assert!(Frame::new(Kind::Ping, 0, vec![0; 17]).is_err());
    assert!(Frame::new(Kind::Ping, 1, Vec::new()).is_err());
    assert!(Frame::new(Kind::Exchange, 0, vec![0; Kind::Exchange.limit() + 1]).is_err());
    assert!(Frame::chunk(1, false, Vec::new()).is_err());
}

fn any_frame() -> impl Strategy<Value = Frame> {
    (2_usize..13, any::<u32>(), any::<bool>(), 0_usize..150_000, any::<u8>()).prop_map(
        |(kind, stream, last, length, byte)| {
            let kind = Kind::ALL[kind];
            let last = last || kind != Kind::Chunk || length == 0;
            let stream = if kind.has_stream() { stream } else { 0 };
            Frame { kind, stream, last, payload: vec![byte; length.min(kind.limit())] }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// However the network cuts the bytes, the same frames come out.
    #[test]
    fn every_cut_gives_the_same_frames(
        sent in vec(any_frame(), 0..4),
        cuts in vec(1_usize..70_000, 1..64),
    ) {
        let stream = bytes(&[&[hello()], sent.as_slice()].concat());
        let mut frames = Frames::of_client();
        let (mut got, mut rest, mut cut) = (Vec::new(), stream.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let part = split(&mut rest, *cut.next().unwrap());
            got.extend(feed(&mut frames, part).unwrap());
        }
        prop_assert_eq!(&got[1..], sent.as_slice());
        prop_assert!(frames.is_between_frames());
    }

    /// Whatever comes, it is an answer or a fault, and no more than one message is kept.
    #[test]
    fn random_bytes_never_panic(noise in vec(any::<u8>(), 0..2_000), start in 0_usize..13) {
        let mut frames = greeted();
        let mut shaped = header(7, u8::try_from(start).unwrap() + 1, 1, 0).to_vec();
        shaped.extend(&noise);
        let _ = feed(&mut frames, &shaped);
        prop_assert!(frames.buffered() <= noise.len() + HEADER);
        let _ = feed(&mut greeted(), &noise);
    }
}

#[test]
fn a_short_stream_survives_every_single_cut() {
    let sent =
        [hello(), Frame::new(Kind::Ca, 5, b"crl".to_vec()).unwrap(), Frame::chunk(1, true, vec![]).unwrap()];
    let stream = bytes(&sent);
    for cut in 0..=stream.len() {
        let mut frames = Frames::of_client();
        let (front, rest) = stream.split_at(cut);
        let mut got = feed(&mut frames, front).unwrap();
        got.extend(feed(&mut frames, rest).unwrap());
        assert_eq!(got, sent, "cut at {cut}");
    }
}
