//! Calls over real connections, to those who answer well and to those who do not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails here has failed"
)]

mod arbiter;
mod bank;
mod goods;
mod market;
mod words;
