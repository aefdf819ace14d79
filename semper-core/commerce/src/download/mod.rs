//! Services that come over the network: one file, signed by the merchant, reviewed by evaluators.
//!
//! ```text
//! terms, blocks, texts, prose --pack--> package --read--> Package   (ustar; named by the SHA-256 of its list)
//! service-terms, service-evaluation, evaluation-revocations --trust--> Believed { grade, scope }
//! pins, Package --pin--> first seen, unchanged, update, downgrade, equivocation
//! ```
//!
//! Nothing in a package can be executed, and there is nothing here that would execute it. Everything is bytes in,
//! values out; who fetches, keeps and signs is somebody else.

pub mod evaluation;
pub mod fault;
mod gather;
pub mod pack;
pub mod package;
pub mod pin;
pub mod play;
pub mod prose;
mod report;
pub mod shipped;
pub mod terms_statement;
pub mod translation;
pub mod trust;
pub mod update;
pub mod ustar;
pub mod withdrawn;

pub use evaluation::{EvaluationRevocations, Scope, ServiceEvaluation};
pub use fault::ServiceFault;
pub use gather::with_evaluations;
pub use package::Package;
pub use pin::Pin;
pub use report::report;
pub use terms_statement::{Equivocation, ServiceTerms};
