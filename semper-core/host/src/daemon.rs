//! What a daemon says to the one who started it, and how it is told to stop.

use std::{future::Future, io, io::Write as _, net::SocketAddr, path::Path};

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// What a program was started for, as far as its log is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Working {
    /// One command, whose answer stands on standard output: only warnings are logged.
    Command,
    /// To serve until it is told to stop: a line for each change of state.
    Daemon,
}

/// What a program says about its log at the end of its help.
pub const ABOUT_LOG: &str = "The log goes to standard error: while it runs, a line for each change of state; of other \
commands, warnings only. RUST_LOG sets how much: RUST_LOG=debug adds connections and messages, RUST_LOG=warn leaves \
what somebody should look at.";

/// What is logged: what the variable `RUST_LOG` names, or by default what fits the work.
pub fn filter(working: Working) -> EnvFilter {
    let usual = match working {
        Working::Command => "warn",
        Working::Daemon => "info",
    };
    // A variable that is set to nothing says nothing.
    let wanted = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|wanted| !wanted.trim().is_empty());
    let wanted = wanted.and_then(|wanted| EnvFilter::try_new(wanted).ok());
    wanted.unwrap_or_else(|| EnvFilter::new(usual))
}

/// Logs to standard error, as much as [`filter`] says.
pub fn log(working: Working) {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(filter(working))
        .with_ansi(false)
        .init();
}

/// Why a daemon cannot take calls. It names the setting in `file`, its configuration, that is to be changed.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program has the port.
    #[error(
        "port {port} is taken ({address}): another program listens there, perhaps this daemon itself, already running. End that program, or set `listen` in {file} to another port, and `port` to the same if others are to call it there"
    )]
    Taken {
        /// Where it should listen.
        address: SocketAddr,
        /// The port of it.
        port: u16,
        /// The file of the setting.
        file: String,
    },
    /// The address belongs to another machine.
    #[error(
        "{address} is no address of this machine: set `listen` in {file} to one that is, or to 0.0.0.0 for all of them"
    )]
    Foreign {
        /// Where it should listen.
        address: SocketAddr,
        /// The file of the setting.
        file: String,
    },
    /// The system refuses.
    #[error("cannot listen at {address}, which `listen` in {file} names: {error}")]
    System {
        /// Where it should listen.
        address: SocketAddr,
        /// The file of the setting.
        file: String,
        /// What it said.
        error: io::Error,
    },
}

impl ListenError {
    /// Why nobody can listen at `address`, as the setting `listen` of the configuration `file` wants.
    pub fn of(address: SocketAddr, file: &Path, error: io::Error) -> Self {
        let file = file.display().to_string();
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::Taken { address, port: address.port(), file },
            io::ErrorKind::AddrNotAvailable => Self::Foreign { address, file },
            _ => Self::System { address, file, error },
        }
    }
}

/// Does `work` on a runtime of its own, and gives what came of it once nothing of it is left: every task is gone, and
/// with the last of them the archive that they shared is closed and may be opened by somebody else.
///
/// # Errors
/// Those of the system, if it gives no threads.
pub fn complete<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(work);
    drop(runtime);
    Ok(done)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use semper_supporting::archive::{Schema, Store as _};

    use super::*;
    use crate::Folder;

    #[test]
    fn an_archive_may_be_opened_again_as_soon_as_work_is_complete_whoever_still_had_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::create(&place.path().join("bank")).unwrap();
        for _ in 0..10 {
            let archive = Arc::new(folder.archive(Schema::new(1)).unwrap());
            complete(async move {
                for _ in 0..8 {
                    let archive = Arc::clone(&archive);
                    tokio::spawn(async move { while archive.query(Vec::new()).await.is_ok() {} });
                }
                archive.query(Vec::new()).await.unwrap();
            })
            .unwrap();
        }
    }
}
