//! What waits, how much, and for whom.

use std::collections::BTreeMap;

use pulse_trust::Error;
use pulse_trust::relay::{Body, ChannelClose, ControlPayload, MAX_PAYLOAD_LEN, ProxyResponse, SEALED_OVERHEAD};
use pulse_trust::session::{ChannelEnd, InstanceEvent, MAX_MESSAGE_LEN, Output};

use super::super::{at, connection, frame_of};
use super::{Done, Driven, reason, request, response, sealed};

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
        driven.feed(&sealed(4, &mut keys, &request(id).to_json()), at(0));
    }
    let done = driven.feed(&sealed(4, &mut keys, &request("3").to_json()), at(0));
    assert!(done.events.is_empty());
    let answer = ProxyResponse::from_json(&keys.open(frame_of(&done.frames[0]).payload).unwrap()).unwrap();
    assert_eq!((answer.id.as_str(), answer.status), ("3", 503));
    // An id that waits already.
    let done = driven.feed(&sealed(4, &mut keys, &request("1").to_json()), at(0));
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
    driven.feed(&sealed(1, &mut keys, &request("1").to_json()), at(0));
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
    driven.feed(&sealed(2, &mut keys, &request("1").to_json()), at(0));
    let headers = BTreeMap::from([("X".to_owned(), "x".repeat(MAX_MESSAGE_LEN))]);
    let too_large = {
        let mut proxy_response = response("1", false, false);
        proxy_response.headers = headers;
        proxy_response
    };
    assert!(matches!(driven.end.respond(2, &too_large, at(0)), Err(Error::FrameTooLarge { .. })));
    driven.end.respond(2, &response("1", false, false), at(0)).unwrap();
}

/// A response whose JSON has this length.
fn response_of_length(id: &str, length: usize) -> ProxyResponse {
    let mut response = response(id, true, false);
    response.headers = BTreeMap::from([("X".to_owned(), String::new())]);
    let room = length - response.to_json().len();
    response.headers = BTreeMap::from([("X".to_owned(), "x".repeat(room))]);
    response
}

#[test]
fn an_answer_may_fill_a_frame_with_what_sealing_adds() {
    let mut driven = Driven::registered(at(0));
    let mut keys = driven.secured(1, at(0));
    driven.feed(&sealed(1, &mut keys, &request("1").to_json()), at(0));
    let most = MAX_PAYLOAD_LEN - SEALED_OVERHEAD;
    assert_eq!(SEALED_OVERHEAD, 28);
    let refused = driven.end.respond(1, &response_of_length("1", most + 1), at(0));
    let received = MAX_PAYLOAD_LEN + 1;
    assert_error!(refused.unwrap_err(), FrameTooLarge { limit: MAX_PAYLOAD_LEN, received: received });
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
            driven.feed(&sealed(channel, &mut keys, &request("1").to_json()), at(0));
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
