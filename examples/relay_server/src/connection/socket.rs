//! A WebSocket without tasks: input is classified, output is flushed, and idle buffers are freed.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink, SinkExt, StreamExt};
use pulse_trust::relay::{HEADER_LEN, MAX_PAYLOAD_LEN, WireErrorCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::headers::MAX_FRAGMENTS;
use super::outbox::Ending;
use super::wire::Wire;

/// A frame of this length or more leaves buffers behind that are worth freeing.
const LARGE_FRAME: usize = 4096;
/// The longest message.
const LONGEST_MESSAGE: usize = HEADER_LEN.saturating_add(MAX_PAYLOAD_LEN);
/// The longest reason that a WebSocket close frame holds.
const MAX_CLOSE_REASON_LEN: usize = 123;

/// What came.
pub(super) enum Incoming {
    /// A binary message.
    Frame(Bytes),
    /// A ping or pong of the WebSocket itself.
    Ping,
    /// The other end closed, or is gone.
    Gone,
    /// A message in more fragments than are allowed, which ends the connection.
    TooManyFragments(Ending),
    /// Something that ends the connection.
    Fault(Ending),
}

pub(super) struct Socket<S> {
    socket: Option<WebSocketStream<Wire<S>>>,
    /// Messages that came: if everything that was read is in them, the read buffer is empty.
    taken: u64,
    has_large_buffers: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// A socket on a stream whose handshake is done; `read` is what was read after it.
    pub(super) async fn new(stream: S, read: Vec<u8>) -> Self {
        let stream = Wire::new(stream, &read);
        let socket = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config())).await;
        Self { socket: Some(socket), taken: 0, has_large_buffers: false }
    }

    fn socket(&mut self) -> Option<&mut WebSocketStream<Wire<S>>> {
        self.socket.as_mut()
    }

    pub(super) fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        let Some(socket) = self.socket() else { return Poll::Ready(Incoming::Gone) };
        let message = match ready!(socket.poll_next_unpin(context)) {
            Some(Ok(message)) => message,
            Some(Err(_)) if socket.get_ref().headers().has_too_many_fragments() => {
                let message = format!("a message came in {MAX_FRAGMENTS} fragments or more: send it in fewer");
                return Poll::Ready(Incoming::TooManyFragments(Ending::error(
                    1008,
                    WireErrorCode::RateLimited,
                    &message,
                )));
            }
            Some(Err(error)) => return Poll::Ready(classify(&error)),
            None => return Poll::Ready(Incoming::Gone),
        };
        self.taken = self.taken.saturating_add(1);
        self.has_large_buffers |= message.len() >= LARGE_FRAME;
        Poll::Ready(match message {
            Message::Binary(bytes) => Incoming::Frame(bytes),
            Message::Ping(_) | Message::Pong(_) => Incoming::Ping,
            Message::Text(_) => fault(1003, "expected binary messages, received text"),
            _ => Incoming::Gone,
        })
    }

    /// Bytes that were read of a message that is not complete yet. Call it when nothing is ready.
    pub(super) fn unfinished(&self) -> usize {
        let unfinished = self.socket.as_ref().map_or(0, |socket| socket.get_ref().headers().unfinished());
        usize::try_from(unfinished).unwrap_or(usize::MAX).min(LONGEST_MESSAGE)
    }

    /// Bytes that went to the other end.
    pub(super) fn bytes_written(&self) -> u64 {
        self.socket.as_ref().map_or(0, |socket| socket.get_ref().bytes_written())
    }

    /// Begins to send a frame.
    pub(super) fn start_send(&mut self, frame: Bytes) -> Result<(), Error> {
        self.has_large_buffers |= frame.len() >= LARGE_FRAME;
        match self.socket() {
            Some(socket) => Pin::new(socket).start_send(Message::Binary(frame)),
            None => Err(Error::AlreadyClosed),
        }
    }

    /// Ready when everything that was started has been sent.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match self.socket() {
            Some(socket) => Pin::new(socket).poll_flush(context),
            None => Poll::Ready(Err(Error::AlreadyClosed)),
        }
    }

    pub(super) fn has_large_buffers(&self) -> bool {
        self.has_large_buffers
    }

    /// Frees the buffers that a large frame left behind. Call it when everything is flushed.
    ///
    /// The library keeps its buffers at the largest size that they ever had, so its socket is replaced by a new one on
    /// the same stream. That needs an empty read buffer, which the message counts on both sides of it show.
    pub(super) async fn shrink(&mut self) {
        self.has_large_buffers = false;
        let Some(socket) = self.socket.take() else { return };
        let headers = socket.get_ref().headers();
        let is_drained = headers.unfinished() == 0 && headers.messages() == self.taken;
        self.socket = Some(if is_drained {
            WebSocketStream::from_raw_socket(socket.into_inner(), Role::Server, Some(config())).await
        } else {
            socket
        });
    }

    /// Sends a frame, and waits until it is sent.
    pub(super) async fn send(&mut self, frame: Bytes) -> Result<(), Error> {
        match self.socket() {
            Some(socket) => socket.send(Message::Binary(frame)).await,
            None => Err(Error::AlreadyClosed),
        }
    }

    /// Sends the close frame.
    pub(super) async fn close(&mut self, code: u16, reason: &str) {
        let end = (0..=MAX_CLOSE_REASON_LEN.min(reason.len())).rev().find(|end| reason.is_char_boundary(*end));
        let reason = reason.get(..end.unwrap_or_default()).unwrap_or_default();
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        if let Some(socket) = self.socket() {
            socket.close(Some(frame)).await.ok();
        }
    }

    /// The stream below.
    pub(super) fn into_stream(self) -> Option<S> {
        self.socket.map(|socket| socket.into_inner().into_inner())
    }
}

fn config() -> WebSocketConfig {
    // The library's own read buffer is 128 KiB a connection; most connections send 6 bytes every 25 s.
    WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(LONGEST_MESSAGE.saturating_mul(2))
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE))
}

fn fault(code: u16, message: &str) -> Incoming {
    Incoming::Fault(Ending::error(code, WireErrorCode::InternalError, message))
}

fn classify(error: &Error) -> Incoming {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    match error {
        Error::Capacity(_) => fault(1009, "a frame is larger than 65542 bytes"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Incoming::Gone,
        Error::Protocol(_) => fault(1002, "the WebSocket protocol was broken"),
        Error::Utf8(_) => fault(1007, "expected UTF-8 in a text, or in the reason of a close, received other bytes"),
        _ => Incoming::Gone,
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// A phone that had once moved 64 KB kept 142 KB.
    #[test]
    fn a_socket_gives_back_what_a_large_frame_left_behind_and_goes_on() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (client, server) = tokio::io::duplex(256 * 1024);
        let (mut client, mut server) = runtime.block_on(async {
            (WebSocketStream::from_raw_socket(client, Role::Client, None).await, Socket::new(server, Vec::new()).await)
        });
        let large = Bytes::from(vec![7; MAX_PAYLOAD_LEN]);
        for round in 0..2 {
            runtime.block_on(async {
                client.send(Message::Binary(large.clone())).await.unwrap();
                let received = poll_fn(|context| server.poll_receive(context)).await;
                assert!(matches!(received, Incoming::Frame(bytes) if bytes == large), "round {round}");
                server.send(large.clone()).await.unwrap();
                assert_eq!(client.next().await.unwrap().unwrap(), Message::Binary(large.clone()));
            });
            let given_back = -allocation_counter::measure(|| runtime.block_on(server.shrink())).bytes_current;
            assert!(given_back > 100_000, "{given_back} bytes in round {round}");
        }
        // Half a frame in the read buffer is not thrown away.
        runtime.block_on(async {
            let half = &[0x82, 0x84, 0, 0, 0, 0, b'a', b'b'];
            tokio::io::AsyncWriteExt::write_all(client.get_mut(), half).await.unwrap();
            assert!(poll_fn(|context| Poll::Ready(server.poll_receive(context))).await.is_pending());
            server.shrink().await;
            tokio::io::AsyncWriteExt::write_all(client.get_mut(), b"cd").await.unwrap();
            let received = poll_fn(|context| server.poll_receive(context)).await;
            assert!(matches!(received, Incoming::Frame(bytes) if bytes == b"abcd"[..]));
        });
    }
}
