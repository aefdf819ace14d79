//! From the socket to the queue of events.

use std::sync::Arc;

use semper_supporting::{
    comm::{
        fault::{Busy, FrameError},
        frame::{Frame, Frames, Kind, Taken},
        hello::{Complaint, Token},
        limits::Rates,
        session::{NetEvent, Why},
    },
    fault::Fault,
    time::Span,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};

use super::{LINGER, Shared, length, lock};
use crate::clock::duration;

/// How many bytes are read at once.
const READ: usize = 16 << 10;

/// The bytes of the peer, as pieces of frames.
pub(super) struct Incoming<R> {
    pub(super) reader: R,
    pub(super) buffer: Vec<u8>,
    start: usize,
    end: usize,
    frames: Frames,
    /// How many bytes the piece under way has taken so far.
    used: u64,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    pub(super) fn new(reader: R, frames: Frames) -> Self {
        Self { reader, buffer: vec![0; READ], start: 0, end: 0, frames, used: 0 }
    }

    /// The next piece, and how many bytes it was. May be dropped and asked again without loss.
    pub(super) async fn next(&mut self) -> Result<(Taken, u64), Why> {
        loop {
            let mut rest = self.buffer.get(self.start..self.end).unwrap_or_default();
            let before = length(rest);
            let taken = self.frames.take(&mut rest)?;
            self.used += before - length(rest);
            self.start = self.end - rest.len();
            if let Some(taken) = taken {
                return Ok((taken, std::mem::take(&mut self.used)));
            }
            let count = self.reader.read(&mut self.buffer).await.map_err(|_| Why::Lost)?;
            if count == 0 {
                return Err(Why::Lost);
            }
            (self.start, self.end) = (0, count);
        }
    }
}

/// The task that reads.
pub(super) struct Reader<R> {
    pub(super) incoming: Incoming<R>,
    pub(super) rates: Rates,
    pub(super) shared: Arc<Shared>,
    pub(super) events: mpsc::UnboundedSender<(NetEvent, OwnedSemaphorePermit)>,
    pub(super) urgent: mpsc::Sender<Frame>,
    pub(super) budget: Arc<Semaphore>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads until the connection falls, for whatever reason.
    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        tokio::select! {
            biased;
            _ = shared.fallen() => {}
            Err(why) = self.read() => {
                if let Why::Frame(error) = &why {
                    let _ = self.urgent.try_send(Complaint::about(error.code(), None).frame());
                }
                shared.fall(why);
            }
        }
        // Nobody is served any more, but the peer may still have to hear our last words.
        drop(self.events);
        let _ = timeout(duration(LINGER), self.incoming.drain()).await;
    }

    async fn read(&mut self) -> Result<std::convert::Infallible, Why> {
        loop {
            let (taken, bytes) = self.incoming.next().await?;
            self.shared.heard();
            let pause = self.rates.count(self.shared.clock.steady(), bytes);
            if let Taken::Whole(frame) = taken {
                self.take(frame).await?;
            }
            if pause > Span::millis(0) {
                self.shared.listen(false);
                tokio::time::sleep(duration(pause)).await;
                self.shared.listen(true);
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> Result<(), Why> {
        if !frame.kind.passes_with_wrong_clock()
            && let Err(error) = self.shared.greeting.clocks.allow_deals()
        {
            return self.urge(Complaint::about(error.code(), Some(&frame)).frame());
        }
        match frame.kind {
            Kind::Ping => {
                let answer = lock(&self.shared.incoming).ask(Token::read(&frame)?)?;
                answer.map_or(Ok(()), |token| self.urge(token.pong()))
            }
            Kind::Pong => {
                lock(&self.shared.outgoing).confirm(Token::read(&frame)?)?;
                self.shared.room.notify_one();
                Ok(())
            }
            Kind::Error => {
                let complaint = Complaint::read(&frame)?;
                let now = self.shared.clock.now();
                let event = match complaint.wait() {
                    Some(wait) => NetEvent::Busy(Busy { until: now.after(wait) }.until),
                    None => NetEvent::Complained(complaint),
                };
                self.deliver(event, frame.payload.len()).await
            }
            Kind::Cover => Ok(()),
            Kind::Chunk => {
                lock(&self.shared.incoming).receive(length(&frame.payload))?;
                self.pass(frame).await
            }
            Kind::Hello | Kind::HelloAck => Err(FrameError::Kind { kind: frame.kind.number() }.into()),
            Kind::Deal | Kind::Exchange | Kind::Payment | Kind::Directory | Kind::Ca | Kind::Dispute => {
                self.pass(frame).await
            }
        }
    }

    async fn pass(&mut self, frame: Frame) -> Result<(), Why> {
        let bytes = frame.payload.len();
        self.deliver(NetEvent::Frame(frame), bytes).await
    }

    /// Queues an event once there is space for it; until then nothing more is read.
    async fn deliver(&mut self, event: NetEvent, bytes: usize) -> Result<(), Why> {
        let space = u32::try_from(bytes.div_ceil(1024).max(1)).unwrap_or(u32::MAX);
        let permit = match self.budget.clone().try_acquire_many_owned(space) {
            Ok(permit) => permit,
            Err(_) => {
                self.shared.listen(false);
                let permit = self.budget.clone().acquire_many_owned(space).await;
                self.shared.listen(true);
                permit.map_err(|_| Why::Lost)?
            }
        };
        // Who no longer receives may still send: its frames are nobody's any more.
        let _ = self.events.send((event, permit));
        Ok(())
    }

    /// Queues an answer of the connection itself.
    fn urge(&self, frame: Frame) -> Result<(), Why> {
        self.urgent.try_send(frame).map_err(|_| Why::Frame(FrameError::Abuse))
    }
}
