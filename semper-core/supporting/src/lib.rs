//! The supporting services of SEMPER, as contracts and cryptography.
//!
//! Everything here is pure: time, chance, messages and the user's answers are arguments, effects are
//! results. The one driver that does things is the engine; the modules that touch sockets and files sit
//! beside it.

pub mod access;
pub mod archive;
pub mod certificate;
pub mod comm;
pub mod crypto;
pub mod deal;
pub mod evidence;
pub mod fault;
pub mod machine;
pub mod money;
pub mod party;
pub mod preferences;
pub mod registration;
pub mod time;
pub mod tinguin;
pub mod wire;
