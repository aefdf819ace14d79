//! Why terms of business are not accepted.

use semper_supporting::fault::{Blame, Fault, Standing};

/// Why terms of business are not accepted.
///
/// Whoever wrote the terms is to blame for all of these: a shop that signs such terms offers nothing that a
/// program could keep it to.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TermsFault {
    /// A file has a character that terms may not have, or is not text.
    #[error("{file}{}: {what}", at_line(*line))]
    BadText {
        /// The file.
        file: String,
        /// Where, counted from 1; 0 where an escape stands for the character.
        line: usize,
        /// What is there.
        what: &'static str,
    },
    /// A file, or what becomes of it, is larger than terms may be.
    #[error("{what}: {found}, and at most {most} are allowed")]
    Size {
        /// What is too large.
        what: &'static str,
        /// How large it is; where counting stopped early, one more than allowed.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// A file is not in the format of terms of business.
    #[error("{file}: {reason}")]
    Form {
        /// The file.
        file: String,
        /// What the reader found.
        reason: String,
    },
    /// A name means nothing where it stands.
    #[error("{place}: {name:?} names nothing")]
    Reference {
        /// Where it stands.
        place: String,
        /// The name.
        name: String,
    },
    /// A block cannot be put where it is used.
    #[error("{place}: {reason}")]
    Flatten {
        /// The instance, as a path in the flat chart.
        place: String,
        /// What does not fit.
        reason: String,
    },
}

fn at_line(line: usize) -> String {
    if line == 0 { ", in an escape".to_owned() } else { format!(", line {line}") }
}

impl TermsFault {
    /// That `name` means nothing at `place`.
    pub(super) fn reference(place: &str, name: &str) -> Self {
        Self::Reference { place: place.to_owned(), name: name.to_owned() }
    }

    /// That `place` cannot be made flat.
    pub(super) fn flatten(place: &str, reason: impl Into<String>) -> Self {
        Self::Flatten { place: place.to_owned(), reason: reason.into() }
    }
}

impl Fault for TermsFault {
    fn code(&self) -> &'static str {
        match self {
            Self::BadText { .. } => "tob.bad-text",
            Self::Size { .. } => "tob.size",
            Self::Form { .. } => "tob.parse",
            Self::Reference { .. } => "tob.reference",
            Self::Flatten { .. } => "tob.flatten",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Peer
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
