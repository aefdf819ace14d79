//! What the bodies of a sale's frames hold, with limits that are checked before anything is believed.

use semper_supporting::{
    comm::{
        envelope::Envelope,
        fault::FrameError,
        frame::{Frame, Kind},
    },
    evidence::{SignedBytes, statement::Bytes},
    wire,
};
use serde::{Deserialize, Serialize};

/// The most certificates that come beside a statement about the deal.
pub const MOST_CERTIFICATES: usize = 4;
/// The most documents that come beside a message of an exchange.
pub const MOST_BESIDE: usize = 64;
/// The longest code of a refusal in bytes.
const LONGEST_CODE: usize = 64;

/// What one side says to the other in a sale.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum SaleMessage {
    /// A statement about the deal, with the signer's certificate and those above it where it opens the deal.
    Deal {
        /// The statement.
        signed: SignedBytes,
        /// DER of the certificates, the signer's first.
        chain: Vec<Bytes>,
    },
    /// A message of the exchange, and what travels beside it.
    Exchange {
        /// The message.
        signed: SignedBytes,
        /// What it names by hash.
        beside: Vec<Beside>,
    },
    /// A message of the negotiation of means.
    Payment(SignedBytes),
    /// The sender does not go on; nothing was committed. The dotted code of the reason, a mere word.
    Declined(String),
}

/// What travels beside a message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Beside {
    /// A signed statement, such as a bank's record.
    Statement(SignedBytes),
    /// Bytes: an escrow, a key.
    Blob(Bytes),
}

impl SaleMessage {
    /// The kind of frame that carries it.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Deal { .. } | Self::Declined(_) => Kind::Deal,
            Self::Exchange { .. } => Kind::Exchange,
            Self::Payment(_) => Kind::Payment,
        }
    }

    /// Its bytes, as the body of an envelope.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] above the limit of its kind.
    pub fn write(&self) -> Result<Vec<u8>, FrameError> {
        Ok(wire::encode(self, self.kind().limit())?)
    }

    /// Reads the body of an envelope that came in a frame of `kind`.
    ///
    /// # Errors
    /// [`FrameError`] for anything but a message within its limits, in a frame of its kind.
    pub fn read(kind: Kind, body: &[u8]) -> Result<Self, FrameError> {
        let message: Self = wire::decode(body, kind.limit())?;
        let within = match &message {
            Self::Deal { chain, .. } => chain.len() <= MOST_CERTIFICATES,
            Self::Exchange { beside, .. } => beside.len() <= MOST_BESIDE,
            Self::Declined(code) => code.len() <= LONGEST_CODE && code.is_ascii(),
            Self::Payment(_) => true,
        };
        if within && message.kind() == kind { Ok(message) } else { Err(FrameError::NotCanonical) }
    }

    /// Reads the message of a frame without taking it, for whoever admits it: the program verifies the
    /// certificates of an opening before its machine sees the frame.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn peek(frame: &Frame) -> Result<Self, FrameError> {
        Self::read(frame.kind, &Envelope::read(frame)?.body)
    }
}

#[cfg(test)]
mod tests {
    use semper_supporting::crypto::signature::Signature;

    use super::*;

    fn signed() -> SignedBytes {
        SignedBytes { tbs: vec![1; 40], signature: Signature::from_bytes([1; 64]) }
    }

    #[test]
    fn a_message_is_read_as_it_was_written_and_only_in_a_frame_of_its_kind() {
        let beside = vec![Beside::Blob(Bytes(vec![2; 80])), Beside::Statement(signed())];
        for message in [
            SaleMessage::Deal { signed: signed(), chain: vec![Bytes(vec![3; 300])] },
            SaleMessage::Exchange { signed: signed(), beside },
            SaleMessage::Payment(signed()),
            SaleMessage::Declined("terms.unknown".into()),
        ] {
            let body = message.write().unwrap();
            assert_eq!(SaleMessage::read(message.kind(), &body), Ok(message.clone()));
            for kind in [Kind::Deal, Kind::Exchange, Kind::Payment] {
                assert_eq!(SaleMessage::read(kind, &body).is_ok(), kind == message.kind());
            }
            for cut in 0..body.len() {
                assert!(SaleMessage::read(message.kind(), &body[..cut]).is_err());
            }
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let chain = vec![Bytes(vec![3; 30]); MOST_CERTIFICATES + 1];
        let beside = vec![Beside::Statement(signed()); MOST_BESIDE + 1];
        for message in [
            SaleMessage::Deal { signed: signed(), chain },
            SaleMessage::Exchange { signed: signed(), beside },
            SaleMessage::Declined("x".repeat(LONGEST_CODE + 1)),
        ] {
            let body = message.write().unwrap();
            assert!(SaleMessage::read(message.kind(), &body).is_err());
        }
    }
}
