//! A wire that counts the records that pass, falls where it is told, and can be down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use semper_supporting::comm::address::Endpoint;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::{failure::Result, marketplace::endpoint};

/// The bytes before the content of a record: its type, a version, and the length of what follows (RFC 8446, 5.1).
const HEAD: usize = 5;

/// Where a connection falls, once: at a record of TLS in either direction, counted from 1. No message is longer than
/// its records, so that a fall at each of them is a fall at each message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fall {
    /// Nothing of the record passes.
    Before(u64),
    /// Half of it passes.
    Within(u64),
}

/// A wire between callers and a daemon. It ends when it is dropped.
#[derive(Debug)]
pub struct Wire {
    /// Where callers call.
    pub at: Endpoint,
    knife: Knife,
    task: JoinHandle<()>,
}

/// What cuts a wire.
#[derive(Clone, Debug)]
pub struct Knife {
    plan: Arc<Mutex<Plan>>,
    /// How often everything was cut; connections end when it changes.
    cuts: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Plan {
    fall: Option<Fall>,
    records: u64,
    is_down: bool,
}

impl Wire {
    /// A wire to a daemon. It carries everything until it is told otherwise.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn to(daemon: &Endpoint) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let at = endpoint(listener.local_addr()?.port())?;
        let knife = Knife { plan: Arc::default(), cuts: watch::Sender::new(0) };
        let (port, wire) = (daemon.port(), knife.clone());
        let task = tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                // Listens before it looks: no cut passes unseen between the two.
                let cuts = wire.cuts.subscribe();
                if !wire.plan().is_down {
                    tokio::spawn(carry(caller, port, wire.clone(), cuts));
                }
            }
        });
        Ok(Self { at, knife, task })
    }

    /// What cuts it.
    pub fn knife(&self) -> Knife {
        self.knife.clone()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
        self.knife.cut();
    }
}

impl Knife {
    /// Counts from now on, and lets the connection fall where it says.
    pub fn fall(&self, fall: Fall) {
        *self.plan() = Plan { fall: Some(fall), ..Plan::default() };
    }

    /// Lets nothing fall any more; tells whether something has, since it was told to.
    pub fn has_fallen(&self) -> bool {
        self.plan().fall.take().is_none()
    }

    /// Cuts every connection that stands.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Cuts every connection, and takes none until the wire is up again.
    pub fn down(&self) {
        self.plan().is_down = true;
        self.cut();
    }

    /// Takes connections again.
    pub fn up(&self) {
        self.plan().is_down = false;
    }

    /// How many bytes of a record pass, and whether the connection falls then.
    fn passes(&self, length: usize) -> (usize, bool) {
        let mut plan = self.plan();
        plan.records += 1;
        let passes = match plan.fall {
            Some(Fall::Before(record)) if record == plan.records => 0,
            Some(Fall::Within(record)) if record == plan.records => length / 2,
            _ => return (length, false),
        };
        plan.fall = None;
        (passes, true)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn carry(caller: TcpStream, port: u16, knife: Knife, mut cuts: watch::Receiver<u64>) {
    let Ok(daemon) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    // What stands between two programs must not make them slower than they are.
    let _ = (caller.set_nodelay(true), daemon.set_nodelay(true));
    let ((from_caller, to_caller), (from_daemon, to_daemon)) = (caller.into_split(), daemon.into_split());
    // A side that closed is closed at the other side too: all halves are dropped.
    tokio::select! {
        _ = pass(from_caller, to_daemon, &knife) => {}
        _ = pass(from_daemon, to_caller, &knife) => {}
        _ = cuts.changed() => {}
    }
}

/// Passes record after record, until one end closes or the connection falls.
async fn pass(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    knife: &Knife,
) -> std::io::Result<()> {
    let mut from = BufReader::new(from);
    loop {
        let mut head = [0; HEAD];
        from.read_exact(&mut head).await?;
        let [_, _, _, high, low] = head;
        let mut record = head.to_vec();
        record.resize(HEAD + usize::from(u16::from_be_bytes([high, low])), 0);
        from.read_exact(record.get_mut(HEAD..).unwrap_or_default()).await?;
        let (passes, falls) = knife.passes(record.len());
        to.write_all(record.get(..passes).unwrap_or_default()).await?;
        if falls {
            return Ok(());
        }
    }
}
