//! Why a call came to nothing.

use semper_supporting::{
    certificate::CertificateFault,
    comm::{fault::FrameError, hello::Complaint, session::Why},
    crypto::signature::Kid,
    evidence::signed::EvidenceError,
    fault::{Blame, Fault, Standing},
    wire::WireError,
};

/// Why a call came to nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallFault {
    /// There is no connection, or it ended before the answer was here.
    #[error(transparent)]
    Unreachable(#[from] Why),
    /// Whoever answers is certified, but holds another key than the one to be asked.
    #[error("The key {found} answers, where {expected} was to be asked.")]
    OtherKey {
        /// The key to be asked.
        expected: Kid,
        /// The key in the connection.
        found: Kid,
    },
    /// It does not answer this question; its own word for why, a dotted code.
    #[error("The other side does not answer this: {0}.")]
    Refused(String),
    /// What came is no answer to this question.
    #[error("The answer cannot be read: {0}")]
    Unreadable(FrameError),
    /// The question does not fit into a frame.
    #[error("The question cannot be sent: {0}")]
    Unsendable(FrameError),
    /// The certificate beside a statement is refused.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// A signature or its form is wrong.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The third party's own description of itself is not one to rely on.
    #[error("What the third party says of itself cannot be used: {0}.")]
    Caps(&'static str),
}

impl CallFault {
    /// The refusal with this word of the other side, which may be any text.
    pub(super) fn refused(word: &str) -> Self {
        // What has not the form of a code becomes one of ours.
        Self::Refused(Complaint::about(word, None).code().to_owned())
    }

    pub(crate) fn unreadable(error: impl Into<FrameError>) -> Self {
        Self::Unreadable(error.into())
    }

    pub(crate) fn unsendable(error: impl Into<FrameError>) -> Self {
        Self::Unsendable(error.into())
    }

    /// Whether calling again would end alike until somebody does something about it.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Unreachable(why) => why.is_lasting(),
            Self::Refused(code) => !matches!(code.as_str(), "arbiter.too-often" | "internal" | "net.busy"),
            Self::Certificate(fault) => fault.blame() == Blame::Peer,
            Self::OtherKey { .. } | Self::Unreadable(_) | Self::Unsendable(_) => true,
            Self::Evidence(_) | Self::Caps(_) => true,
        }
    }
}

impl From<WireError> for CallFault {
    fn from(error: WireError) -> Self {
        Self::unreadable(error)
    }
}

impl Fault for CallFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(why) => why.code(),
            Self::OtherKey { .. } => "call.other-key",
            Self::Refused(_) => "call.refused",
            Self::Unreadable(_) => "call.unreadable",
            Self::Unsendable(_) => "call.unsendable",
            Self::Certificate(fault) => fault.code(),
            Self::Evidence(error) => error.code(),
            Self::Caps(_) => "arbiter.caps",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Unreachable(why) => why.blame(),
            Self::Certificate(fault) => fault.blame(),
            Self::Unsendable(_) => Blame::Ourselves,
            Self::OtherKey { .. } | Self::Refused(_) | Self::Unreadable(_) => Blame::Authority,
            Self::Evidence(_) | Self::Caps(_) => Blame::Authority,
        }
    }

    /// What was asked may have been done although no answer came; what was not sent was not.
    fn standing(&self) -> Standing {
        match self {
            Self::OtherKey { .. } | Self::Unsendable(_) | Self::Caps(_) => Standing::NothingMoved,
            _ => Standing::Undecided,
        }
    }
}
