//! Why something was not permitted, or why an answer does not count.

use semper_host::{chance::NoChance, keyring::KeyringError};
use semper_supporting::{
    access::Denied,
    archive::StoreError,
    evidence::statement::StatementError,
    fault::Fault as _,
    tinguin::{
        Critical,
        gate::{AnswerFault, GateError},
        pin::PinError,
        prompt::{DeclineReason, Withdrawn},
        queue::TrayError,
    },
    wire::WireError,
};

/// Why something was not permitted. Nothing was signed, and nothing has moved because of it.
#[derive(Debug, thiserror::Error)]
pub enum ConsentFault {
    /// Access control refuses.
    #[error("not allowed: {0}")]
    Denied(Denied),
    /// The person declined.
    #[error("the person declined")]
    Declined(DeclineReason),
    /// Nobody answered in time.
    #[error("nobody answered in time")]
    Expired,
    /// The question was taken back: the wallet is locked, or the question is no longer needed.
    #[error("the question was taken back")]
    Withdrawn(Withdrawn),
    /// Something that was shown has changed.
    #[error("something that was shown has changed")]
    Stale,
    /// There is no window, so that nobody can be asked.
    #[error("nobody can be asked")]
    Unavailable,
    /// A person would have to be asked about something that has no facts to show.
    #[error("a person would have to be asked ({0:?}), and there is nothing to show")]
    Unasked(Critical),
    /// Access control wants another kind of prompt than the statement has facts for.
    #[error("to be asked about as {asked:?}, shown as {shown:?}")]
    Family {
        /// The family that access control demands.
        asked: Critical,
        /// The family the statement belongs to.
        shown: Critical,
    },
    /// The draft is of a type that a person signs nothing of here.
    #[error("a statement of type {0} is not signed here")]
    Draft(String),
    /// The answer was lost inside the program.
    #[error("the answer was lost")]
    Lost,
    /// The question cannot be asked.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The question does not get into the tray.
    #[error(transparent)]
    Tray(#[from] TrayError),
    /// A draft cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The keys refuse.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was shown cannot be written down.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

impl ConsentFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(why) => why.code(),
            Self::Declined(_) => "consent.declined",
            Self::Expired => "consent.expired",
            Self::Withdrawn(_) => "consent.withdrawn",
            Self::Stale => "consent.stale",
            Self::Unavailable => "consent.unavailable",
            Self::Unasked(_) | Self::Family { .. } | Self::Draft(_) => "consent.unshown",
            Self::Lost => "consent.lost",
            Self::Gate(error) => error.code(),
            Self::Tray(error) => error.code(),
            Self::Statement(error) => error.code(),
            Self::Keys(_) => "wallet.keys",
            Self::Store(error) => error.code(),
            Self::Wire(_) => "wallet.damaged",
            Self::Chance(error) => error.code(),
        }
    }
}

/// Why an answer does not count. The question stays open.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The gate does not take it.
    #[error(transparent)]
    Answer(#[from] AnswerFault),
    /// The PIN is wrong, or none is taken now.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// No PIN was set.
    #[error("no PIN has been set")]
    NoPin,
    /// The archive refuses, so that no try can be counted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refused {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Answer(fault) => fault.code(),
            Self::Pin(fault) => fault.code(),
            Self::NoPin => "pin.absent",
            Self::Store(error) => error.code(),
        }
    }
}
