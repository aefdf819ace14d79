//! Communication, as far as it is pure: frames and their limits, greeting, envelopes of a deal, what a
//! machine sees of a connection, and which addresses may be called.
//!
//! Sockets and TLS are in the communication modules. They hand bytes to [`frame::Frames`] and get frames
//! back; time comes in as an argument, chance as a number.

pub mod address;
pub mod envelope;
pub mod fault;
pub mod frame;
pub mod hello;
pub mod limits;
pub mod session;
