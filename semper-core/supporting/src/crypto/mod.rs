//! Digests, signatures, and the sealing of data to a third party.

pub mod digest;
pub mod keys;
pub mod seal;
pub mod signature;
pub mod tally;
