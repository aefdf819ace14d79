//! The first frame each way, within five seconds.

use semper_supporting::{
    comm::{
        fault::{Busy, FrameError},
        frame::{Frame, Kind, Taken},
        hello::{Complaint, Greeting, Hello, HelloAck},
        limits::GREETING,
        session::Why,
    },
    fault::Fault,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::{LINGER, Terms, WRITE, reader::Incoming};
use crate::clock::duration;

/// Greets the server and reads its answer.
pub(super) async fn greet_client<R, W>(
    incoming: &mut Incoming<R>,
    write: &mut W,
    terms: &Terms,
) -> Result<Greeting, Why>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let hello = Hello::new(terms.clock.now(), terms.features.clone());
    say(write, &hello.frame()?).await?;
    let frame = first(incoming).await?;
    if frame.kind == Kind::Error {
        return Err(told(&Complaint::read(&frame)?, terms));
    }
    match HelloAck::read(&frame, &hello, terms.clock.now()) {
        Ok(greeting) => Ok(greeting),
        Err(error) => Err(refuse(incoming, write, error, Some(&frame)).await),
    }
}

/// Hears the client's greeting and answers it.
pub(super) async fn greet_server<R, W>(
    incoming: &mut Incoming<R>,
    write: &mut W,
    terms: &Terms,
) -> Result<Greeting, Why>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let frame = match first(incoming).await {
        Ok(frame) => frame,
        Err(Why::Frame(error)) => return Err(refuse(incoming, write, error, None).await),
        Err(why) => return Err(why),
    };
    if let Some(busy) = terms.refusal {
        let complaint = Complaint::busy(busy.until.since(terms.clock.now()));
        part(incoming, write, &complaint).await;
        return Err(busy.into());
    }
    let answer = Hello::read(&frame).and_then(|hello| hello.answer(terms.clock.now(), &terms.features));
    match answer {
        Ok((ack, greeting)) => {
            say(write, &ack.frame()?).await?;
            Ok(greeting)
        }
        Err(error) => Err(refuse(incoming, write, error, Some(&frame)).await),
    }
}

/// What a server's complaint in place of an answer means.
fn told(complaint: &Complaint, terms: &Terms) -> Why {
    match complaint.wait() {
        Some(wait) => Busy { until: terms.clock.now().after(wait) }.into(),
        None => Why::Handshake(complaint.code().to_owned()),
    }
}

async fn first<R: AsyncRead + Unpin>(incoming: &mut Incoming<R>) -> Result<Frame, Why> {
    let first = async {
        loop {
            if let (Taken::Whole(frame), _) = incoming.next().await? {
                return Ok(frame);
            }
        }
    };
    timeout(duration(GREETING), first).await.map_err(|_| Why::Silent)?
}

async fn say<W: AsyncWrite + Unpin>(write: &mut W, frame: &Frame) -> Result<(), Why> {
    let written = async {
        for piece in frame.pieces() {
            write.write_all(&piece).await?;
        }
        write.flush().await
    };
    match timeout(duration(WRITE), written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Why::Lost),
        Err(_) => Err(Why::Silent),
    }
}

async fn refuse<R, W>(
    incoming: &mut Incoming<R>,
    write: &mut W,
    error: FrameError,
    frame: Option<&Frame>,
) -> Why
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    part(incoming, write, &Complaint::about(error.code(), frame)).await;
    error.into()
}

/// Says why we part, and reads on until the peer has heard it or the time for that is over.
async fn part<R, W>(incoming: &mut Incoming<R>, write: &mut W, complaint: &Complaint)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let parting = async {
        if say(write, &complaint.frame()).await.is_ok() && write.shutdown().await.is_ok() {
            incoming.drain().await;
        }
    };
    let _ = timeout(duration(LINGER), parting).await;
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    /// Reads until nothing more comes, and forgets it.
    pub(super) async fn drain(&mut self) {
        while self.reader.read(&mut self.buffer).await.is_ok_and(|count| count > 0) {}
    }
}
