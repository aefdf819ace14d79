//! The services and building blocks that come with SEMPER.
//!
//! Legal windows in them follow European consumer law as we understand it and must be reviewed by a lawyer
//! before real use.

use super::{Statechart, TermsFault, definition::Definition, flatten::flatten};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../../assets/services/", $name)))),*]
    };
}

/// The building blocks, by file.
pub const BLOCKS: &[(&str, &[u8])] = files![
    "blocks/buy-online.toml",
    "blocks/haggle.toml",
    "blocks/offer-order.toml",
    "blocks/order.toml",
    "blocks/pay.toml",
    "blocks/refund.toml",
    "blocks/ship.toml",
    "blocks/withdraw.toml",
];

/// The services, by file.
pub const SERVICES: &[(&str, &[u8])] = files![
    "certified-mail.toml",
    "consultancy.toml",
    "contract.toml",
    "info-play.toml",
    "info.toml",
    "mailorder-invoice.toml",
    "mailorder.toml",
    "mall-purchase.toml",
    "mall-tenancy.toml",
    "registration.toml",
    "rfq.toml",
    "subscription.toml",
    "tickets.toml",
];

/// All building blocks, read.
///
/// # Errors
/// None with the files that come with SEMPER, which a test asserts.
pub fn blocks() -> Result<Vec<Definition>, TermsFault> {
    BLOCKS.iter().map(|(file, bytes)| Definition::read(file, bytes)).collect()
}

/// The service in `file`, flat.
///
/// # Errors
/// [`TermsFault::Reference`] for a file that is not among [`SERVICES`].
pub fn service(file: &str) -> Result<Statechart, TermsFault> {
    let (_, bytes) = SERVICES
        .iter()
        .find(|(name, _)| *name == file)
        .ok_or_else(|| TermsFault::reference("the services that come with SEMPER", file))?;
    flatten(&Definition::read(file, bytes)?, &blocks()?)
}
