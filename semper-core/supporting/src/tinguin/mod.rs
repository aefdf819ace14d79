//! The contract of the trusted window: what a person is asked, in which facts, and what the answer permits.
//!
//! There is no drawing in here. The window, a scripted buyer and a daemon's policy are three answers to the
//! same questions; only the gate of this module turns an answer into a [`Permit`].

pub mod facts;
mod fault;
pub mod gate;
pub mod permit;
pub mod pin;
pub mod prompt;
pub mod queue;
pub mod risk;
pub mod text;
pub mod window;
pub mod words;

pub use facts::{Fact, FactKey, FactValue, Facts, Provenance, Weight};
pub use gate::{Ask, Confirmable, Gate, Grants, Outcome, Part, Pending, Situation};
pub use permit::{MintedBy, Permit, PermitError, Rule};
pub use pin::{PinLock, PinVerified};
pub use prompt::{Answer, Critical, DisplayRecord, Gesture, PromptId, SealedPrompt};
pub use queue::Tray;
pub use risk::{Friction, Level};
pub use text::{PartyName, Quote, Quoted, TextRefused, Untrusted};
pub use window::{DenyAll, Tinguin};
pub use words::{Shown, Words};
