//! A deal under terms of business, as both sides run it.
//!
//! Both sides hold the same flat chart and compute the same [`Configuration`]; a [`Monitor`] on each side checks what
//! the other one does, and what it does itself, before anything else sees it:
//!
//! | | check | code |
//! |---|---|---|
//! | 1 | it comes from the other party of this deal, next in its record | `deal.sequence` |
//! | 2 | it starts from our configuration | `deal.fork` |
//! | 3 | the move exists, starts here and is theirs, and is not used up | `terms.not-enabled` |
//! | 4 | it is in time, by our clock and by the message's | `terms.late` |
//! | 5 | the fields that it binds are theirs, complete, sound and not bound before otherwise | `terms.field` |
//! | 6 | the rules of its forms and its guard hold | `terms.guard` |
//! | 7 | what moves is exactly what the terms prescribe, to the minor unit | `terms.item` |
//! | 8 | the ceiling of the deal holds | `terms.ceiling` |
//! | 9 | it is signed by the key of that party in this deal | `terms.signer` |
//! | 10 | what came is what was agreed | `terms.delivered` |
//!
//! The record of the deal checks the first as far as numbers go, and the exchange the last.

mod breach;
mod configuration;
mod monitor;
mod terms;

pub use breach::{Breach, OwnMove};
pub use configuration::{ATTEMPTS, Configuration, Done, NotEnabled, SKEW};
pub use monitor::{Admitted, Answer, Attempt, Fixed, Monitor, Moving};
pub use terms::Terms;
