//! What a daemon says to the one who started it, and how it is told to stop.

use std::{future::Future, io, io::Write as _, net::SocketAddr};

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Logs to standard error: what `RUST_LOG` names, by default all of `info` and above.
pub fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter).with_ansi(false).init();
}

/// Listens for SIGTERM and SIGINT from now on. What it returns is done when one of them has come.
///
/// # Errors
/// Those of the system.
pub fn stop() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Says on standard output that the daemon takes connections at `address`.
pub fn ready(address: SocketAddr) {
    let mut out = io::stdout();
    // Nobody may be listening any more, which is no reason to stop.
    let _ = writeln!(out, "ready {address}").and_then(|()| out.flush());
}
