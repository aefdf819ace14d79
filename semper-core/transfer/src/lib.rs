//! Items of business and the packages they travel in: payments, credentials, statements and data, each
//! with a manager, and the properties by which a third party can check, make or undo a transfer.
//!
//! What is agreed upon is never the item but its [`description`]: exact, machine-checkable, and hashed over
//! the very lines that stand in the signed offer. The exchange layer swaps [`package`]s by what
//! [`property`] says of their leaves and knows nothing of statements, keys or banks.

pub mod attribute;
pub mod catalogue;
pub mod conformance;
pub mod data;
pub mod description;
pub mod escrow;
pub mod expectation;
pub mod fault;
pub mod item;
pub mod package;
pub mod payment;
pub mod property;
mod replacement;
pub mod statement;
mod tagged;
