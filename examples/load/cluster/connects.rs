//! From a CONNECT to its acknowledgment, on one node and across two, and the part of it that asks the common store who has the instance:
//! what a cache of owners could save at most.

use std::net::SocketAddr;
use std::time::Duration;

use pulse_trust::relay::{
    ChannelClose, Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType, RegisterAck,
};
use serde::Serialize;
use tokio::time::Instant;

use super::nodes::{Cluster, Program};
use crate::Failure;
use crate::attackers::{Socket, open};
use crate::drained::{next, register, send};
use crate::fleet::percentile_ms;

/// So many of one connection: a relay limits the frames of a connection that it does not forward.
const OF_A_CONNECTION: usize = 100;

/// Times of one after the other.
#[derive(Serialize)]
pub(crate) struct Connects {
    pub(crate) same: Times,
    pub(crate) other: Times,
    /// The question to the store alone.
    pub(crate) lookup: Times,
}

/// Milliseconds.
#[derive(Serialize)]
pub(crate) struct Times {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl From<Vec<Duration>> for Times {
    fn from(mut times: Vec<Duration>) -> Self {
        let [p50_ms, p99_ms] = [50, 99].map(|percent| percentile_ms(&mut times, percent));
        Self { p50_ms, p99_ms }
    }
}

/// So many of each.
pub(crate) async fn measure(program: &Program, count: usize) -> Result<Connects, Failure> {
    eprintln!("{count} CONNECTs on one node and across two");
    let cluster = Cluster::start(program, 2).await?;
    let [here, there] = cluster.nodes.as_slice() else { return Err("not two nodes".into()) };
    let nats = cluster.nats.as_ref().ok_or("no NATS server")?;
    let (mut same, mut other, mut lookup) = (Vec::new(), Vec::new(), Vec::new());
    for tenant in 0..count.div_ceil(OF_A_CONNECTION) {
        // An instance for each way, as its connection is limited too.
        for (number, relay, took) in [(2 * tenant, here.addr, &mut same), (2 * tenant + 1, there.addr, &mut other)] {
            let (instance, ack) = register(here.addr, number).await?;
            let accepting = tokio::spawn(accept_all(instance));
            took.append(&mut connects(relay, &ack, count.min(OF_A_CONNECTION)).await?);
            accepting.abort();
        }
        lookup.append(&mut nats.lookups(2 * tenant, count.min(OF_A_CONNECTION)).await?);
    }
    Ok(Connects { same: same.into(), other: other.into(), lookup: lookup.into() })
}

async fn accept_all(mut instance: Socket) -> Result<(), Failure> {
    loop {
        let bytes = next(&mut instance).await?;
        if Frame::decode(&bytes)?.frame_type == FrameType::ChannelOpen {
            send(&mut instance, bytes).await?;
        }
    }
}

async fn connects(relay: SocketAddr, instance: &RegisterAck, count: usize) -> Result<Vec<Duration>, Failure> {
    let mut phone = open(relay, "app").await?;
    let mut took = Vec::new();
    for _ in 0..count {
        let began = Instant::now();
        send(&mut phone, Connect::new(instance.instance_id.as_str(), "").to_frame(0)?).await?;
        let answer = next(&mut phone).await?;
        let answer = Frame::decode(&answer)?;
        if let Ok(refusal) = ErrorMessage::from_frame(&answer) {
            return Err(format!("a CONNECT was refused: {} {}", refusal.code, refusal.message).into());
        }
        let channel = ConnectAck::from_frame(&answer)?.channel_id;
        took.push(began.elapsed());
        send(&mut phone, ChannelClose::new(channel, "enough").to_frame(channel)?).await?;
    }
    Ok(took)
}
