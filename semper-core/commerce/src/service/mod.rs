//! Terms of business: a commerce service as a chart that the merchant fixed in advance.
//!
//! ```text
//! terms.toml, blocks/*.toml --read--> Definition --flatten--> Statechart --check--> what both sides run
//! ```
//!
//! A [`definition`] is what people write: one service, and building blocks it is made of. [`flatten`] puts the
//! blocks where they are used; only the flat [`statechart`] has a meaning. Files are identified by the SHA-256
//! of their bytes as delivered and are never written anew. What this reader does not know is refused, never
//! ignored.
//!
//! What terms compute they say in [`expression`]s; what people fill in are [`form`]s.

pub mod check;
pub mod definition;
pub mod duration;
pub mod expression;
pub mod fault;
pub mod flatten;
pub mod form;
pub mod outline;
pub mod shipped;
pub mod source;
pub mod statechart;

pub use fault::TermsFault;
pub use statechart::Statechart;
