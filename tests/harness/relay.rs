//! A wire with a knife: it carries bytes between callers and a daemon, and cuts after so many of them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use semper_supporting::comm::address::Endpoint;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};

use crate::{failure::Result, marketplace::endpoint};

/// Stands between callers and a daemon. Ends when it is dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where callers call.
    pub at: Endpoint,
    carried: Arc<AtomicU64>,
    cuts: mpsc::Receiver<Cut>,
    task: JoinHandle<()>,
}

/// The wire was cut: connections are held still until this is dropped, and then fall.
#[derive(Debug)]
pub struct Cut(#[expect(dead_code, reason = "its drop lets the connection fall")] mpsc::Sender<()>);

/// What the two directions of a connection share.
#[derive(Clone)]
struct Wire {
    carried: Arc<AtomicU64>,
    after: u64,
    tell: mpsc::Sender<Cut>,
}

impl Relay {
    /// Carries up to `after` bytes, both directions together, and then holds still and tells.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn to(daemon: &Endpoint, after: u64) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let at = endpoint(listener.local_addr()?.port())?;
        let (tell, cuts) = mpsc::channel(1);
        let carried = Arc::new(AtomicU64::new(0));
        let wire = Wire { carried: carried.clone(), after, tell };
        let port = daemon.port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, port, wire.clone()));
            }
        });
        Ok(Self { at, carried, cuts, task })
    }

    /// Waits until the wire is cut; nothing if it never will be, since nobody calls any more.
    pub async fn cut(&mut self) -> Option<Cut> {
        self.cuts.recv().await
    }

    /// How many bytes came through.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(caller: TcpStream, port: u16, wire: Wire) {
    let Ok(daemon) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let ((mut from_caller, mut to_caller), (mut from_daemon, mut to_daemon)) =
        (caller.into_split(), daemon.into_split());
    let up = pass(&mut from_caller, &mut to_daemon, wire.clone());
    let down = pass(&mut from_daemon, &mut to_caller, wire);
    // A side that closed is closed at the other side too: both halves are dropped.
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

async fn pass(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), wire: Wire) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let before = wire.carried.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::SeqCst);
        let left = usize::try_from(wire.after.saturating_sub(before)).unwrap_or(usize::MAX);
        let Some(through) = bytes.get(..count.min(left)) else { return };
        if to.write_all(through).await.is_err() {
            return;
        }
        if left <= count {
            let (hold, mut held) = mpsc::channel(1);
            // Whoever is told holds the connection up until it lets go.
            if wire.tell.send(Cut(hold)).await.is_ok() {
                held.recv().await;
            }
            return;
        }
    }
}
