//! A proxy between a node and NATS, which holds back what passes from a write to the store on, or loses it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a write to the store begins.
const WRITE: &[u8] = b"PUB $KV.pulse_relay_instances.";

/// What becomes of the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives, and its answer waits.
    AnswerWaits,
    /// It waits itself.
    Waits,
    /// The connection breaks with it.
    Lost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Armed(Fate),
    Holding(Fate),
}

/// A proxy that runs as long as its test.
pub(crate) struct Proxy {
    addr: SocketAddr,
    state: watch::Sender<State>,
}

impl Proxy {
    /// Before the server at this port.
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = watch::Sender::new(State::Open);
        let states = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                let states = states.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = requests(from_client, to_server, &states) => {}
                        () = answers(from_server, to_client, &states) => {}
                    }
                });
            }
        });
        Self { addr, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.addr)
    }

    /// Says what becomes of the next write.
    pub(crate) fn arm(&self, fate: Fate) {
        self.state.send_replace(State::Armed(fate));
    }

    /// Lets everything pass again, what waits first.
    pub(crate) fn open(&self) {
        self.state.send_replace(State::Open);
    }

    /// Whether the write came.
    pub(crate) fn has_come(&self) -> bool {
        matches!(*self.state.borrow(), State::Holding(_))
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, states: &watch::Sender<State>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..read];
        let state = *states.borrow();
        if let State::Armed(fate) = state
            && bytes.windows(WRITE.len()).any(|part| part == WRITE)
        {
            states.send_replace(State::Holding(fate));
            if fate == Fate::Lost {
                return;
            }
        }
        wait_while(states, State::Holding(Fate::Waits)).await;
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, states: &watch::Sender<State>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        wait_while(states, State::Holding(Fate::AnswerWaits)).await;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn wait_while(states: &watch::Sender<State>, held: State) {
    states.subscribe().wait_for(|state| *state != held).await.ok();
}
