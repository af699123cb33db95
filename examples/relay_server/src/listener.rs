//! The listener: connections are accepted, or answered with 503 if there are too many.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use prometheus::IntGauge;
use pulse_trust::session::RelayedEnd;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::client_address;
use crate::connection;
use crate::http;
use crate::proxy_protocol;
use crate::shared::Shared;
use crate::slots::Slot;
use crate::turn::let_others_run;

/// Connections that may wait to be accepted: after a restart all instances come at once. The kernel has a limit of its own.
const BACKLOG: u32 = 16_384;
/// What the kernel may hold for a slow reader. Its own choice grows to megabytes, behind which others' answers wait.
const SEND_BUFFER: u32 = 256 * 1024;
/// After this many accepted connections, those get a turn: when all instances come at once, only a few are newcomers at a time.
const ACCEPTED_PER_TURN: u32 = 16;
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: text/plain\r\n\
    Content-Length: 21\r\nRetry-After: 5\r\n\r\ntoo many connections\n";

/// Where connections come from: the sockets of the operating system, or those of a simulation.
pub trait Listener: Send + 'static {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection, and the address of its other end.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;

    /// The address it listens on.
    ///
    /// # Errors
    /// Those of the operating system.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

/// The sockets of the operating system.
pub(crate) struct Tcp(TcpListener);

impl Tcp {
    pub(crate) async fn bind(addr: &str) -> io::Result<Self> {
        let mut last_error = io::Error::new(io::ErrorKind::AddrNotAvailable, format!("{addr} has no address"));
        for addr in tokio::net::lookup_host(addr).await? {
            let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            socket.set_reuseaddr(true)?;
            socket.set_send_buffer_size(SEND_BUFFER)?;
            match socket.bind(addr).and_then(|()| socket.listen(BACKLOG)) {
                Ok(listener) => return Ok(Self(listener)),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }
}

impl Listener for Tcp {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.0.accept().await?;
        stream.set_nodelay(true).ok();
        Ok((stream, peer))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Accepts until the relay drains.
pub(crate) async fn accept<L: Listener>(mut listener: L, shared: Arc<Shared>) {
    for number in (0..ACCEPTED_PER_TURN).cycle() {
        if number == 0 {
            let_others_run().await;
        }
        let (stream, peer) = tokio::select! {
            () = shared.drain.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // For example, out of file descriptors: existing connections continue.
                    shared.refusal_log.write(&shared.metrics, || warn!(%error, "a connection could not be accepted"));
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (is_proxied, address) = {
            let config = shared.config.load();
            let is_proxied = proxy_protocol::is_expected(peer, &config.proxy_protocol);
            // Everybody may be behind a proxy.
            let address = client_address::of_peer(peer, &config.trusted_proxies).filter(|_| !is_proxied);
            (is_proxied, address)
        };
        let Some(slots) = shared.slots.newcomer(address) else {
            shared.metrics.connections_refused.inc();
            // A client that waits for a handshake could not read the answer.
            if shared.tls.is_none() {
                refuse(stream, shared.slots.refusal());
            }
            continue;
        };
        shared.tasks.spawn(connected(Arc::clone(&shared), stream, peer, slots, is_proxied));
    }
}

/// A connection, from its PROXY header to its end. For its whole life a task is as large as the largest future that it awaits,
/// so the WebSocket over TLS is in a box.
async fn connected<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    shared: Arc<Shared>,
    mut stream: S,
    mut peer: SocketAddr,
    (_place, newcomer): (Slot, Slot),
    is_proxied: bool,
) {
    let _counted = Counted::new(&shared.metrics.connections);
    let within = shared.config.load().limits.hello_timeout;
    if is_proxied {
        let named = tokio::select! {
            named = proxy_protocol::read(&mut stream, peer, within) => named,
            () = shared.drain.cancelled() => return,
        };
        match named {
            Ok(named) => peer = named,
            Err(error) => {
                shared.metrics.proxy_headers_refused.inc();
                let warned = || warn!(proxy = %peer, %error, "a proxy's connection has no PROXY header");
                return shared.refusal_log.write(&shared.metrics, warned);
            }
        }
    }
    let Some(tls) = &shared.tls else { return serve(&shared, stream, peer, newcomer).await };
    let shaken = tokio::select! {
        shaken = tls.handshake(stream, within, &shared.metrics) => shaken,
        () = shared.drain.cancelled() => None,
    };
    if let Some(stream) = shaken {
        Box::pin(serve(&shared, stream, peer, newcomer)).await;
    }
}

/// Counts a connection while it is kept.
struct Counted(IntGauge);

impl Counted {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// HTTP, and what it becomes.
async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    shared: &Arc<Shared>,
    stream: S,
    peer: SocketAddr,
    newcomer: Slot,
) {
    let Some(upgraded) = http::serve(shared, stream, peer, newcomer).await else { return };
    connection::serve(shared, upgraded.end, upgraded.origin, upgraded.stream, upgraded.read).await;
}

/// Answers 503. What the client has sent is read for a moment, because a reset could keep the answer from it.
fn refuse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(mut stream: S, place: Option<Slot>) {
    let Some(place) = place else {
        stream.write_all(TOO_MANY).now_or_never();
        return;
    };
    tokio::spawn(async move {
        let telling = async {
            stream.write_all(TOO_MANY).await.ok();
            stream.shutdown().await.ok();
            tokio::io::copy(&mut stream.take(64 * 1024), &mut tokio::io::sink()).await.ok();
        };
        timeout(Duration::from_secs(1), telling).await.ok();
        drop(place);
    });
}

/// What an HTTP connection became.
pub(crate) struct Upgraded<S> {
    pub(crate) end: RelayedEnd,
    pub(crate) origin: crate::link::Origin,
    pub(crate) stream: S,
    /// What was read after the handshake.
    pub(crate) read: Vec<u8>,
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// It had 20 KiB an instance.
    #[test]
    fn a_connection_that_waits_has_no_room_for_what_it_does_once() {
        fn size<F>(_: impl FnOnce(Arc<Shared>, tokio::net::TcpStream, SocketAddr, (Slot, Slot), bool) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = size(connected::<tokio::net::TcpStream>);
        assert!(bytes <= 2560, "a connection takes {bytes} bytes");
    }
}
