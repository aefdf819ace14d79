//! What can be wrong with the bytes a peer sends, with the place it names and with its clock.
//!
//! Each violation of the frame format is one variant with a stable code. It is answered with an Error
//! frame ([`Complaint`](super::hello::Complaint)), written to the journal, and the connection is closed.

use crate::{
    fault::{Blame, Fault, Standing},
    time::{Moment, Span},
    wire::WireError,
};

/// Why the bytes of a peer are no frame, or no frame that is allowed here and now.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum FrameError {
    /// The same peer asks for more than the limits of its connection allow.
    #[error("The other side sends more small pieces than a message needs.")]
    Abuse,
    /// Flags that this version does not know, a fragment of a kind that has none, or one in the middle of
    /// another message.
    #[error("The flags {flags:#06x} are not allowed here.")]
    Flags {
        /// The flags of the header.
        flags: u16,
    },
    /// A kind that is unknown, or known and not allowed at this point.
    #[error("A frame of kind {kind} is not allowed here.")]
    Kind {
        /// The kind of the header.
        kind: u8,
    },
    /// Bytes that this program would have written differently.
    #[error("The bytes are not the canonical encoding of this kind of frame.")]
    NotCanonical,
    /// A payload or a reassembled message above the limit of its kind.
    #[error("{got} bytes where at most {limit} are allowed.")]
    TooLong {
        /// The limit in bytes.
        limit: u64,
        /// The length that was announced or reached, in bytes.
        got: u64,
    },
    /// A version of the protocol that this program does not speak.
    #[error("The other side speaks version {theirs}; this program speaks {ours}.")]
    Version {
        /// The version the other side speaks, the highest it offered.
        theirs: u8,
        /// The version this program speaks.
        ours: u8,
    },
    /// More chunk bytes than the flow window had room for.
    #[error("{got} bytes are unacknowledged where at most {limit} are allowed.")]
    Window {
        /// The window in bytes.
        limit: u64,
        /// How many bytes were not acknowledged yet.
        got: u64,
    },
}

impl Fault for FrameError {
    fn code(&self) -> &'static str {
        match self {
            Self::Abuse => "wire.abuse",
            Self::Flags { .. } => "wire.flags",
            Self::Kind { .. } => "wire.kind",
            Self::NotCanonical => "wire.not-canonical",
            Self::TooLong { .. } => "wire.too-long",
            Self::Version { .. } => "wire.version",
            Self::Window { .. } => "wire.window",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    /// The connection closes; what was under way is where the last accepted message left it.
    fn standing(&self) -> Standing {
        match self {
            Self::Version { .. } => Standing::NothingMoved,
            _ => Standing::Undecided,
        }
    }
}

impl From<WireError> for FrameError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLong { limit, got } => Self::too_long(limit, got),
            WireError::NotCanonical | WireError::Unencodable => Self::NotCanonical,
        }
    }
}

impl FrameError {
    /// The violation of a limit, with lengths as this machine counts them.
    pub(super) fn too_long(limit: usize, got: usize) -> Self {
        Self::TooLong { limit: limit.try_into().unwrap_or(u64::MAX), got: got.try_into().unwrap_or(u64::MAX) }
    }
}

/// Why nothing more is done for a peer right now.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[error("The other side is busy. Trying again at {until}.")]
pub struct Busy {
    /// When it is worth trying again.
    pub until: Moment,
}

impl Fault for Busy {
    fn code(&self) -> &'static str {
        "net.busy"
    }

    fn blame(&self) -> Blame {
        Blame::Network
    }

    fn standing(&self) -> Standing {
        Standing::Undecided
    }
}

/// The clocks of the two parties differ too much for deadlines to mean the same to both.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[error("Your clock and the shop's differ by {}. Deadlines would be wrong; check the date.", .apart.in_words())]
pub struct ClocksDiffer {
    /// By how much they differ.
    pub apart: Span,
}

impl Fault for ClocksDiffer {
    fn code(&self) -> &'static str {
        "deal.clock"
    }

    /// Nobody knows whose clock is right.
    fn blame(&self) -> Blame {
        Blame::Network
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_those_the_protocol_fixes() {
        assert_eq!(
            FrameError::Version { theirs: 2, ours: 1 }.to_string(),
            "The other side speaks version 2; this program speaks 1."
        );
        let window = FrameError::Window { limit: 4, got: 5 };
        assert_eq!(window.code(), "wire.window");
        assert_eq!(window.to_string(), "5 bytes are unacknowledged where at most 4 are allowed.");
        assert_eq!(
            Busy { until: Moment::from_seconds(0) }.to_string(),
            "The other side is busy. Trying again at 1970-01-01T00:00:00Z."
        );
        assert_eq!(
            ClocksDiffer { apart: Span::minutes(7) }.to_string(),
            "Your clock and the shop's differ by 7 minutes. Deadlines would be wrong; check the date."
        );
    }
}
