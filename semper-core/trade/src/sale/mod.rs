//! Sales as instances of the engine.
//!
//! ```text
//! connection ── frame ──► Trader (Buyer or Seller) ── rows, evidence, journal, timers ──► one transaction
//!     ▲                                            └─ errands ──► frame out, bank, third party, download,
//!     └───────────────────────────────────────────────            opening the seal, question to the user
//! ```
//!
//! [`Trader`] is the machine: a buyer or a seller of the commerce layer, with what a program must know to
//! carry its orders out. [`SaleHost`] tells the engine what each of these orders is. [`Errands`] performs what
//! leaves the program, and [`Lines`] knows the connections there are.
//!
//! Frames are sent once over whatever connection stands, and never waited for: what a fall swallows, the record
//! of the deal sends again on the next connection.

mod counter;
mod errand;
mod host;
mod input;
mod lines;
mod patience;
mod perform;
mod register;
mod sign;
mod trader;

pub use self::{
    counter::{Counter, CounterFault, Guest, Shop},
    errand::{Errand, Place},
    host::{Books, SaleHost},
    input::{Heard, SaleInput, Shown},
    lines::{LineFault, Lines, Way, carry},
    perform::{Asked, Errands, Unattended, User},
    register::{Entry, SALE, Side, list, open, with_deal, with_id},
    sign::{Signing, Standing, sign},
    trader::{Links, Order, Trader, Turn},
};

/// The kind of instance that a sale is.
pub const KIND: &str = "sale";
