//! WebSockets over the simulated network.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_relay::Listener;
use pulse_trust::relay::{Frame, FrameType};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use turmoil::net::{TcpListener, TcpStream};

pub(crate) const PORT: u16 = 80;

/// The simulated listener.
pub(crate) struct Simulated(pub(crate) TcpListener);

impl Listener for Simulated {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects, where the relay can be reached.
    pub(crate) async fn connect(path: &str) -> Option<Self> {
        let connecting = async {
            let stream = TcpStream::connect(("relay", PORT)).await.ok()?;
            Some(Self(tokio_tungstenite::client_async(format!("ws://relay{path}"), stream).await.ok()?.0))
        };
        timeout(Duration::from_secs(3), connecting).await.ok()?
    }

    /// Sends a frame; false where the connection is over.
    pub(crate) async fn send(&mut self, frame_type: FrameType, channel: u32, payload: &[u8]) -> bool {
        let frame = Frame::new(frame_type, channel, payload).encode().unwrap();
        self.send_raw(frame).await
    }

    pub(crate) async fn send_raw(&mut self, bytes: Vec<u8>) -> bool {
        matches!(timeout(Duration::from_secs(5), self.0.send(Message::Binary(bytes.into()))).await, Ok(Ok(())))
    }

    /// The next frame; `None` where the connection is over.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) => return Some(bytes.to_vec()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }
}
