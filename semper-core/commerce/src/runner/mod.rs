//! A deal under terms of business, as both sides run it.
//!
//! Both sides hold the same flat chart and compute the same [`Configuration`]; each checks what the other does
//! against it before anything else sees it.

mod configuration;

pub use configuration::{ATTEMPTS, Configuration, Done, NotEnabled, SKEW};
