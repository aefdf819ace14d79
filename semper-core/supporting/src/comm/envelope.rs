//! The envelope that every numbered frame of a deal travels in, and the record of both directions.
//!
//! Each side numbers what it sends in a deal, without gaps, and names the frame it processed last. So a
//! lost connection costs nothing: what was not answered is sent again with the same bytes, and whoever
//! has it already drops it and sends its stored answer again. A number that comes back with other
//! bytes is a fork, and both versions are evidence.
//!
//! ```text
//! t0 = 64 zeros,  tn = SHA-256(t(n-1) LF SHA-256(kind, payload) LF)      one chain for each direction
//! ```
//!
//! **Invariant.** A [`Conversation`] hands up the frame numbered n once, and only after n - 1.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    fault::FrameError,
    frame::{Frame, Kind},
    hello::digest,
    session::NetEvent,
};
use crate::{
    crypto::digest::Digest,
    deal::DealId,
    fault::{Blame, Fault, Standing},
    wire,
};

/// How many numbered frames each side may send in one deal.
pub const FRAMES_PER_DEAL: u32 = 4096;

/// How many numbered frames may be on their way without an answer.
pub const UNANSWERED: usize = 64;

/// What precedes the body at most, in bytes: deal, place and the length of the body.
pub const OVERHEAD: usize = 33 + 69 + 8;

/// What a frame of kind 3, 4, 5 or 12 carries.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Envelope {
    /// The deal it belongs to. Absent while the deal has no name yet, and where there is none.
    pub deal: Option<DealId>,
    /// Its place in the deal. Absent in what stands for itself: a request to a third party or a bank, the
    /// statements that resume a deal.
    pub place: Option<Place>,
    /// The message itself.
    #[serde(with = "octets")]
    pub body: Vec<u8>,
}

/// Where a frame stands in a deal.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Place {
    /// Its number among the frames of its sender, from 1.
    pub seq: u32,
    /// The frame, of either side, that its sender processed or sent last; zeros before the first.
    pub prev: Digest,
    /// The digest of the configuration in which its sender sent it; zeros before the deal is open.
    pub conf: Digest,
}

/// How far one direction of a deal has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Transcript {
    /// How many frames.
    pub count: u32,
    /// The chain over all of them.
    pub hash: Digest,
}

/// One side's record of a deal: journaled with the state of the deal, in the same transaction.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Conversation {
    deal: Option<DealId>,
    /// What the peer is known to have processed of ours.
    answered: Transcript,
    unanswered: Vec<Sent>,
    received: Transcript,
    /// The latest frames received, oldest first, with the chain before the first of them.
    heard: Vec<Digest>,
    last: Digest,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Sent {
    /// How many frames of the peer had come before: it is part of the answer to the last of them.
    after: u32,
    kind: u8,
    #[serde(with = "octets")]
    payload: Vec<u8>,
    digest: Digest,
}

/// What became of a frame that came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heard {
    /// It is the next one.
    New(Envelope),
    /// It came before, with the same bytes. What we answered to it and was not answered in turn is to be
    /// sent again. An answer belongs to one frame only, so that two sides cannot repeat for ever.
    Repeated(Vec<Frame>),
    /// It has no number; what it asks is idempotent by itself.
    Unnumbered(Envelope),
}

/// What an event of the network means for a deal.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attended {
    /// What the peer says, if it has not said it before.
    pub heard: Option<Envelope>,
    /// What is to be sent now.
    pub send: Vec<Frame>,
}

/// Why a frame has no place in a deal.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum EnvelopeError {
    /// The two records of the deal differ.
    #[error("The other side's record of this deal differs from yours from step {step} on.")]
    Fork {
        /// The first number at which they differ.
        step: u32,
    },
    /// A number was left out.
    #[error("Step {got} came where step {expected} was expected.")]
    Gap {
        /// The number that was due.
        expected: u32,
        /// The number that came.
        got: u32,
    },
    /// It belongs to another deal.
    #[error("The message belongs to another deal.")]
    OtherDeal,
    /// Too many frames are on their way without an answer.
    #[error("The other side has not answered {UNANSWERED} messages. Waiting for it.")]
    Unanswered,
    /// The deal has used up its frames.
    #[error("A deal has at most {FRAMES_PER_DEAL} messages of each side.")]
    TooMany,
    /// The bytes are no envelope.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Envelope {
    /// A message that has no number.
    pub fn unnumbered(deal: Option<DealId>, body: Vec<u8>) -> Self {
        Self { deal, place: None, body }
    }

    /// What a frame carries.
    ///
    /// # Errors
    /// [`FrameError::Kind`] for a kind without envelope, [`FrameError::NotCanonical`] for other bytes.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        if !frame.kind.has_envelope() {
            return Err(FrameError::Kind { kind: frame.kind.number() });
        }
        let envelope: Self = wire::decode(&frame.payload, frame.kind.limit())?;
        let numbered_from_one = envelope.place.is_none_or(|place| place.seq > 0);
        if numbered_from_one { Ok(envelope) } else { Err(FrameError::NotCanonical) }
    }

    /// The frame that carries it, on `stream` where answers are told apart by one.
    ///
    /// # Errors
    /// [`FrameError::Kind`] for a kind without envelope, [`FrameError::TooLong`] above the kind's limit.
    pub fn frame(&self, kind: Kind, stream: u32) -> Result<Frame, FrameError> {
        if !kind.has_envelope() {
            return Err(FrameError::Kind { kind: kind.number() });
        }
        Frame::new(kind, stream, wire::encode(self, kind.limit())?)
    }
}

impl Transcript {
    /// Where every direction starts.
    pub const START: Self = Self { count: 0, hash: NOTHING };

    /// The chain with one frame more.
    pub fn with(self, frame: Digest) -> Self {
        let hash = Digest::of(format!("{}\n{frame}\n", self.hash).as_bytes());
        Self { count: self.count.saturating_add(1), hash }
    }
}

const NOTHING: Digest = Digest::from_bytes([0; 32]);

impl Default for Conversation {
    fn default() -> Self {
        Self {
            deal: None,
            answered: Transcript::START,
            unanswered: Vec::new(),
            received: Transcript::START,
            heard: Vec::new(),
            last: NOTHING,
        }
    }
}

impl Conversation {
    /// Gives the conversation the name of its deal, once both nonces are known.
    ///
    /// # Errors
    /// [`EnvelopeError::OtherDeal`] if it has another name already.
    pub fn name(&mut self, deal: DealId) -> Result<(), EnvelopeError> {
        if self.deal.is_some_and(|known| known != deal) {
            return Err(EnvelopeError::OtherDeal);
        }
        self.deal = Some(deal);
        Ok(())
    }

    /// The frame that carries `body` as our next message, kept until the peer has answered it.
    ///
    /// # Errors
    /// [`EnvelopeError::Unanswered`], [`EnvelopeError::TooMany`], or that the body is too long.
    pub fn send(&mut self, kind: Kind, conf: Digest, body: Vec<u8>) -> Result<Frame, EnvelopeError> {
        let seq = self.sent().count.saturating_add(1);
        if seq > FRAMES_PER_DEAL {
            return Err(EnvelopeError::TooMany);
        }
        if self.unanswered.len() >= UNANSWERED {
            return Err(EnvelopeError::Unanswered);
        }
        let place = Some(Place { seq, prev: self.last, conf });
        let frame = Envelope { deal: self.deal, place, body }.frame(kind, 0)?;
        self.last = digest(&frame);
        let after = self.received.count;
        let sent = Sent { after, kind: kind.number(), payload: frame.payload.clone(), digest: self.last };
        self.unanswered.push(sent);
        Ok(frame)
    }

    /// Takes a frame of the peer.
    ///
    /// # Errors
    /// Why it has no place here; the record is then as it was.
    pub fn receive(&mut self, frame: &Frame) -> Result<Heard, EnvelopeError> {
        let envelope = Envelope::read(frame)?;
        let Some(place) = envelope.place else {
            return Ok(Heard::Unnumbered(envelope));
        };
        let expected = self.received.count.saturating_add(1);
        let name = digest(frame);
        if place.seq < expected {
            return self.repeated(place.seq, name);
        }
        if place.seq > FRAMES_PER_DEAL {
            return Err(EnvelopeError::TooMany);
        }
        if place.seq > expected {
            return Err(EnvelopeError::Gap { expected, got: place.seq });
        }
        if self.deal.is_some() && envelope.deal != self.deal {
            return Err(EnvelopeError::OtherDeal);
        }
        self.acknowledge(place)?;
        self.received = self.received.with(name);
        self.last = name;
        self.heard.push(name);
        if self.heard.len() > 2 * UNANSWERED {
            self.heard.drain(..UNANSWERED);
        }
        Ok(Heard::New(envelope))
    }

    /// Attends to an event of the network: what is unanswered goes out again when a connection stands, and
    /// nothing is heard twice.
    ///
    /// # Errors
    /// Why a frame has no place here, as [`Conversation::receive`].
    pub fn attend(&mut self, event: &NetEvent) -> Result<Attended, EnvelopeError> {
        Ok(match event {
            NetEvent::Up(_) => Attended { heard: None, send: self.unanswered().collect() },
            NetEvent::Frame(frame) if frame.kind.has_envelope() => match self.receive(frame)? {
                Heard::New(envelope) | Heard::Unnumbered(envelope) => {
                    Attended { heard: Some(envelope), send: Vec::new() }
                }
                Heard::Repeated(send) => Attended { heard: None, send },
            },
            NetEvent::Frame(_) | NetEvent::Complained(_) | NetEvent::Busy(_) | NetEvent::Down(_) => {
                Attended::default()
            }
        })
    }

    /// What the peer has not answered yet, to be sent again whenever a connection stands anew.
    pub fn unanswered(&self) -> impl Iterator<Item = Frame> + '_ {
        self.unanswered.iter().filter_map(Sent::frame)
    }

    /// How far our own direction has come.
    pub fn sent(&self) -> Transcript {
        self.unanswered.iter().fold(self.answered, |chain, sent| chain.with(sent.digest))
    }

    /// How far the peer's direction has come.
    pub fn received(&self) -> Transcript {
        self.received
    }

    /// Whether the peer's account of both directions, from its statement that resumes or closes the deal,
    /// agrees with this one as far as both reach.
    ///
    /// # Errors
    /// [`EnvelopeError::Fork`] with the first step on which they cannot agree.
    pub fn compare(&self, their_sent: Transcript, their_received: Transcript) -> Result<(), EnvelopeError> {
        // What they have received they cannot have forgotten, nor can they have more than we sent.
        let mut ours = self.answered;
        let mut rest = self.unanswered.iter();
        while ours.count < their_received.count {
            match rest.next() {
                Some(sent) => ours = ours.with(sent.digest),
                None => return Err(EnvelopeError::Fork { step: ours.count.saturating_add(1) }),
            }
        }
        agree(their_received, ours)?;
        // Where they have sent more than reached us, it is they who can compare.
        if their_sent.count > self.received.count { Ok(()) } else { agree(their_sent, self.received) }
    }

    /// A number that was taken before: harmless with the same bytes.
    fn repeated(&self, seq: u32, name: Digest) -> Result<Heard, EnvelopeError> {
        let back = usize::try_from(self.received.count - seq).unwrap_or(usize::MAX);
        match self.heard.iter().rev().nth(back) {
            Some(known) if *known == name => {
                let answer = self.unanswered.iter().filter(|sent| sent.after == seq);
                Ok(Heard::Repeated(answer.filter_map(Sent::frame).collect()))
            }
            // An honest peer repeats what is unanswered, which never reaches back so far.
            Some(_) | None => Err(EnvelopeError::Fork { step: seq }),
        }
    }

    /// Takes from `prev` what the peer has processed of ours. It names a frame of ours not named before, or
    /// its own previous one.
    fn acknowledge(&mut self, place: Place) -> Result<(), EnvelopeError> {
        let previous = self.heard.last().copied().unwrap_or(NOTHING);
        if place.prev == previous {
            return Ok(());
        }
        let named = self.unanswered.iter().position(|sent| sent.digest == place.prev);
        let named = named.ok_or(EnvelopeError::Fork { step: place.seq })?;
        for sent in self.unanswered.drain(..=named) {
            self.answered = self.answered.with(sent.digest);
        }
        Ok(())
    }
}

impl Sent {
    fn frame(&self) -> Option<Frame> {
        let kind = Kind::of(self.kind)?;
        Some(Frame { kind, stream: 0, last: true, payload: self.payload.clone() })
    }
}

/// Whether their account of a direction is ours. A shorter one has lost what follows it.
fn agree(theirs: Transcript, ours: Transcript) -> Result<(), EnvelopeError> {
    if theirs == ours {
        return Ok(());
    }
    let lost = theirs.count < ours.count;
    Err(EnvelopeError::Fork { step: theirs.count.saturating_add(u32::from(lost)) })
}

impl Fault for EnvelopeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Fork { .. } => "deal.fork",
            Self::Gap { .. } => "deal.gap",
            Self::OtherDeal => "deal.other",
            Self::Unanswered => "deal.unanswered",
            Self::TooMany => "deal.too-many-messages",
            Self::Frame(error) => error.code(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Unanswered => Blame::Network,
            Self::TooMany => Blame::Ourselves,
            Self::Fork { .. } | Self::Gap { .. } | Self::OtherDeal | Self::Frame(_) => Blame::Peer,
        }
    }

    fn standing(&self) -> Standing {
        Standing::Undecided
    }
}

/// Bytes as one piece instead of one element after the other.
mod octets {
    use super::{Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_byte_buf(Octets)
    }

    struct Octets;

    impl de::Visitor<'_> for Octets {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}

#[cfg(test)]
mod tests;
