//! Statements as items: what parties sign for each other, and how a third party stands in for a signature.
//!
//! A statement for use between the parties is generatable without condition: its owner's permit lets the
//! third party attest it (*affidavit*). One that others must accept as such, a certificate or a ticket, is
//! left in escrow signed (*sealed*). No statement can be undone: whoever holds the signature could hide the
//! notice that it is void.

mod item;
mod manager;
mod third_party;

pub use self::{
    item::{
        Accepted, Confirmation, Contract, Dispatch, InDeal, ItemType, Lines, Notice, Offer, Order, Other,
        Receipt, Refusal, Salt, read, read_signed,
    },
    manager::StatementManager,
    third_party::StatementThirdParty,
};
