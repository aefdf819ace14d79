//! The wallet: the shopper's program. An encrypted archive, keys, and the one trusted window.
//!
//! ```text
//! profile ─ password ─► wallet (archive, keys) ─► follow ─► bridge ═► shell (what the window shows)
//!                                                            tasks      UI thread, never waits
//! ```
//!
//! The window itself, without a program around it, is the crate `semper-tinguin`. Here are its folder and
//! lock, the tasks beside it, and the commands of `semper-wallet`.

pub mod account;
pub mod bridge;
pub mod buying;
pub mod cli;
pub mod consent;
pub mod deals;
pub mod desk;
pub mod duty;
pub mod evidence;
pub mod fault;
pub mod first;
pub mod follow;
pub mod harden;
pub mod ledger;
pub mod lines;
pub mod membership;
pub mod password;
pub mod pin;
pub mod places;
pub mod preferences;
pub mod profile;
pub mod seed;
pub mod shell;
mod staging;
pub mod start;
pub mod terms;
pub mod throttle;
pub mod wallet;
