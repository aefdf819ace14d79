//! What an evaluator is asked for: its signed list of withdrawn evaluations.
//!
//! Asked on a frame of kind *exchange*, as everything that third parties are asked, in an envelope without number; the
//! answer comes on the same stream. The list counts by its signature, whoever hands it out.

use semper_supporting::{
    certificate::{CHAIN_LIMIT, Certificate},
    comm::{
        envelope::Envelope,
        fault::FrameError,
        frame::{Frame, Kind},
    },
    evidence::SignedBytes,
    wire,
};
use serde::{Deserialize, Serialize};

/// The longest question in bytes.
const QUESTION: usize = 16;

/// What an evaluator is asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum EvaluatorQuestion {
    /// For its newest list of withdrawn evaluations.
    Withdrawn,
}

/// What an evaluator answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum EvaluatorAnswer {
    /// The list.
    Withdrawn {
        /// `evaluation-revocations`.
        list: SignedBytes,
        /// The evaluator's certificate and those above it.
        chain: Vec<Certificate>,
    },
    /// It is not given; the dotted code of the fault.
    Refused(String),
}

impl EvaluatorQuestion {
    /// The frame that carries it on `stream`.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn frame(self, stream: u32) -> Result<Frame, FrameError> {
        Envelope::unnumbered(None, wire::encode(&self, QUESTION)?).frame(Kind::Exchange, stream)
    }

    /// Reads the question of a frame.
    ///
    /// # Errors
    /// [`FrameError`] for anything else.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        Ok(wire::decode(&body(frame)?, QUESTION)?)
    }
}

impl EvaluatorAnswer {
    /// The frame that carries it on `stream`.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn frame(&self, stream: u32) -> Result<Frame, FrameError> {
        let body = wire::encode(self, Kind::Exchange.limit())?;
        Envelope::unnumbered(None, body).frame(Kind::Exchange, stream)
    }

    /// Reads the answer of a frame.
    ///
    /// # Errors
    /// [`FrameError`] for anything else, and for a chain that is too long.
    pub fn read(frame: &Frame) -> Result<Self, FrameError> {
        let answer = wire::decode(&body(frame)?, Kind::Exchange.limit())?;
        match &answer {
            Self::Withdrawn { chain, .. } if chain.len() > CHAIN_LIMIT => Err(FrameError::NotCanonical),
            Self::Withdrawn { .. } | Self::Refused(_) => Ok(answer),
        }
    }
}

fn body(frame: &Frame) -> Result<Vec<u8>, FrameError> {
    if frame.kind != Kind::Exchange {
        return Err(FrameError::Kind { kind: frame.kind.number() });
    }
    Ok(Envelope::read(frame)?.body)
}

#[cfg(test)]
mod tests {
    use semper_supporting::crypto::signature::Signature;

    use super::*;

    #[test]
    fn question_and_answers_are_read_as_they_were_written_and_on_no_other_kind_of_frame() {
        let asked = EvaluatorQuestion::Withdrawn.frame(3).unwrap();
        assert_eq!(EvaluatorQuestion::read(&asked), Ok(EvaluatorQuestion::Withdrawn));
        let list = SignedBytes { tbs: vec![7; 900 << 10], signature: Signature::from_bytes([1; 64]) };
        for answer in [
            EvaluatorAnswer::Withdrawn { list, chain: Vec::new() },
            EvaluatorAnswer::Refused("net.busy".into()),
        ] {
            let frame = answer.frame(3).unwrap();
            assert_eq!((frame.kind, frame.stream), (Kind::Exchange, 3));
            assert_eq!(EvaluatorAnswer::read(&frame), Ok(answer));
        }
        let other = Frame { kind: Kind::Payment, ..asked };
        assert!(EvaluatorQuestion::read(&other).is_err());
    }
}
