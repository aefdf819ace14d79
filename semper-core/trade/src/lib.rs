//! The trade of a program: its sales as instances of the engine, and the calls that they order.
//!
//! Wallets and shops run the same sale from two sides. What is the same on both sides is here: how a step's
//! outputs become rows, timers, evidence and effects, and how banks, third parties and shops are asked.

pub mod acquaintance;
pub mod calls;
pub mod order;
pub mod sale;
