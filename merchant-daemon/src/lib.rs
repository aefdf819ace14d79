//! The merchant's program: it registers, opens a till at its bank, seals goods and hands out their sealed
//! form, and publishes its terms of business.
//!
//! Sealed goods are of no use without their keys, so the shop lets every certified caller have them, in any
//! piece, as often as it likes; that keeps deals short, and makes a cut download a small matter.
//!
//! Beside the daemon the shop may have web pages ([`storefront`]), from which a link leads into the buyer's wallet.

pub mod catalogue;
pub mod config;
pub mod control;
pub mod demo;
pub mod goods;
pub mod program;
pub mod selling;
pub mod serve;
pub mod shop;
pub mod storefront;
pub mod terms;
pub mod till;

/// What a shop is asked about its goods, and what it answers.
pub use semper_transfer::catalogue as wire;
