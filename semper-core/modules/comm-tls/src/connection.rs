//! One connection after its handshake: greeting, then two tasks between the socket and bounded queues.
//!
//! Reader and writer never wait for each other, so that two sides that both send much cannot lock each
//! other up, and a peer that does not read stops nobody but itself. When either ends, it says why, and
//! the other ends too.
//!
//! Frames of one kind of queue keep their order. Chunks have a queue of their own and are overtaken by
//! other frames, so that the last word of an exchange never waits behind a film.

mod greeting;
mod reader;
mod writer;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use semper_supporting::{
    comm::{
        fault::Busy,
        frame::{Frame, Frames, Kind},
        hello::{Features, Greeting, Token},
        limits::{Limits, Rates, ReceiveWindow, SendWindow},
        session::{Beat, Heartbeat, NetEvent, SessionInfo, Why},
    },
    time::{Moment, Span},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch},
};

use crate::{clock::Clock, tls::Handshake};
use greeting::{greet_client, greet_server};
use reader::{Incoming, Reader};
use writer::Writer;

/// How long one piece may take to be written.
const WRITE: Span = Span::seconds(30);
/// How long a program that closes all its connections lets each write what is queued.
const FLUSH: Span = Span::seconds(3);
/// How long a closing side still reads, so that its last words are not lost.
const LINGER: Span = Span::seconds(2);
/// How long a connection lasts at most once its program closes: what is queued, and its parting on each side.
pub(crate) const CLOSING: Span = Span::seconds(8);
/// How many frames may wait to be written.
const QUEUE: usize = 16;
/// How many chunks may wait to be written.
const CHUNKS: usize = 4;
/// How many pongs and complaints may wait to be written.
const URGENT: usize = 64;
/// How many KiB of frames may wait to be taken: the longest one fits.
const BUFFER: usize = Kind::Exchange.limit() >> 10;

/// A connection that stands: who is there, and frames in both directions.
#[derive(Debug)]
pub struct Session {
    /// Who is at the other end, and what binds statements to this connection.
    pub info: SessionInfo,
    /// Sends. The connection closes when the last copy of this is gone.
    pub send: Sender,
    /// Receives.
    pub receive: Receiver,
}

/// Sends frames over a session. Copies send over the same session.
#[derive(Clone, Debug)]
pub struct Sender {
    frames: mpsc::Sender<Frame>,
    chunks: mpsc::Sender<Frame>,
    shared: Arc<Shared>,
}

/// Receives what comes over a session.
#[derive(Debug)]
pub struct Receiver {
    events: mpsc::UnboundedReceiver<(NetEvent, OwnedSemaphorePermit)>,
    urgent: mpsc::Sender<Frame>,
    shared: Arc<Shared>,
}

/// Which end of a connection this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What a connection needs besides its stream.
pub(crate) struct Terms {
    pub(crate) clock: Clock,
    pub(crate) features: Features,
    pub(crate) limits: Limits,
    /// Whether the way there hides our address.
    pub(crate) hidden: bool,
    /// Turns true when the whole program closes its connections.
    pub(crate) closing: watch::Receiver<bool>,
    /// Why this peer is told to come back later.
    pub(crate) refusal: Option<Busy>,
    /// Is told why the connection ended.
    pub(crate) ended: Box<dyn FnOnce(&Why) + Send + Sync>,
}

/// What reader, writer and the two handles share.
#[derive(Debug)]
struct Shared {
    clock: Clock,
    greeting: Greeting,
    pulse: Mutex<Pulse>,
    incoming: Mutex<ReceiveWindow>,
    outgoing: Mutex<SendWindow>,
    /// The send window has moved.
    room: Notify,
    /// Why the connection fell, once it has.
    down: watch::Sender<Option<Why>>,
    /// Whether the connection is to close once everything is written.
    close: watch::Sender<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Pulse {
    heart: Heartbeat,
    /// Whether we are reading: who is not heard because we do not listen is not dead.
    listening: bool,
}

impl Session {
    /// Makes a session of a stream whose handshake is over.
    pub(crate) async fn open<S>(
        stream: S,
        side: Side,
        handshake: Handshake,
        terms: Terms,
    ) -> Result<Self, Why>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (read, mut write) = tokio::io::split(stream);
        let frames = match side {
            Side::Client => Frames::of_server(),
            Side::Server => Frames::of_client(),
        };
        let mut incoming = Incoming::new(read, frames);
        let greeting = match side {
            Side::Client => greet_client(&mut incoming, &mut write, &terms).await,
            Side::Server => greet_server(&mut incoming, &mut write, &terms).await,
        };
        let greeting = match greeting {
            Ok(greeting) => greeting,
            Err(why) => {
                (terms.ended)(&why);
                return Err(why);
            }
        };
        let Handshake { peer, exporter, key_exchange } = handshake;
        let Terms { clock, limits, closing, ended, hidden, .. } = terms;
        let info = SessionInfo { peer, exporter, key_exchange, hidden, greeting: greeting.clone() };
        let rates = Rates::new(&limits, clock.steady());
        let shared = Shared::new(clock, greeting);
        let (frames, from_frames) = mpsc::channel(QUEUE);
        let (chunks, from_chunks) = mpsc::channel(CHUNKS);
        let (urgent, from_urgent) = mpsc::channel(URGENT);
        let (to_events, events) = mpsc::unbounded_channel();
        let budget = Arc::new(Semaphore::new(BUFFER));
        let reader = Reader {
            incoming,
            rates,
            shared: shared.clone(),
            events: to_events,
            urgent: urgent.clone(),
            budget,
        };
        let writer = Writer::new(write, shared.clone(), from_urgent, from_frames, from_chunks, closing);
        let both = shared.clone();
        tokio::spawn(async move {
            tokio::join!(reader.run(), writer.run());
            ended(&both.why());
        });
        let send = Sender { frames, chunks, shared: shared.clone() };
        Ok(Self { info, send, receive: Receiver { events, urgent, shared } })
    }
}

impl Sender {
    /// Queues `frame`, waiting while the queue is full.
    ///
    /// # Errors
    /// [`Why::Clocks`] for a frame of a deal between clocks too far apart, else why the connection fell.
    pub async fn send(&self, frame: Frame) -> Result<(), Why> {
        let queue = self.queue(&frame)?;
        queue.send(frame).await.map_err(|_| self.shared.why())
    }

    /// Queues `frame`, or says that the queue is full.
    ///
    /// # Errors
    /// [`Why::Busy`] while the other side does not take what was sent before, else as [`Sender::send`].
    pub fn try_send(&self, frame: Frame) -> Result<(), Why> {
        match self.queue(&frame)?.try_send(frame) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => {
                Err(Busy { until: self.shared.clock.now().after(Span::seconds(1)) }.into())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(self.shared.why()),
        }
    }

    /// Closes the connection once everything queued is written.
    pub fn close(&self) {
        self.shared.close.send_replace(true);
    }

    /// Waits until the connection has fallen, and says why.
    pub async fn fallen(&self) -> Why {
        self.shared.fallen().await
    }

    fn queue(&self, frame: &Frame) -> Result<&mpsc::Sender<Frame>, Why> {
        if !frame.kind.passes_with_wrong_clock() {
            self.shared.greeting.clocks.allow_deals()?;
        }
        Ok(if frame.kind == Kind::Chunk { &self.chunks } else { &self.frames })
    }
}

impl Receiver {
    /// What happened next: a frame, a complaint, or, for good, that the connection fell.
    pub async fn next(&mut self) -> NetEvent {
        let Some((event, _space)) = self.events.recv().await else {
            return NetEvent::Down(self.shared.why());
        };
        if let NetEvent::Frame(Frame { kind: Kind::Chunk, payload, .. }) = &event {
            let answer = lock(&self.shared.incoming).take(length(payload));
            self.pong(answer);
        }
        event
    }

    fn pong(&self, answer: Option<Token>) {
        if let Some(token) = answer {
            // A full queue means that the peer asks faster than it reads; the reader ends that.
            let _ = self.urgent.try_send(token.pong());
        }
    }
}

impl Shared {
    fn new(clock: Clock, greeting: Greeting) -> Arc<Self> {
        let pulse = Pulse { heart: Heartbeat::start(clock.steady()), listening: true };
        Arc::new(Self {
            clock,
            greeting,
            pulse: Mutex::new(pulse),
            incoming: Mutex::default(),
            outgoing: Mutex::default(),
            room: Notify::new(),
            down: watch::Sender::new(None),
            close: watch::Sender::new(false),
        })
    }

    /// Ends the connection; the first reason counts.
    fn fall(&self, why: Why) {
        self.down.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                *known = Some(why);
            }
            first
        });
    }

    async fn fallen(&self) -> Why {
        let mut down = self.down.subscribe();
        match down.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or(Why::Lost),
            Err(_) => Why::Lost,
        }
    }

    fn why(&self) -> Why {
        self.down.borrow().clone().unwrap_or(Why::Lost)
    }

    fn heard(&self) {
        lock(&self.pulse).heart.heard(self.clock.steady());
    }

    fn spoke(&self) {
        lock(&self.pulse).heart.spoke(self.clock.steady());
    }

    /// Says whether we read. After a pause the peer has its whole time again.
    fn listen(&self, listening: bool) {
        lock(&self.pulse).listening = listening;
        self.heard();
    }

    fn beat(&self, now: Moment) -> Beat {
        let mut pulse = lock(&self.pulse);
        if !pulse.listening {
            pulse.heart.heard(now);
        }
        pulse.heart.beat(now)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn length(payload: &[u8]) -> u64 {
    u64::try_from(payload.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
