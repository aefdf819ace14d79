//! The connections on which sales stand: found by callers, kept up by buyers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use semper_comm_tls::{Line, LineSender, Sender};
use semper_commerce::sale::Session;
use semper_engine::{Engine, EngineError, Key};
use semper_supporting::{
    comm::{
        frame::Frame,
        session::{Exporter, NetEvent, Why},
    },
    crypto::signature::Kid,
};

use super::{Books, Heard, SaleHost, SaleInput, patience::Patience};

/// How long what was ordered last may take to leave, once a sale has ended.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The connections there are, by sale. Copies share them.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    ways: Arc<Mutex<BTreeMap<Key, (Exporter, Way)>>>,
    patience: Patience,
}

/// A way to the other side.
#[derive(Clone, Debug)]
pub enum Way {
    /// A connection that was made to us.
    Session(Sender),
    /// A line that we keep up.
    Line(LineSender),
}

impl Lines {
    /// The sale `key` stands on the connection with this exporter from now on.
    pub fn put(&self, key: &Key, exporter: Exporter, way: Way) {
        self.all().insert(key.clone(), (exporter, way));
    }

    /// The connection has fallen; where a sale stands on another one by now, that remains.
    pub fn fell(&self, exporter: Exporter) {
        self.all().retain(|_, (its, _)| *its != exporter);
    }

    /// The way to the other side of a sale; nothing while no connection stands.
    pub fn way(&self, key: &Key) -> Option<Way> {
        self.all().get(key).map(|(_, way)| way.clone())
    }

    /// Sends a frame if a connection stands. Nothing is told of a fall: the next connection brings it again.
    pub async fn send(&self, key: &Key, frame: Frame) {
        let sent = match self.way(key) {
            Some(Way::Session(sender)) => sender.send(frame).await,
            Some(Way::Line(sender)) => sender.send(frame).await,
            None => return,
        };
        if let Err(why) = sent {
            tracing::debug!(%why, "a frame did not leave; it goes out again with the next connection");
        }
    }

    /// How long each is listened to that says what has no place.
    pub(super) const fn patience(&self) -> &Patience {
        &self.patience
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, (Exporter, Way)>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a buyer's line until its sale is closed, and carries what comes over it. At the other end must be the key
/// `expected`: nothing of the deal is said to anybody else.
///
/// # Errors
/// [`LineFault`]; the sale goes on as soon as it has a line again.
pub async fn carry<B: Books>(
    engine: &Engine<SaleHost<B>>,
    key: &Key,
    mut line: Line,
    expected: Kid,
    lines: &Lines,
) -> Result<(), LineFault> {
    let mut view = engine.watch(key).await?;
    let sender = line.sender();
    let mut session: Option<Session> = None;
    loop {
        let is_closed = view.borrow_and_update().as_ref().is_some_and(|view| view.is_closed);
        if is_closed {
            // Whatever does not leave in time is not waited for by anybody.
            let _ = tokio::time::timeout(LAST_WORDS, engine.settled(key)).await;
            if let Some(session) = session {
                lines.fell(session.exporter);
            }
            return Ok(());
        }
        let event = tokio::select! {
            event = line.next() => event,
            changed = view.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return Err(EngineError::Closed.into()),
            },
        };
        match event {
            NetEvent::Up(info) if info.peer.kid() != expected => {
                return Err(LineFault::OtherKey { expected, found: info.peer.kid() });
            }
            NetEvent::Up(info) => {
                let up = Session { exporter: info.exporter, tls: info.peer.kid() };
                session = Some(up);
                lines.put(key, up.exporter, Way::Line(sender.clone()));
                engine.submit(key.clone(), SaleInput::Up(up)).await?;
            }
            NetEvent::Frame(frame) => {
                let Some(session) = session.filter(|_| frame.kind.has_envelope()) else { continue };
                let now = semper_host::now();
                if lines.patience.is_out(key, now) {
                    tracing::debug!("the other side repeats itself, and is not heard");
                    continue;
                }
                let heard = SaleInput::Frame(Heard::new(session, &frame));
                if engine.submit(key.clone(), heard).await?.refused.is_some() {
                    lines.patience.lose(key, now);
                }
            }
            NetEvent::Complained(complaint) => {
                tracing::warn!(code = complaint.code(), "the other side refuses a frame");
            }
            NetEvent::Busy(_) => {}
            NetEvent::Down(why) => {
                if let Some(session) = session.take() {
                    lines.fell(session.exporter);
                }
                if why.is_lasting() {
                    return Err(LineFault::Lasting(why));
                }
            }
        }
    }
}

/// Why a sale has no line.
#[derive(Debug, thiserror::Error)]
pub enum LineFault {
    /// The engine takes nothing.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Somebody else answers than the one the deal is with.
    #[error("the key {found} answers, where the deal is with {expected}")]
    OtherKey {
        /// The key of the deal.
        expected: Kid,
        /// The key in the connection.
        found: Kid,
    },
    /// Calling again would not help.
    #[error(transparent)]
    Lasting(Why),
}
