//! Evidence: what is signed, how it is read, and how a judge checks it without us.

pub mod bundle;
pub mod registry;
pub mod signed;
pub mod statement;

pub use signed::{Claimed, Signable, SignedBytes, Verified, check_time};
pub use statement::Statement;
