//! Why the engine did not take an input. Nothing has changed then, except where it says so.

use semper_supporting::{
    archive::StoreError,
    fault::{Blame, Fault, Standing},
    wire::WireError,
};

use crate::random::RandomError;

/// Why an input was not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Too many inputs wait, or other steps kept changing the same rows.
    #[error("too much is going on; try again")]
    Busy,
    /// The engine is being shut down.
    #[error("the program is closing")]
    Closed,
    /// No instance has this name, and this input begins none.
    #[error("there is no such instance")]
    Unknown,
    /// The input did not pass the checks before its step; the code is the host's.
    #[error("not accepted: {0}")]
    Declined(&'static str),
    /// The steps that one input led to did not come to an end.
    #[error("one input led to too many steps")]
    Runaway,
    /// The timer or the effect this input came from has been dealt with otherwise.
    #[error("no longer asked for")]
    Stale,
    /// A state or an input cannot be encoded, or the archive holds bytes that are none.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The archive refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Fault for EngineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Busy => "engine.busy",
            Self::Closed => "engine.closed",
            Self::Unknown => "engine.unknown",
            Self::Declined(code) => code,
            Self::Runaway => "engine.runaway",
            Self::Stale => "engine.stale",
            Self::Wire(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Random(_) => "seed.os",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Unknown | Self::Declined(_) => Blame::Peer,
            _ => Blame::Ourselves,
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
