//! The contract of the trusted window: what a person is asked, in which facts, and what the answer permits.
//!
//! There is no drawing in here. The window, a scripted buyer and a daemon's policy are three answers to the
//! same questions; only the gate of this module turns an answer into a [`Permit`].

pub mod permit;
pub mod prompt;

pub use permit::{MintedBy, Permit, PermitError, Rule};
pub use prompt::Critical;
