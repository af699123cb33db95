//! The phone's end: the relay and whoever answers say anything, among it what the paired instance would say.

use std::collections::{BTreeMap, BTreeSet};

use pulse_trust::relay::{
    Channel, ChannelClose, ConnectAck, ControlPayload, Drain, ErrorMessage, Frame, FrameType, Identity,
    accept_key_exchange,
};
use pulse_trust::session::{ConnectionId, Output, PhoneConfig, PhoneEnd, PhoneEvent, RequestId};

use super::{Script, assert_moves_on, frame, identity};

const CHANNEL: u32 = 3;

/// What was seen of an end's outputs.
#[derive(Default)]
struct Seen {
    connection: Option<ConnectionId>,
    has_connected: bool,
    is_ready: bool,
    /// The phone's part of the key exchange.
    hello: Vec<u8>,
    /// The paired instance's side of the channel.
    instance: Option<Channel>,
    /// Requests that are not over.
    open: BTreeSet<RequestId>,
}

pub(super) fn run(mut script: Script<'_>) {
    let public = identity().public_key().clone();
    let config = PhoneConfig::new("wss://relay.example.test/ws/app", "relay_0123456789abcdef", "token", public);
    let mut end = PhoneEnd::new(config, 1).expect("a config that is valid");
    let mut seen = Seen::default();
    end.start(script.now());
    look(&mut end, &mut seen);
    while let Some(step) = script.step() {
        let now = script.now();
        let on = seen.connection.unwrap_or(ConnectionId::from_u64(0));
        match step % 16 {
            0 => end.handle_connected(on, now),
            1 => end.handle_disconnected(on, now),
            2 => {
                let ack = ConnectAck::new(CHANNEL, "relay_0123456789abcdef");
                end.handle_message(on, &ack.to_frame(0).expect("an ACK"), now);
            }
            3 => answer_key_exchange(&mut end, &mut seen, &identity(), &script),
            4 => answer_key_exchange(&mut end, &mut seen, &Identity::generate().expect("random bytes"), &script),
            5 | 6 => {
                let text = match seen.open.first().filter(|_| step % 16 == 5) {
                    Some(request) => format!(r#"{{"id":"{request}","status":200,"stream":{}}}"#, step >= 64),
                    None => String::from_utf8_lossy(script.bytes()).into_owned(),
                };
                if let Some(sealed) = seen.instance.as_mut().and_then(|it| it.seal(text.as_bytes()).ok()) {
                    end.handle_message(on, &frame(FrameType::Data, CHANNEL, &sealed), now);
                }
            }
            7 => {
                let mut error = ErrorMessage::default();
                error.code = String::from_utf8_lossy(script.bytes()).into_owned();
                end.handle_message(on, &error.to_frame(0).expect("an ERROR"), now);
            }
            8 => {
                let drain = Drain::new("", Some(String::from_utf8_lossy(script.bytes()).into_owned()));
                end.handle_message(on, &drain.to_frame(0).expect("a DRAIN"), now);
            }
            9 => {
                let close = ChannelClose::new(CHANNEL, "");
                end.handle_message(on, &close.to_frame(CHANNEL).expect("a close"), now);
            }
            10 | 11 => {
                let made = end.request("GET", "/", BTreeMap::new(), script.bytes().to_vec(), now);
                if let Ok(request) = made {
                    assert!(seen.is_ready, "a request before the identity was verified");
                    assert!(seen.open.insert(request), "a number is used twice");
                }
            }
            12 => end.handle_message(on, &script.frame(), now),
            13 => end.handle_message(on, script.bytes(), now),
            14 if step < 16 => end.stop(now),
            14 => end.start(now),
            _ => seen.open.first().copied().into_iter().for_each(|request| end.cancel(request)),
        }
        look(&mut end, &mut seen);
        end.handle_timeout(now);
        look(&mut end, &mut seen);
        assert_moves_on(end.poll_timeout(), now);
    }
    end.stop(script.now());
    look(&mut end, &mut seen);
    assert!(seen.open.is_empty(), "a request is neither answered nor failed");
}

fn answer_key_exchange(end: &mut PhoneEnd, seen: &mut Seen, identity: &Identity, script: &Script<'_>) {
    let (Some(on), Ok((instance, answer))) = (seen.connection, accept_key_exchange(&seen.hello, identity)) else {
        return;
    };
    seen.instance = Some(instance);
    end.handle_message(on, &frame(FrameType::KeyExchange, CHANNEL, &answer), script.now());
    let is_paired = identity.public_key() == super::identity().public_key();
    assert!(is_paired || seen.is_ready || !end.is_ready(), "another identity was believed");
}

fn look(end: &mut PhoneEnd, seen: &mut Seen) {
    while let Some(output) = end.poll_output() {
        match output {
            Output::Connect { connection, .. } => {
                let open = std::mem::take(&mut seen.open);
                *seen = Seen { connection: Some(connection), open, ..Seen::default() };
            }
            Output::Disconnect { connection, .. } => {
                assert_eq!(Some(connection), seen.connection, "another connection is closed");
                (seen.connection, seen.is_ready) = (None, false);
            }
            Output::Send { connection, message } => {
                assert_eq!(Some(connection), seen.connection, "a frame for a connection that is over");
                let sent = Frame::decode(&message).expect("what it sends is a frame");
                let is_first = !std::mem::replace(&mut seen.has_connected, true);
                assert_eq!(is_first, sent.frame_type == FrameType::Connect, "CONNECT comes first, and once");
                match sent.frame_type {
                    FrameType::KeyExchange => seen.hello = sent.payload.to_vec(),
                    FrameType::Data => assert!(seen.is_ready, "DATA before the identity was verified"),
                    _ => {}
                }
            }
            Output::Event(PhoneEvent::Ready) => seen.is_ready = true,
            Output::Event(PhoneEvent::Response { request, is_last, .. }) => {
                assert!(seen.open.contains(&request), "an answer to a request that is over");
                if is_last {
                    seen.open.remove(&request);
                }
            }
            Output::Event(PhoneEvent::RequestFailed { request, .. }) => {
                assert!(seen.open.remove(&request), "a request fails that is over");
            }
            Output::Event(PhoneEvent::Disconnected { .. }) => {
                assert!(seen.open.is_empty(), "a request outlives its channel");
                (seen.connection, seen.is_ready) = (None, false);
            }
            _ => {}
        }
    }
}
