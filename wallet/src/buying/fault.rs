//! Why something about a purchase did not happen.

use semper_engine::EngineError;
use semper_host::{chance::NoChance, keyring::KeyringError, papers::PapersError};
use semper_supporting::{
    archive::StoreError, certificate::CertificateFault, comm::address::AddressError, fault::Fault as _,
};
use semper_trade::{calls::goods::GoodsFault, order::OrderFault, sale::LineFault};

use crate::{account::AccountFault, places::PlacesFault};

/// Why something about a purchase did not happen. What was begun before goes on.
#[derive(Debug, thiserror::Error)]
pub enum BuyingFault {
    /// Nothing was ordered.
    #[error(transparent)]
    Order(#[from] OrderFault),
    /// The accounts and purses.
    #[error(transparent)]
    Account(#[from] AccountFault),
    /// There is no certificate to sign under.
    #[error("this wallet is not registered")]
    NotRegistered,
    /// There is no such sale.
    #[error("there is no such sale")]
    NoSale,
    /// The sale has no line to its shop.
    #[error("the shop: {0}")]
    Line(#[from] LineFault),
    /// The engine takes nothing.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The archive refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of goods.
    #[error(transparent)]
    Goods(#[from] GoodsFault),
    /// The places.
    #[error(transparent)]
    Places(#[from] PlacesFault),
    /// An address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The papers.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// A certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// There are no random bytes.
    #[error(transparent)]
    Chance(#[from] NoChance),
}

impl BuyingFault {
    /// The stable dotted code of the fault.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Order(fault) => fault.code(),
            Self::Account(fault) => fault.code(),
            Self::NotRegistered => "membership.none",
            Self::NoSale => "deal.other",
            Self::Line(LineFault::Lasting(why)) => why.code(),
            Self::Line(LineFault::OtherKey { .. }) => "deal.wrong-key",
            Self::Line(LineFault::Engine(error)) => error.code(),
            Self::Engine(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Goods(fault) => fault.code(),
            Self::Places(PlacesFault::Store(error)) => error.code(),
            Self::Places(PlacesFault::Address(fault)) | Self::Address(fault) => fault.code(),
            Self::Papers(PapersError::Store(error)) => error.code(),
            Self::Papers(PapersError::Certificate(fault)) | Self::Certificate(fault) => fault.code(),
            Self::Keys(_) => "wallet.keys",
            Self::Chance(error) => error.code(),
        }
    }
}
