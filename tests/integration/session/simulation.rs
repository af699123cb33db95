//! An instance's end and phones' ends around a minimal relay in memory, under lost connections, late and reordered
//! reports, drains, refused sessions and calendars that jump. A run depends on its seed alone: a failure names it, and
//! `PULSE_SIMULATION_SEED=N cargo test --all-features --test integration session::simulation` runs it again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use pulse_trust::relay::{
    Body, ChannelClose, ChannelOpen, Connect, ConnectAck, ControlPayload, Drain, ErrorMessage, Frame, FrameType,
    Identity, ProxyResponse, Register, RegisterAck, WireErrorCode,
};
use pulse_trust::session::{
    ConnectionId, InstanceConfig, InstanceEnd, InstanceEvent, Now, Output, PhoneConfig, PhoneEnd, PhoneEvent,
    RequestId, is_auth_token_known,
};
use pulse_trust::{Secret, UnixTime};

use super::{INSTANCE_ID, WALL};

const SEEDS: u64 = 200;
const PHONES: usize = 2;
/// Faults happen in the first quarter of an hour; then everything has as long to come to rest.
const FAULTS: Duration = Duration::from_secs(900);
const END: Duration = Duration::from_secs(1800);

#[test]
fn whatever_is_lost_every_request_is_over_exactly_once_and_all_come_back() {
    let named = std::env::var("PULSE_SIMULATION_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds = named.map_or(0..SEEDS, |seed: u64| seed..seed + 1);
    for seed in seeds {
        let failed = std::panic::catch_unwind(|| World::new(seed).run());
        if let Err(panic) = failed {
            eprintln!("PULSE_SIMULATION_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// Who owns a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Instance,
    Phone(usize),
}

/// A connection, by its owner and number.
type Wire = (Who, ConnectionId);

enum Happening {
    Connected(Wire),
    /// At the owner.
    Arrived(Wire, Vec<u8>),
    /// At the relay.
    Sent(Wire, Vec<u8>),
    Lost(Wire),
    /// The relay is told that the connection is gone.
    Gone(Wire),
}

struct World {
    random: Random,
    now: Duration,
    /// How far the instance's calendar is off, in seconds.
    skew: i64,
    instance: InstanceEnd,
    phones: Vec<Phone>,
    relay: Relay,
    happenings: BTreeMap<(Duration, u64), Happening>,
    counter: u64,
    /// The last moment at which something was put on a wire, in each direction: a wire keeps its order.
    order: BTreeMap<(Wire, bool), Duration>,
    open_channels: BTreeSet<u32>,
    /// Requests that the instance has been told of, and their next pieces.
    answering: Vec<(u32, String, String, u32)>,
}

struct Phone {
    end: PhoneEnd,
    is_ready: bool,
    waiting: BTreeMap<RequestId, String>,
    answered: u32,
    asked: u32,
}

#[derive(Default)]
struct Relay {
    wires: BTreeSet<Wire>,
    registered: Option<Wire>,
    /// Which phone's connection a channel belongs to, and how far it is.
    channels: BTreeMap<u32, (Wire, Stage)>,
    next_channel: u32,
    /// Sessions with a lower number are no longer known.
    session: u64,
    known_sessions: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Offered,
    Accepted,
    /// The phone has sent its half of the key exchange.
    Asked,
    /// The instance has answered it.
    Secured,
}

/// Xorshift64* (Vigna 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn millis(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.below(most))
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let private_key = pulse_trust::keys::SigningKey::from_seed(&[7; 32]).unwrap().secret_base64();
        let identity = Identity::from_private_base64(private_key.expose_secret()).unwrap();
        let public = identity.public_key().clone();
        let config = InstanceConfig::new("wss://relay.test/ws/instance", "credential", "secret", identity);
        let phone = |number: u64| {
            let config = PhoneConfig::new("wss://relay.test/ws/app", INSTANCE_ID, "token", public.clone());
            let end = PhoneEnd::new(config, seed + number + 1).unwrap();
            Phone { end, is_ready: false, waiting: BTreeMap::new(), answered: 0, asked: 0 }
        };
        Self {
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            now: Duration::ZERO,
            skew: 0,
            instance: InstanceEnd::new(config, seed).unwrap(),
            phones: (0..).map(phone).take(PHONES).collect(),
            relay: Relay { next_channel: 1, ..Relay::default() },
            happenings: BTreeMap::new(),
            counter: 0,
            order: BTreeMap::new(),
            open_channels: BTreeSet::new(),
            answering: Vec::new(),
        }
    }

    fn clock(&self, skew: i64) -> Now {
        let wall = WALL + i64::try_from(self.now.as_secs()).unwrap() + skew;
        Now::new(self.now, UnixTime::from_secs(wall))
    }

    fn run(mut self) {
        self.instance.start(self.clock(0));
        for phone in 0..PHONES {
            let now = self.clock(0);
            self.phones[phone].end.start(now);
        }
        self.drain_outputs();
        while self.now < END {
            self.step();
        }
        for phone in &self.phones {
            assert!(phone.is_ready, "a phone has not come back");
            assert!(phone.answered > 0, "a phone was never answered");
            assert!(phone.waiting.is_empty() || phone.end.poll_timeout().is_some());
        }
    }

    fn step(&mut self) {
        let timers =
            [self.instance.poll_timeout()].into_iter().chain(self.phones.iter().map(|it| it.end.poll_timeout()));
        let timer = timers.flatten().min();
        let happening = self.happenings.keys().next().map(|(at, _)| *at);
        let pulse = self.now + Duration::from_secs(1);
        let next = [timer, happening, Some(pulse)].into_iter().flatten().min().unwrap().max(self.now);
        self.now = next;
        if let Some(entry) = self.happenings.first_entry().filter(|entry| entry.key().0 <= next) {
            let happening = entry.remove();
            self.happen(happening);
        } else if timer.is_some_and(|timer| timer <= next) {
            self.instance.handle_timeout(self.clock(self.skew));
            for phone in 0..PHONES {
                let now = self.clock(0);
                self.phones[phone].end.handle_timeout(now);
            }
            let due =
                [self.instance.poll_timeout()].into_iter().chain(self.phones.iter().map(|it| it.end.poll_timeout()));
            assert!(due.flatten().all(|due| due > self.now), "a deadline that does not go away");
        } else {
            self.act();
        }
        self.drain_outputs();
    }

    /// What programs and fate do, about once a second.
    fn act(&mut self) {
        self.answer_something();
        for phone in 0..PHONES {
            if self.phones[phone].is_ready && self.random.one_in(4) {
                let now = self.clock(0);
                let path = format!("/{}/{}", phone, self.phones[phone].asked);
                let asked = &mut self.phones[phone];
                if let Ok(request) = asked.end.request("GET", &path, BTreeMap::new(), Vec::new(), now) {
                    asked.asked += 1;
                    assert!(asked.waiting.insert(request, path).is_none());
                }
            }
            // A phone that was told to stop is started by its user.
            if self.phones[phone].end.poll_timeout().is_none() {
                let now = self.clock(0);
                self.phones[phone].end.start(now);
            }
        }
        if self.now > FAULTS {
            self.skew = 0;
            return;
        }
        match self.random.below(60) {
            0..=2 => {
                let wires: Vec<Wire> = self.relay.wires.iter().copied().collect();
                if !wires.is_empty() {
                    let wire = wires[usize::try_from(self.random.below(u64::try_from(wires.len()).unwrap())).unwrap()];
                    self.cut(wire);
                }
            }
            3 => self.skew = i64::try_from(self.random.below(800)).unwrap() - 400,
            // The relay forgets its sessions.
            4 => self.relay.known_sessions = self.relay.session + 1,
            5 => {
                let reconn_url = "wss://relay.test/ws/instance".to_owned();
                let drain = Drain::new("", Some(reconn_url)).to_frame(0).unwrap();
                for wire in self.relay.wires.clone() {
                    self.send_to_owner(wire, drain.clone());
                }
            }
            6 => {
                for wire in self.relay.wires.clone() {
                    self.cut(wire);
                }
            }
            _ => {}
        }
    }

    fn answer_something(&mut self) {
        let mut still = Vec::new();
        for (channel, id, path, left) in std::mem::take(&mut self.answering) {
            if self.random.one_in(2) {
                still.push((channel, id, path, left));
                continue;
            }
            let body = Body::new(path.clone().into_bytes()).unwrap();
            let stream = left > 0;
            let response = {
                let mut proxy_response = ProxyResponse::new(id.clone(), 200);
                proxy_response.body = body;
                proxy_response.stream = stream;
                proxy_response.stream_done = !stream;
                proxy_response
            };
            self.instance.respond(channel, &response, self.clock(self.skew)).unwrap();
            if stream {
                still.push((channel, id, path, left - 1));
            }
            // Answering may have been the last thing that a drain waited for.
            self.drain_outputs();
            still.retain(|(channel, ..)| self.open_channels.contains(channel));
        }
        self.answering.extend(still.into_iter().filter(|(channel, ..)| self.open_channels.contains(channel)));
    }

    /// A connection is lost: both sides are told, each in its own time.
    fn cut(&mut self, wire: Wire) {
        let at_owner = self.now + self.random.millis(30_000);
        self.schedule(at_owner, Happening::Lost(wire));
        self.schedule(self.now, Happening::Gone(wire));
    }

    fn schedule(&mut self, at: Duration, happening: Happening) {
        self.counter += 1;
        self.happenings.insert((at, self.counter), happening);
    }

    /// In order on each wire, whatever the delay.
    fn put(&mut self, wire: Wire, to_relay: bool, happening: Happening) {
        let delay = self.random.millis(400);
        let last = self.order.entry((wire, to_relay)).or_default();
        let at = (self.now + delay).max(*last);
        *last = at;
        self.schedule(at, happening);
    }

    fn send_to_owner(&mut self, wire: Wire, message: Vec<u8>) {
        self.put(wire, false, Happening::Arrived(wire, message));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Connected(wire) => {
                self.relay.wires.insert(wire);
                let (now, skewed) = (self.clock(0), self.clock(self.skew));
                match wire.0 {
                    Who::Instance => self.instance.handle_connected(wire.1, skewed),
                    Who::Phone(phone) => self.phones[phone].end.handle_connected(wire.1, now),
                }
            }
            Happening::Arrived(wire, message) if self.relay.wires.contains(&wire) => {
                let (now, skewed) = (self.clock(0), self.clock(self.skew));
                match wire.0 {
                    Who::Instance => self.instance.handle_message(wire.1, &message, skewed),
                    Who::Phone(phone) => self.phones[phone].end.handle_message(wire.1, &message, now),
                }
            }
            Happening::Sent(wire, message) if self.relay.wires.contains(&wire) => self.relay_takes(wire, &message),
            Happening::Arrived(..) | Happening::Sent(..) => {}
            Happening::Lost(wire) => {
                let (now, skewed) = (self.clock(0), self.clock(self.skew));
                match wire.0 {
                    Who::Instance => self.instance.handle_disconnected(wire.1, skewed),
                    Who::Phone(phone) => self.phones[phone].end.handle_disconnected(wire.1, now),
                }
            }
            Happening::Gone(wire) => self.relay_loses(wire),
        }
    }

    fn relay_loses(&mut self, wire: Wire) {
        self.relay.wires.remove(&wire);
        if self.relay.registered == Some(wire) {
            self.relay.registered = None;
            for (_, (phone, _)) in std::mem::take(&mut self.relay.channels) {
                let close = ChannelClose::new(1, "the instance is gone");
                self.send_to_owner(phone, close.to_frame(1).unwrap());
            }
            return;
        }
        let ended: Vec<u32> =
            self.relay.channels.iter().filter(|(_, (phone, _))| *phone == wire).map(|(id, _)| *id).collect();
        for channel in ended {
            self.relay.channels.remove(&channel);
            if let Some(instance) = self.relay.registered {
                let close = ChannelClose::new(channel, "");
                self.send_to_owner(instance, close.to_frame(channel).unwrap());
            }
        }
    }

    fn relay_takes(&mut self, wire: Wire, message: &[u8]) {
        let frame = Frame::decode(message).expect("an end sends frames");
        match (wire.0, frame.frame_type) {
            (_, FrameType::Ping) => self.send_to_owner(wire, super::frame(FrameType::Pong, 0, b"")),
            (_, FrameType::Pong) => {}
            (Who::Instance, FrameType::Register) => self.relay_registers(wire, &Register::from_frame(&frame).unwrap()),
            (Who::Phone(_), FrameType::Connect) => self.relay_offers(wire, &Connect::from_frame(&frame).unwrap()),
            (Who::Instance, _) => self.relay_takes_of_instance(wire, &frame),
            (Who::Phone(_), _) => self.relay_takes_of_phone(wire, &frame),
        }
    }

    fn refuse(&mut self, wire: Wire, code: WireErrorCode) {
        self.send_to_owner(wire, ErrorMessage::new(code, "refused").to_frame(0).unwrap());
    }

    fn relay_registers(&mut self, wire: Wire, register: &Register) {
        assert_eq!(register.license_token.expose_secret(), "credential");
        let session = register.session_token.as_ref().map(Secret::expose_secret);
        let token = session.unwrap_or("credential");
        let key = pulse_trust::keys::PublicKey::from_base64(register.identity_pub_key.as_deref().unwrap()).unwrap();
        let proof = register.identity_proof.as_ref().expect("every REGISTER has a proof");
        let is_proved = proof.check(&key, ["relay.test"], token, self.clock(0).wall).is_ok();
        let hint = register.instance_hint.as_ref().unwrap().expose_secret();
        let is_session_known = session.is_none_or(|session| {
            let number = session.strip_prefix("session-").and_then(|it| it.parse().ok());
            number.is_some_and(|number: u64| number >= self.relay.known_sessions && hint == INSTANCE_ID)
        });
        if !is_proved || !is_session_known {
            return self.refuse(wire, WireErrorCode::AuthFailed);
        }
        if let Some(replaced) = self.relay.registered.filter(|held| *held != wire) {
            self.relay_loses(replaced);
        }
        self.relay.registered = Some(wire);
        self.relay.session += 1;
        let ack = RegisterAck::new(
            INSTANCE_ID,
            format!("session-{}", self.relay.session),
            Some(UnixTime::from_secs(WALL + 86_400)),
        );
        self.send_to_owner(wire, ack.to_frame(0).unwrap());
    }

    fn relay_offers(&mut self, wire: Wire, connect: &Connect) {
        assert_eq!(connect.instance_id, INSTANCE_ID);
        let Some(instance) = self.relay.registered else { return self.refuse(wire, WireErrorCode::InstanceNotFound) };
        let channel = self.relay.next_channel;
        self.relay.next_channel += 1;
        self.relay.channels.insert(channel, (wire, Stage::Offered));
        let open = ChannelOpen::new(channel, connect.auth_token.duplicate());
        self.send_to_owner(instance, open.to_frame(channel).unwrap());
    }

    fn relay_takes_of_instance(&mut self, wire: Wire, frame: &Frame<'_>) {
        assert_eq!(self.relay.registered, Some(wire), "{frame:?} before the registration");
        let Some((phone, stage)) = self.relay.channels.get(&frame.channel).copied() else { return };
        let (stage, passed) = match (frame.frame_type, stage) {
            (FrameType::ChannelOpen, Stage::Offered) => {
                let ack = ConnectAck::new(1, INSTANCE_ID);
                (Stage::Accepted, ack.to_frame(0).unwrap())
            }
            (FrameType::KeyExchange, Stage::Asked) => (Stage::Secured, on_channel(frame, 1)),
            (FrameType::Data, Stage::Secured) => (stage, on_channel(frame, 1)),
            (FrameType::ChannelClose, _) => {
                self.relay.channels.remove(&frame.channel);
                if stage == Stage::Offered {
                    return self.refuse(phone, WireErrorCode::ServerDraining);
                }
                let close = ChannelClose::new(1, "");
                return self.send_to_owner(phone, close.to_frame(1).unwrap());
            }
            other => panic!("an instance sends {other:?}"),
        };
        self.relay.channels.insert(frame.channel, (phone, stage));
        self.send_to_owner(phone, passed);
    }

    fn relay_takes_of_phone(&mut self, wire: Wire, frame: &Frame<'_>) {
        let channel = self.relay.channels.iter().find(|(_, (phone, _))| *phone == wire).map(|(id, it)| (*id, it.1));
        let (Some((channel, stage)), Some(instance)) = (channel, self.relay.registered) else { return };
        let stage = match (frame.frame_type, stage) {
            (FrameType::KeyExchange, Stage::Accepted) => Stage::Asked,
            (FrameType::Data, Stage::Secured) => {
                let is_plain = serde_json::from_slice::<serde_json::Value>(frame.payload).is_ok();
                assert!(!is_plain, "a phone never asks in plain text");
                Stage::Secured
            }
            (FrameType::ChannelClose, _) => return self.relay_loses(wire),
            other => panic!("a phone sends {other:?}"),
        };
        self.relay.channels.insert(channel, (wire, stage));
        self.send_to_owner(instance, on_channel(frame, channel));
    }

    fn drain_outputs(&mut self) {
        while let Some(output) = self.instance.poll_output() {
            if let Some(event) = self.obey(Who::Instance, output) {
                self.instance_event(event);
            }
        }
        for phone in 0..PHONES {
            while let Some(output) = self.phones[phone].end.poll_output() {
                if let Some(event) = self.obey(Who::Phone(phone), output) {
                    self.phone_event(phone, event);
                }
            }
        }
    }

    fn obey<E>(&mut self, who: Who, output: Output<E>) -> Option<E> {
        match output {
            Output::Connect { connection, .. } => {
                let wire = (who, connection);
                // Some connections take longer than their owner waits, and some are never made.
                let delay = if self.now < FAULTS && self.random.one_in(8) { 25_000 } else { 500 };
                let at = self.now + self.random.millis(delay);
                let is_made = self.now >= FAULTS || !self.random.one_in(10);
                self.schedule(at, if is_made { Happening::Connected(wire) } else { Happening::Lost(wire) });
            }
            Output::Send { connection, message } => {
                let wire = (who, connection);
                self.put(wire, true, Happening::Sent(wire, message));
            }
            Output::Disconnect { connection, .. } => {
                let wire = (who, connection);
                self.put(wire, true, Happening::Gone(wire));
            }
            Output::Event(event) => return Some(event),
            _ => panic!("an output that the simulation does not know"),
        }
        None
    }

    fn instance_event(&mut self, event: InstanceEvent) {
        match event {
            InstanceEvent::ChannelOffered { channel, auth_token } => {
                assert!(is_auth_token_known(&auth_token, ["token"]));
                assert!(self.open_channels.insert(channel), "a channel is offered once");
                self.instance.accept(channel).unwrap();
            }
            InstanceEvent::ChannelEnded { channel, .. } => {
                assert!(self.open_channels.remove(&channel), "a channel ends once");
                self.answering.retain(|(of, ..)| *of != channel);
            }
            InstanceEvent::Request { channel, request } => {
                assert!(self.open_channels.contains(&channel));
                let pieces = u32::try_from(self.random.below(3)).unwrap();
                self.answering.push((channel, request.id, request.path, pieces));
            }
            InstanceEvent::Disconnected { .. } => assert!(self.open_channels.is_empty()),
            _ => {}
        }
    }

    fn phone_event(&mut self, phone: usize, event: PhoneEvent) {
        let phone = &mut self.phones[phone];
        match event {
            PhoneEvent::Ready => {
                assert!(!phone.is_ready && phone.waiting.is_empty());
                phone.is_ready = true;
            }
            PhoneEvent::Response { request, response, is_last } => {
                let path = phone.waiting.get(&request).expect("an answer to a request that waits");
                assert_eq!(response.body.as_bytes(), path.as_bytes(), "the answer to this request");
                if is_last {
                    phone.waiting.remove(&request);
                    phone.answered += 1;
                }
            }
            PhoneEvent::RequestFailed { request, .. } => {
                assert!(phone.waiting.remove(&request).is_some(), "a request fails once");
            }
            PhoneEvent::IdentityRefused { error } => panic!("{error}"),
            PhoneEvent::Disconnected { .. } => {
                assert!(phone.waiting.is_empty(), "every request is over before its connection");
                phone.is_ready = false;
            }
            _ => {}
        }
    }
}

fn on_channel(frame: &Frame<'_>, channel: u32) -> Vec<u8> {
    super::frame(frame.frame_type, channel, frame.payload)
}
