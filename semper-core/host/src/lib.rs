//! What every program of SEMPER needs to live on a machine: a folder with an encrypted archive, keys that
//! are stored wrapped, its papers and how it gets them, the clock, and random bytes; for a daemon also its configuration and signals.
//!
//! Nothing here knows what a program does. It opens what the layers and the engine are given.

pub mod chance;
pub mod config;
pub mod control;
pub mod daemon;
pub mod enrol;
pub mod folder;
pub mod keyring;
pub mod membership;
pub mod papers;
pub mod record;

pub use chance::{now, random};
pub use folder::{Folder, FolderError};
pub use keyring::{Keyring, KeyringError};
pub use membership::{Membership, MembershipError, Registration};
pub use papers::Papers;
