//! Why a deal is not opened, not resumed or not closed.

use semper_supporting::{
    comm::envelope::EnvelopeError,
    evidence::statement::StatementError,
    fault::{Blame, Fault, Standing},
};

/// Why a deal is not opened, not resumed or not closed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DealFault {
    /// The server has other terms, or none.
    #[error("The shop does not offer these terms (any more).")]
    TermsUnknown,
    /// The two sides have no value of an attribute in common.
    #[error("{attribute} must be {need}; the other side offers only {offer}.")]
    AttributeUnsatisfiable {
        /// The attribute.
        attribute: &'static str,
        /// What the client needs.
        need: String,
        /// What the server can do.
        offer: String,
    },
    /// The other side chose, or proposed, what is not on offer.
    #[error("The other side chose {0}, which was not offered.")]
    BadChoice(&'static str),
    /// A nonce was used twice.
    #[error("The other side did not bring a fresh number of its own.")]
    BadNonce,
    /// The key of the connection, or of a signature, is not the one the deal was opened with.
    #[error("The other side does not show the key this deal was opened with.")]
    WrongKey,
    /// A statement does not answer the one before it, or is about another deal.
    #[error("The other side's message does not belong to this deal.")]
    Mismatch(&'static str),
    /// The clocks differ too much.
    #[error("Your clock and the other side's differ too much. Deadlines would be wrong; check the date.")]
    Clock,
    /// The other side does not want the deal.
    #[error("The other side declined.")]
    Declined,
    /// The two records of the deal differ.
    #[error(transparent)]
    Record(#[from] EnvelopeError),
    /// Something is still owed.
    #[error("You still owe something. Closing now would be a breach of the terms.")]
    Owes,
    /// The two sides count differently what was paid.
    #[error("The two sides differ on what was paid in this deal.")]
    LedgerDiffers,
    /// A statement cannot be written.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

impl Fault for DealFault {
    fn code(&self) -> &'static str {
        match self {
            Self::TermsUnknown => "terms.unknown",
            Self::AttributeUnsatisfiable { .. } => "deal.attribute-unsatisfiable",
            Self::BadChoice(_) => "deal.bad-choice",
            Self::BadNonce => "deal.bad-nonce",
            Self::WrongKey => "deal.wrong-key",
            Self::Mismatch(_) => "deal.mismatch",
            Self::Clock => "deal.clock",
            Self::Declined => "deal.declined",
            Self::Record(error) => error.code(),
            Self::Owes => "deal.owes",
            Self::LedgerDiffers => "deal.ledger-differs",
            Self::Statement(error) => error.code(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Record(error) => error.blame(),
            Self::Statement(_) => Blame::Ourselves,
            Self::Clock => Blame::Network,
            Self::Owes => Blame::User,
            _ => Blame::Peer,
        }
    }

    fn standing(&self) -> Standing {
        match self {
            Self::Record(_) | Self::Owes | Self::LedgerDiffers => Standing::Undecided,
            _ => Standing::NothingMoved,
        }
    }
}
