//! The hand-over: how a web page or any other business application invites a wallet.
//!
//! ```text
//! page --semper: link--> wallet        link: where to call, what about, a claim on it, whose key to expect
//!      --.semper file--> wallet        file: the same link, and what was typed into the page
//! ```
//!
//! A business application is not part of SEMPER and nothing it says is trusted. A link names no amount, no party and
//! no goods: what is bought, from whom and for how much stands in what the shop signs. Whoever holds a link first can
//! claim what it points to, and nothing more; the page and the trusted window show the same pairing code, so that a
//! person sees when a link is not that of the page.

pub mod claim;
pub mod fault;
pub mod invite;
pub mod uri;

pub use claim::{Claim, KeyPin, PairingCode, Reference};
pub use fault::HandoverFault;
pub use invite::{Invite, Prefill, Prefilled};
pub use uri::{About, Back, Link, ShopName};
