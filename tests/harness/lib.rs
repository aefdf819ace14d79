//! A market on one machine: real programs as processes in a temporary folder, people who use them, and
//! what can go wrong between the two.
//!
//! * [`Marketplace`] sets up a certification authority, a bank, an arbiter and a [`Shop`] from their binaries,
//!   and ends every process when it is dropped.
//! * [`Person`] is a customer or a merchant made of the crates that the programs are made of: a folder,
//!   keys, a registration by letter, accounts and purses over TLS.
//! * [`Shopper`] is a customer with the library of the wallet, and [`ScriptedUi`] the window he looks at: it reads
//!   every prompt and confirms only what it was told to expect.
//! * [`Screen`] is a screen in memory with hands, and [`Window`] the wallet's program on it.
//! * [`Chaos`] mistreats the messages of sales as a seed has it, and a [`Wire`](wire::Wire) falls where it is told.
//! * [`Relay`] stands between a caller and a daemon, and cuts.
//!
//! Nothing here waits by sleeping: a process is ready when it says so, and gone when the system says so.

pub mod arbiter;
pub mod buyer;
pub mod chaos;
pub mod daemon;
pub mod doom;
pub mod dossier;
pub mod failure;
pub mod kept;
pub mod letter;
pub mod marketplace;
pub mod money;
pub mod page;
pub mod person;
pub mod programs;
pub mod relay;
pub mod screen;
pub mod script;
pub mod shop;
pub mod shopper;
pub mod wire;

pub use chaos::Chaos;
pub use daemon::{Daemon, Said};
pub use failure::{Failure, Result};
pub use kept::Kept;
pub use letter::Letter;
pub use marketplace::{Marketplace, long_trial, trial, whole_trial};
pub use money::{Account, Done, Till};
pub use person::Person;
pub use relay::{Cut, Relay};
pub use screen::{Screen, Window};
pub use script::{Expected, ScriptedUi};
pub use shop::{Shop, Ware};
pub use shopper::Shopper;
