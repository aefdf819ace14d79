//! A stream that gives only so many bytes until it is trusted: what bounds a handshake.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes of a peer a handshake may take (32 KiB).
const HANDSHAKE: u64 = 32 << 10;

/// A stream under a limit.
pub(crate) struct Metered<S> {
    stream: S,
    left: Allowance,
}

/// How many bytes may still come; shared with whoever lifts the limit.
#[derive(Clone)]
pub(crate) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// The handshake is over.
    pub(crate) fn lift(&self) {
        self.0.store(u64::MAX, Ordering::Relaxed);
    }
}

impl<S> Metered<S> {
    /// Lets a handshake's worth of bytes through.
    pub(crate) fn handshake(stream: S) -> (Self, Allowance) {
        let left = Allowance(Arc::new(AtomicU64::new(HANDSHAKE)));
        (Self { stream, left: left.clone() }, left)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let come = u64::try_from(buf.filled().len() - before).unwrap_or(u64::MAX);
        let left = self.left.0.load(Ordering::Relaxed);
        if left == u64::MAX {
            return Poll::Ready(Ok(()));
        }
        if come > left {
            return Poll::Ready(Err(io::Error::other("the handshake is too long")));
        }
        self.left.0.store(left - come, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_handshake_has_a_length_and_a_session_has_none() {
        let (mut here, there) = tokio::io::duplex(1 << 20);
        let (mut metered, allowance) = Metered::handshake(there);
        let length = usize::try_from(HANDSHAKE).unwrap();
        here.write_all(&vec![0; 3 * length]).await.unwrap();
        let mut bytes = vec![0; length];
        metered.read_exact(&mut bytes).await.unwrap();
        assert!(metered.read(&mut bytes).await.is_err());
        allowance.lift();
        metered.read_exact(&mut bytes).await.unwrap();
    }
}
