//! The small frames that keep a connection: greeting, heartbeat, complaint.
//!
//! A client opens with a [`Hello`], the server answers with a [`HelloAck`]. Neither names a program, a
//! language or a time zone, so that two clients look alike. Their times tell both sides how far their
//! clocks are apart.

use serde::{Deserialize, Serialize};

use super::{
    fault::{ClocksDiffer, FrameError},
    frame::{Frame, Kind, VERSION},
};
use crate::{
    crypto::digest::Digest,
    time::{Moment, Span},
    wire,
};

/// How many versions a client may offer.
const VERSIONS: usize = 16;
/// How many features a side may name.
const FEATURES: usize = 32;
/// How long the name of a feature or a code may be, in bytes.
const NAME: usize = 64;
/// From here on a banner tells the user that the clocks differ.
const NOTICEABLE: Span = Span::minutes(2);
/// From here on deadlines mean different things to the two sides, and no deal frame passes.
const TOO_FAR: Span = Span::minutes(5);

/// The client's greeting.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Hello {
    versions: Vec<u8>,
    time: Moment,
    features: Features,
}

/// The server's answer to a greeting.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct HelloAck {
    version: u8,
    time: Moment,
    features: Features,
}

/// What a side can do beyond the protocol's first version: names in alphabetical order.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Features(Vec<String>);

/// What two sides agreed on when they greeted each other.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Greeting {
    /// The version both speak on this connection.
    pub version: u8,
    /// The features both have.
    pub features: Features,
    /// How far their clocks are apart.
    pub clocks: Clocks,
}

/// How far our clock and the peer's are apart.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Clocks {
    /// By how much they differ.
    pub apart: Span,
    /// Whether the peer's is the later one.
    pub peer_ahead: bool,
}

/// What a ping asks and a pong repeats: 16 bytes.
///
/// A pong is sent once the receiver has taken as many chunk bytes as the token counts, so it also moves
/// the flow window.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Token {
    /// How many chunk bytes the asking side has sent on this connection.
    pub chunks: u64,
    /// The number of the question.
    pub number: u64,
}

/// What an Error frame carries: what was wrong with a frame. Never more than the code and the hash, so
/// that nothing of the inside of a program leaves it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Complaint {
    code: String,
    frame: Option<Digest>,
    wait: Option<Span>,
}

impl Hello {
    /// The greeting of this program at `time`.
    pub fn new(time: Moment, features: Features) -> Self {
        Self { versions: vec![VERSION], time, features }
    }

    /// What the greeting says, as it came.
    ///
    /// # Errors
    /// [`FrameError::NotCanonical`] if it names no version, or lists out of order.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        let hello: Self = read(frame, Kind::Hello)?;
        let descending = hello.versions.is_sorted_by(|one, next| one > next);
        let sound = descending && !hello.versions.is_empty() && hello.versions.len() <= VERSIONS;
        if sound && hello.features.is_sound() { Ok(hello) } else { Err(FrameError::NotCanonical) }
    }

    /// The server's answer at `now`, and what both agree on with it.
    ///
    /// # Errors
    /// [`FrameError::Version`] if the client speaks no version of ours.
    pub fn answer(&self, now: Moment, ours: &Features) -> Result<(HelloAck, Greeting), FrameError> {
        if !self.versions.contains(&VERSION) {
            let theirs = self.versions.first().copied().unwrap_or_default();
            return Err(FrameError::Version { theirs, ours: VERSION });
        }
        let features = self.features.common(ours);
        let greeting =
            Greeting { version: VERSION, features: features.clone(), clocks: Clocks::of(now, self.time) };
        Ok((HelloAck { version: VERSION, time: now, features }, greeting))
    }

    /// The frame that carries it.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] if its features do not fit.
    pub fn frame(&self) -> Result<Frame, FrameError> {
        frame(Kind::Hello, self)
    }
}

impl HelloAck {
    /// What the client makes of the answer to its `hello` at `now`.
    ///
    /// # Errors
    /// [`FrameError::Version`] or [`FrameError::NotCanonical`] if the server chose what was not offered.
    pub fn read(frame: &Frame, hello: &Hello, now: Moment) -> Result<Greeting, FrameError> {
        let ack: Self = read(frame, Kind::HelloAck)?;
        if !hello.versions.contains(&ack.version) {
            return Err(FrameError::Version { theirs: ack.version, ours: VERSION });
        }
        if !ack.features.is_sound() || ack.features.common(&hello.features) != ack.features {
            return Err(FrameError::NotCanonical);
        }
        Ok(Greeting { version: ack.version, features: ack.features, clocks: Clocks::of(now, ack.time) })
    }

    /// The frame that carries it.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] if its features do not fit.
    pub fn frame(&self) -> Result<Frame, FrameError> {
        frame(Kind::HelloAck, self)
    }
}

impl Features {
    /// These features, put in order. Names that are not small letters, digits, `-`, `.` or `/`, and those
    /// above 32, are left out.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<String> =
            names.into_iter().filter(|name| is_name(name)).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(FEATURES);
        Self(names)
    }

    /// Whether this one is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|feature| feature == name)
    }

    fn common(&self, others: &Self) -> Self {
        Self(self.0.iter().filter(|name| others.has(name)).cloned().collect())
    }

    fn is_sound(&self) -> bool {
        self.0.len() <= FEATURES
            && self.0.is_sorted_by(|one, next| one < next)
            && self.0.iter().all(|name| is_name(name))
    }
}

impl Clocks {
    /// What our clock and the peer's say of one moment.
    pub fn of(ours: Moment, theirs: Moment) -> Self {
        let peer_ahead = theirs > ours;
        let apart = if peer_ahead { theirs.since(ours) } else { ours.since(theirs) };
        Self { apart, peer_ahead }
    }

    /// Whether the user should hear that they differ: more than two minutes.
    pub fn is_noticeable(&self) -> bool {
        self.apart > NOTICEABLE
    }

    /// Whether deadlines mean the same to both: the clocks are at most five minutes apart.
    ///
    /// # Errors
    /// [`ClocksDiffer`]; the connection then serves certificates, lists and time only.
    pub fn allow_deals(&self) -> Result<(), ClocksDiffer> {
        if self.apart > TOO_FAR { Err(ClocksDiffer { apart: self.apart }) } else { Ok(()) }
    }
}

impl Token {
    /// The ping that asks with this token.
    pub fn ping(self) -> Frame {
        self.frame(Kind::Ping)
    }

    /// The pong that answers it.
    pub fn pong(self) -> Frame {
        self.frame(Kind::Pong)
    }

    /// The token of a ping or pong.
    ///
    /// # Errors
    /// [`FrameError::NotCanonical`] unless it is 16 bytes long.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        let bytes: [u8; 16] = frame.payload.as_slice().try_into().map_err(|_| FrameError::NotCanonical)?;
        let [c0, c1, c2, c3, c4, c5, c6, c7, number @ ..] = bytes;
        Ok(Self {
            chunks: u64::from_be_bytes([c0, c1, c2, c3, c4, c5, c6, c7]),
            number: u64::from_be_bytes(number),
        })
    }

    fn frame(self, kind: Kind) -> Frame {
        let payload = [self.chunks.to_be_bytes(), self.number.to_be_bytes()].concat();
        Frame { kind, stream: 0, last: true, payload }
    }
}

impl Complaint {
    /// Says that `code` is what is wrong with `frame`.
    pub fn about(code: &str, frame: Option<&Frame>) -> Self {
        let code = if is_name(code) { code } else { "internal" };
        Self { code: code.to_owned(), frame: frame.map(digest), wait: None }
    }

    /// Says that it is worth trying again after `wait`.
    pub fn busy(wait: Span) -> Self {
        Self { code: "net.busy".to_owned(), frame: None, wait: Some(wait) }
    }

    /// What an Error frame says. It is the peer's word and nothing else.
    ///
    /// # Errors
    /// [`FrameError::NotCanonical`] for anything but a code, a hash and a span.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        let complaint: Self = read(frame, Kind::Error)?;
        if is_name(&complaint.code) { Ok(complaint) } else { Err(FrameError::NotCanonical) }
    }

    /// The frame that carries it.
    pub fn frame(&self) -> Frame {
        // A code of 64 bytes, a hash and a span fit into 1 KiB.
        let payload = wire::encode(self, Kind::Error.limit()).unwrap_or_default();
        Frame { kind: Kind::Error, stream: 0, last: true, payload }
    }

    /// The dotted code of what was wrong.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The [`digest`] of the frame it is about.
    pub fn frame_digest(&self) -> Option<Digest> {
        self.frame
    }

    /// How long to wait before trying again.
    pub fn wait(&self) -> Option<Span> {
        self.wait
    }
}

/// The name of a frame in complaints and transcripts: SHA-256 of the number of its kind and its payload.
pub fn digest(frame: &Frame) -> Digest {
    Digest::of_parts([[frame.kind.number()].as_slice(), &frame.payload])
}

/// Small letters, digits and a few marks: nothing that could be text for a person.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-./".contains(&byte);
    !text.is_empty() && text.len() <= NAME && text.bytes().all(allowed)
}

fn read<T: wire::Record>(frame: &Frame, kind: Kind) -> Result<T, FrameError> {
    if frame.kind != kind {
        return Err(FrameError::Kind { kind: frame.kind.number() });
    }
    Ok(wire::decode(&frame.payload, kind.limit())?)
}

fn frame<T: wire::Record>(kind: Kind, value: &T) -> Result<Frame, FrameError> {
    Frame::new(kind, 0, wire::encode(value, kind.limit())?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: Moment = Moment::from_seconds(1_772_359_200);

    fn features() -> Features {
        Features::new(["cover", "anchors"])
    }

    #[test]
    fn two_sides_agree_on_the_version_and_what_both_can_do() {
        let hello = Hello::new(NOON, features());
        let heard = Hello::read(&hello.frame().unwrap()).unwrap();
        assert_eq!(heard, hello);
        let ours = Features::new(["cover", "ledger"]);
        let (ack, at_server) = heard.answer(NOON.after(Span::seconds(3)), &ours).unwrap();
        let at_client = HelloAck::read(&ack.frame().unwrap(), &hello, NOON).unwrap();
        assert_eq!((at_client.version, &at_client.features), (1, &Features::new(["cover"])));
        assert_eq!(at_server.features, at_client.features);
        assert!(at_client.clocks.peer_ahead && !at_server.clocks.peer_ahead);
    }

    #[test]
    fn a_peer_of_another_version_is_told_both_numbers() {
        let newer = Hello { versions: vec![3, 2], time: NOON, features: Features::default() };
        let heard = Hello::read(&newer.frame().unwrap()).unwrap();
        let refusal = heard.answer(NOON, &Features::default()).unwrap_err();
        assert_eq!(refusal, FrameError::Version { theirs: 3, ours: 1 });
    }

    #[test]
    fn a_server_chooses_only_what_was_offered() {
        let hello = Hello::new(NOON, features());
        let ack = HelloAck { version: 1, time: NOON, features: Features::new(["ledger"]) };
        let read = |ack: &HelloAck| HelloAck::read(&ack.frame().unwrap(), &hello, NOON);
        assert_eq!(read(&ack), Err(FrameError::NotCanonical));
        let ack = HelloAck { version: 2, time: NOON, features: Features::default() };
        assert_eq!(read(&ack), Err(FrameError::Version { theirs: 2, ours: 1 }));
    }

    #[test]
    fn lists_out_of_order_or_of_strange_names_are_refused() {
        let versions = |versions: &[u8]| Hello {
            versions: versions.to_vec(),
            time: NOON,
            features: Features::default(),
        };
        for hello in [versions(&[]), versions(&[1, 2]), versions(&[1, 1]), versions(&[9; 17])] {
            assert_eq!(Hello::read(&hello.frame().unwrap()), Err(FrameError::NotCanonical));
        }
        for names in [vec!["b", "a"], vec!["a", "a"], vec!["A"], vec![""]] {
            let features = Features(names.into_iter().map(str::to_owned).collect());
            let hello = Hello { versions: vec![1], time: NOON, features };
            assert_eq!(Hello::read(&hello.frame().unwrap()), Err(FrameError::NotCanonical));
        }
    }

    #[test]
    fn deals_need_clocks_within_five_minutes() {
        let at = |span| Clocks::of(NOON, NOON.after(span));
        assert!(!at(Span::minutes(2)).is_noticeable());
        assert!(at(Span::millis(120_001)).is_noticeable());
        assert_eq!(at(Span::minutes(5)).allow_deals(), Ok(()));
        let apart = Span::millis(300_001);
        assert_eq!(at(apart).allow_deals(), Err(ClocksDiffer { apart }));
        assert_eq!(Clocks::of(NOON, NOON.before(apart)).allow_deals(), Err(ClocksDiffer { apart }));
    }

    #[test]
    fn a_complaint_carries_a_code_and_a_hash_and_no_prose() {
        let about = Frame::new(Kind::Deal, 0, b"move".to_vec()).unwrap();
        let complaint = Complaint::about("wire.kind", Some(&about));
        assert_eq!(Complaint::read(&complaint.frame()), Ok(complaint.clone()));
        assert_eq!(complaint.frame_digest(), Some(Digest::of(b"\x03move")));
        assert_eq!(Complaint::about("thread 'main' panicked", None).code(), "internal");
        let prose = Complaint { code: "No such file".into(), frame: None, wait: None };
        assert_eq!(Complaint::read(&prose.frame()), Err(FrameError::NotCanonical));
    }

    #[test]
    fn a_token_comes_back_as_it_was_sent() {
        let token = Token { chunks: 1 << 40, number: 7 };
        assert_eq!(Token::read(&token.ping()), Ok(token));
        assert_eq!(token.ping().payload, token.pong().payload);
        let short = Frame::new(Kind::Ping, 0, vec![0; 15]).unwrap();
        assert_eq!(Token::read(&short), Err(FrameError::NotCanonical));
    }

    proptest! {
        #[test]
        fn random_greetings_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for kind in [Kind::Hello, Kind::HelloAck, Kind::Ping, Kind::Error] {
                let frame = Frame { kind, stream: 0, last: true, payload: bytes.clone() };
                let _ = Hello::read(&frame);
                let _ = HelloAck::read(&frame, &Hello::new(NOON, features()), NOON);
                let _ = Token::read(&frame);
                let _ = Complaint::read(&frame);
            }
        }
    }
}
