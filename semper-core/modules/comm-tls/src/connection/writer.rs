//! From the queues to the socket.

use std::sync::Arc;

use semper_supporting::comm::{
    frame::{Frame, Kind},
    hello::Token,
    limits::WINDOW,
    session::{Beat, Why},
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{mpsc, watch},
    time::{sleep, sleep_until, timeout},
};

use super::{FLUSH, LINGER, Shared, WRITE, length, lock};
use crate::clock::duration;

/// The task that writes.
pub(super) struct Writer<W> {
    write: W,
    shared: Arc<Shared>,
    urgent: mpsc::Receiver<Frame>,
    frames: mpsc::Receiver<Frame>,
    chunks: mpsc::Receiver<Frame>,
    closing: watch::Receiver<bool>,
    /// A chunk that waits for room in the window.
    waiting: Option<Frame>,
    /// The number of the last ping, and how many chunk bytes it asked about.
    asked: Token,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(
        write: W,
        shared: Arc<Shared>,
        urgent: mpsc::Receiver<Frame>,
        frames: mpsc::Receiver<Frame>,
        chunks: mpsc::Receiver<Frame>,
        closing: watch::Receiver<bool>,
    ) -> Self {
        let asked = Token { chunks: 0, number: 0 };
        Self { write, shared, urgent, frames, chunks, closing, waiting: None, asked }
    }

    /// Writes until the connection falls or is closed.
    pub(super) async fn run(mut self) {
        let shared = self.shared.clone();
        let closing = self.closing.clone();
        let end = tokio::select! {
            biased;
            why = shared.fallen() => why,
            end = self.write_all() => end.err().unwrap_or(Why::Closed),
            () = overdue(closing) => Why::Silent,
        };
        let parting = async {
            while let Ok(frame) = self.urgent.try_recv() {
                self.put(&frame).await?;
            }
            self.write.shutdown().await.map_err(|_| Why::Lost)
        };
        let _ = timeout(duration(LINGER), parting).await;
        self.shared.fall(end);
    }

    /// Writes what is queued, until both queues are closed and empty.
    async fn write_all(&mut self) -> Result<(), Why> {
        let mut close = self.shared.close.subscribe();
        let (mut frames_end, mut chunks_end, mut closed) = (false, false, false);
        while !(frames_end && chunks_end && self.waiting.is_none()) {
            let until = match self.shared.beat(self.shared.clock.steady()) {
                Beat::Dead => return Err(Why::Silent),
                Beat::Ping => {
                    self.ping().await?;
                    continue;
                }
                Beat::Wait(until) => self.shared.clock.instant(until),
            };
            if let Some(chunk) = self.waiting.take_if(|chunk| has_room(&self.shared, chunk)) {
                self.chunk(&chunk).await?;
            }
            let shared = self.shared.clone();
            tokio::select! {
                biased;
                Some(frame) = self.urgent.recv() => self.put(&frame).await?,
                frame = self.frames.recv(), if !frames_end => match frame {
                    Some(frame) => self.put(&frame).await?,
                    None => frames_end = true,
                },
                chunk = self.chunks.recv(), if !chunks_end && self.waiting.is_none() => match chunk {
                    Some(chunk) => self.waiting = Some(chunk),
                    None => chunks_end = true,
                },
                () = shared.room.notified(), if self.waiting.is_some() => {}
                // From now on the queues only empty.
                () = turned(&mut close, &mut self.closing), if !closed => {
                    closed = true;
                    self.frames.close();
                    self.chunks.close();
                }
                () = sleep_until(until) => {}
            }
        }
        Ok(())
    }

    /// Writes a chunk, and asks from time to time how many were taken.
    async fn chunk(&mut self, chunk: &Frame) -> Result<(), Why> {
        let sent = {
            let mut window = lock(&self.shared.outgoing);
            window.send(length(&chunk.payload));
            window.sent()
        };
        self.put(chunk).await?;
        if sent - self.asked.chunks >= WINDOW / 4 { self.ping().await } else { Ok(()) }
    }

    async fn ping(&mut self) -> Result<(), Why> {
        let sent = lock(&self.shared.outgoing).sent();
        self.asked = Token { chunks: sent, number: self.asked.number.wrapping_add(1) };
        self.put(&self.asked.ping()).await
    }

    /// Writes a frame, each piece at once.
    async fn put(&mut self, frame: &Frame) -> Result<(), Why> {
        for piece in frame.pieces() {
            let written = async {
                self.write.write_all(&piece).await?;
                self.write.flush().await
            };
            match timeout(duration(WRITE), written).await {
                Ok(Ok(())) => self.shared.spoke(),
                Ok(Err(_)) => return Err(Why::Lost),
                Err(_) => return Err(Why::Silent),
            }
        }
        Ok(())
    }
}

fn has_room(shared: &Shared, chunk: &Frame) -> bool {
    debug_assert_eq!(chunk.kind, Kind::Chunk);
    lock(&shared.outgoing).has_room(length(&chunk.payload))
}

/// Waits until all connections are to close, and as long as each may still write then.
async fn overdue(mut closing: watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(duration(FLUSH)).await;
}

/// Waits until this connection, or all of them, are to close.
async fn turned(close: &mut watch::Receiver<bool>, closing: &mut watch::Receiver<bool>) {
    let one = async {
        if close.wait_for(|close| *close).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let all = async {
        if closing.wait_for(|closing| *closing).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! { () = one => {}, () = all => {} }
}
