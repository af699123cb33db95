//! The loop around an end of a session, over tokio and tokio-tungstenite: sockets and clocks, and no rule of the
//! protocol.

use std::future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_trust::UnixTime;
use pulse_trust::session::{
    ConnectionId, InstanceEnd, InstanceEvent, MAX_MESSAGE_LEN, Now, Output, PhoneEnd, PhoneEvent,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Result};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// What a WebSocket connection of the operating system runs over.
pub(crate) type Tcp = MaybeTlsStream<TcpStream>;
/// A connection that is being made.
pub(crate) type Dialing<S = Tcp> = Pin<Box<dyn Future<Output = Result<WebSocketStream<S>>> + Send>>;

/// A side that takes nothing for so long is as good as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a task asks of an end that a driver has.
pub(crate) type Act<E> = Box<dyn FnOnce(&mut E, Now) + Send>;

/// What both ends have in common.
pub(crate) trait End: Send {
    type Event;
    fn start(&mut self, now: Now);
    fn stop(&mut self, now: Now);
    fn handle_connected(&mut self, connection: ConnectionId, now: Now);
    fn handle_message(&mut self, connection: ConnectionId, message: &[u8], now: Now);
    fn handle_disconnected(&mut self, connection: ConnectionId, now: Now);
    fn handle_timeout(&mut self, now: Now);
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;
    fn poll_timeout(&self) -> Option<Duration>;
}

macro_rules! end {
    ($end:ident, $event:ident, $($method:ident($($argument:ident: $kind:ty),*);)*) => {
        impl End for $end {
            type Event = $event;
            $(fn $method(&mut self, $($argument: $kind),*) { $end::$method(self, $($argument),*) })*
            fn poll_output(&mut self) -> Option<Output<$event>> { $end::poll_output(self) }
            fn poll_timeout(&self) -> Option<Duration> { $end::poll_timeout(self) }
        }
    };
    ($end:ident, $event:ident) => {
        end! { $end, $event,
            start(now: Now);
            stop(now: Now);
            handle_connected(connection: ConnectionId, now: Now);
            handle_message(connection: ConnectionId, message: &[u8], now: Now);
            handle_disconnected(connection: ConnectionId, now: Now);
            handle_timeout(now: Now);
        }
    };
}

end!(InstanceEnd, InstanceEvent);
end!(PhoneEnd, PhoneEvent);

/// Drives an end until every sender of acts is gone. Events are handled where they happen, with the end at hand; what
/// takes time belongs in a task of its own, which sends an act when it is done.
pub(crate) async fn drive<E: End>(
    end: E,
    acts: mpsc::UnboundedReceiver<Act<E>>,
    dial: impl FnMut(String) -> Dialing + Send,
    on_event: impl FnMut(&mut E, E::Event, Now) + Send,
) {
    drive_by(UnixTime::now, end, acts, dial, on_event).await;
}

/// The same by another calendar, and over other streams.
pub(crate) async fn drive_by<E: End, S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    calendar: impl Fn() -> UnixTime + Send,
    mut end: E,
    mut acts: mpsc::UnboundedReceiver<Act<E>>,
    mut dial: impl FnMut(String) -> Dialing<S> + Send,
    mut on_event: impl FnMut(&mut E, E::Event, Now) + Send,
) {
    let origin = Instant::now();
    let now = || Now::new(origin.elapsed(), calendar());
    let mut connection = Connection::None;
    end.start(now());
    loop {
        while let Some(output) = end.poll_output() {
            match output {
                Output::Event(event) => on_event(&mut end, event, now()),
                Output::Connect { connection: id, url } => connection = Connection::Dialing(id, dial(url)),
                Output::Send { connection: id, message } => {
                    let sent = connection.send(id, message).await;
                    if !sent {
                        end.handle_disconnected(id, now());
                    }
                }
                Output::Disconnect { code, .. } => connection.close(code.as_u16()),
                _ => {}
            }
        }
        let deadline = end.poll_timeout().and_then(|at| origin.checked_add(at));
        tokio::select! {
            happened = connection.next() => match happened {
                Happened::Connected(id, socket) => {
                    connection = Connection::Open(id, socket);
                    end.handle_connected(id, now());
                }
                Happened::Message(id, message) => end.handle_message(id, &message, now()),
                Happened::Lost(id) => {
                    connection = Connection::None;
                    end.handle_disconnected(id, now());
                }
            },
            () = sleep_until(deadline.unwrap_or(origin)), if deadline.is_some() => end.handle_timeout(now()),
            act = acts.recv() => match act {
                Some(act) => act(&mut end, now()),
                None => break,
            },
        }
    }
    end.stop(now());
    while let Some(output) = end.poll_output() {
        match output {
            Output::Send { connection: id, message } => {
                connection.send(id, message).await;
            }
            Output::Event(event) => on_event(&mut end, event, now()),
            Output::Disconnect { .. } => {
                if let Connection::Open(_, socket) = &mut connection {
                    timeout(WRITE_TIMEOUT, WebSocketStream::close(socket, None)).await.ok();
                }
            }
            _ => {}
        }
    }
}

enum Connection<S> {
    None,
    Dialing(ConnectionId, Dialing<S>),
    Open(ConnectionId, Box<WebSocketStream<S>>),
}

enum Happened<S> {
    Connected(ConnectionId, Box<WebSocketStream<S>>),
    Message(ConnectionId, Vec<u8>),
    Lost(ConnectionId),
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Connection<S> {
    /// What happens next. It may be dropped and called again.
    async fn next(&mut self) -> Happened<S> {
        match self {
            Self::None => future::pending().await,
            Self::Dialing(id, dialing) => match dialing.await {
                Ok(socket) => Happened::Connected(*id, Box::new(socket)),
                Err(_) => Happened::Lost(*id),
            },
            Self::Open(id, socket) => loop {
                match socket.next().await {
                    Some(Ok(Message::Binary(message))) => return Happened::Message(*id, message.into()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return Happened::Lost(*id),
                }
            },
        }
    }

    /// Whether the message was taken. One of an earlier connection is of no use to anybody.
    async fn send(&mut self, to: ConnectionId, message: Vec<u8>) -> bool {
        match self {
            Self::Open(id, socket) if *id == to => {
                let sent = timeout(WRITE_TIMEOUT, socket.send(Message::Binary(message.into()))).await;
                matches!(sent, Ok(Ok(())))
            }
            _ => true,
        }
    }

    /// Says goodbye in the background: the end has done with the connection.
    fn close(&mut self, code: u16) {
        if let Self::Open(_, mut socket) = std::mem::replace(self, Self::None) {
            tokio::spawn(async move {
                let frame = CloseFrame { code: code.into(), reason: "".into() };
                timeout(WRITE_TIMEOUT, WebSocketStream::close(&mut socket, Some(frame))).await.ok();
            });
        }
    }
}

/// A connection with small buffers, as a program may have thousands. A redirect is not followed: the credential is for
/// the server that was configured.
#[allow(dead_code, reason = "the prober brings its own certificates")]
pub(crate) fn dial(url: String) -> Dialing {
    Box::pin(async move { Ok(connect_async_with_config(url, Some(socket_config()), true).await?.0) })
}

/// The buffers of such a connection.
pub(crate) fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_MESSAGE_LEN))
        .max_frame_size(Some(MAX_MESSAGE_LEN))
}
