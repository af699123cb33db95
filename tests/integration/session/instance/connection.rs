//! The life of its connection: waiting, pings, silence, drains, and coming back.

use std::time::Duration;

use pulse_trust::Error;
use pulse_trust::relay::{ControlPayload, Drain, FrameType, PushNotification};
use pulse_trust::session::{ChannelEnd, CloseCode, DisconnectReason, InstanceEvent, Now};

use super::super::{at, connection, frame, frame_of};
use super::{Done, Driven, URL, reason, request, response, sealed};

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
fn it_starts_once_waits_for_the_connection_and_dials_again_in_time() {
    let mut driven = Driven::with(|_| {});
    let state = |driven: &mut Driven| match driven.end.push(&PushNotification::default()) {
        Err(Error::SessionNotOpen { needed: "registered", state, .. }) => state,
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
    driven.feed(&sealed(1, &mut keys, &request("1").to_json()), at(1));
    driven.feed(&Drain::default().to_frame(0).unwrap(), at(1));
    driven.end.handle_disconnected(connection(1), at(2));
    let done = driven.poll();
    let reason = DisconnectReason::Drained;
    assert!(matches!(done.events.last(), Some(InstanceEvent::Disconnected { reason: said, .. }) if *said == reason));
    assert!(retry_at(&done) > at(2).monotonic && retry_at(&done) <= at(7).monotonic);
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
        let drain = Drain::new("", Some(url.to_owned()));
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
    driven.feed(&sealed(1, &mut keys, &request("1").to_json()), at(1));
    let done = driven.feed(&drain, at(1));
    assert!(done.closed.is_empty());
    assert!(reason(&driven.offer(2, at(1))).contains("going down"));
    driven.end.respond(1, &response("1", false, false), at(2)).unwrap();
    let done = driven.poll();
    assert_eq!((done.frames.len(), done.closed.len()), (1, 1), "the answer goes out before the close");

    let mut driven = Driven::registered(at(0));
    let mut keys = driven.secured(1, at(0));
    driven.feed(&sealed(1, &mut keys, &request("1").to_json()), at(1));
    driven.feed(&drain, at(1));
    assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(11)));
    driven.end.handle_timeout(at(11));
    assert_eq!(driven.poll().closed, [CloseCode::Normal]);
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
