//! What a daemon says to the one who started it, and how it is told to stop.

use std::{future::Future, io, io::Write as _, net::SocketAddr};

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Logs to standard error: what `RUST_LOG` names, by default all of `info` and above.
pub fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter).with_ansi(false).init();
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
