//! A wire that counts what passes by turns, falls where it is told, and can be down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use semper_supporting::comm::address::Endpoint;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::{failure::Result, marketplace::endpoint};

/// Where a connection falls, once: at a turn, counted from 1. A turn begins with the first bytes after bytes in the
/// other direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fall {
    /// Nothing of the turn passes.
    Before(u64),
    /// Half of its first bytes pass.
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
    turns: u64,
    last: Option<Way>,
    is_down: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    There,
    Back,
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
                if !wire.plan().is_down {
                    tokio::spawn(carry(caller, port, wire.clone()));
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

    /// How many of so many bytes on this way pass, and whether the connection falls then.
    fn passes(&self, way: Way, count: usize) -> (usize, bool) {
        let mut plan = self.plan();
        if plan.last.replace(way) != Some(way) {
            plan.turns += 1;
        }
        let passes = match plan.fall {
            Some(Fall::Before(turn)) if turn == plan.turns => 0,
            Some(Fall::Within(turn)) if turn == plan.turns => count / 2,
            _ => return (count, false),
        };
        plan.fall = None;
        (passes, true)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn carry(caller: TcpStream, port: u16, knife: Knife) {
    let mut cuts = knife.cuts.subscribe();
    let Ok(daemon) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let ((mut from_caller, mut to_caller), (mut from_daemon, mut to_daemon)) =
        (caller.into_split(), daemon.into_split());
    // A side that closed is closed at the other side too: all halves are dropped.
    tokio::select! {
        () = pass(Way::There, &mut from_caller, &mut to_daemon, &knife) => {}
        () = pass(Way::Back, &mut from_daemon, &mut to_caller, &knife) => {}
        _ = cuts.changed() => {}
    }
}

async fn pass(
    way: Way,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    knife: &Knife,
) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let (passes, falls) = knife.passes(way, count);
        let Some(through) = bytes.get(..passes) else { return };
        if to.write_all(through).await.is_err() || falls {
            return;
        }
    }
}
