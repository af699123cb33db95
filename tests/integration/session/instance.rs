//! The rules of an instance's end.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_trust::entitlement::{LeaseClaims, tenant_host};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{
    AppHandshake, Body, Channel, ChannelClose, ChannelOpen, ControlPayload, Drain, ErrorMessage, FrameType, Identity,
    MAX_PAYLOAD_LEN, ProxyRequest, ProxyResponse, PushNotification, Register, RegisterAck, SEALED_OVERHEAD,
    WireErrorCode,
};
use pulse_trust::session::{
    ChannelEnd, CloseCode, DisconnectReason, InstanceConfig, InstanceEnd, InstanceEvent, LeaseRefresh, MAX_MESSAGE_LEN,
    Now, Output,
};
use pulse_trust::{Error, UnixTime};

use super::{INSTANCE_ID, WALL, at, connection, control, frame, frame_of};

const URL: &str = "wss://relay.example.test/ws/instance";

struct Driven {
    end: InstanceEnd,
    identity: Identity,
    connections: u64,
}

/// What an end wants done, by kind.
#[derive(Default)]
struct Done {
    urls: Vec<String>,
    frames: Vec<Vec<u8>>,
    closed: Vec<CloseCode>,
    events: Vec<InstanceEvent>,
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
        let mut done = Done::default();
        while let Some(output) = self.end.poll_output() {
            match output {
                Output::Connect { connection, url } => {
                    self.connections = connection.as_u64();
                    done.urls.push(url);
                }
                Output::Send { message, .. } => done.frames.push(message),
                Output::Disconnect { code, .. } => done.closed.push(code),
                Output::Event(event) => done.events.push(event),
                other => panic!("{other:?}"),
            }
        }
        done
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
        let ack = RegisterAck::new(INSTANCE_ID, session_token, expires_at);
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

#[test]
fn it_registers_with_credential_secret_and_proof_and_resumes_with_the_session() {
    let mut driven = Driven::with(|config| config.client_version = "6.3.0".to_owned());
    driven.end.start(at(0));
    assert_eq!(driven.poll().urls, [URL]);
    let register = driven.connect(at(1));
    assert_eq!(register.license_token.expose_secret(), "credential");
    assert_eq!(register.instance_hint.expose_secret(), "instance secret");
    assert!(register.session_token.is_empty());
    let key = driven.identity.public_key().clone();
    assert_eq!(register.identity_pub_key, key.to_base64());
    let proof = register.identity_proof.unwrap();
    proof.check(&key, ["relay.example.test"], "credential", at(1).wall).unwrap();
    driven.acknowledge("session", 0, at(1));

    driven.end.handle_disconnected(connection(1), at(2));
    let done = driven.poll();
    assert!(matches!(done.events[..], [InstanceEvent::Disconnected { reason: DisconnectReason::Lost, .. }]));
    driven.end.handle_timeout(Now::new(driven.end.poll_timeout().unwrap(), at(3).wall));
    driven.poll();
    let register = driven.connect(at(3));
    assert_eq!(register.session_token.expose_secret(), "session");
    assert_eq!(register.instance_hint.expose_secret(), INSTANCE_ID);
    assert_eq!(register.license_token.expose_secret(), "credential");
    let proof = register.identity_proof.unwrap();
    proof.check(&key, ["relay.example.test"], "session", at(3).wall).unwrap();
    assert!(matches!(
        driven.acknowledge("session", 0, at(3)).events[..],
        [InstanceEvent::Registered { resumed: true, expires_at: None, .. }]
    ));
}

#[test]
fn a_session_that_is_not_known_registers_afresh_at_once_and_a_credential_that_is_not_does_not() {
    for code in [WireErrorCode::AuthFailed, WireErrorCode::InstanceNotFound] {
        let mut driven = Driven::registered(at(0));
        driven.end.handle_disconnected(connection(1), at(1));
        driven.poll();
        driven.end.handle_timeout(at(5));
        driven.poll();
        driven.connect(at(5));
        let done = driven.error(code, at(5));
        assert!(
            matches!(&done.events[..], [
                InstanceEvent::Refused { retry_at: Some(retry_at), .. },
                InstanceEvent::Disconnected { reason: DisconnectReason::Refused, .. },
            ] if *retry_at == Duration::from_secs(5)),
            "{:?}",
            done.events
        );
        driven.end.handle_timeout(at(5));
        assert_eq!(driven.poll().urls, [URL]);
        assert!(driven.connect(at(5)).session_token.is_empty());
        driven.error(WireErrorCode::LicenseInvalid, at(5));
        assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(305)));
        // Another credential is tried at once.
        driven.end.set_credential("another", at(6));
        assert_eq!(driven.poll().urls, [URL]);
        assert_eq!(driven.connect(at(6)).license_token.expose_secret(), "another");
    }
}

#[test]
fn it_waits_15_seconds_for_the_ack_pings_every_25_and_gives_up_after_60_of_silence() {
    let mut driven = Driven::with(|_| {});
    driven.end.start(at(0));
    driven.poll();
    driven.connect(at(3));
    assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(18)));
    driven.end.handle_timeout(at(17));
    assert!(driven.poll().closed.is_empty());
    driven.end.handle_timeout(at(18));
    assert_eq!(driven.poll().closed, [CloseCode::Normal]);

    let mut driven = Driven::registered(at(0));
    driven.feed(&frame(FrameType::Pong, 0, b""), at(10));
    let mut pings = Vec::new();
    for second in 1..70 {
        driven.end.handle_timeout(at(second));
        if driven.poll().frames.iter().any(|frame| frame_of(frame).frame_type == FrameType::Ping) {
            pings.push(second);
        }
    }
    assert!((12..=25).contains(&pings[0]), "{pings:?}");
    assert_eq!(pings[1], pings[0] + 25, "{pings:?}");
    driven.end.handle_timeout(at(70));
    assert!(matches!(
        driven.poll().events[..],
        [InstanceEvent::Disconnected { reason: DisconnectReason::Silence, .. }]
    ));
}

#[test]
fn what_is_reported_of_an_earlier_connection_is_ignored() {
    let mut driven = Driven::registered(at(0));
    driven.end.handle_disconnected(connection(1), at(1));
    driven.poll();
    driven.end.handle_timeout(at(5));
    driven.poll();
    driven.end.handle_connected(connection(1), at(5));
    driven.end.handle_message(connection(1), &frame(FrameType::Ping, 0, b""), at(5));
    driven.end.handle_disconnected(connection(1), at(5));
    let done = driven.poll();
    assert!(done.frames.is_empty() && done.events.is_empty());
    driven.connect(at(6));
}

#[test]
fn a_drain_url_is_used_once_and_only_where_a_configured_one_would_be() {
    for (url, is_used) in [
        ("wss://other.example.test/ws/instance", true),
        ("ws://other.example.test/ws/instance", false),
        ("https://other.example.test/", false),
        ("wss://user@other.example.test/", false),
        ("wss://other.example.test/?x=1", false),
        ("", false),
    ] {
        let mut driven = Driven::registered(at(0));
        let drain = Drain::new("", url);
        let done = driven.feed(&drain.to_frame(0).unwrap(), at(1));
        assert_eq!(done.closed, [CloseCode::Normal], "nothing waits, so it leaves at once");
        driven.end.handle_timeout(at(2));
        let expected = if is_used { url } else { URL };
        assert_eq!(driven.poll().urls, [expected], "{url}");
        let proof = driven.connect(at(2)).identity_proof.unwrap();
        let host = if is_used { "other.example.test" } else { "relay.example.test" };
        proof.check(driven.identity.public_key(), [host], "session", at(2).wall).unwrap();
        driven.end.handle_disconnected(connection(2), at(3));
        driven.poll();
        driven.end.handle_timeout(at(10));
        assert_eq!(driven.poll().urls, [URL], "once");
    }
}

#[test]
fn a_drain_waits_for_the_answers_that_are_under_way_but_not_for_ever() {
    let drain = Drain::default().to_frame(0).unwrap();
    let mut driven = Driven::registered(at(0));
    let mut keys = driven.secured(1, at(0));
    driven.feed(&sealed(1, &mut keys, &request("1").to_json().unwrap()), at(1));
    let done = driven.feed(&drain, at(1));
    assert!(done.closed.is_empty());
    assert!(reason(&driven.offer(2, at(1))).contains("going down"));
    driven.end.respond(1, &response("1", false, false), at(2)).unwrap();
    let done = driven.poll();
    assert_eq!((done.frames.len(), done.closed.len()), (1, 1), "the answer goes out before the close");

    let mut driven = Driven::registered(at(0));
    let mut keys = driven.secured(1, at(0));
    driven.feed(&sealed(1, &mut keys, &request("1").to_json().unwrap()), at(1));
    driven.feed(&drain, at(1));
    assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(11)));
    driven.end.handle_timeout(at(11));
    assert_eq!(driven.poll().closed, [CloseCode::Normal]);
}

#[test]
fn a_channel_is_judged_then_secured_then_asked_through() {
    let mut driven = Driven::registered(at(0));
    let done = driven.offer(7, at(0));
    let [InstanceEvent::ChannelOffered { channel: 7, auth_token }] = &done.events[..] else { panic!() };
    assert_eq!(auth_token.expose_secret(), "token");
    // Nothing is taken before acceptance.
    let handshake = AppHandshake::start().unwrap();
    let done = driven.feed(&frame(FrameType::KeyExchange, 7, handshake.message()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::ChannelEnded { end: ChannelEnd::ProtocolError(_), .. }]));
    assert_eq!(
        driven.end.accept(7),
        Err(Error::SessionChannel { channel: 7, expected: "waiting to be accepted or refused" })
    );

    driven.offer(8, at(0));
    driven.end.accept(8).unwrap();
    let echo: ChannelOpen = control(&driven.poll().frames[0]);
    assert_eq!((echo.channel_id, echo.auth_token.expose_secret()), (8, "token"));
    let handshake = AppHandshake::start().unwrap();
    let done = driven.feed(&frame(FrameType::KeyExchange, 8, handshake.message()), at(0));
    let mut keys = handshake.finish(frame_of(&done.frames[0]).payload, driven.identity.public_key()).unwrap();
    let done = driven.feed(&sealed(8, &mut keys, &request("1").to_json().unwrap()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::Request { channel: 8, request }] if request.id == "1"));

    for (stream, stream_done) in [(true, false), (true, false), (false, true)] {
        driven.end.respond(8, &response("1", stream, stream_done), at(0)).unwrap();
    }
    let answers: Vec<ProxyResponse> = driven
        .poll()
        .frames
        .iter()
        .map(|frame| ProxyResponse::from_json(&keys.open(frame_of(frame).payload).unwrap()).unwrap())
        .collect();
    assert_eq!(answers.iter().map(|it| it.stream).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(driven.end.respond(8, &response("1", false, false), at(0)), Err(Error::RequestUnknown { channel: 8 }));
    // A second key exchange, and a message that was sent before, end the channel.
    let done = driven.feed(&frame(FrameType::KeyExchange, 8, handshake_message().as_slice()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::ChannelEnded { channel: 8, .. }]));
}

fn handshake_message() -> Vec<u8> {
    AppHandshake::start().unwrap().message().to_vec()
}

#[test]
fn a_phone_without_key_exchange_is_answered_in_plain_text() {
    let mut driven = Driven::registered(at(0));
    driven.offer(1, at(0));
    driven.end.accept(1).unwrap();
    driven.poll();
    let done = driven.feed(&frame(FrameType::Data, 1, request("1").to_json().unwrap().as_bytes()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::Request { .. }]));
    driven.end.respond(1, &response("1", false, false), at(0)).unwrap();
    let done = driven.poll();
    assert_eq!(ProxyResponse::from_json(frame_of(&done.frames[0]).payload).unwrap().status, 200);
    // Where keys were exchanged, plain text is no message.
    driven.secured(2, at(0));
    let done = driven.feed(&frame(FrameType::Data, 2, request("1").to_json().unwrap().as_bytes()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::ChannelEnded { end: ChannelEnd::ProtocolError(_), .. }]));
}

#[test]
fn limits_hold_for_channels_half_open_channels_and_requests() {
    let mut driven = Driven::registered_with(at(0), |config| {
        config.limits.channels = 3;
        config.limits.half_open_channels = 2;
        config.limits.requests = 2;
    });
    driven.offer(1, at(0));
    driven.offer(2, at(0));
    assert!(reason(&driven.offer(3, at(0))).contains("too many channels"));
    driven.end.refuse(1, "no").unwrap();
    driven.end.refuse(2, "no").unwrap();
    let mut keys = driven.secured(4, at(0));
    driven.secured(5, at(0));
    driven.secured(6, at(0));
    assert!(reason(&driven.offer(7, at(0))).contains("too many channels"));
    for id in ["1", "2"] {
        driven.feed(&sealed(4, &mut keys, &request(id).to_json().unwrap()), at(0));
    }
    let done = driven.feed(&sealed(4, &mut keys, &request("3").to_json().unwrap()), at(0));
    assert!(done.events.is_empty());
    let answer = ProxyResponse::from_json(&keys.open(frame_of(&done.frames[0]).payload).unwrap()).unwrap();
    assert_eq!((answer.id.as_str(), answer.status), ("3", 503));
    // An id that waits already.
    let done = driven.feed(&sealed(4, &mut keys, &request("1").to_json().unwrap()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::ChannelEnded { channel: 4, .. }]));
    // A half-open channel ends by itself.
    driven.offer(8, at(1));
    driven.end.accept(8).unwrap();
    driven.poll();
    driven.end.handle_timeout(at(16));
    assert!(matches!(driven.poll().events[..], [InstanceEvent::ChannelEnded { channel: 8, end: ChannelEnd::Idle }]));
}

#[test]
fn what_waits_to_be_sent_is_bounded_and_a_refused_answer_can_be_sent_later() {
    let mut driven = Driven::registered_with(at(0), |config| {
        config.limits.queued_bytes = 100_000;
        config.limits.queued_bytes_of_channel = 70_000;
    });
    let mut keys = driven.secured(1, at(0));
    driven.feed(&sealed(1, &mut keys, &request("1").to_json().unwrap()), at(0));
    let piece = {
        let mut proxy_response = response("1", true, false);
        proxy_response.body = Body::new(vec![0; 48_128]).unwrap();
        proxy_response
    };
    driven.end.respond(1, &piece, at(0)).unwrap();
    assert!(driven.end.is_congested());
    assert!(matches!(driven.end.respond(1, &piece, at(0)), Err(Error::SendQueueFull { .. })));
    assert_eq!(driven.poll().frames.len(), 1);
    assert!(!driven.end.is_congested());
    driven.end.respond(1, &piece, at(0)).unwrap();
    // The phone goes: what waited for it goes too.
    driven.feed(&ChannelClose::new(1, "").to_frame(1).unwrap(), at(0));
    assert!(!driven.end.is_congested());

    let mut keys = driven.secured(2, at(0));
    driven.feed(&sealed(2, &mut keys, &request("1").to_json().unwrap()), at(0));
    let headers = BTreeMap::from([("X".to_owned(), "x".repeat(MAX_MESSAGE_LEN))]);
    let too_large = {
        let mut proxy_response = response("1", false, false);
        proxy_response.headers = headers;
        proxy_response
    };
    assert!(matches!(driven.end.respond(2, &too_large, at(0)), Err(Error::FrameTooLarge { .. })));
    driven.end.respond(2, &response("1", false, false), at(0)).unwrap();
}

#[test]
fn nothing_passes_before_the_ack() {
    for message in [
        ChannelOpen::new(1, "t").to_frame(1).unwrap(),
        frame(FrameType::Data, 1, b"{}"),
        frame(FrameType::KeyExchange, 1, b""),
        vec![9, 9],
    ] {
        let mut driven = Driven::with(|_| {});
        driven.end.start(at(0));
        driven.poll();
        driven.connect(at(0));
        let done = driven.feed(&message, at(0));
        assert_eq!(done.closed, [CloseCode::ProtocolError]);
        assert!(matches!(
            done.events[..],
            [InstanceEvent::Disconnected { reason: DisconnectReason::ProtocolError, .. }]
        ));
    }
}

#[test]
fn another_runtime_with_the_same_identity_is_not_fought_with() {
    let mut driven = Driven::registered(at(0));
    driven.error(WireErrorCode::DuplicateInstance, at(1));
    assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(301)));
}

#[test]
fn every_channel_ends_with_its_connection() {
    let mut driven = Driven::registered(at(0));
    driven.secured(1, at(0));
    driven.offer(2, at(0));
    driven.end.handle_disconnected(connection(1), at(1));
    let done = driven.poll();
    assert!(done.frames.is_empty());
    assert!(matches!(
        done.events[..],
        [
            InstanceEvent::ChannelEnded { channel: 1, end: ChannelEnd::Disconnected },
            InstanceEvent::ChannelEnded { channel: 2, end: ChannelEnd::Disconnected },
            InstanceEvent::Disconnected { .. },
        ]
    ));
    driven.end.stop(at(2));
    assert_eq!(driven.end.poll_timeout(), None);
}

/// A control plane, its key and the leases it signs.
struct ControlPlane(SigningKey);

impl ControlPlane {
    fn refresh(&self) -> LeaseRefresh {
        let keys = TrustKeys::for_leases(TrustKeySet::new([self.0.public_key().clone()]));
        let expires_at = Some(UnixTime::from_secs(WALL + 86_400));
        LeaseRefresh::new("default", "t-abc.example.test", "etr_hosted_0", keys, expires_at)
    }

    fn answer(&self, tenant: &str, expires_at: i64) -> Vec<u8> {
        let host = tenant_host(tenant, "https://example.test").unwrap();
        let mut claims = LeaseClaims::new(&host, UnixTime::from_secs(expires_at));
        claims.org_id = "default".to_owned();
        format!(r#"{{"entitlement_jwt":"{}"}}"#, claims.sign(&self.0).unwrap().expose_secret().to_owned()).into_bytes()
    }
}

fn due_request(driven: &mut Driven, now: Now) -> Option<String> {
    driven.end.handle_timeout(now);
    driven.poll().events.iter().find_map(|event| match event {
        InstanceEvent::RefreshDue(request) => Some(request.secret_json().expose_secret().to_owned()),
        _ => None,
    })
}

#[test]
fn a_lease_that_was_refreshed_in_time_renews_the_registration_on_the_same_connection() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    let refresh = control_plane.refresh();
    let mut driven = Driven::registered_with(at(0), |config| config.refresh = Some(refresh));
    driven.secured(1, at(0));
    // Half of a day, cut to six hours, and at most a fifth more.
    driven.feed(&frame(FrameType::Pong, 0, b""), at(4 * 3600));
    assert_eq!(due_request(&mut driven, at(4 * 3600)), None);
    let now = at(8 * 3600);
    driven.feed(&frame(FrameType::Pong, 0, b""), now);
    let request = due_request(&mut driven, now).unwrap();
    assert!(request.contains(r#""instance_host":"t-abc.example.test""#), "{request}");
    driven.end.handle_refresh_answer(200, &control_plane.answer("t-abc", WALL + 2 * 86_400), now);
    let done = driven.poll();
    assert!(matches!(&done.events[..], [InstanceEvent::LeaseRefreshed { .. }]));
    assert!(done.frames.is_empty(), "the registration has hours to go");

    let now = Now::new(Duration::from_secs(8 * 3600 + 30), UnixTime::from_secs(WALL + 86_400 - 300));
    driven.end.handle_timeout(now);
    let register: Register =
        control(driven.poll().frames.iter().find(|frame| frame_of(frame).frame_type == FrameType::Register).unwrap());
    assert!(register.license_token.expose_secret().contains('.') && register.session_token.is_empty());
    let done = driven.acknowledge("second session", WALL + 2 * 86_400, now);
    assert!(matches!(done.events[..], [InstanceEvent::Renewed { expires_at: Some(_) }]), "{:?}", done.events);
    driven.end.respond(1, &response("none", false, false), now).unwrap_err();
}

#[test]
fn a_lease_for_another_host_is_not_taken_and_a_final_refusal_ends_the_registration() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    for (status, answer) in
        [(200, control_plane.answer("t-other", WALL + 86_400)), (503, Vec::new()), (200, vec![b'{'])]
    {
        let refresh = control_plane.refresh();
        let mut driven = Driven::registered_with(at(0), |config| config.refresh = Some(refresh));
        let now = Now::new(Duration::from_secs(8 * 3600), at(60).wall);
        driven.feed(&frame(FrameType::Pong, 0, b""), now);
        due_request(&mut driven, now).unwrap();
        driven.end.handle_refresh_answer(status, &answer, now);
        let done = driven.poll();
        let expected = now.monotonic + Duration::from_secs(30);
        assert!(matches!(&done.events[..], [InstanceEvent::RefreshFailed { retry_at, .. }] if *retry_at == expected));
    }
    for status in [400, 401, 404, 410] {
        let refresh = control_plane.refresh();
        let mut driven = Driven::registered_with(at(0), |config| config.refresh = Some(refresh));
        let now = Now::new(Duration::from_secs(8 * 3600), at(60).wall);
        driven.feed(&frame(FrameType::Pong, 0, b""), now);
        due_request(&mut driven, now).unwrap();
        driven.end.handle_refresh_answer(status, b"", now);
        let done = driven.poll();
        assert!(matches!(
            done.events[..],
            [InstanceEvent::LeaseLost { .. }, InstanceEvent::Disconnected { retry_at: None, .. },]
        ));
        assert_eq!(driven.end.poll_timeout(), None, "nothing is tried without a credential");
    }
}

#[test]
fn pings_are_answered_and_pongs_taken_before_the_ack_too() {
    let mut driven = Driven::with(|_| {});
    driven.end.start(at(0));
    driven.poll();
    driven.connect(at(0));
    assert!(driven.feed(&frame(FrameType::Pong, 0, b""), at(0)).closed.is_empty());
    let done = driven.feed(&frame(FrameType::Ping, 0, b""), at(0));
    assert_eq!((frame_of(&done.frames[0]).frame_type, done.frames.len()), (FrameType::Pong, 1));
}

#[test]
fn an_ack_names_an_instance_and_only_one_that_was_asked_for_counts() {
    for (id, is_taken) in [(String::new(), false), ("i".repeat(128), true), ("i".repeat(129), false)] {
        let mut driven = Driven::with(|_| {});
        driven.end.start(at(0));
        driven.poll();
        driven.connect(at(0));
        let done = driven.feed(&RegisterAck::new(&id, "session", 0).to_frame(0).unwrap(), at(0));
        assert_eq!(matches!(done.events[..], [InstanceEvent::Registered { .. }]), is_taken, "{id}");
        assert_eq!(done.closed.is_empty(), is_taken);
    }
    let mut driven = Driven::registered(at(0));
    assert!(driven.acknowledge("another session", WALL + 60, at(1)).events.is_empty());
}

#[test]
fn it_starts_once_waits_for_the_connection_and_dials_again_in_time() {
    let mut driven = Driven::with(|_| {});
    let state = |driven: &mut Driven| match driven.end.push(&PushNotification::default()) {
        Err(Error::SessionNotOpen { needed: "registered", state }) => state,
        other => panic!("{other:?}"),
    };
    assert_eq!(state(&mut driven), "stopped");
    driven.end.start(at(0));
    assert_eq!(driven.poll().urls.len(), 1);
    driven.end.start(at(0));
    assert!(driven.poll().urls.is_empty(), "it is connecting already");
    assert_eq!(state(&mut driven), "connecting");
    let until = driven.end.poll_timeout().unwrap();
    let moment = |monotonic| Now::new(monotonic, at(0).wall);
    let second = Duration::from_secs(1);
    driven.end.handle_timeout(moment(until - second));
    assert!(driven.poll().events.is_empty());
    driven.end.handle_timeout(moment(until));
    let done = driven.poll();
    let [InstanceEvent::Disconnected { reason: DisconnectReason::ConnectFailed, retry_at: Some(retry_at), .. }] =
        done.events[..]
    else {
        panic!("{:?}", done.events)
    };
    assert_eq!(state(&mut driven), "disconnected");
    driven.end.handle_timeout(moment(retry_at - Duration::from_millis(1)));
    assert!(driven.poll().urls.is_empty());
    driven.end.handle_timeout(moment(retry_at));
    assert_eq!(driven.poll().urls.len(), 1);
    driven.connect(moment(retry_at));
    assert_eq!(state(&mut driven), "waiting for the relay's answer");
    driven.acknowledge("session", 0, moment(retry_at));
    driven.end.push(&PushNotification::default()).unwrap();
    assert_eq!(frame_of(&driven.poll().frames[0]).frame_type, FrameType::PushNotification);
    // A message of the connection that failed is nobody's.
    driven.end.handle_message(connection(1), &frame(FrameType::Ping, 0, b""), moment(retry_at));
    assert!(driven.poll().frames.is_empty());
}

#[test]
fn a_long_connection_makes_earlier_failures_forgotten_and_a_drain_costs_the_least() {
    let retry_at = |done: &Done| match done.events.last() {
        Some(InstanceEvent::Disconnected { retry_at: Some(retry_at), .. }) => *retry_at,
        other => panic!("{other:?}"),
    };
    let mut driven = Driven::with(|_| {});
    driven.end.start(at(0));
    driven.poll();
    let mut wait = Duration::ZERO;
    for time in (0..1000).step_by(100) {
        driven.end.handle_timeout(at(time));
        driven.poll();
        driven.end.handle_disconnected(connection(driven.connections), at(time));
        wait = retry_at(&driven.poll()) - at(time).monotonic;
    }
    assert!(wait > Duration::from_secs(10), "{wait:?}");
    driven.end.handle_timeout(at(2000));
    driven.poll();
    driven.connect(at(2000));
    driven.acknowledge("session", 0, at(2000));
    driven.end.handle_disconnected(connection(driven.connections), at(4000));
    let wait = retry_at(&driven.poll()) - at(4000).monotonic;
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(5), "{wait:?}");

    let mut driven = Driven::registered(at(0));
    let mut keys = driven.secured(1, at(0));
    driven.feed(&sealed(1, &mut keys, &request("1").to_json().unwrap()), at(1));
    driven.feed(&Drain::default().to_frame(0).unwrap(), at(1));
    driven.end.handle_disconnected(connection(1), at(2));
    let done = driven.poll();
    let reason = DisconnectReason::Drained;
    assert!(matches!(done.events.last(), Some(InstanceEvent::Disconnected { reason: said, .. }) if *said == reason));
    assert!(retry_at(&done) > at(2).monotonic && retry_at(&done) <= at(7).monotonic);
}

#[test]
fn a_refusal_after_the_registration_is_taken_by_what_it_says() {
    for (code, least, most) in [
        (WireErrorCode::LicenseExpired, 300, 300),
        (WireErrorCode::LicenseInvalid, 300, 300),
        (WireErrorCode::AuthFailed, 0, 5),
        (WireErrorCode::InstanceNotFound, 0, 5),
    ] {
        let mut driven = Driven::registered(at(0));
        let done = driven.error(code, at(1));
        let [InstanceEvent::Refused { retry_at: Some(retry_at), .. }, InstanceEvent::Disconnected { .. }] =
            done.events[..]
        else {
            panic!("{code}: {:?}", done.events)
        };
        let wait = retry_at - at(1).monotonic;
        assert!((least..=most).contains(&wait.as_secs()), "{code}: {wait:?}");
        // With a credential that the relay has not seen, at once.
        let mut driven = Driven::registered(at(0));
        driven.end.set_credential("another", at(0));
        let done = driven.error(code, at(1));
        let [InstanceEvent::Refused { retry_at: Some(retry_at), .. }, ..] = done.events[..] else { panic!("{code}") };
        assert!(retry_at <= at(6).monotonic, "{code}");
    }
    let mut driven = Driven::registered(at(0));
    let done = driven.error(WireErrorCode::ServerDraining, at(1));
    let reason = DisconnectReason::Drained;
    assert!(matches!(done.events[..], [InstanceEvent::Disconnected { reason: said, .. }] if said == reason));
    // About a channel, it is the program's to judge, and the connection stays.
    let mut driven = Driven::registered(at(0));
    let error = ErrorMessage::new(WireErrorCode::AuthFailed, "words").to_frame(7).unwrap();
    let done = driven.feed(&error, at(1));
    assert!(matches!(done.events[..], [InstanceEvent::RelayError { channel: 7, .. }]) && done.closed.is_empty());
}

#[test]
fn a_renewal_that_is_refused_leaves_the_registration_as_it_is() {
    let mut driven = Driven::registered(at(0));
    let now = Now::new(Duration::from_secs(60), UnixTime::from_secs(WALL + 86_400 - 10));
    driven.feed(&frame(FrameType::Pong, 0, b""), now);
    driven.end.set_credential("another", now);
    let renewal = frame_of(&driven.poll().frames[0]).frame_type;
    assert_eq!(renewal, FrameType::Register);
    let about_a_channel = ErrorMessage::new(WireErrorCode::AuthFailed, "words").to_frame(7).unwrap();
    driven.feed(&about_a_channel, now);
    let done = driven.error(WireErrorCode::LicenseInvalid, now);
    assert!(matches!(done.events[..], [InstanceEvent::RelayError { channel: 0, .. }]) && done.closed.is_empty());
    driven.end.handle_timeout(now);
    assert!(driven.poll().frames.iter().all(|frame| frame_of(frame).frame_type != FrameType::Register), "asked once");
}

#[test]
fn a_session_outlives_a_refusal_that_is_about_something_else() {
    for (code, is_resumed) in [(WireErrorCode::RateLimited, true), (WireErrorCode::AuthFailed, false)] {
        let mut driven = Driven::registered(at(0));
        driven.end.handle_disconnected(connection(1), at(1));
        driven.poll();
        driven.end.handle_timeout(at(10));
        driven.poll();
        driven.connect(at(10));
        driven.error(code, at(10));
        driven.end.handle_timeout(at(1000));
        driven.poll();
        let register = driven.connect(at(1000));
        assert_eq!(register.session_token.expose_secret() == "session", is_resumed, "{code}");
    }
}

#[test]
fn a_channel_is_offered_where_it_says_and_closes_with_the_phones_words() {
    for (named, on) in [(7, 8), (0, 0), (7, 0)] {
        let mut driven = Driven::registered(at(0));
        let done = driven.feed(&ChannelOpen::new(named, "token").to_frame(on).unwrap(), at(0));
        assert!(done.events.is_empty(), "{named} on {on}");
        assert!(reason(&done).starts_with("CHANNEL_OPEN must name"));
    }
    let mut driven = Driven::registered(at(0));
    driven.offer(7, at(0));
    assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(15)), "it is not offered for ever");
    driven.end.accept(7).unwrap();
    assert!(matches!(driven.end.accept(7), Err(Error::SessionChannel { channel: 7, .. })), "it was judged");
    assert!(matches!(driven.end.refuse(7, ""), Err(Error::SessionChannel { channel: 7, .. })));
    let done = driven.feed(&ChannelClose::new(7, "goodbye").to_frame(7).unwrap(), at(1));
    assert!(
        matches!(&done.events[..], [InstanceEvent::ChannelEnded { channel: 7, end: ChannelEnd::Closed(reason) }] if reason == "goodbye")
    );
    assert!(matches!(driven.end.close(7, ""), Err(Error::SessionChannel { channel: 7, .. })));
    driven.secured(9, at(1));
    driven.end.close(9, "enough").unwrap();
    let done = driven.poll();
    assert_eq!(reason(&done), "enough");
    assert!(matches!(&done.events[..], [InstanceEvent::ChannelEnded { channel: 9, .. }]));
}

#[test]
fn a_request_may_be_as_large_as_the_limit_and_a_bad_one_is_answered_as_json() {
    let mut driven = Driven::registered(at(0));
    let mut keys = driven.secured(1, at(0));
    let mut largest = request("1");
    largest.body = Body::new(vec![0; 48_128]).unwrap();
    let text = serde_json::json!({"id": "1", "method": "GET", "path": "/", "body": base64(&[0; 48_128])}).to_string();
    let done = driven.feed(&frame(FrameType::Data, 1, &keys.seal(text.as_bytes()).unwrap()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::Request { request, .. }] if request.body == largest.body));
    for (length, is_taken) in [(256, true), (257, false)] {
        let asked = request(&"i".repeat(length)).to_json().unwrap();
        let done = driven.feed(&sealed(1, &mut keys, &asked), at(0));
        assert_eq!(matches!(done.events[..], [InstanceEvent::Request { .. }]), is_taken, "an id of {length} bytes");
    }
    let done = driven.feed(&sealed(1, &mut keys, "{"), at(0));
    let answer = ProxyResponse::from_json(&keys.open(frame_of(&done.frames[0]).payload).unwrap()).unwrap();
    assert_eq!((answer.status, answer.headers["Content-Type"].as_str()), (400, "application/json"));
    assert!(!answer.body.is_empty());
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A response whose JSON has this length.
fn response_of_length(id: &str, length: usize) -> ProxyResponse {
    let mut response = response(id, true, false);
    response.headers = BTreeMap::from([("X".to_owned(), String::new())]);
    let room = length - response.to_json().unwrap().len();
    response.headers = BTreeMap::from([("X".to_owned(), "x".repeat(room))]);
    response
}

#[test]
fn an_answer_may_fill_a_frame_with_what_sealing_adds() {
    let mut driven = Driven::registered(at(0));
    let mut keys = driven.secured(1, at(0));
    driven.feed(&sealed(1, &mut keys, &request("1").to_json().unwrap()), at(0));
    let most = MAX_PAYLOAD_LEN - SEALED_OVERHEAD;
    assert_eq!(SEALED_OVERHEAD, 28);
    let refused = driven.end.respond(1, &response_of_length("1", most + 1), at(0));
    let received = MAX_PAYLOAD_LEN + 1;
    assert_eq!(refused, Err(Error::FrameTooLarge { limit: MAX_PAYLOAD_LEN, received }));
    driven.end.respond(1, &response_of_length("1", most), at(0)).unwrap();
    assert_eq!(frame_of(&driven.poll().frames[0]).payload.len(), MAX_PAYLOAD_LEN);
}

#[test]
fn what_waits_is_counted_by_channel_and_dropped_with_it() {
    // The length of one sealed answer, as it is counted.
    let (plain, queued) = (1000, 1000 + 28);
    let driven = |all: usize, of_channel: usize| {
        let mut driven = Driven::registered_with(at(0), |config| {
            config.limits.queued_bytes = all;
            config.limits.queued_bytes_of_channel = of_channel;
        });
        for channel in [1, 2] {
            let mut keys = driven.secured(channel, at(0));
            driven.feed(&sealed(channel, &mut keys, &request("1").to_json().unwrap()), at(0));
        }
        driven
    };
    let answer = |driven: &mut Driven, channel| driven.end.respond(channel, &response_of_length("1", plain), at(0));
    let channels = |done: &Done| done.frames.iter().map(|frame| frame_of(frame).channel).collect::<Vec<_>>();

    let mut exact = driven(queued, queued);
    answer(&mut exact, 1).unwrap();
    assert!(matches!(answer(&mut exact, 2), Err(Error::SendQueueFull { .. })));

    let header = {
        let mut one = driven(100_000, 100_000);
        answer(&mut one, 1).unwrap();
        one.poll().frames[0].len() - queued
    };
    for (more, is_congested) in [(0, false), (2, true)] {
        let mut half = driven(2 * (queued + header) - more, 100_000);
        assert!(!half.end.is_congested());
        answer(&mut half, 1).unwrap();
        assert_eq!(half.end.is_congested(), is_congested);
    }

    let mut counted = driven(100_000, 2 * queued + 2 * header);
    answer(&mut counted, 1).unwrap();
    answer(&mut counted, 1).unwrap();
    assert!(matches!(counted.end.poll_output(), Some(Output::Send { .. })));
    answer(&mut counted, 1).unwrap();
    assert!(matches!(answer(&mut counted, 1), Err(Error::SendQueueFull { .. })), "two wait");
    answer(&mut counted, 2).unwrap();
    counted.end.handle_message(connection(1), &ChannelClose::new(1, "").to_frame(1).unwrap(), at(0));
    let done = counted.poll();
    assert_eq!(channels(&done), [2]);
    assert!(matches!(&done.events[..], [InstanceEvent::ChannelEnded { channel: 1, .. }]));

    let mut lost = driven(100_000, 100_000);
    answer(&mut lost, 1).unwrap();
    lost.end.handle_disconnected(connection(1), at(1));
    let done = lost.poll();
    assert!(done.frames.is_empty() && done.events.len() == 3, "{:?}", done.events);
}

#[test]
fn a_refresh_that_is_not_answered_is_due_again() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    let due = || {
        let refresh = control_plane.refresh();
        let mut driven = Driven::with(|config| config.refresh = Some(refresh));
        driven.end.start(at(0));
        driven.poll();
        driven.end.handle_disconnected(connection(1), at(0));
        driven.poll();
        driven
    };
    let first = |driven: &mut Driven| {
        (3600..86_400).step_by(60).find(|second| {
            driven.end.handle_timeout(at(*second));
            driven.poll().events.iter().any(|event| matches!(event, InstanceEvent::RefreshDue(_)))
        })
    };
    let mut driven = due();
    let asked = first(&mut driven).unwrap();
    assert!((17_280..=25_980).contains(&asked), "six hours, give or take a fifth: {asked}");
    driven.end.handle_refresh_failure(at(asked));
    driven.end.handle_refresh_failure(at(asked));
    assert_eq!(due_request(&mut driven, at(asked + 29)), None);
    assert!(due_request(&mut driven, at(asked + 30)).is_some(), "after the first of the waiting times");
    assert_eq!(due_request(&mut driven, at(asked + 31)), None, "it is asked");

    let mut driven = due();
    let asked = first(&mut driven).unwrap();
    let again = (asked..asked + 600).find(|second| due_request(&mut driven, at(*second)).is_some()).unwrap();
    assert!(again >= asked + 31, "not before an answer is overdue, and the waiting time after it: {asked}, {again}");
    // An answer that nothing was asked for is nobody's.
    let mut driven = due();
    driven.end.handle_refresh_answer(410, b"", at(1));
    assert!(driven.poll().events.is_empty());
}

/// A machine that slept: the wall clock says that the lease is nearly over, the other one that there is time.
#[test]
fn a_wall_clock_that_jumps_near_the_leases_end_brings_the_refresh_forward() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    for (left, is_due) in [(1801, false), (1800, true), (60, true)] {
        let refresh = control_plane.refresh();
        let mut driven = Driven::with(|config| config.refresh = Some(refresh));
        driven.end.start(at(0));
        driven.poll();
        let now = Now::new(Duration::from_secs(2), UnixTime::from_secs(WALL + 86_400 - left));
        assert_eq!(due_request(&mut driven, now).is_some(), is_due, "{left} s before the end");
    }
}

/// An end whose connection is over for good says when the refresh is due, and nothing else.
#[test]
fn a_refresh_that_is_due_within_a_minute_is_not_brought_forward() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    let minute = Duration::from_secs(60);
    for (before, is_due) in [(minute, false), (minute + Duration::from_millis(1), true)] {
        let refresh = control_plane.refresh();
        let mut driven = Driven::with(|config| config.refresh = Some(refresh));
        driven.end.start(at(0));
        driven.end.stop(at(0));
        driven.poll();
        let at = driven.end.poll_timeout().unwrap();
        let now = Now::new(at - before, UnixTime::from_secs(WALL + 86_400 - 600));
        assert_eq!(due_request(&mut driven, now).is_some(), is_due, "{before:?}");
    }
}
