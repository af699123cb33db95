//! One WebSocket connection: frames in, frames out, silence and slow readers noticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use pulse_trust::relay::{
    ControlPayload, Drain, ErrorMessage, Frame, FrameType, HEADER_LEN, MAX_PAYLOAD_LEN, WireErrorCode,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

/// Where frames for a connection are left. It holds so many bytes; a connection that reads too slowly for that is closed.
pub(crate) struct Outbox {
    sender: mpsc::UnboundedSender<Bytes>,
    queued: AtomicUsize,
    limit: usize,
    closed: CancellationToken,
    overflowed: CancellationToken,
}

impl Outbox {
    /// Leaves a frame; false where the connection is closed, or is closed because of it.
    pub(crate) fn send(&self, frame: impl Into<Bytes>) -> bool {
        let frame = frame.into();
        let length = frame.len();
        let queued = self.queued.fetch_add(length, Ordering::Relaxed);
        if queued.saturating_add(length) > self.limit {
            self.overflowed.cancel();
            self.closed.cancel();
            return false;
        }
        self.sender.send(frame).is_ok()
    }

    /// Leaves a control frame.
    pub(crate) fn send_control(&self, payload: &impl ControlPayload, channel: u32) -> bool {
        payload.to_frame(channel).is_ok_and(|frame| self.send(frame))
    }

    /// Leaves an ERROR frame.
    pub(crate) fn send_error(&self, code: WireErrorCode, message: &str) -> bool {
        self.send_control(&ErrorMessage::new(code, message), 0)
    }

    /// Ends the connection.
    pub(crate) fn close(&self) {
        self.closed.cancel();
    }
}

/// What happened on a connection.
pub(crate) enum Event {
    /// A frame's bytes.
    Frame(Bytes),
    /// The relay drains.
    Drain,
    /// The connection is over.
    Closed,
}

pub(crate) struct Connection<S> {
    socket: WebSocketStream<S>,
    outbox: Arc<Outbox>,
    waiting: mpsc::UnboundedReceiver<Bytes>,
    drain: CancellationToken,
    silence_timeout: Duration,
    heard_at: Instant,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection on a stream whose handshake is done; `read` is what was read after it.
    pub(crate) async fn new(
        stream: S,
        read: Vec<u8>,
        queued_bytes: usize,
        silence_timeout: Duration,
        drain: CancellationToken,
    ) -> Self {
        let longest = HEADER_LEN.saturating_add(MAX_PAYLOAD_LEN);
        // The library's own read buffer is 128 KiB a connection; most connections say 6 bytes every 25 s.
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0)
            .max_write_buffer_size(longest.saturating_mul(2))
            .max_message_size(Some(longest))
            .max_frame_size(Some(longest));
        let socket = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await;
        let (sender, waiting) = mpsc::unbounded_channel();
        let outbox = Arc::new(Outbox {
            sender,
            queued: AtomicUsize::new(0),
            limit: queued_bytes,
            closed: CancellationToken::new(),
            overflowed: CancellationToken::new(),
        });
        Self { socket, outbox, waiting, drain, silence_timeout, heard_at: Instant::now() }
    }

    pub(crate) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    pub(crate) fn has_overflowed(&self) -> bool {
        self.outbox.overflowed.is_cancelled()
    }

    /// The first frame, which must come in time.
    pub(crate) async fn first(&mut self, within: Duration) -> Event {
        timeout(within, self.next()).await.unwrap_or(Event::Closed)
    }

    /// Sends what waits until something is to be done. PING frames are answered here.
    pub(crate) async fn next(&mut self) -> Event {
        loop {
            let silent_at = self.heard_at.checked_add(self.silence_timeout).unwrap_or(self.heard_at);
            tokio::select! {
                biased;
                () = self.outbox.closed.cancelled() => return Event::Closed,
                () = self.drain.cancelled() => return Event::Drain,
                Some(frame) = self.waiting.recv() => {
                    if !self.write(frame).await {
                        return Event::Closed;
                    }
                }
                message = self.socket.next() => {
                    self.heard_at = Instant::now();
                    match message {
                        Some(Ok(Message::Binary(bytes))) => match Frame::decode(&bytes) {
                            Ok(Frame { frame_type: FrameType::Ping, .. }) => {
                                let pong = Frame::new(FrameType::Pong, 0, b"").encode().unwrap_or_default();
                                if !self.write(pong.into()).await {
                                    return Event::Closed;
                                }
                            }
                            Ok(Frame { frame_type: FrameType::Pong, .. }) => {}
                            _ => return Event::Frame(bytes),
                        },
                        // The library answers a ping itself.
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        _ => return Event::Closed,
                    }
                }
                () = sleep_until(silent_at) => return Event::Closed,
            }
        }
    }

    /// Says a last word and closes.
    pub(crate) async fn end_with_error(mut self, code: WireErrorCode, message: &str) {
        if let Ok(frame) = ErrorMessage::new(code, message).to_frame(0) {
            self.write(frame.into()).await;
        }
        self.end().await;
    }

    /// Tells that the relay goes down, and closes.
    pub(crate) async fn end_with_drain(mut self) {
        let drain = Drain { reason: "the relay is going down".to_owned(), reconn_url: String::new() };
        if let Ok(frame) = drain.to_frame(0) {
            self.write(frame.into()).await;
        }
        self.end().await;
    }

    /// Sends what still waits, and closes.
    pub(crate) async fn end(mut self) {
        let farewell = async {
            if !self.has_overflowed() {
                while let Ok(frame) = self.waiting.try_recv() {
                    self.socket.send(Message::Binary(frame)).await.ok();
                }
            }
            self.socket.close(None).await.ok();
        };
        timeout(Duration::from_secs(1), farewell).await.ok();
    }

    /// Sends a frame; false where that failed, took too long, or the connection was closed meanwhile.
    async fn write(&mut self, frame: Bytes) -> bool {
        self.outbox.queued.fetch_sub(frame.len().min(self.outbox.queued.load(Ordering::Relaxed)), Ordering::Relaxed);
        tokio::select! {
            biased;
            () = self.outbox.closed.cancelled() => false,
            sent = timeout(self.silence_timeout, self.socket.send(Message::Binary(frame))) => matches!(sent, Ok(Ok(()))),
        }
    }
}

/// The frame on another channel.
pub(crate) fn on_channel(frame: &Frame<'_>, channel: u32) -> Vec<u8> {
    Frame::new(frame.frame_type, channel, frame.payload).encode().unwrap_or_default()
}
