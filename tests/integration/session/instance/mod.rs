//! The rules of an instance's end.

mod channels;
mod connection;
mod credentials;
mod limits;
mod registration;
mod renewal;

use pulse_trust::relay::{
    AppHandshake, Channel, ChannelClose, ChannelOpen, ControlPayload, ErrorMessage, FrameType, Identity, ProxyRequest,
    ProxyResponse, Register, RegisterAck, WireErrorCode,
};
use pulse_trust::session::{InstanceConfig, InstanceEnd, InstanceEvent, Now};

use super::{INSTANCE_ID, WALL, Wanted, connection, control, frame, frame_of};

type Done = Wanted<InstanceEvent>;

const URL: &str = "wss://relay.example.test/ws/instance";

struct Driven {
    end: InstanceEnd,
    identity: Identity,
    connections: u64,
}

impl Driven {
    fn with(change: impl FnOnce(&mut InstanceConfig)) -> Self {
        let identity = Identity::generate().unwrap();
        let secret = identity.secret_private_key_base64();
        let same = Identity::from_private_base64(secret.expose_secret()).unwrap();
        let mut config = InstanceConfig::new(URL, "credential", "instance secret", same);
        change(&mut config);
        Self { end: InstanceEnd::new(config, 1).unwrap(), identity, connections: 0 }
    }

    fn poll(&mut self) -> Done {
        Done::take(&mut self.connections, || self.end.poll_output())
    }

    fn feed(&mut self, message: &[u8], now: Now) -> Done {
        self.end.handle_message(connection(self.connections), message, now);
        self.poll()
    }

    fn error(&mut self, code: WireErrorCode, now: Now) -> Done {
        self.feed(&ErrorMessage::new(code, "words").to_frame(0).unwrap(), now)
    }

    fn connect(&mut self, now: Now) -> Register {
        self.end.handle_connected(connection(self.connections), now);
        control(&self.poll().frames[0])
    }

    fn acknowledge(&mut self, session_token: &str, expires_at: i64, now: Now) -> Done {
        let ack = RegisterAck::new(INSTANCE_ID, session_token, Some(pulse_trust::UnixTime::from_secs(expires_at)));
        self.feed(&ack.to_frame(0).unwrap(), now)
    }

    /// Connected and registered at `now`.
    fn registered(now: Now) -> Self {
        Self::registered_with(now, |_| {})
    }

    fn registered_with(now: Now, change: impl FnOnce(&mut InstanceConfig)) -> Self {
        let mut driven = Self::with(change);
        driven.end.start(now);
        driven.poll();
        driven.connect(now);
        let done = driven.acknowledge("session", WALL + 86_400, now);
        assert!(matches!(done.events[..], [InstanceEvent::Registered { resumed: false, .. }]));
        driven
    }

    fn offer(&mut self, channel: u32, now: Now) -> Done {
        let open = ChannelOpen::new(channel, "token");
        self.feed(&open.to_frame(channel).unwrap(), now)
    }

    /// A channel whose keys were exchanged: the phone's.
    fn secured(&mut self, channel: u32, now: Now) -> Channel {
        self.offer(channel, now);
        self.end.accept(channel).unwrap();
        let handshake = AppHandshake::start().unwrap();
        let done = self.feed(&frame(FrameType::KeyExchange, channel, handshake.message()), now);
        let answer = done.frames.last().unwrap();
        handshake.finish(frame_of(answer).payload, self.identity.public_key()).unwrap()
    }
}

fn request(id: &str) -> ProxyRequest {
    ProxyRequest::new(id, "GET", "/")
}

fn sealed(channel: u32, keys: &mut Channel, text: &str) -> Vec<u8> {
    frame(FrameType::Data, channel, &keys.seal(text.as_bytes()).unwrap())
}

fn response(id: &str, stream: bool, stream_done: bool) -> ProxyResponse {
    let mut response = ProxyResponse::new(id, 200);
    (response.stream, response.stream_done) = (stream, stream_done);
    response
}

fn reason(done: &Done) -> String {
    let close: ChannelClose = control(done.frames.last().unwrap());
    close.reason
}
