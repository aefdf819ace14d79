//! Why a sale does not come about, or a message in it is not taken.

use semper_exchange::{
    check::{MessageFault, OfferFault},
    generatable_verifiable::BadPlan,
    select::Unselectable,
};
use semper_supporting::{
    comm::{envelope::EnvelopeError, fault::FrameError},
    evidence::{signed::EvidenceError, statement::StatementError},
    fault::{Blame, Fault, Standing},
    machine::Refused,
};
use semper_transfer::{
    fault::{ItemFault, Mismatch, PackageFault},
    payment::{PayError, negotiation::NegError},
};

use crate::{
    deal::DealFault,
    runner::{Breach, OwnMove},
    service::form::FormFault,
};

/// Why a sale does not come about, or a message in it is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SaleFault {
    /// The price is above what may leave at most.
    #[error("the price is above what may leave in this deal")]
    Ceiling,
    /// The opening failed.
    #[error(transparent)]
    Deal(#[from] DealFault),
    /// The other side's message has no place in the deal.
    #[error(transparent)]
    Record(#[from] EnvelopeError),
    /// The bytes are no message of a sale.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A signature or form is wrong.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A message of the exchange is not by whom it says.
    #[error(transparent)]
    Message(#[from] MessageFault),
    /// The negotiation of the exchange led nowhere.
    #[error(transparent)]
    Unselectable(#[from] Unselectable),
    /// The negotiation of means led nowhere.
    #[error(transparent)]
    Means(#[from] NegError),
    /// The payment module refuses.
    #[error(transparent)]
    Pay(#[from] PayError),
    /// OFFER is refused.
    #[error(transparent)]
    Offer(#[from] OfferFault),
    /// OFFER cannot be written.
    #[error(transparent)]
    Plan(#[from] BadPlan),
    /// An item is not the one agreed upon.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// An item cannot be prepared or relied on.
    #[error(transparent)]
    Item(#[from] ItemFault),
    /// A package cannot be built.
    #[error(transparent)]
    Package(#[from] PackageFault),
    /// The other side does what the agreed terms do not allow.
    #[error(transparent)]
    Breach(#[from] Breach),
    /// Our own move is not what the agreed terms allow.
    #[error(transparent)]
    OwnMove(#[from] OwnMove),
    /// A form is not filled in as it should be.
    #[error(transparent)]
    Form(#[from] FormFault),
    /// It is out of place here.
    #[error("this does not belong here now")]
    OutOfPlace,
    /// The other side does not go on; its own word for why.
    #[error("the other side does not go on: {0}")]
    PeerDeclined(String),
}

impl From<StatementError> for SaleFault {
    fn from(error: StatementError) -> Self {
        Self::Evidence(error.into())
    }
}

impl From<Refused> for SaleFault {
    fn from(_: Refused) -> Self {
        Self::OutOfPlace
    }
}

impl Fault for SaleFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Ceiling => "deal.ceiling",
            Self::Deal(fault) => fault.code(),
            Self::Record(error) => error.code(),
            Self::Frame(error) => error.code(),
            Self::Evidence(error) => error.code(),
            Self::Message(fault) => fault.code(),
            Self::Unselectable(error) => error.code(),
            Self::Means(error) => error.code(),
            Self::Pay(error) => error.code(),
            Self::Offer(fault) => fault.code(),
            Self::Plan(_) => "exchange.offer-plan",
            Self::Mismatch(mismatch) => mismatch.code(),
            Self::Item(fault) => fault.code(),
            Self::Package(fault) => fault.code(),
            Self::Breach(breach) => breach.code(),
            Self::OwnMove(own) => own.code(),
            Self::Form(fault) => fault.code(),
            Self::OutOfPlace => "sale.out-of-place",
            Self::PeerDeclined(_) => "deal.declined",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Ceiling => Blame::User,
            Self::Means(NegError::None(_)) => Blame::User,
            Self::Pay(_) | Self::Plan(_) => Blame::Ourselves,
            Self::Deal(fault) => fault.blame(),
            Self::OwnMove(own) => own.blame(),
            Self::Form(fault) => fault.blame(),
            Self::Record(error) => error.blame(),
            _ => Blame::Peer,
        }
    }

    fn standing(&self) -> Standing {
        match self {
            Self::Record(_) | Self::OutOfPlace => Standing::Undecided,
            Self::Deal(fault) => fault.standing(),
            _ => Standing::NothingMoved,
        }
    }
}
