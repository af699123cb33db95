//! Phones: each pairs with an instance and sends requests at its pace, whether or not answers come.

use std::collections::HashMap;
use std::time::Duration;

use pulse_trust::relay::{
    AppHandshake, Channel, Connect, ConnectAck, ControlPayload, Frame, FrameType, InstanceId, ProxyRequest,
    ProxyResponse,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};

use crate::fleet::{Socket, connect, next, percentile_ms, send};
use crate::{Failure, tenant};

/// What the phones do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's address.
    #[arg(long)]
    relay: String,
    /// How many, with the tenants of the numbers from 0.
    #[arg(long)]
    phones: usize,
    /// Requests a second of all together.
    #[arg(long)]
    rate: u32,
    /// For so long.
    #[arg(long)]
    seconds: u64,
}

/// Printed at the end.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    /// Requests that were answered.
    pub(crate) answered: usize,
    /// Requests that were not, within 5 s of the end.
    pub(crate) unanswered: usize,
    /// From the moment a request was due to its answer, opened; milliseconds.
    pub(crate) p50_ms: f64,
    /// The same.
    pub(crate) p99_ms: f64,
}

/// Runs the phones, and reports.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut phones = Vec::new();
    for number in 0..arguments.phones {
        phones.push(Phone::pair(&arguments.relay, number).await?);
    }
    let pace = Duration::from_secs(1).mul_f64(arguments.phones as f64 / f64::from(arguments.rate));
    let start = Instant::now() + Duration::from_millis(100);
    let end = start + Duration::from_secs(arguments.seconds);
    let running: Vec<_> = phones
        .into_iter()
        .enumerate()
        .map(|(index, phone)| {
            let first = start + pace.mul_f64(index as f64 / arguments.phones as f64);
            tokio::spawn(phone.ask(first, pace, end))
        })
        .collect();
    let (mut latencies, mut unanswered) = (Vec::new(), 0_usize);
    for phone in running {
        let (answered, open) = phone.await??;
        latencies.extend(answered);
        unanswered = unanswered.saturating_add(open);
    }
    let [p50_ms, p99_ms] = [50, 99].map(|percent| percentile_ms(&mut latencies, percent));
    println!("{}", serde_json::to_string(&Report { answered: latencies.len(), unanswered, p50_ms, p99_ms })?);
    Ok(())
}

struct Phone {
    socket: Socket,
    channel: Channel,
    channel_id: u32,
}

impl Phone {
    async fn pair(relay: &str, number: usize) -> Result<Self, Failure> {
        let mut socket = connect(&format!("ws://{relay}/ws/app")).await?;
        let connect = Connect {
            instance_id: InstanceId::of_host(&tenant::host(number)?).to_string(),
            auth_token: tenant::AUTH_TOKEN.into(),
            platform: "load".to_owned(),
            ..Connect::default()
        };
        send(&mut socket, connect.to_frame(0)?).await?;
        let channel_id = ConnectAck::from_frame(&Frame::decode(&next(&mut socket).await?)?)?.channel_id;
        let handshake = AppHandshake::start()?;
        send(&mut socket, Frame::new(FrameType::KeyExchange, channel_id, handshake.message()).encode()?).await?;
        let answer = next(&mut socket).await?;
        let identity = tenant::identity(number)?;
        let channel = handshake.finish(Frame::decode(&answer)?.payload, identity.public_key())?;
        Ok(Self { socket, channel, channel_id })
    }

    /// Sends a request each time one is due until `end`: how long each answer took, and how many came not at all.
    async fn ask(mut self, first: Instant, pace: Duration, end: Instant) -> Result<(Vec<Duration>, usize), Failure> {
        let mut due = interval_at(first, pace);
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (mut asked, mut open, mut answered) = (0_u64, HashMap::new(), Vec::new());
        let last_word = end + Duration::from_secs(5);
        while Instant::now() < end || !open.is_empty() {
            tokio::select! {
                at = due.tick(), if Instant::now() < end => {
                    asked = asked.wrapping_add(1);
                    let id = asked.to_string();
                    let request = ProxyRequest { id: id.clone(), method: "GET".to_owned(), path: "/api/status".to_owned(), ..ProxyRequest::default() };
                    let sealed = self.channel.seal(request.to_json()?.as_bytes())?;
                    send(&mut self.socket, Frame::new(FrameType::Data, self.channel_id, &sealed).encode()?).await?;
                    open.insert(id, at);
                }
                bytes = timeout_at(last_word, next(&mut self.socket)) => {
                    let Ok(bytes) = bytes else { break };
                    let bytes = bytes?;
                    let frame = Frame::decode(&bytes)?;
                    if frame.frame_type == FrameType::Data {
                        let response = ProxyResponse::from_json(&self.channel.open(frame.payload)?)?;
                        if let Some(at) = open.remove(&response.id) {
                            answered.push(at.elapsed());
                        }
                    }
                }
            }
        }
        Ok((answered, open.len()))
    }
}
