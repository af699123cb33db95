//! The rules of a phone's end.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_trust::Error;
use pulse_trust::relay::{
    Channel, ChannelClose, Connect, ConnectAck, ControlPayload, Drain, ErrorMessage, FrameType, Identity,
    MAX_PAYLOAD_LEN, ProxyRequest, ProxyResponse, SEALED_OVERHEAD, WireErrorCode, accept_key_exchange,
};
use pulse_trust::session::{
    Advice, CloseCode, DisconnectReason, Now, PhoneConfig, PhoneEnd, PhoneEvent, RequestFailure, RequestId,
};

use super::{INSTANCE_ID, Wanted, at, connection, control, frame, frame_of};

const URL: &str = "wss://relay.example.test/ws/app";

type Done = Wanted<PhoneEvent>;

struct Driven {
    end: PhoneEnd,
    identity: Identity,
    connections: u64,
}

impl Driven {
    fn connecting() -> Self {
        let identity = Identity::generate().unwrap();
        let config = PhoneConfig::new(URL, INSTANCE_ID, "token", identity.public_key().clone());
        let mut driven = Self { end: PhoneEnd::new(config, 1).unwrap(), identity, connections: 0 };
        driven.end.start(at(0));
        assert_eq!(driven.poll().urls, [URL]);
        driven.end.handle_connected(connection(driven.connections), at(0));
        driven
    }

    fn poll(&mut self) -> Done {
        Done::take(&mut self.connections, || self.end.poll_output())
    }

    fn feed(&mut self, message: &[u8], now: Now) -> Done {
        self.end.handle_message(connection(self.connections), message, now);
        self.poll()
    }

    fn acknowledged(&mut self) -> Vec<u8> {
        self.poll();
        let ack = ConnectAck::new(9, INSTANCE_ID);
        let done = self.feed(&ack.to_frame(0).unwrap(), at(0));
        assert_eq!(frame_of(&done.frames[0]).frame_type, FrameType::KeyExchange);
        frame_of(&done.frames[0]).payload.to_vec()
    }

    /// Ready, and the instance's keys.
    fn ready() -> (Self, Channel) {
        let mut driven = Self::connecting();
        let message = driven.acknowledged();
        let (keys, answer) = accept_key_exchange(&message, &driven.identity).unwrap();
        let done = driven.feed(&frame(FrameType::KeyExchange, 9, &answer), at(0));
        assert!(matches!(done.events[..], [PhoneEvent::Ready]));
        (driven, keys)
    }

    fn ask(&mut self, now: Now) -> Result<RequestId, Error> {
        self.end.request("GET", "/api/status", BTreeMap::new(), Vec::new(), now)
    }
}

fn answer(keys: &mut Channel, id: &str, stream: bool, stream_done: bool) -> Vec<u8> {
    let response = {
        let mut proxy_response = ProxyResponse::new(id, 200);
        proxy_response.stream = stream;
        proxy_response.stream_done = stream_done;
        proxy_response
    };
    frame(FrameType::Data, 9, &keys.seal(response.to_json().as_bytes()).unwrap())
}

#[test]
fn it_connects_verifies_and_then_asks() {
    let mut driven = Driven::connecting();
    let connect: Connect = control(&driven.poll().frames[0]);
    assert_eq!((connect.instance_id.as_str(), connect.auth_token.expose_secret()), (INSTANCE_ID, "token"));
    assert!(matches!(driven.ask(at(0)), Err(Error::SessionNotOpen { .. })));

    let (mut driven, mut keys) = Driven::ready();
    let (first, second) = (driven.ask(at(0)).unwrap(), driven.ask(at(0)).unwrap());
    let asked: Vec<ProxyRequest> = driven
        .poll()
        .frames
        .iter()
        .map(|message| ProxyRequest::from_json(&keys.open(frame_of(message).payload).unwrap()).unwrap())
        .collect();
    assert_eq!(asked.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    let done = driven.feed(&answer(&mut keys, "2", false, false), at(1));
    assert!(matches!(done.events[..], [PhoneEvent::Response { request, is_last: true, .. }] if request == second));
    for (stream, stream_done) in [(true, false), (true, false), (false, true)] {
        let done = driven.feed(&answer(&mut keys, "1", stream, stream_done), at(1));
        assert!(
            matches!(done.events[..], [PhoneEvent::Response { request, is_last, .. }] if request == first && is_last != stream)
        );
    }
    // What comes after the end of an answer is dropped.
    for id in ["1", "3", "01", "x", ""] {
        assert!(driven.feed(&answer(&mut keys, id, false, false), at(1)).events.is_empty(), "{id:?}");
    }
}

#[test]
fn whoever_is_not_the_paired_instance_is_told_nothing() {
    let another = Identity::generate().unwrap();
    let mut driven = Driven::connecting();
    let message = driven.acknowledged();
    let (_, forged) = accept_key_exchange(&message, &another).unwrap();
    let done = driven.feed(&frame(FrameType::KeyExchange, 9, &forged), at(0));
    assert!(matches!(
        done.events[..],
        [
            PhoneEvent::IdentityRefused { error: Error::KeyExchangeSignature { .. } },
            PhoneEvent::Disconnected { retry_at: None, .. }
        ]
    ));
    assert!(done.frames.is_empty());
    assert_eq!(driven.end.poll_timeout(), None, "it does not come back by itself");
    assert!(matches!(driven.ask(at(0)), Err(Error::SessionNotOpen { .. })));
}

#[test]
fn a_second_key_exchange_does_not_replace_verified_keys() {
    let (mut driven, _) = Driven::ready();
    let message = pulse_trust::relay::AppHandshake::start().unwrap().message().to_vec();
    let (_, answer) = accept_key_exchange(&message, &driven.identity).unwrap();
    let done = driven.feed(&frame(FrameType::KeyExchange, 9, &answer), at(0));
    assert_eq!(done.closed, [CloseCode::ProtocolError]);
}

#[test]
fn plain_text_and_changed_answers_are_not_believed() {
    let (mut driven, mut keys) = Driven::ready();
    let request = driven.ask(at(0)).unwrap();
    driven.poll();
    let plain = frame(FrameType::Data, 9, br#"{"id":"1","status":200}"#);
    let done = driven.feed(&plain, at(0));
    assert!(matches!(
        done.events[..],
        [
            PhoneEvent::RequestFailed { request: failed, reason: RequestFailure::Disconnected },
            PhoneEvent::Disconnected { reason: DisconnectReason::ProtocolError, .. }
        ] if failed == request
    ));
    // Of another channel, and before the identity is verified, nothing is read at all.
    let (mut driven, _) = Driven::ready();
    let mut other = answer(&mut keys, "1", false, false);
    other[5] = 8;
    assert!(driven.feed(&other, at(0)).events.is_empty());
    let mut driven = Driven::connecting();
    driven.acknowledged();
    assert!(driven.feed(&plain, at(0)).events.is_empty());
}

#[test]
fn a_request_that_is_not_answered_fails_once() {
    let (mut driven, mut keys) = Driven::ready();
    let request = driven.ask(at(0)).unwrap();
    driven.feed(&frame(FrameType::Pong, 0, b""), at(20));
    driven.end.handle_timeout(at(34));
    assert!(driven.poll().events.is_empty());
    driven.end.handle_timeout(at(35));
    assert!(matches!(
        driven.poll().events[..],
        [PhoneEvent::RequestFailed { request: failed, reason: RequestFailure::TimedOut }] if failed == request
    ));
    assert!(driven.feed(&answer(&mut keys, "1", false, false), at(36)).events.is_empty());
    // A stream lasts as long as pieces come.
    driven.ask(at(36)).unwrap();
    driven.poll();
    for second in [60, 90, 120] {
        assert_eq!(driven.feed(&answer(&mut keys, "2", true, false), at(second)).events.len(), 1);
        driven.end.handle_timeout(at(second + 20));
    }
    driven.end.cancel(RequestId::clone(&request));
    driven.poll();
    let second = driven.ask(at(140)).unwrap();
    driven.poll();
    driven.end.cancel(second);
    driven.end.cancel(second);
    assert!(matches!(driven.poll().events[..], [PhoneEvent::RequestFailed { reason: RequestFailure::Canceled, .. }]));
}

#[test]
fn requests_are_limited() {
    let (mut driven, _) = Driven::ready();
    for _ in 0..64 {
        driven.ask(at(0)).unwrap();
        driven.poll();
    }
    assert_error!(driven.ask(at(0)).unwrap_err(), RequestLimit { limit: 64 });
    let body = vec![0; 48_129];
    assert!(matches!(
        Driven::ready().0.end.request("POST", "/", BTreeMap::new(), body, at(0)),
        Err(Error::BodyTooLarge { .. })
    ));
}

#[test]
fn every_code_has_a_clear_outcome() {
    for code in WireErrorCode::ALL {
        let mut driven = Driven::connecting();
        driven.poll();
        let done = driven.feed(&ErrorMessage::new(*code, "words").to_frame(0).unwrap(), at(0));
        let [PhoneEvent::Refused { error, advice, retry_at }, PhoneEvent::Disconnected { .. }] = &done.events[..]
        else {
            panic!("{code}: {:?}", done.events);
        };
        assert_eq!((error.code.as_str(), error.message.as_str()), (code.as_str(), "words"));
        let (expected, waits) = match code {
            WireErrorCode::AuthFailed => (Advice::PairAgain, None),
            WireErrorCode::InstanceNotFound | WireErrorCode::ChannelLimitReached => (Advice::CheckInstance, Some(1)),
            WireErrorCode::LicenseInvalid | WireErrorCode::LicenseExpired => (Advice::CheckSubscription, Some(300)),
            _ => (Advice::Wait, Some(1)),
        };
        assert_eq!(*advice, expected, "{code}");
        assert_eq!(retry_at.is_some(), waits.is_some(), "{code}");
        assert!(retry_at.unwrap_or_default() <= Duration::from_secs(waits.unwrap_or_default()), "{code}");
        assert_eq!(done.closed.len(), 1);
    }
}

#[test]
fn a_channel_that_is_closed_is_opened_again() {
    let (mut driven, _) = Driven::ready();
    let other = ChannelClose::new(8, "x");
    assert!(driven.feed(&other.to_frame(8).unwrap(), at(0)).events.is_empty());
    let close = ChannelClose::new(9, "the instance is gone");
    let done = driven.feed(&close.to_frame(9).unwrap(), at(0));
    assert!(
        matches!(&done.events[..], [PhoneEvent::Disconnected { message, .. }] if message == "the instance is gone")
    );
    driven.end.handle_timeout(at(1));
    assert_eq!(driven.poll().urls, [URL]);
}

#[test]
fn a_drain_sends_it_elsewhere_once_and_not_to_an_insecure_place() {
    for (url, expected) in [
        ("wss://other.example.test/ws/instance", "wss://other.example.test/ws/app"),
        ("wss://other.example.test", "wss://other.example.test/ws/app"),
        ("ws://other.example.test", URL),
        ("ws://127.0.0.1", URL),
        ("https://other.example.test", URL),
    ] {
        let (mut driven, mut keys) = Driven::ready();
        driven.ask(at(0)).unwrap();
        driven.poll();
        let drain = Drain::new("", Some(url.to_owned()));
        let done = driven.feed(&drain.to_frame(0).unwrap(), at(0));
        assert!(done.closed.is_empty(), "an answer is under way");
        let done = driven.feed(&answer(&mut keys, "1", false, false), at(1));
        assert!(matches!(
            done.events[..],
            [PhoneEvent::Response { .. }, PhoneEvent::Disconnected { reason: DisconnectReason::Drained, .. },]
        ));
        driven.end.handle_timeout(at(2));
        assert_eq!(driven.poll().urls, [expected], "{url}");
        driven.end.handle_disconnected(connection(2), at(2));
        driven.poll();
        driven.end.handle_timeout(at(10));
        assert_eq!(driven.poll().urls, [URL]);
    }
}

#[test]
fn a_relay_on_the_open_internet_is_reached_over_tls_alone() {
    let identity = Identity::generate().unwrap();
    for url in ["ws://relay.example.test/ws/app", "https://relay.example.test", "wss://u:p@relay.example.test/"] {
        let config = PhoneConfig::new(url, INSTANCE_ID, "token", identity.public_key().clone());
        assert!(PhoneEnd::new(config, 1).is_err(), "{url}");
    }
}

#[test]
fn names_and_numbers_are_those_of_the_other_languages() {
    let failures = [RequestFailure::TimedOut, RequestFailure::Disconnected, RequestFailure::Canceled];
    assert_eq!(failures.map(RequestFailure::as_str), ["timed_out", "disconnected", "canceled"]);
    let advice = [Advice::Wait, Advice::CheckInstance, Advice::PairAgain, Advice::CheckSubscription];
    assert_eq!(advice.map(Advice::as_str), ["wait", "check_instance", "pair_again", "check_subscription"]);
    assert_eq!(RequestId::from_u64(7).as_u64(), 7);
}

#[test]
fn a_phone_answers_pings_and_stops_and_starts_when_it_is_told() {
    let mut driven = Driven::connecting();
    driven.poll();
    assert!(driven.feed(&frame(FrameType::Pong, 0, b""), at(0)).closed.is_empty());
    let done = driven.feed(&frame(FrameType::Ping, 0, b""), at(0));
    assert_eq!((frame_of(&done.frames[0]).frame_type, done.frames.len()), (FrameType::Pong, 1));
    driven.end.start(at(0));
    assert!(driven.poll().urls.is_empty(), "it is connecting already");
    let (mut driven, _) = Driven::ready();
    assert!(driven.end.is_ready());
    driven.end.stop(at(1));
    let done = driven.poll();
    assert_eq!(done.closed, [CloseCode::Normal]);
    assert!(!driven.end.is_ready() && driven.end.poll_timeout().is_none());
    driven.end.start(at(2));
    assert_eq!(driven.poll().urls, [URL]);
}

#[test]
fn an_ack_is_for_the_paired_instance_and_counts_once() {
    for (channel, instance) in [(0, INSTANCE_ID), (9, "relay_0000000000000000")] {
        let mut driven = Driven::connecting();
        driven.poll();
        let done = driven.feed(&ConnectAck::new(channel, instance).to_frame(0).unwrap(), at(0));
        assert_eq!(done.closed, [CloseCode::ProtocolError], "{channel} {instance}");
    }
    let mut driven = Driven::connecting();
    driven.acknowledged();
    // An answer within 15 seconds, or the connection is given up.
    assert_eq!(driven.end.poll_timeout().map(|until| until <= Duration::from_secs(15)), Some(true));
    let done = driven.feed(&ConnectAck::new(10, INSTANCE_ID).to_frame(0).unwrap(), at(0));
    assert!(done.frames.is_empty() && done.closed.is_empty(), "the channel is the first one");
}

#[test]
fn keys_of_another_channel_are_not_taken() {
    let mut driven = Driven::connecting();
    let message = driven.acknowledged();
    let (_, answer) = accept_key_exchange(&message, &driven.identity).unwrap();
    assert!(driven.feed(&frame(FrameType::KeyExchange, 8, &answer), at(0)).events.is_empty());
    let done = driven.feed(&frame(FrameType::KeyExchange, 9, &answer), at(0));
    assert!(matches!(done.events[..], [PhoneEvent::Ready]));
}

#[test]
fn a_request_may_fill_a_frame_with_what_sealing_adds() {
    let request = |length: usize| {
        let (mut driven, mut keys) = Driven::ready();
        let padding = |text: String| BTreeMap::from([("X".to_owned(), text)]);
        driven.end.request("GET", "/", padding(String::new()), Vec::new(), at(0)).unwrap();
        let done = driven.poll();
        let empty = keys.open(frame_of(&done.frames[0]).payload).unwrap().len();
        driven
            .end
            .request("GET", "/", padding("x".repeat(length - empty)), Vec::new(), at(0))
            .map(|_| frame_of(&driven.poll().frames[0]).payload.len())
    };
    let most = MAX_PAYLOAD_LEN - SEALED_OVERHEAD;
    assert_eq!(request(most), Ok(MAX_PAYLOAD_LEN));
    let received = MAX_PAYLOAD_LEN + 1;
    assert_error!(request(most + 1).unwrap_err(), FrameTooLarge { limit: MAX_PAYLOAD_LEN, received: received });
}

#[test]
fn a_token_is_known_if_any_that_is_not_empty_equals_it() {
    use pulse_trust::Secret;
    use pulse_trust::session::is_auth_token_known;
    for (presented, known, expected) in [
        ("b", &["a", "b"][..], true),
        ("b", &["b", "b"], true),
        ("c", &["a", "b"], false),
        ("", &[""], false),
        ("a", &[], false),
    ] {
        assert_eq!(is_auth_token_known(&Secret::from(presented), known.iter().copied()), expected, "{presented}");
    }
}
