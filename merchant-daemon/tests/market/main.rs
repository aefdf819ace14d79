//! A shop among real third parties: set up, stocked, and asked.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails here has failed"
)]

mod browser;
mod fetching;
mod offers;
mod pages;
mod setting_up;
mod trading;
mod world;
