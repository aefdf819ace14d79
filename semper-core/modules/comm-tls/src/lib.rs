//! Sessions over TLS 1.3: the one place of the system that opens and accepts connections.
//!
//! Everything that can be decided without a socket is decided in `semper_supporting::comm`; the tasks here
//! carry bytes between sockets and bounded queues of frames. Both ends always show a certificate. There is
//! no resumption and no early data: each connection is a full handshake, checked against today's
//! revocation lists, and no ticket links two connections of one party.
//!
//! * A wallet calls with a [`Dialer`], or keeps a connection alive with a [`Line`].
//! * A daemon listens with a [`Listener`].
//! * Both get a [`Session`]: who is there, what binds statements to this connection, frames in and out.

mod clock;
mod connection;
mod dialer;
mod examiner;
mod line;
mod listener;
mod metered;
mod tls;

pub use clock::Clock;
pub use connection::{Receiver, Sender, Session};
pub use dialer::{Call, Dialer, Network};
pub use examiner::{Admission, Expected, Trust};
pub use line::{Line, LineSender};
pub use listener::{Listener, Server};
pub use tls::{BadIdentity, Identity};
