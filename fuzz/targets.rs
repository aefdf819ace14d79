//! What the fuzz targets do with their bytes. The fuzzer calls these functions with bytes of its own, and the
//! ordinary tests with every file of `corpus/`: one that panics here is a fault of the product.
#![allow(dead_code, reason = "each fuzz target calls one of them")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a fuzz target ends by a panic"
)]

use std::fmt::Debug;

use semper_exchange::message;
use semper_supporting::{
    archive::head::JournalHead,
    comm::{
        fault::FrameError,
        frame::{Frame, Frames, HEADER, Kind, Taken},
    },
    crypto::seal::{
        CHUNK, ContentKey, EscrowKey, Opener, SEALED_CHUNK, Sealer, WrappedEscrowKey, escrow::seal,
    },
    evidence::{
        Statement,
        bundle::Dossier,
        statement::{FORM, LARGE_LIMIT, from_bytes, lines, to_bytes, type_of},
    },
    registration::message::{CertificateRequest, RevokeOwn},
    wire,
};
use semper_transfer::{
    escrow::{EscrowCert, EscrowUse},
    payment::{
        message::{
            Account, Award, Balance, Close, Declined, Freeze, Inspect, Load, Look, Open, Pay, Query,
            TxStatement, Unload,
        },
        module::Descriptor,
        negotiation::{NegConfirm, NegPropose, NegReject, NegSelect},
    },
};
use zeroize::Zeroizing;

/// The most that a decoder of frames may keep: a message that is one byte short, and one piece of a chunk.
const BUFFERED: usize = Kind::Exchange.limit() + Kind::Chunk.piece_limit() + HEADER;

/// Frames of arbitrary bytes in arbitrary cuts. The first byte says which side reads, the second how the rest
/// is cut.
pub(crate) fn frame(data: &[u8]) {
    let [side, cut, bytes @ ..] = data else { return };
    let fresh = || if side & 1 == 0 { Frames::of_client() } else { Frames::of_server() };
    let whole = read(fresh(), [bytes]);
    let step = usize::from(*cut) + 1;
    assert_eq!(read(fresh(), bytes.chunks(step)), whole, "the cuts decide");
    assert_eq!(read(fresh(), bytes.chunks(1)), whole, "the cuts decide");
    // What was read is written and read again; where no message came in parts, in the very same bytes.
    let written: Vec<u8> = whole.frames.iter().flat_map(Frame::pieces).flatten().collect();
    let again = read(fresh(), [written.as_slice()]);
    assert_eq!((&again.frames, again.error), (&whole.frames, None));
    if whole.parts == 0 {
        assert!(bytes.starts_with(&written), "one frame has two encodings");
    }
}

#[derive(Debug, Eq, PartialEq)]
struct Seen {
    frames: Vec<Frame>,
    error: Option<FrameError>,
    parts: usize,
}

fn read<'a>(mut frames: Frames, cuts: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut seen = Seen { frames: Vec::new(), error: None, parts: 0 };
    for mut bytes in cuts {
        loop {
            let taken = frames.take(&mut bytes);
            assert!(frames.buffered() <= BUFFERED, "{} bytes are kept", frames.buffered());
            match taken {
                Ok(Some(Taken::Whole(frame))) => seen.frames.push(frame),
                Ok(Some(Taken::Part)) => seen.parts += 1,
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(frames.buffered(), 0, "something of a peer that broke a rule is kept");
                    seen.error = Some(error);
                    return seen;
                }
            }
        }
        assert!(bytes.is_empty(), "bytes are left although no frame is ready");
    }
    seen
}

/// Bytes as a statement of any type, and of each type that anybody may send; gives the one they are.
pub(crate) fn statement(data: &[u8]) -> Option<&'static str> {
    let form = type_of(data);
    assert_eq!(form.is_ok(), lines(data).is_ok());
    if let (Ok(kind), Ok(pairs)) = (&form, lines(data)) {
        let text = pairs
            .iter()
            .fold(format!("{FORM} {kind}\n"), |text, (key, value)| format!("{text}{key}: {value}\n"));
        assert_eq!(text.as_bytes(), data, "what was read is not what was written");
    }
    let tried = [
        // What belongs to a party, its keys and its records.
        typed::<Dossier>,
        typed::<JournalHead>,
        typed::<CertificateRequest>,
        typed::<RevokeOwn>,
        typed::<EscrowCert>,
        typed::<EscrowUse>,
        // Payments.
        typed::<Account>,
        typed::<Award>,
        typed::<Balance>,
        typed::<Close>,
        typed::<Declined>,
        typed::<Descriptor>,
        typed::<Freeze>,
        typed::<Inspect>,
        typed::<Load>,
        typed::<Look>,
        typed::<NegConfirm>,
        typed::<NegPropose>,
        typed::<NegReject>,
        typed::<NegSelect>,
        typed::<Open>,
        typed::<Pay>,
        typed::<Query>,
        typed::<TxStatement>,
        typed::<Unload>,
        // Exchanges.
        typed::<message::Abort>,
        typed::<message::Accept>,
        typed::<message::Affidavit>,
        typed::<message::Answer>,
        typed::<message::Caps>,
        typed::<semper_exchange::heads::Head>,
        typed::<message::Close>,
        typed::<message::Decision>,
        typed::<message::Decline>,
        typed::<message::Item>,
        typed::<message::Moved>,
        typed::<message::NotYet>,
        typed::<message::Pending>,
        typed::<message::Proposal>,
        typed::<message::Propose>,
        typed::<message::Receipt>,
        typed::<message::Reject>,
        typed::<message::Replacement>,
        typed::<message::Resolve>,
        typed::<message::Status>,
        typed::<message::xfer::Close>,
        typed::<message::xfer::Message>,
    ];
    let read: Vec<&str> = tried.into_iter().filter_map(|read| read(data)).collect();
    assert!(read.len() <= 1, "of two types: {read:?}");
    assert!(read.iter().all(|kind| form.as_deref() == Ok(*kind)), "{read:?}, not {form:?}");
    read.first().copied()
}

/// The type, if `data` is a statement of it; written back and journaled it stays the same.
fn typed<T: Statement + Debug + PartialEq>(data: &[u8]) -> Option<&'static str> {
    let value: T = from_bytes(data).ok()?;
    assert_eq!(to_bytes(&value).unwrap(), data, "one value has two texts");
    let journaled = wire::encode(&value, 4 * LARGE_LIMIT).unwrap();
    assert_eq!(wire::decode::<T>(&journaled, 4 * LARGE_LIMIT).as_ref(), Ok(&value));
    Some(T::TYPE)
}

/// Bytes as something sealed, and as something to be sealed and spoilt. The first byte says what, the next
/// two where it is spoilt.
pub(crate) fn escrow(data: &[u8]) {
    let [what, high, low, bytes @ ..] = data else { return };
    let place = usize::from(u16::from_be_bytes([*high, *low]));
    match what % 5 {
        0 => assert!(third_party().open(b"use", bytes).is_err(), "nobody sealed this"),
        1 => escrow_spoilt(bytes, place),
        2 => assert!(open(bytes).is_none(), "nobody sealed this"),
        3 => content_spoilt(bytes, place),
        _ => {
            let wrapped = wire::decode::<WrappedEscrowKey>(bytes, 4096);
            let opened = wrapped.map(|key| EscrowKey::import_wrapped(&key, &Zeroizing::new([8; 32])).is_ok());
            assert_ne!(opened, Ok(true), "nobody wrapped this");
        }
    }
}

fn third_party() -> EscrowKey {
    EscrowKey::from_seed(&Zeroizing::new([3; 32]))
}

fn escrow_spoilt(secret: &[u8], place: usize) {
    let key = third_party();
    let Ok(mut sealed) = seal(&key.public(), b"use", secret, &[5; 32]) else { return };
    assert_eq!(key.open(b"use", &sealed).unwrap().as_slice(), secret);
    assert!(key.open(b"another use", &sealed).is_err());
    spoil(&mut sealed, place);
    assert!(key.open(b"use", &sealed).is_err(), "spoilt at {place}");
}

fn content_spoilt(content: &[u8], place: usize) {
    let mut sealer = Sealer::new(&ContentKey::from_bytes([7; 32]));
    let mut sealed = Vec::new();
    let count = content.len().div_ceil(CHUNK).max(1);
    for n in 0..count {
        let mut chunk = content[n * CHUNK..content.len().min((n + 1) * CHUNK)].to_vec();
        sealer.seal(&mut chunk, n + 1 == count).unwrap();
        sealed.extend(chunk);
    }
    let measured = sealer.finish().unwrap();
    assert_eq!(open(&sealed).as_deref(), Some(content));
    assert_eq!(measured.length, content.len() as u64);
    spoil(&mut sealed, place);
    assert_eq!(open(&sealed), None, "spoilt at {place}");
}

/// What `sealed` holds, if every chunk opens at its place and the last is the last.
fn open(sealed: &[u8]) -> Option<Vec<u8>> {
    let mut opener = Opener::new(&ContentKey::from_bytes([7; 32]));
    let mut content = Vec::new();
    let count = sealed.len().div_ceil(SEALED_CHUNK).max(1);
    for n in 0..count {
        let mut chunk = sealed[n * SEALED_CHUNK..sealed.len().min((n + 1) * SEALED_CHUNK)].to_vec();
        opener.open(&mut chunk, n + 1 == count).ok()?;
        content.extend(chunk);
    }
    opener.finish().ok().map(|_| content)
}

/// Flips a bit at an even place; at an odd one cuts the end off there.
fn spoil(bytes: &mut Vec<u8>, place: usize) {
    let at = (place / 2) % bytes.len();
    if place.is_multiple_of(2) { bytes[at] ^= 1 << (place % 7) } else { bytes.truncate(at) }
}
