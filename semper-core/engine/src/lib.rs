//! The only driver of machines.
//!
//! A program gives its machines as one enum, and says as a [`Host`] what each of their outputs is to the
//! engine: rows and guards, an entry of the journal, evidence, a timer, a statement that was signed, an
//! input for another instance, or an effect to perform. For every input the engine takes one step and
//! commits one transaction: journal, new state, rows, timers, effects as bytes, and the mark by which a
//! repetition is recognised. Then it performs the effects, and marks each one done.
//!
//! ```text
//! submit ─► step ─► one transaction ─► perform ─► done
//!            ▲            │               │
//!            └─ guard ────┘               └─ answer is an input, taken together with the mark "done"
//! ```
//!
//! After a crash the engine loads what is not marked done and performs it: the same code, no second path.
//! Effects are therefore performed at least once and bring their own names, by which their receiver
//! recognises a repetition. Steps of one instance happen one after the other; several instances go on side
//! by side and share the flushes of the archive.

mod clock;
mod driver;
mod fault;
mod handle;
mod host;
mod journal;
mod outbox;
mod plan;
mod random;
mod recovery;
mod registry;
mod tables;
mod timers;

pub use clock::{Clock, SystemClock, VirtualClock};
pub use fault::EngineError;
pub use handle::{Ack, Engine, Limits, Parts, stored, undone};
pub use host::{Class, Context, Declined, Effect, Host, Key, Nature, Order, Performed, Performer};
pub use journal::StepRecord;
pub use random::{Block, KeyedRandomness, RandomError, Randomness};
pub use tables::TABLES;
