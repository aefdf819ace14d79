//! Payments: the generic payment service, its manager, and the form of a payment module.
//!
//! A payment names a deal through its reference ([`id::PayRef`]), which both sides derive from the
//! negotiation of the means; the reference names one exchange; and the bank keeps one record under it.

pub mod facts;
pub mod id;
pub mod ledger;
pub mod manager;
pub mod message;
pub mod module;
pub mod negotiation;
pub mod purse;
pub mod status;

pub use id::{AccountId, MsgId, PayRef, PurseId, SysId, TxId};
pub use manager::{Modules, Stepped, Transaction};
pub use module::{Op, PayError, PaymentModule, PaymentOrder};
pub use negotiation::PaymentAgreement;
pub use purse::{Purse, PurseDelta};
pub use status::Status;
