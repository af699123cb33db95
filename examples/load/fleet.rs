//! Instances: each registers, pings, answers requests through channels, and comes back when the relay is gone.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use pulse_trust::keys::SigningKey;
use pulse_trust::relay::{
    Body, Channel, ChannelOpen, ControlPayload, Frame, FrameType, Identity, ProxyRequest, ProxyResponse, Register,
    RegisterAck, accept_key_exchange,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval_at, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::{Failure, tenant};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PING_EVERY: Duration = Duration::from_secs(25);
/// A response of about the size of `/api/status`.
const STATUS: &[u8] = &[b' '; 1024];

/// What a fleet is.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's address.
    #[arg(long)]
    relay: String,
    /// Number of the first tenant.
    #[arg(long)]
    first: usize,
    /// How many.
    #[arg(long)]
    count: usize,
    /// How many connect at the same time.
    #[arg(long)]
    in_flight: usize,
}

/// Printed when all instances are registered: at first, and again whenever all are back after a loss.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    /// From the start, or from the first loss.
    pub(crate) seconds: f64,
    /// Connect and register, milliseconds.
    pub(crate) p50_ms: f64,
    /// The same.
    pub(crate) p99_ms: f64,
    /// Attempts that failed before one succeeded.
    pub(crate) failed_attempts: usize,
}

enum Event {
    Registered(Duration),
    Lost,
    Failed,
}

/// Runs a fleet for good.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let key = tenant::control_plane()?;
    let url: Arc<str> = format!("ws://{}/ws/instance", arguments.relay).into();
    let tenants = arguments.first..arguments.first.saturating_add(arguments.count);
    let tenants = tenants.map(|number| Tenant::new(number, &key)).collect::<Result<Vec<_>, _>>()?;
    let (events, mut happened) = mpsc::unbounded_channel();
    let in_flight = Arc::new(Semaphore::new(arguments.in_flight));
    let mut start = Instant::now();
    for tenant in tenants {
        tokio::spawn(tenant.live(Arc::clone(&url), Arc::clone(&in_flight), events.clone()));
    }
    let (mut registered, mut failed_attempts, mut latencies) = (0_usize, 0, Vec::new());
    while let Some(event) = happened.recv().await {
        match event {
            Event::Registered(latency) => {
                registered = registered.saturating_add(1);
                latencies.push(latency);
                if registered == arguments.count {
                    let [p50_ms, p99_ms] = [50, 99].map(|percent| percentile_ms(&mut latencies, percent));
                    let seconds = start.elapsed().as_secs_f64();
                    println!("{}", serde_json::to_string(&Report { seconds, p50_ms, p99_ms, failed_attempts })?);
                    (failed_attempts, latencies) = (0, Vec::new());
                }
            }
            Event::Lost => {
                if registered == arguments.count {
                    start = Instant::now();
                }
                registered = registered.saturating_sub(1);
            }
            Event::Failed => failed_attempts = failed_attempts.saturating_add(1),
        }
    }
    Ok(())
}

/// The time below which so many percent are, in milliseconds.
pub(crate) fn percentile_ms(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let index = times.len().saturating_sub(1).saturating_mul(percent).checked_div(100).unwrap_or_default();
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

struct Tenant {
    lease: String,
    identity: Identity,
    session_token: String,
}

impl Tenant {
    fn new(number: usize, key: &SigningKey) -> Result<Self, Failure> {
        Ok(Self {
            lease: tenant::lease(number, key)?,
            identity: tenant::identity(number)?,
            session_token: String::new(),
        })
    }

    async fn live(mut self, url: Arc<str>, in_flight: Arc<Semaphore>, events: mpsc::UnboundedSender<Event>) {
        let mut wait = Duration::from_millis(50);
        loop {
            let registered = async {
                let _permit = in_flight.acquire().await?;
                let start = Instant::now();
                let socket = self.register(&url).await?;
                Ok::<_, Failure>((socket, start.elapsed()))
            };
            match registered.await {
                Ok((mut socket, latency)) => {
                    events.send(Event::Registered(latency)).ok();
                    wait = Duration::from_millis(50);
                    let Err(_) = serve(&mut socket, &self.identity).await;
                    events.send(Event::Lost).ok();
                }
                Err(_) => {
                    events.send(Event::Failed).ok();
                    sleep(wait).await;
                    wait = wait.saturating_mul(2).min(Duration::from_secs(1));
                }
            }
        }
    }

    async fn register(&mut self, url: &str) -> Result<Socket, Failure> {
        let mut socket = connect(url).await?;
        let register = Register {
            license_token: self.lease.as_str().into(),
            session_token: std::mem::take(&mut self.session_token).into(),
            client_version: "load".to_owned(),
            identity_pub_key: self.identity.public_key().to_base64(),
            ..Register::default()
        };
        send(&mut socket, register.to_frame(0)?).await?;
        let answer = next(&mut socket).await?;
        let ack = RegisterAck::from_frame(&Frame::decode(&answer)?)?;
        self.session_token = ack.session_token.expose_secret().to_owned();
        Ok(socket)
    }
}

async fn serve(socket: &mut Socket, identity: &Identity) -> Result<Infallible, Failure> {
    let mut channels: HashMap<u32, Channel> = HashMap::new();
    // The pings of a fleet are spread, as those of real instances are.
    let first =
        tokio::time::Instant::now() + PING_EVERY.mul_f64(f64::from(identity.public_key().as_bytes()[0]) / 256.0);
    let mut pings = interval_at(first, PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let bytes = tokio::select! {
            bytes = next(socket) => bytes?,
            _ = pings.tick() => {
                send(socket, Frame::new(FrameType::Ping, 0, b"").encode()?).await?;
                continue;
            }
        };
        let frame = Frame::decode(&bytes)?;
        match frame.frame_type {
            FrameType::ChannelOpen => {
                send(socket, ChannelOpen::from_frame(&frame)?.to_frame(frame.channel)?).await?;
            }
            FrameType::KeyExchange => {
                let (channel, answer) = accept_key_exchange(frame.payload, identity)?;
                channels.insert(frame.channel, channel);
                send(socket, Frame::new(FrameType::KeyExchange, frame.channel, &answer).encode()?).await?;
            }
            FrameType::Data => {
                if let Some(channel) = channels.get_mut(&frame.channel) {
                    let request = ProxyRequest::from_json(&channel.open(frame.payload)?)?;
                    let response = ProxyResponse {
                        id: request.id,
                        status: 200,
                        body: Body::new(STATUS.to_vec())?,
                        ..ProxyResponse::default()
                    };
                    let sealed = channel.seal(response.to_json()?.as_bytes())?;
                    send(socket, Frame::new(FrameType::Data, frame.channel, &sealed).encode()?).await?;
                }
            }
            _ => {}
        }
    }
}

/// A connection with small buffers: there are thousands of them.
pub(crate) async fn connect(url: &str) -> Result<Socket, Failure> {
    let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    Ok(connect_async_with_config(url, Some(config), true).await?.0)
}

/// The next binary message.
pub(crate) async fn next(socket: &mut Socket) -> Result<Vec<u8>, Failure> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Ok(bytes.into()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Err(error)) => return Err(error.into()),
            _ => return Err("the relay closed the connection".into()),
        }
    }
}

/// Sends a frame.
pub(crate) async fn send(socket: &mut Socket, frame: Vec<u8>) -> Result<(), Failure> {
    Ok(socket.send(Message::Binary(frame.into())).await?)
}
