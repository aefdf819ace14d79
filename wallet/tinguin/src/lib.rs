//! The trusted window of the wallet.
//!
//! A merchant controls everything that a browser shows; so whatever is critical is shown and answered
//! in one native window on the buyer's own machine. This crate is that window without its program:
//! the look ([`theme`], [`fonts`], [`icons`]), the texts ([`texts`]), figures and dates
//! ([`format`](mod@format)). A view is a function of plain data that draws with egui and returns
//! what the user asked for; it knows no clock, no file, no engine. Time is part of the data.

#![allow(clippy::float_arithmetic, reason = "positions on the screen; money never passes through here")]

pub mod fonts;
pub mod format;
pub mod icons;
pub mod prompts;
pub mod texts;
pub mod theme;
pub mod views;
pub mod widgets;
pub mod window;
