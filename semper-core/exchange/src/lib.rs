//! Fair exchange of packages: both sides get what was agreed, or neither does.
//!
//! The two managers settle what protocol fits the packages ([`select`]); the protocol's machines run it.
//! A third party is asked only when something goes wrong, and decides once. Protocols are folders:
//! [`generatable_verifiable`] (`gxv/1`) and [`transfers_only`] (`xfer/1`); a further one is another folder, a
//! row of the table in [`select`], and its messages.
//!
//! Everything here is pure. Signatures are checked before a message becomes an input ([`check`]), and what is
//! to be signed leaves as a [`message::Draft`]: no machine ever holds a key or a bare yes.

pub mod check;
pub mod deadlines;
pub mod generatable_verifiable;
pub mod heads;
pub mod message;
pub mod prompt;
pub mod recourse;
pub mod run;
pub mod select;
pub mod tell;
pub mod transfers_only;
pub mod xid;
