//! The stream below a WebSocket: what is read from it is followed frame by frame, and a turn of reading has an end.
//!
//! The WebSocket library puts a message together out of its fragments before it says anything, so it alone would read for
//! as long as somebody sends empty ones.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::headers::Headers;

/// After this many reads a connection lets others run. Each is at most a kilobyte, or what the library reads at once.
const READS_PER_TURN: u32 = 32;

pub(super) struct Wire<S> {
    stream: S,
    headers: Headers,
    bytes_written: u64,
    reads_left: u32,
}

impl<S> Wire<S> {
    /// A stream from which this was read before.
    pub(super) fn new(stream: S, read: &[u8]) -> Self {
        let mut headers = Headers::default();
        headers.read(read);
        Self { stream, headers, bytes_written: 0, reads_left: READS_PER_TURN }
    }

    /// What was read, frame by frame.
    pub(super) fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Bytes that the other end's side has taken.
    pub(super) fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.headers.has_too_many_fragments() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let Some(left) = self.reads_left.checked_sub(1) else {
            self.reads_left = READS_PER_TURN;
            // Woken while it runs, a task goes to the end of the queue.
            context.waker().wake_by_ref();
            return Poll::Pending;
        };
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        self.reads_left = left;
        read?;
        self.headers.read(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.bytes_written = self.bytes_written.saturating_add(u64::try_from(written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
