//! Instances and their phones in one process, which knows of each request whether it reached the instance and whether its
//! answer came back, while the relay between them drains.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_trust::relay::{ChannelOpen, Connect, ConnectAck, ControlPayload, Frame, FrameType, Register, RegisterAck};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::attackers::{Socket, open};
use crate::{Failure, tenant};

/// The requests that reached the instance without an answer yet.
type Reached = Arc<Mutex<BTreeSet<Vec<u8>>>>;

/// Asks until the connections end; prints one line when all ask, and then how many answers were lost.
pub(crate) async fn run(relay: SocketAddr, tenants: usize, end: Instant) -> Result<(), Failure> {
    let reached = Reached::default();
    let mut running = JoinSet::new();
    for number in 0..tenants {
        let Pair { instance, phone, phone_channel: channel, .. } = Pair::connect(relay, number).await?;
        let noted = Arc::clone(&reached);
        running.spawn(async move { timeout_at(end, answer_all(instance, noted)).await.ok().map(drop) });
        let noted = Arc::clone(&reached);
        running.spawn(async move { timeout_at(end, ask(phone, number, channel, noted)).await.ok().map(drop) });
    }
    println!("asking");
    running.join_all().await;
    println!("{}", reached.lock().unwrap_or_else(PoisonError::into_inner).len());
    Ok(())
}

/// An instance and its phone, with a channel between them.
pub(crate) struct Pair {
    pub(crate) instance: Socket,
    pub(crate) instance_channel: u32,
    pub(crate) phone: Socket,
    pub(crate) phone_channel: u32,
}

impl Pair {
    pub(crate) async fn connect(relay: SocketAddr, tenant: usize) -> Result<Self, Failure> {
        let (mut instance, ack) = register(relay, tenant).await?;
        let mut phone = open(relay, "app").await?;
        send(&mut phone, Connect::new(ack.instance_id, "").to_frame(0)?).await?;
        let offered = next(&mut instance).await?;
        let offer = ChannelOpen::from_frame(&Frame::decode(&offered)?)?;
        let instance_channel = offer.channel_id;
        send(&mut instance, offer.to_frame(instance_channel)?).await?;
        let accepted = next(&mut phone).await?;
        let phone_channel = ConnectAck::from_frame(&Frame::decode(&accepted)?)?.channel_id;
        Ok(Self { instance, instance_channel, phone, phone_channel })
    }
}

/// An instance that is registered.
pub(crate) async fn register(relay: SocketAddr, tenant: usize) -> Result<(Socket, RegisterAck), Failure> {
    let lease = tenant::lease(tenant, &tenant::control_plane()?)?;
    let mut instance = open(relay, "instance").await?;
    let register = Register::new(lease);
    send(&mut instance, register.to_frame(0)?).await?;
    let answer = next(&mut instance).await?;
    Ok((instance, RegisterAck::from_frame(&Frame::decode(&answer)?)?))
}

async fn answer_all(mut socket: Socket, reached: Reached) -> Result<(), Failure> {
    loop {
        let bytes = next(&mut socket).await?;
        let frame = Frame::decode(&bytes)?;
        if frame.frame_type == FrameType::Data {
            reached.lock().unwrap_or_else(PoisonError::into_inner).insert(frame.payload.to_vec());
            send(&mut socket, bytes.clone()).await?;
        }
    }
}

async fn ask(mut socket: Socket, number: usize, channel: u32, reached: Reached) -> Result<(), Failure> {
    let mut due = interval(Duration::from_millis(2));
    let mut asked = 0_u64;
    let mut is_asking = true;
    loop {
        tokio::select! {
            bytes = next(&mut socket) => {
                let bytes = bytes?;
                let frame = Frame::decode(&bytes)?;
                match frame.frame_type {
                    FrameType::Data => {
                        reached.lock().unwrap_or_else(PoisonError::into_inner).remove(frame.payload);
                    }
                    FrameType::Drain => is_asking = false,
                    _ => {}
                }
            }
            _ = due.tick(), if is_asking => {
                asked += 1;
                let request = format!("{number} {asked}");
                send(&mut socket, Frame::new(FrameType::Data, channel, request.as_bytes()).encode()?).await?;
            }
        }
    }
}

pub(crate) async fn send(socket: &mut Socket, frame: Vec<u8>) -> Result<(), Failure> {
    Ok(socket.send(Message::Binary(frame.into())).await?)
}

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
