//! The third parties of the marketplace, as roles of one daemon: registration, bank, arbiter, evaluator.
//!
//! Each role is a pure machine of a lower layer behind a desk that stores what the machine orders in one
//! transaction and answers only after it. A daemon may wear one role or several; each has its own folder,
//! keys and archive.

pub mod arbiter;
pub mod authority;
pub mod config;
pub mod control;
pub mod counter;
pub mod evaluator;
pub mod office;
pub mod others;
pub mod program;
pub mod serve;

pub use arbiter::Arbiter;
pub use counter::Counter;
pub use office::Office;
