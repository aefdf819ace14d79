//! `xfer/1`: one package moves, with the evidence of its origin and, when it was asked for, of its receipt.
//! There is nothing to be fair about, and no third party stands by.
//!
//! ```text
//! 1  O -> R   MESSAGE
//! 2  R -> O   CLOSE      when the transfer is to be receipted
//! ```

pub mod receiver;
pub mod sender;

pub use receiver::Receiver;
pub use sender::Sender;

/// The protocol of this folder.
pub const PROTO: &str = "xfer/1";
