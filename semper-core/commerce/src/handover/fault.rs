//! Why a link or an invite file is not followed.

use semper_supporting::fault::{Blame, Fault, Standing};

/// Why a link or an invite file is not followed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HandoverFault {
    /// The link is not of the form that shops write.
    #[error("This SEMPER link is damaged or not genuine: {0}.")]
    Link(&'static str),
    /// The link, or the way back in it, leads into the network the wallet stands in.
    #[error("{0} is an address inside your own network. It is used in demonstrations only.")]
    Internal(String),
    /// The file is not an invite.
    #[error("This invite file is damaged or not genuine: {0}.")]
    Invite(String),
    /// What is pointed to is not there, or the link does not carry the right claim on it.
    #[error("The shop knows nothing of this link.")]
    Unknown,
    /// It was not claimed in time.
    #[error("This offer has lapsed.")]
    Lapsed,
    /// Another key has claimed it before.
    #[error("Somebody else has already opened this offer. Go back to the shop and order again.")]
    Claimed,
    /// This wallet has opened it before.
    #[error("You have already opened this offer.")]
    Yours,
}

impl Fault for HandoverFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Link(_) => "uri.bad",
            Self::Internal(_) => "uri.internal",
            Self::Invite(_) => "uri.invite",
            Self::Unknown => "uri.unknown",
            Self::Lapsed => "uri.lapsed",
            Self::Claimed => "uri.claimed",
            Self::Yours => "uri.yours",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Lapsed | Self::Yours => Blame::User,
            // Whoever made the link, or took it away; the page is not the shop that is called.
            Self::Link(_) | Self::Internal(_) | Self::Invite(_) | Self::Unknown | Self::Claimed => {
                Blame::Peer
            }
        }
    }

    fn standing(&self) -> Standing {
        Standing::NothingMoved
    }
}
