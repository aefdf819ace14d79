//! Registration: how somebody who was checked in person gets exactly one set of certificates.
//!
//! A registration authority checks a person off line, enters the names and hands over a letter with a personal
//! registration key. The wallet proves that it knows the key, without ever sending it, and that it holds the
//! private keys it asks certificates for; the authority's desk issues one set per letter and the same set
//! again to the same requests, however often either side crashed in between.
//!
//! ```text
//! wallet                                        authority
//!   | RegBegin  prk-id                              |   prk-id = SHA-256("semper-prk-id/1" ‖ K), 8 bytes
//!   |---------------------------------------------->|
//!   | Nonce     32 bytes, five minutes, one use     |
//!   |<----------------------------------------------|
//!   | RegFinish requests, names, mac                |   mac = HMAC(K, nonce ‖ TLS exporter ‖ requests, names)
//!   |---------------------------------------------->|   names, tries, keys; then issues and stores at once
//!   | Set       certificates, mac2                  |
//!   |<----------------------------------------------|
//! ```
//!
//! That nobody learns from the time of an answer whether a key is known is the daemon's part: it releases every
//! answer to `RegBegin` and `RegFinish` on the next 50 ms mark, and takes at most five registrations a second.

pub mod applicant;
pub mod desk;
pub mod facts;
pub mod generator;
pub mod letter;
pub mod message;
pub mod prk;
pub mod record;
pub mod seed;
