//! The deal: its opening, its name, its resumption and its end.
//!
//! ```text
//! client                                        server
//!   deal-propose  nonce, ranges, ceiling   ->
//!                                          <-   deal-accept  nonce, choices, SHA-256 of deal-propose
//!   deal-open     SHA-256 of deal-accept   ->
//!   either:       deal-resume on a new connection, deal-close at the end
//! ```
//!
//! The server chooses inside what the client proposed, and the client signs what was chosen, so that neither
//! can be pushed below its own range and a later downgrade is visible. Both statements name the key of their
//! sender's connection and the value only the two ends of that connection can compute, so that the deal
//! cannot be carried over to somebody else's connection.

mod attribute;
mod fault;
mod id;
mod opening;
mod prompt;
mod standing;
mod statement;

pub use self::{
    attribute::{Chosen, Duty, Range, Ranges, ThirdPartyTerms, choose},
    fault::DealFault,
    id::{DealNonce, deal_id},
    opening::{
        Client, ClientInput, House, Intent, LONGEST, MOST_MODULES, OpeningOutput, Party, Server, ServerInput,
        check_clock,
    },
    prompt::DealOpenContext,
    standing::Standing,
    statement::{
        DealAccept, DealClose, DealOpen, DealPropose, DealResume, Lines, Outcome, Reach, Salt, Terms,
    },
};
