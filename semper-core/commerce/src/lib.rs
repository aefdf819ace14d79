//! Deals, and what is done in them.
//!
//! A [`deal`] is the security context of one business between two parties: it fixes who they are, what every
//! block must guarantee and how much money may leave at most, before anything valuable moves.
//!
//! Everything here is pure. Signatures are checked before a message is acted upon, and what is to be signed
//! leaves as a draft: no machine ever holds a key or a bare yes.

pub mod deal;
pub mod download;
pub mod handover;
pub mod runner;
pub mod sale;
pub mod service;
