//! What travels between a party and the third party: a request with everything it rests on, and the answers.
//!
//! A request is asked on a frame of kind *exchange*, in an envelope without number; its answers come back on
//! the same stream. RECEIPT comes first, and then exactly one of DECISION with the replacements due to the
//! asker, NOT-YET, PENDING and REJECT. Where the bank lets the third party wait, RECEIPT comes alone and the
//! rest in a further frame. Asking again with the same bytes is safe at any time and gives the same answers.
//!
//! Nothing here is believed because of the connection: every statement is checked by its signature.

use semper_supporting::{
    certificate::Certificate,
    comm::{
        envelope::Envelope,
        fault::FrameError,
        frame::{Frame, Kind},
    },
    crypto::{digest::Digest, seal::EscrowPublic},
    evidence::{SignedBytes, Verified, statement::Bytes},
    wire,
};
use semper_transfer::property::{Capabilities, Generated, ThirdPartyKeys};
use serde::{Deserialize, Serialize};

use crate::{
    check::ThirdPartyFacts,
    heads::{MOST_LINES, Place},
    message::Caps,
};

/// What a party asks of the third party.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum TtpRequest {
    /// For its capabilities.
    Caps,
    /// For a decision, or what became of a run.
    Ask(Box<Question>),
    /// For the newest signed head of its journal.
    Head,
    /// Where something it said stands in its journal.
    Place {
        /// The line, as the statement names it.
        index: u64,
        /// SHA-256 of the statement.
        statement: Digest,
    },
    /// For the lines of its journal after one place up to another, or as many of them as one answer holds.
    Lines {
        /// The line before the first.
        after: u64,
        /// The last line.
        to: u64,
    },
}

/// ABORT, RESOLVE or STATUS, and what must come beside it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Question {
    /// The signed request.
    pub request: SignedBytes,
    /// The signed OFFER.
    pub offer: SignedBytes,
    /// The signed ACCEPT, if the asker has one.
    pub accept: Option<SignedBytes>,
    /// The certificates of both parties, each followed by those above it; the root may be left out.
    pub chains: Vec<Vec<Certificate>>,
    /// The escrows that OFFER names, and sealed contents where they are to be compared: at most
    /// [`MOST_BLOBS`].
    pub blobs: Vec<Bytes>,
}

/// What the third party answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum TtpAnswer {
    /// Its signed capabilities.
    Caps {
        /// CAPS.
        caps: SignedBytes,
        /// Its certificate and those above it.
        chain: Vec<Certificate>,
    },
    /// Answers to a request, in the order in which they are to be heard.
    Said {
        /// The answers.
        said: Vec<Said>,
        /// Whether a further frame follows on this stream.
        more: bool,
    },
    /// The request was not understood, comes from nobody who may ask, or comes too often; nothing was done.
    /// The dotted code of the fault.
    Refused(String),
    /// The newest head of its journal.
    Head {
        /// HEAD.
        head: SignedBytes,
        /// Its certificate and those above it.
        chain: Vec<Certificate>,
    },
    /// Where a statement stands.
    Place(Box<Place>),
    /// Lines of its journal, each without its LF: the first of those asked for, at most [`MOST_LINES`].
    Lines(Vec<String>),
}

/// One signed answer and what travels beside it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Said {
    /// RECEIPT, DECISION, REPLACEMENT, AFFIDAVIT, NOT-YET, PENDING or REJECT.
    pub statement: SignedBytes,
    /// Beside DECISION: the authorities' records it rests on.
    pub records: Vec<SignedBytes>,
    /// Beside REPLACEMENT and AFFIDAVIT: what was made.
    pub made: Option<Generated>,
}

/// How many chains a request brings: one of each party.
pub const MOST_CHAINS: usize = 2;
/// How many escrows and contents a request brings at most.
pub const MOST_BLOBS: usize = 64;

impl TtpRequest {
    /// The frame that carries it on `stream`.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn frame(&self, stream: u32) -> Result<Frame, FrameError> {
        write(self, stream)
    }

    /// Reads the request of a frame.
    ///
    /// # Errors
    /// [`FrameError`] for anything but a request within its limits.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        let request = read(frame)?;
        match &request {
            Self::Ask(question)
                if question.chains.len() > MOST_CHAINS || question.blobs.len() > MOST_BLOBS =>
            {
                Err(FrameError::NotCanonical)
            }
            Self::Ask(_) | Self::Caps | Self::Head | Self::Place { .. } | Self::Lines { .. } => Ok(request),
        }
    }
}

impl TtpAnswer {
    /// The frame that carries it on `stream`.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn frame(&self, stream: u32) -> Result<Frame, FrameError> {
        write(self, stream)
    }

    /// Reads the answer of a frame.
    ///
    /// # Errors
    /// [`FrameError`] for anything but an answer within its limits.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        let answer = read(frame)?;
        let lines = match &answer {
            Self::Place(place) => place.lines.len(),
            Self::Lines(lines) => lines.len(),
            Self::Caps { .. } | Self::Said { .. } | Self::Refused(_) | Self::Head { .. } => 0,
        };
        if lines > MOST_LINES { Err(FrameError::NotCanonical) } else { Ok(answer) }
    }
}

fn write<T: Serialize>(value: &T, stream: u32) -> Result<Frame, FrameError> {
    let body = wire::encode(value, Kind::Exchange.limit())?;
    Envelope::unnumbered(None, body).frame(Kind::Exchange, stream)
}

fn read<T: wire::Record>(frame: &Frame) -> Result<T, FrameError> {
    if frame.kind != Kind::Exchange {
        return Err(FrameError::Kind { kind: frame.kind.number() });
    }
    Ok(wire::decode(&Envelope::read(frame)?.body, Kind::Exchange.limit())?)
}

/// What the parties of an exchange need to know of a third party, from its CAPS.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownThirdParty {
    /// What negotiation reckons with.
    pub capabilities: Capabilities,
    /// What OFFER repeats.
    pub facts: ThirdPartyFacts,
}

impl KnownThirdParty {
    /// Reads CAPS that the key of `certificate` signed; nothing if it speaks of another certificate or its
    /// escrow key is none.
    pub fn of(caps: &Verified<Caps>, certificate: Digest) -> Option<Self> {
        let escrow: [u8; 32] = caps.escrow_key.0.as_slice().try_into().ok()?;
        (caps.cert_t == certificate).then(|| Self {
            capabilities: Capabilities {
                keys: ThirdPartyKeys { certificate, escrow: EscrowPublic::from_bytes(escrow) },
                grades: caps.generates.clone(),
                deposit: false,
                authorities: caps.authorities.clone(),
                longest: caps.escrow_limit,
            },
            facts: ThirdPartyFacts {
                name: caps.name.clone(),
                escrow_key: Digest::of(&escrow),
                policy: caps.policy,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use semper_supporting::crypto::signature::Signature;

    use super::*;

    fn signed(byte: u8) -> SignedBytes {
        SignedBytes { tbs: vec![byte; 40], signature: Signature::from_bytes([byte; 64]) }
    }

    fn question(blobs: usize, chains: usize) -> TtpRequest {
        TtpRequest::Ask(Box::new(Question {
            request: signed(1),
            offer: signed(2),
            accept: Some(signed(3)),
            chains: vec![vec![Certificate::from_der(&[4]).unwrap()]; chains],
            blobs: vec![Bytes(vec![5; 80]); blobs],
        }))
    }

    #[test]
    fn requests_and_answers_are_read_as_they_were_written() {
        let request = question(2, 2);
        assert_eq!(TtpRequest::read(&request.frame(7).unwrap()), Ok(request));
        let said = Said { statement: signed(1), records: vec![signed(2)], made: None };
        let answer = TtpAnswer::Said { said: vec![said], more: true };
        let frame = answer.frame(7).unwrap();
        assert_eq!((TtpAnswer::read(&frame), frame.stream), (Ok(answer), 7));
    }

    #[test]
    fn what_is_too_much_or_of_another_kind_is_refused() {
        assert!(TtpRequest::read(&question(MOST_BLOBS + 1, 2).frame(1).unwrap()).is_err());
        assert!(TtpRequest::read(&question(1, MOST_CHAINS + 1).frame(1).unwrap()).is_err());
        let lines = |count| TtpAnswer::Lines(vec![String::new(); count]).frame(1).unwrap();
        assert!(
            TtpAnswer::read(&lines(MOST_LINES)).is_ok() && TtpAnswer::read(&lines(MOST_LINES + 1)).is_err()
        );
        let other = Frame { kind: Kind::Payment, ..question(1, 1).frame(1).unwrap() };
        assert!(TtpRequest::read(&other).is_err());
        let mut cut = question(1, 1).frame(1).unwrap();
        cut.payload.pop();
        assert!(TtpRequest::read(&cut).is_err());
    }
}
