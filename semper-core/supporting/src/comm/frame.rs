//! Frames: what travels between two programs once TLS stands.
//!
//! A frame is a kind, a stream number and a payload. On the wire it is one piece or several, each a header
//! of 16 bytes and a part of the payload:
//!
//! ```text
//! length u32 | version u8 | kind u8 | flags u16 | stream u32 | reserved u32     (big endian)
//! ```
//!
//! `length` counts the payload that follows; bit 0 of `flags` marks the last piece, all others are zero;
//! `reserved` is zero. [`Frames`] takes bytes as they come and gives frames back: it checks a header whole
//! before it keeps anything of the payload, keeps at most one unfinished message, and has nothing more to
//! say to a peer that broke a rule once.

use super::fault::FrameError;

/// The length of a header in bytes.
pub const HEADER: usize = 16;

/// The version of the protocol that this program speaks.
pub const VERSION: u8 = 1;

/// In how many pieces a message may come: four times what the longest one needs.
pub const PIECES: u32 = 68;

const KIB: usize = 1024;
const LAST: u16 = 1;

/// What a frame is about. The number is what the header carries.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// The client's first frame: versions, time, features.
    Hello = 1,
    /// The server's first frame: what it chose.
    HelloAck = 2,
    /// Opening, moves and closing of a deal.
    Deal = 3,
    /// Fair exchange.
    Exchange = 4,
    /// Payment.
    Payment = 5,
    /// Bytes of an item; the stream says of which. Each piece is a frame of its own.
    Chunk = 6,
    /// Asks whether the other side is there, and how many chunk bytes it has taken.
    Ping = 7,
    /// Answers a ping with its token.
    Pong = 8,
    /// What was wrong with a frame, or why it is not answered now.
    Error = 9,
    /// Questions to a directory; the stream is the number of the question.
    Directory = 10,
    /// Questions to a certification authority; the stream is the number of the question.
    Ca = 11,
    /// Complaint and verdict.
    Dispute = 12,
    /// Padding, discarded on arrival.
    Cover = 13,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Hello,
        Self::HelloAck,
        Self::Deal,
        Self::Exchange,
        Self::Payment,
        Self::Chunk,
        Self::Ping,
        Self::Pong,
        Self::Error,
        Self::Directory,
        Self::Ca,
        Self::Dispute,
        Self::Cover,
    ];

    /// Its number in the header.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The kind with this number, if there is one.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// How long the payload of one piece may be, in bytes.
    pub const fn piece_limit(self) -> usize {
        match self {
            Self::Hello | Self::HelloAck => 4 * KIB,
            Self::Ping | Self::Pong => 16,
            Self::Error => KIB,
            Self::Chunk => 256 * KIB,
            Self::Deal | Self::Exchange | Self::Payment => 64 * KIB,
            Self::Directory | Self::Ca | Self::Dispute | Self::Cover => 64 * KIB,
        }
    }

    /// How long the payload of a whole frame may be, in bytes.
    pub const fn limit(self) -> usize {
        match self {
            Self::Exchange => 1024 * KIB + 64 * KIB,
            Self::Deal | Self::Payment | Self::Directory | Self::Ca | Self::Dispute => 128 * KIB,
            Self::Hello | Self::HelloAck | Self::Chunk => self.piece_limit(),
            Self::Ping | Self::Pong | Self::Error | Self::Cover => self.piece_limit(),
        }
    }

    /// Whether a frame of this kind may come in several pieces.
    pub const fn is_divisible(self) -> bool {
        self.limit() > self.piece_limit()
    }

    /// Whether it belongs to a deal, so that it carries an [envelope](super::envelope).
    pub const fn has_envelope(self) -> bool {
        matches!(self, Self::Deal | Self::Exchange | Self::Payment | Self::Dispute)
    }

    /// Whether it may pass while the clocks of the two sides are too far apart.
    pub const fn passes_with_wrong_clock(self) -> bool {
        !self.has_envelope() && !matches!(self, Self::Chunk | Self::Cover)
    }

    /// Whether its stream number says something; of the others it is zero.
    const fn has_stream(self) -> bool {
        self.has_envelope() || matches!(self, Self::Chunk | Self::Directory | Self::Ca)
    }
}

/// A whole frame.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Frame {
    /// What it is about.
    pub kind: Kind,
    /// Which item a chunk belongs to, which question an answer is for; zero where neither applies.
    pub stream: u32,
    /// Whether nothing more follows in its stream. Only a chunk may say no.
    pub last: bool,
    /// Its content.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame of any kind that stands for itself.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] above the limit of the kind, [`FrameError::NotCanonical`] for a stream
    /// number where the kind has none.
    pub fn new(kind: Kind, stream: u32, payload: Vec<u8>) -> Result<Self, FrameError> {
        Self { kind, stream, last: true, payload }.checked()
    }

    /// Bytes of the item that `stream` stands for; `last` marks its end.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] above the limit of a chunk, [`FrameError::NotCanonical`] for an empty chunk
    /// that is not the last.
    pub fn chunk(stream: u32, last: bool, payload: Vec<u8>) -> Result<Self, FrameError> {
        Self { kind: Kind::Chunk, stream, last, payload }.checked()
    }

    /// What goes over the wire: one or several pieces, each to be written at once.
    pub fn pieces(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let parts = self.payload.chunks(self.kind.piece_limit());
        let count = parts.len().max(1);
        let empty = self.payload.is_empty().then_some([].as_slice());
        parts.chain(empty).enumerate().map(move |(n, part)| self.piece(self.last && n + 1 == count, part))
    }

    fn piece(&self, last: bool, part: &[u8]) -> Vec<u8> {
        let mut piece = Vec::with_capacity(HEADER + part.len());
        // The parts are at most 256 KiB long, so the length always fits.
        piece.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        piece.extend([VERSION, self.kind.number()]);
        piece.extend(u16::from(last).to_be_bytes());
        piece.extend(self.stream.to_be_bytes());
        piece.extend([0; 4]);
        piece.extend(part);
        piece
    }

    fn checked(self) -> Result<Self, FrameError> {
        if self.payload.len() > self.kind.limit() {
            return Err(FrameError::too_long(self.kind.limit(), self.payload.len()));
        }
        if (self.stream != 0 && !self.kind.has_stream()) || (self.payload.is_empty() && !self.last) {
            return Err(FrameError::NotCanonical);
        }
        Ok(self)
    }
}

/// What became of the bytes that [`Frames::take`] used up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Taken {
    /// A piece of a message that goes on. It counts towards the rate of its sender.
    Part,
    /// The piece that completed this frame.
    Whole(Frame),
}

/// Makes frames of bytes, however these are cut.
#[derive(Clone, Debug)]
pub struct Frames {
    greeting: Option<Kind>,
    head: Vec<u8>,
    piece: Option<Piece>,
    message: Option<Message>,
    broken: Option<FrameError>,
}

/// A piece whose header has been checked and whose payload is on its way.
#[derive(Clone, Debug)]
struct Piece {
    kind: Kind,
    stream: u32,
    last: bool,
    length: usize,
    payload: Vec<u8>,
}

/// The pieces of a message so far.
#[derive(Clone, Debug)]
struct Message {
    kind: Kind,
    stream: u32,
    pieces: u32,
    payload: Vec<u8>,
}

impl Frames {
    /// The bytes that reach a server: the first frame is [`Kind::Hello`], and only the first.
    pub fn of_client() -> Self {
        Self::greeted_by(Kind::Hello)
    }

    /// The bytes that reach a client: the first frame is [`Kind::HelloAck`], and only the first. Instead
    /// of it a server may say with [`Kind::Error`] why it does not answer.
    pub fn of_server() -> Self {
        Self::greeted_by(Kind::HelloAck)
    }

    fn greeted_by(kind: Kind) -> Self {
        Self { greeting: Some(kind), head: Vec::new(), piece: None, message: None, broken: None }
    }

    /// Uses up bytes from the front of `bytes` until a piece is complete or none are left.
    ///
    /// Gives nothing when it needs more bytes.
    ///
    /// # Errors
    /// The violation, each time again once there was one.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Taken>, FrameError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        self.advance(bytes).inspect_err(|error| {
            self.broken = Some(*error);
            (self.head, self.piece, self.message) = (Vec::new(), None, None);
        })
    }

    /// Whether the bytes so far end between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.head.is_empty() && self.piece.is_none() && self.message.is_none()
    }

    /// How many bytes of unfinished frames are kept.
    pub fn buffered(&self) -> usize {
        self.head.len()
            + self.piece.as_ref().map_or(0, |piece| piece.payload.len())
            + self.message.as_ref().map_or(0, |message| message.payload.len())
    }

    fn advance(&mut self, bytes: &mut &[u8]) -> Result<Option<Taken>, FrameError> {
        let mut piece = match self.piece.take() {
            Some(piece) => piece,
            None => {
                let missing = HEADER.saturating_sub(self.head.len());
                self.head.extend_from_slice(split(bytes, missing));
                let Ok(header) = <[u8; HEADER]>::try_from(self.head.as_slice()) else {
                    return Ok(None);
                };
                self.head.clear();
                self.begin(header)?
            }
        };
        let missing = piece.length.saturating_sub(piece.payload.len());
        piece.payload.extend_from_slice(split(bytes, missing));
        if piece.payload.len() < piece.length {
            self.piece = Some(piece);
            return Ok(None);
        }
        Ok(Some(self.complete(piece)))
    }

    /// Checks a header whole, before a byte of its payload is kept.
    fn begin(&self, header: [u8; HEADER]) -> Result<Piece, FrameError> {
        let [l0, l1, l2, l3, version, kind, f0, f1, s0, s1, s2, s3, reserved @ ..] = header;
        if version != VERSION {
            return Err(FrameError::Version { theirs: version, ours: VERSION });
        }
        let number = kind;
        let kind = Kind::of(number)
            .filter(|kind| self.is_in_place(*kind))
            .ok_or(FrameError::Kind { kind: number })?;
        let flags = u16::from_be_bytes([f0, f1]);
        let last = flags == LAST;
        if flags > LAST || (!last && !kind.is_divisible() && kind != Kind::Chunk) {
            return Err(FrameError::Flags { flags });
        }
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let stream = u32::from_be_bytes([s0, s1, s2, s3]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > kind.piece_limit() {
            return Err(FrameError::too_long(kind.piece_limit(), length));
        }
        if reserved != [0; 4] || (stream != 0 && !kind.has_stream()) || (length == 0 && !last) {
            return Err(FrameError::NotCanonical);
        }
        if let Some(message) = self.message.as_ref().filter(|_| kind.is_divisible()) {
            message.admits(kind, stream, flags, length)?;
        }
        Ok(Piece { kind, stream, last, length, payload: Vec::new() })
    }

    /// Whether a frame of this kind may come now: a greeting first, and never again.
    fn is_in_place(&self, kind: Kind) -> bool {
        match self.greeting {
            Some(Kind::HelloAck) => matches!(kind, Kind::HelloAck | Kind::Error),
            Some(greeting) => kind == greeting,
            None => !matches!(kind, Kind::Hello | Kind::HelloAck),
        }
    }

    fn complete(&mut self, piece: Piece) -> Taken {
        self.greeting = None;
        let Piece { kind, stream, last, payload, .. } = piece;
        if !kind.is_divisible() {
            return Taken::Whole(Frame { kind, stream, last, payload });
        }
        let message = match self.message.take() {
            Some(mut message) => {
                message.payload.extend_from_slice(&payload);
                message.pieces += 1;
                message
            }
            None => Message { kind, stream, pieces: 1, payload },
        };
        if last {
            return Taken::Whole(Frame { kind, stream, last, payload: message.payload });
        }
        self.message = Some(message);
        Taken::Part
    }
}

impl Message {
    /// Whether a piece with this header may continue the message.
    fn admits(&self, kind: Kind, stream: u32, flags: u16, length: usize) -> Result<(), FrameError> {
        if (kind, stream) != (self.kind, self.stream) {
            return Err(FrameError::Flags { flags });
        }
        let total = self.payload.len().saturating_add(length);
        if total > kind.limit() {
            return Err(FrameError::too_long(kind.limit(), total));
        }
        // An empty last piece would give one message two encodings.
        if length == 0 {
            return Err(FrameError::NotCanonical);
        }
        if self.pieces >= PIECES { Err(FrameError::Abuse) } else { Ok(()) }
    }
}

/// Takes up to `count` bytes off the front of `bytes`.
fn split<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (front, rest) = bytes.split_at_checked(count).unwrap_or((*bytes, &[]));
    *bytes = rest;
    front
}

#[cfg(test)]
mod tests;
