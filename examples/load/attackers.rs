//! What attackers do. Each is bounded in time and number, and goes to the address that it is given, on loopback alone.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use futures_util::{SinkExt, StreamExt};
use pulse_trust::relay::{Connect, ControlPayload, Frame, FrameType, InstanceId, Register};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::drained::{Pair, send};
use crate::{Failure, tenant};

/// Attackers with a credential of their own are tenants from this number on.
const FIRST_OF_ATTACKERS: usize = 1000;

/// An attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Attack {
    /// Requests that never end.
    Slowloris,
    /// WebSockets that say nothing.
    SilentUpgrades,
    /// DATA frames on no channel.
    EmptyFrames,
    /// PING frames.
    Pings,
    /// Ends of channels that do not read what the other end sends: phones and instances.
    SlowReaders,
    /// Requests for metrics whose answers are not read.
    UnreadAnswers,
    /// More connections than there are file descriptors.
    Descriptors,
    /// CONNECTs with tokens that are wrong.
    Guessing,
    /// REGISTERs with forged credentials.
    Forging,
}

/// What an attacker is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's address.
    #[arg(long)]
    relay: SocketAddr,
    #[arg(long)]
    attack: String,
    #[arg(long)]
    count: usize,
    #[arg(long)]
    seconds: u64,
}

impl Attack {
    /// All attacks.
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// How many connections make it.
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::Slowloris | Self::SilentUpgrades => 3000,
            Self::Descriptors => 8000,
            Self::UnreadAnswers => 200,
            Self::SlowReaders => 64,
            Self::EmptyFrames | Self::Pings | Self::Guessing | Self::Forging => 8,
        }
    }

    pub(crate) fn describe(self, scale: usize) -> String {
        let count = (self.count() / scale).max(1);
        match self {
            Self::Slowloris => format!("slowloris, {count} requests that never end"),
            Self::SilentUpgrades => format!("{count} WebSockets that say nothing"),
            Self::EmptyFrames => format!("{count} connections that flood DATA on no channel"),
            Self::Pings => format!("{count} connections that flood PING"),
            Self::SlowReaders => format!("{count} channels whose phone or instance does not read"),
            Self::UnreadAnswers => format!("{count} connections that ask for metrics and do not read"),
            Self::Descriptors => format!("{count} connections and no word"),
            Self::Guessing => format!("{count} connections that guess tokens"),
            Self::Forging => format!("{count} connections that forge credentials"),
        }
    }
}

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Attacks until the time is over. The first line says that it has begun.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { relay, attack, count, seconds } = arguments;
    if !relay.ip().is_loopback() {
        return Err("attacks go to loopback alone".into());
    }
    let end = Instant::now() + Duration::from_secs(seconds);
    if attack == "drained" {
        return crate::drained::run(relay, count, end).await;
    }
    let attack = Attack::from_str(&attack, true)?;
    println!("attacking");
    let mut attackers = JoinSet::new();
    for number in 0..count {
        attackers.spawn(async move {
            while Instant::now() < end {
                once(attack, relay, number, end).await.ok();
                sleep(Duration::from_millis(5)).await;
            }
        });
        if number % 64 == 63 {
            sleep(Duration::from_millis(2)).await;
        }
    }
    attackers.join_all().await;
    Ok(())
}

/// One connection of an attack.
async fn once(attack: Attack, relay: SocketAddr, number: usize, end: Instant) -> Result<(), Failure> {
    match attack {
        Attack::Slowloris => {
            let mut stream = TcpStream::connect(relay).await?;
            stream.write_all(b"GET /ws/instance HTTP/1.1\r\nHost: h\r\n").await?;
            while Instant::now() < end {
                sleep(Duration::from_secs(1)).await;
                stream.write_all(b"X: y\r\n").await?;
            }
        }
        Attack::Descriptors => {
            let mut stream = TcpStream::connect(relay).await?;
            timeout(end.saturating_duration_since(Instant::now()), stream.read(&mut [0; 16])).await.ok();
        }
        Attack::UnreadAnswers => {
            let mut stream = TcpStream::connect(relay).await?;
            let requests = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n".repeat(50);
            loop {
                stream.write_all(requests.as_bytes()).await?;
            }
        }
        Attack::SilentUpgrades => {
            let path = if number.is_multiple_of(2) { "app" } else { "instance" };
            let mut socket = open(relay, path).await?;
            timeout(end.saturating_duration_since(Instant::now()), socket.next()).await.ok();
        }
        Attack::EmptyFrames => flood(relay, Frame::new(FrameType::Data, 1, b"").encode()?, end).await?,
        Attack::Pings => flood(relay, Frame::new(FrameType::Ping, 0, b"").encode()?, end).await?,
        Attack::Guessing => {
            let connect = Connect::new(victim()?, "a guess");
            flood(relay, connect.to_frame(0)?, end).await?;
        }
        Attack::Forging => {
            let mut socket = open(relay, "instance").await?;
            let forged = tenant::lease(0, &pulse_trust::keys::SigningKey::from_seed(&[7; 32])?)?;
            let register = Register::new(forged);
            socket.send(Message::Binary(register.to_frame(0)?.into())).await?;
            socket.next().await;
        }
        Attack::SlowReaders => {
            let Pair { mut instance, instance_channel, mut phone, phone_channel } =
                Pair::connect(relay, FIRST_OF_ATTACKERS + number).await?;
            let (sender, channel) =
                if number.is_multiple_of(2) { (&mut instance, instance_channel) } else { (&mut phone, phone_channel) };
            let frame = Frame::new(FrameType::Data, channel, &[7; 60_000]).encode()?;
            while Instant::now() < end {
                timeout(end.saturating_duration_since(Instant::now()), send(sender, frame.clone())).await??;
            }
        }
    }
    Ok(())
}

/// Sends a frame again and again, and reads what comes.
async fn flood(relay: SocketAddr, frame: Vec<u8>, end: Instant) -> Result<(), Failure> {
    let (mut sink, mut stream) = open(relay, "app").await?.split();
    let reading = async { while let Some(Ok(_)) = stream.next().await {} };
    let sending =
        async { while Instant::now() < end && sink.send(Message::Binary(frame.clone().into())).await.is_ok() {} };
    tokio::select! {
        () = reading => {}
        () = sending => {}
    }
    Ok(())
}

pub(crate) async fn open(relay: SocketAddr, path: &str) -> Result<Socket, Failure> {
    // Without waiting for more to send: answers are timed.
    Ok(connect_async_with_config(format!("ws://{relay}/ws/{path}"), None, true).await?.0)
}

/// The instance that attacks aim at: none of the healthy phones' own.
fn victim() -> Result<String, Failure> {
    Ok(InstanceId::of_host(&tenant::host(10)?).as_str().to_owned())
}
