//! The screens as a screen reader finds them: every element by role and name, every state, every
//! command, the order of the keyboard, and no missing letter in any size of the window.

#![allow(clippy::float_arithmetic, reason = "positions on the screen")]
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../../examples/gallery/asked.rs"]
mod asked;
#[path = "../../examples/gallery/first.rs"]
mod first;
mod kit;
mod layout;
#[path = "../../examples/gallery/sample.rs"]
mod sample;
mod source;
mod storm;
mod tinguin_first;
mod tinguin_frame;
mod tinguin_s07;
mod tinguin_s08;
mod tinguin_s12;
mod tinguin_s15;
mod tinguin_s25;
mod tinguin_s26;
mod tinguin_secret;
