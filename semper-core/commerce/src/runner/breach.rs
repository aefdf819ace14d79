//! How a party leaves the terms, and what is said about it.

use semper_supporting::fault::{Blame, Fault, Standing};

use super::configuration::NotEnabled;

/// What somebody tried that the agreed terms do not allow there; the first check that finds something decides.
///
/// Nothing is executed, and the message is kept: if it is signed, it proves the attempt to everybody who has the
/// terms and the opening of the deal.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Breach {
    /// It comes from nobody who takes part.
    #[error("it does not come from a party of this deal")]
    Sequence,
    /// It starts from a configuration that is not ours.
    #[error("the other side's record of this deal differs from yours from step {step} on")]
    Fork {
        /// Which move it would have been, counted from 1.
        step: u32,
    },
    /// The move cannot be made here, by this party, or any more.
    #[error("{0}")]
    NotEnabled(#[from] NotEnabled),
    /// The time for it is over.
    #[error("the time for it is over")]
    Late,
    /// A field is filled in by the wrong party, with a wrong value, or anew.
    #[error("{0}")]
    Field(String),
    /// A rule of the form, or of the move, does not hold.
    #[error("{0}")]
    Guard(String),
    /// What would move is not what the terms prescribe.
    #[error("{item}: {what}")]
    Item {
        /// The item.
        item: String,
        /// What differs.
        what: &'static str,
    },
    /// More would be paid than was agreed at most.
    #[error("it would cost more than was agreed at most")]
    Ceiling,
    /// It is signed by a key that is not the one of its party in this deal.
    #[error("it is signed by another key")]
    Signer,
    /// What was received is not what was agreed.
    #[error("{item}: what came is not what was agreed")]
    Delivered {
        /// The item.
        item: String,
    },
}

impl Fault for Breach {
    fn code(&self) -> &'static str {
        match self {
            Self::Sequence => "deal.sequence",
            Self::Fork { .. } => "deal.fork",
            Self::NotEnabled(_) => "terms.not-enabled",
            Self::Late => "terms.late",
            Self::Field(_) => "terms.field",
            Self::Guard(_) => "terms.guard",
            Self::Item { .. } => "terms.item",
            Self::Ceiling => "terms.ceiling",
            Self::Signer => "terms.signer",
            Self::Delivered { .. } => "terms.delivered",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn standing(&self) -> Standing {
        match self {
            Self::Delivered { .. } => Standing::HeldFairly,
            _ => Standing::NothingMoved,
        }
    }
}

/// Our own move is not what the terms allow: a fault of this program, and the move never left it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a move of ours is not allowed here: {0}")]
pub struct OwnMove(pub Breach);

impl Fault for OwnMove {
    fn code(&self) -> &'static str {
        "bug.own-move"
    }

    fn blame(&self) -> Blame {
        Blame::Ourselves
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
