//! Channels from the offer to the close, and what is asked through them.

use std::time::Duration;

use pulse_trust::Error;
use pulse_trust::relay::{AppHandshake, Body, ChannelClose, ChannelOpen, ControlPayload, FrameType, ProxyResponse};
use pulse_trust::session::{ChannelEnd, InstanceEvent};

use super::super::{at, control, frame, frame_of};
use super::{Driven, reason, request, response, sealed};

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
    assert_error!(
        driven.end.accept(7).unwrap_err(),
        SessionChannel { channel: 7, expected: "waiting to be accepted or refused" }
    );

    driven.offer(8, at(0));
    driven.end.accept(8).unwrap();
    let echo: ChannelOpen = control(&driven.poll().frames[0]);
    assert_eq!((echo.channel_id, echo.auth_token.expose_secret()), (8, "token"));
    let handshake = AppHandshake::start().unwrap();
    let done = driven.feed(&frame(FrameType::KeyExchange, 8, handshake.message()), at(0));
    let mut keys = handshake.finish(frame_of(&done.frames[0]).payload, driven.identity.public_key()).unwrap();
    let done = driven.feed(&sealed(8, &mut keys, &request("1").to_json()), at(0));
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
    assert_error!(
        driven.end.respond(8, &response("1", false, false), at(0)).unwrap_err(),
        RequestUnknown { channel: 8 }
    );
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
    let done = driven.feed(&frame(FrameType::Data, 1, request("1").to_json().as_bytes()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::Request { .. }]));
    driven.end.respond(1, &response("1", false, false), at(0)).unwrap();
    let done = driven.poll();
    assert_eq!(ProxyResponse::from_json(frame_of(&done.frames[0]).payload).unwrap().status, 200);
    // Where keys were exchanged, plain text is not a message.
    driven.secured(2, at(0));
    let done = driven.feed(&frame(FrameType::Data, 2, request("1").to_json().as_bytes()), at(0));
    assert!(matches!(&done.events[..], [InstanceEvent::ChannelEnded { end: ChannelEnd::ProtocolError(_), .. }]));
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
        let asked = request(&"i".repeat(length)).to_json();
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
