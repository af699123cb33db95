//! The instance's end: the relay and its phones say anything, and the program accepts and answers as it likes.

use std::collections::BTreeSet;

use pulse_trust::relay::{
    AppHandshake, ChannelClose, ChannelOpen, ControlPayload, Drain, ErrorMessage, Frame, FrameType, ProxyResponse,
    RegisterAck,
};
use pulse_trust::session::{ConnectionId, InstanceConfig, InstanceEnd, InstanceEvent, Output};

use super::{Script, assert_moves_on, identity};

/// What was seen of an end's outputs.
#[derive(Default)]
struct Seen {
    connection: Option<ConnectionId>,
    /// REGISTER was sent on this connection.
    has_registered: bool,
    /// Channels that the program accepted and nobody has closed.
    accepted: BTreeSet<u32>,
    offered: BTreeSet<u32>,
    requests: Vec<(u32, String)>,
}

pub(super) fn run(mut script: Script<'_>) {
    let config = InstanceConfig::new("wss://relay.example.test/ws/instance", "a lease", "a secret", identity());
    let mut end = InstanceEnd::new(config, 1).expect("a config that is valid");
    let mut seen = Seen::default();
    end.start(script.now());
    look(&mut end, &mut seen);
    while let Some(step) = script.step() {
        let now = script.now();
        let on = seen.connection.unwrap_or(ConnectionId::from_u64(0));
        let channel = u32::from(step / 16);
        match step % 16 {
            0 => end.handle_connected(on, now),
            1 => end.handle_disconnected(on, now),
            2 => {
                let ack = RegisterAck::new("relay_0123456789abcdef", "a session", None);
                end.handle_message(on, &ack.to_frame(0).expect("an ACK"), now);
            }
            3 => {
                let open = ChannelOpen::new(channel, "token");
                end.handle_message(on, &open.to_frame(channel).expect("an offer"), now);
            }
            4 => {
                let close = ChannelClose::new(channel, "");
                end.handle_message(on, &close.to_frame(channel).expect("a close"), now);
            }
            5 => {
                let hello = AppHandshake::start().expect("random bytes");
                end.handle_message(on, &super::frame(FrameType::KeyExchange, channel, hello.message()), now);
            }
            6 => {
                let drain = Drain::new("", Some(String::from_utf8_lossy(script.bytes()).into_owned()));
                end.handle_message(on, &drain.to_frame(0).expect("a DRAIN"), now);
            }
            7 => {
                let mut error = ErrorMessage::default();
                error.code = String::from_utf8_lossy(script.bytes()).into_owned();
                end.handle_message(on, &error.to_frame(channel).expect("an ERROR"), now);
            }
            8 if end.accept(channel).is_ok() => {
                assert!(seen.offered.remove(&channel), "channel {channel} was accepted and never offered");
                seen.accepted.insert(channel);
            }
            9 => drop(end.refuse(channel, "no")),
            10 => drop(end.close(channel, "over")),
            11 => {
                if let Some((channel, id)) = seen.requests.pop() {
                    let response = ProxyResponse::new(id, 200);
                    drop(end.respond(channel, &response, now));
                }
            }
            12 => end.handle_message(on, &script.frame(), now),
            13 => end.handle_message(on, script.bytes(), now),
            14 if channel == 0 => end.stop(now),
            14 => end.start(now),
            _ => end.handle_timeout(now),
        }
        look(&mut end, &mut seen);
        end.handle_timeout(now);
        look(&mut end, &mut seen);
        assert_moves_on(end.poll_timeout(), now);
    }
}

fn look(end: &mut InstanceEnd, seen: &mut Seen) {
    while let Some(output) = end.poll_output() {
        match output {
            Output::Connect { connection, .. } => {
                *seen = Seen { connection: Some(connection), ..Seen::default() };
            }
            Output::Disconnect { connection, .. } => {
                assert_eq!(Some(connection), seen.connection, "another connection is closed");
                seen.connection = None;
            }
            Output::Send { connection, message } => {
                assert_eq!(Some(connection), seen.connection, "a frame for a connection that is over");
                let frame = Frame::decode(&message).expect("what it sends is a frame");
                let is_first = !std::mem::replace(&mut seen.has_registered, true);
                assert!(!is_first || frame.frame_type == FrameType::Register, "REGISTER comes first");
                if matches!(frame.frame_type, FrameType::Data | FrameType::KeyExchange) {
                    assert!(seen.accepted.contains(&frame.channel), "{} before acceptance", frame.frame_type);
                }
            }
            Output::Event(InstanceEvent::ChannelOffered { channel, .. }) => {
                assert!(channel != 0 && !seen.accepted.contains(&channel), "channel {channel} is offered twice");
                seen.offered.insert(channel);
            }
            Output::Event(InstanceEvent::ChannelEnded { channel, .. }) => {
                seen.accepted.remove(&channel);
                seen.offered.remove(&channel);
                seen.requests.retain(|(of, _)| *of != channel);
            }
            Output::Event(InstanceEvent::Request { channel, request }) => {
                assert!(seen.accepted.contains(&channel), "a request before acceptance");
                seen.requests.push((channel, request.id));
            }
            Output::Event(InstanceEvent::Disconnected { .. }) => seen.connection = None,
            _ => {}
        }
    }
}
