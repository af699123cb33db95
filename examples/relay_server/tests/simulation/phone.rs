//! A phone: connects, asks again and again, and checks each answer.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_trust::relay::{Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType};
use tokio::time::{Instant, sleep, timeout};

use crate::network::Socket;
use crate::random::Random;
use crate::world::{World, instance_id, now};

/// A request as it is on the wire: every byte says whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) tenant: usize,
    pub(crate) phone: usize,
    pub(crate) number: u64,
    pub(crate) sent_at: Duration,
    /// Frames of the answer.
    pub(crate) parts: u64,
    /// Length of each of them.
    pub(crate) length: usize,
}

impl Request {
    fn write(&self) -> Vec<u8> {
        let Self { tenant, phone, number, sent_at, parts, length } = self;
        format!("ask {tenant} {phone} {number} {} {parts} {length}", sent_at.as_micros()).into_bytes()
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let words: Vec<&str> = std::str::from_utf8(bytes).ok()?.split(' ').collect();
        let ["ask", tenant, phone, number, sent_at, parts, length] = words[..] else { return None };
        Some(Self {
            tenant: tenant.parse().ok()?,
            phone: phone.parse().ok()?,
            number: number.parse().ok()?,
            sent_at: Duration::from_micros(sent_at.parse().ok()?),
            parts: parts.parse().ok()?,
            length: length.parse().ok()?,
        })
    }

    pub(crate) fn answer(&self, part: u64) -> Vec<u8> {
        let mut answer = format!("answer {} {} {} {part} ", self.tenant, self.phone, self.number).into_bytes();
        answer.resize(self.length.max(answer.len()), b'.');
        answer
    }
}

/// What a phone does.
#[derive(Clone, Copy)]
pub(crate) struct Habits {
    pub(crate) phone: usize,
    pub(crate) tenant: usize,
    /// Asks for much, and reads slowly.
    pub(crate) is_slow: bool,
}

pub(crate) async fn live(world: World, habits: Habits, seed: u64) -> turmoil::Result {
    let mut random = Random::new(seed);
    let mut number = 0;
    loop {
        sleep(Duration::from_millis(100 + random.below(400))).await;
        let Some(mut socket) = Socket::connect("/ws/app").await else { continue };
        if let Some(channel) = connect(&world, habits, &mut socket).await {
            ask(&world, habits, &mut socket, channel, &mut random, &mut number).await;
        }
    }
}

async fn connect(world: &World, habits: Habits, socket: &mut Socket) -> Option<u32> {
    let connect = Connect::new(instance_id(habits.tenant), "good token");
    socket.send_raw(connect.to_frame(0).unwrap()).await;
    loop {
        let bytes = timeout(Duration::from_secs(5), socket.next()).await.ok()??;
        let frame = Frame::decode(&bytes).unwrap();
        match frame.frame_type {
            FrameType::ConnectAck => {
                let ack = ConnectAck::from_frame(&frame).unwrap();
                if ack.instance_id != instance_id(habits.tenant) {
                    world.violation(format!("phone {} was connected to {}", habits.phone, ack.instance_id));
                }
                return Some(ack.channel_id);
            }
            FrameType::Error => {
                let error = ErrorMessage::from_frame(&frame).unwrap();
                world.say(&format!("phone {} is refused: {} {}", habits.phone, error.code, error.message));
                if error.code == "CHANNEL_LIMIT_REACHED" {
                    world.violation(format!("guessing keeps phone {} out", habits.phone));
                }
                return None;
            }
            FrameType::Data | FrameType::KeyExchange => {
                world.violation(format!("phone {} got {} before CONNECT_ACK", habits.phone, frame.frame_type));
                return None;
            }
            _ => {}
        }
    }
}

/// Asks until the channel is over; what is open then has failed.
async fn ask(world: &World, habits: Habits, socket: &mut Socket, channel: u32, random: &mut Random, number: &mut u64) {
    // The open requests: when they were sent, and which part of the answer comes next.
    let mut open: BTreeMap<u64, (Request, u64)> = BTreeMap::new();
    let mut ask_at = Instant::now();
    'connected: loop {
        if ask_at <= Instant::now() && open.len() < 4 {
            *number += 1;
            let (parts, length) = if habits.is_slow { (20, 40_000) } else { (1 + random.below(3), 200) };
            let Habits { tenant, phone, .. } = habits;
            let request = Request { tenant, phone, number: *number, sent_at: now(), parts, length };
            if !socket.send(FrameType::Data, channel, &request.write()).await {
                break 'connected;
            }
            open.insert(*number, (request, 0));
            ask_at = Instant::now() + Duration::from_millis(100 + random.below(300));
        }
        let is_late = open.values().any(|(request, _)| now().saturating_sub(request.sent_at) > Duration::from_secs(8));
        let bytes = match timeout(Duration::from_millis(50), socket.next()).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => break,
            Err(_) if is_late => break,
            Err(_) => continue,
        };
        let frame = Frame::decode(&bytes).unwrap();
        match frame.frame_type {
            FrameType::Data if frame.channel == channel => {
                if habits.is_slow {
                    sleep(Duration::from_millis(10)).await;
                }
                take(world, habits, frame.payload, &mut open);
            }
            FrameType::Data => world.violation(format!("phone {}: DATA on channel {}", habits.phone, frame.channel)),
            FrameType::ChannelClose | FrameType::Error => break,
            _ => {}
        }
    }
    world.inner().failed += u64::try_from(open.len()).unwrap();
}

fn take(world: &World, habits: Habits, payload: &[u8], open: &mut BTreeMap<u64, (Request, u64)>) {
    let text = String::from_utf8_lossy(payload);
    let number = text.split(' ').nth(3).and_then(|number| number.parse().ok()).unwrap_or_default();
    let Some((request, part)) = open.get_mut(&number) else {
        world.violation(format!("phone {}: an answer to nothing: {}", habits.phone, &text[..text.len().min(60)]));
        return;
    };
    if payload != request.answer(*part) {
        let got = &text[..text.len().min(60)];
        world.violation(format!("phone {}: expected part {part} of {number}, got {got}", habits.phone));
        return;
    }
    *part += 1;
    if *part == request.parts {
        let took = now().saturating_sub(request.sent_at);
        open.remove(&number);
        let mut inner = world.inner();
        inner.answered += 1;
        inner.last_answer.insert(habits.phone, now());
        if habits.tenant == 1 && !habits.is_slow {
            inner.slowest_healthy = inner.slowest_healthy.max(took);
        }
    }
}
