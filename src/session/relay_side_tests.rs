//! What may arrive when on a connection, and how much it may cost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use super::*;
use crate::relay::{ChannelClose, ChannelOpen, Connect, ControlPayload, Frame, FrameType, Register, WireErrorCode};

type Side = RelaySide<u32>;

const START: Duration = Duration::from_secs(1000);

fn side(end: RelayedEnd) -> Side {
    Side::new(end, RelaySideLimits::default(), START)
}

fn instance() -> Side {
    let mut side = side(RelayedEnd::Instance);
    side.registered();
    side
}

fn frame(frame_type: FrameType, channel: u32) -> Vec<u8> {
    Frame::new(frame_type, channel, b"payload").encode().unwrap()
}

fn is_forwarded(side: &mut Side, frame_type: FrameType, channel: u32) -> bool {
    matches!(side.receive(&frame(frame_type, channel), START), Ok(RelayEvent::Forward { .. }))
}

#[test]
fn nothing_passes_before_the_instance_has_accepted_in_either_direction() {
    let (mut app, mut instance) = (side(RelayedEnd::App), instance());
    for side in [&mut app, &mut instance] {
        assert!(!is_forwarded(side, FrameType::Data, 1), "there is no channel yet");
        let channel = side.next_channel();
        side.offer(channel, 7, START);
        for frame_type in [FrameType::Data, FrameType::KeyExchange] {
            let bytes = frame(frame_type, channel);
            let Ok(RelayEvent::Answer(answer)) = side.receive(&bytes, START) else { panic!("{frame_type} was taken") };
            let close = ChannelClose::from_frame(&Frame::decode(&answer).unwrap()).unwrap();
            assert_eq!(close.channel_id, channel);
        }
    }
    let open = ChannelOpen { channel_id: 1, ..ChannelOpen::default() }.to_frame(1).unwrap();
    assert!(matches!(instance.receive(&open, START), Ok(RelayEvent::Accepted { channel: 1, route: 7 })));
    assert!(app.accepted(1) && !app.accepted(1));
    for side in [&mut app, &mut instance] {
        assert!(is_forwarded(side, FrameType::KeyExchange, 1) && is_forwarded(side, FrameType::Data, 1));
        assert!(side.remove(1));
        assert!(!is_forwarded(side, FrameType::Data, 1), "the channel is gone");
    }
}

#[test]
fn an_app_cannot_accept_its_own_channel_and_an_instance_cannot_connect() {
    let mut app = side(RelayedEnd::App);
    let channel = app.next_channel();
    app.offer(channel, 7, START);
    let fault = app.receive(&frame(FrameType::ChannelOpen, channel), START).unwrap_err();
    assert_eq!(fault.close_code, CloseCode::ProtocolError);
    assert!(!app.is_accepted(channel));
    let connect = Connect::default().to_frame(0).unwrap();
    assert_eq!(instance().receive(&connect, START).unwrap_err().close_code, CloseCode::ProtocolError);
    for relays_own in [FrameType::RegisterAck, FrameType::ConnectAck, FrameType::Drain] {
        for mut side in [instance(), side(RelayedEnd::App)] {
            assert_eq!(
                side.receive(&frame(relays_own, 0), START).unwrap_err().close_code,
                CloseCode::ProtocolError,
                "{relays_own}"
            );
        }
    }
}

#[test]
fn an_instance_registers_first_and_renews_at_times() {
    let register = Register::default().to_frame(0).unwrap();
    let mut instance = side(RelayedEnd::Instance);
    let fault = instance.receive(&frame(FrameType::Data, 1), START).unwrap_err();
    assert_eq!(fault.code, WireErrorCode::AuthFailed);
    assert!(matches!(instance.receive(&register, START), Ok(RelayEvent::Register(_))));
    assert!(!instance.is_registered());
    instance.registered();
    assert!(instance.is_registered());
    instance.offer(1, 7, START);
    for _ in 0..3 {
        assert!(matches!(instance.receive(&register, START), Ok(RelayEvent::Register(_))));
    }
    assert_eq!(instance.channel_count(), 1);
    assert_eq!(instance.receive(&register, START).unwrap_err().code, WireErrorCode::RateLimited);
}

#[test]
fn the_hello_deadline_holds_until_a_channel_is_accepted() {
    let hello = START + RelaySideLimits::default().hello_timeout;
    let mut app = side(RelayedEnd::App);
    for second in 1..15 {
        app.receive(&frame(FrameType::Data, 9), START + Duration::from_secs(second)).unwrap();
    }
    assert_eq!(app.next_timeout(), hello);
    assert!(app.handle_timeout(hello - Duration::from_millis(1)).is_none());
    assert!(matches!(app.handle_timeout(hello), Some(RelayTimeout::Fault(_))));
    app.offer(1, 7, START);
    app.accepted(1);
    assert!(app.next_timeout() > hello);
}

#[test]
fn an_offer_that_is_not_answered_ends_and_an_accepted_one_does_not() {
    let mut app = side(RelayedEnd::App);
    app.offer(1, 7, START);
    app.offer(2, 8, START + Duration::from_secs(1));
    app.accepted(1);
    let end = START + Duration::from_secs(16);
    assert_eq!(app.next_timeout(), end);
    assert!(matches!(app.handle_timeout(end), Some(RelayTimeout::NotAccepted { channel: 2, route: 8 })));
    assert!(app.handle_timeout(end).is_none());
    assert!(app.is_accepted(1));
}

#[test]
fn offered_channels_take_no_accepted_ones_place() {
    let mut instance = instance();
    let limits = RelaySideLimits::default();
    for _ in 0..limits.offered_channels {
        instance.check_room().unwrap();
        let channel = instance.next_channel();
        instance.offer(channel, 7, START);
    }
    assert_eq!(instance.check_room(), Err(ChannelRefusal::TooManyOffered));
    for channel in 1..=u32::try_from(limits.channels).unwrap() {
        if channel > 16 {
            instance.offer(channel, 7, START);
        }
        assert!(instance.accepted(channel));
    }
    assert_eq!(instance.check_room(), Err(ChannelRefusal::TooManyChannels));
    instance.remove(1);
    assert_eq!(instance.check_room(), Ok(()));
}

#[test]
fn what_is_not_forwarded_costs_and_what_is_does_not() {
    let mut app = side(RelayedEnd::App);
    app.offer(1, 7, START);
    app.accepted(1);
    for _ in 0..10_000 {
        assert!(is_forwarded(&mut app, FrameType::Data, 1));
    }
    let stray = frame(FrameType::Data, 2);
    let taken = (0..10_000).take_while(|_| app.receive(&stray, START).is_ok()).count();
    assert_eq!(taken, 256);
    assert_eq!(app.receive(&stray, START).unwrap_err().code, WireErrorCode::RateLimited);
    assert!(app.receive(&stray, START + Duration::from_secs(1)).is_ok());
}

/// Large answers are on their way when their phone goes: 256 of their frames ended the instance's connection.
#[test]
fn what_was_on_its_way_when_a_channel_closed_costs_nothing_for_a_while() {
    let mut instance = instance();
    for channel in [1, 2] {
        instance.offer(channel, 7, START);
    }
    assert!(instance.accepted(1));
    assert!(instance.remove(1) && instance.remove(2));
    let later = START + Duration::from_secs(29);
    let late = frame(FrameType::Data, 1);
    assert!(matches!(instance.receive(&late, START), Ok(RelayEvent::Answer(_))), "it is told once");
    for now in [START, later] {
        for _ in 0..1000 {
            let bytes = frame(FrameType::Data, 1);
            let event = instance.receive(&bytes, now);
            assert!(matches!(event, Ok(RelayEvent::Leftover { channel: 1 })));
        }
    }
    // What was never accepted, or is long gone, is answered and counted.
    let long_after = START + Duration::from_secs(30);
    for (channel, now) in [(2, START), (3, START), (1, long_after)] {
        let bytes = frame(FrameType::Data, channel);
        let event = instance.receive(&bytes, now);
        assert!(matches!(event, Ok(RelayEvent::Answer(_))), "{channel}: {event:?}");
    }
    let taken = (0..1000).take_while(|_| instance.receive(&frame(FrameType::Data, 1), long_after).is_ok()).count();
    assert!(taken <= 256, "{taken}");
}

#[test]
fn a_register_that_cannot_be_read_is_the_relays_to_refuse() {
    let unreadable = frame(FrameType::Register, 0);
    for mut side in [side(RelayedEnd::Instance), instance()] {
        for _ in 0..4 {
            let Ok(RelayEvent::UnreadableRegister(fault)) = side.receive(&unreadable, START) else { panic!() };
            assert_eq!((fault.close_code, fault.code), (CloseCode::PolicyViolation, WireErrorCode::AuthFailed));
        }
        assert_eq!(side.receive(&unreadable, START).unwrap_err().code, WireErrorCode::RateLimited);
    }
}

#[test]
fn refused_connects_are_counted_whoever_refused_them() {
    let mut app = side(RelayedEnd::App);
    let connect = Connect::default().to_frame(0).unwrap();
    for _ in 0..8 {
        assert!(matches!(app.receive(&connect, START), Ok(RelayEvent::Connect(_))));
        app.connect_refused(START);
    }
    assert_eq!(app.receive(&connect, START).unwrap_err().code, WireErrorCode::RateLimited);
    assert!(app.receive(&connect, START + Duration::from_secs(2)).is_ok());
}

#[test]
fn a_drain_takes_no_request_and_lets_answers_pass() {
    let (mut app, mut instance) = (side(RelayedEnd::App), instance());
    for side in [&mut app, &mut instance] {
        side.offer(1, 7, START);
        side.accepted(1);
        side.drain();
    }
    assert!(!is_forwarded(&mut app, FrameType::Data, 1));
    assert!(is_forwarded(&mut instance, FrameType::Data, 1));
    let connect = Connect::default().to_frame(0).unwrap();
    assert_eq!(app.receive(&connect, START).unwrap_err().code, WireErrorCode::ServerDraining);
    let mut late = side(RelayedEnd::Instance);
    late.drain();
    let register = Register::default().to_frame(0).unwrap();
    assert_eq!(late.receive(&register, START).unwrap_err().code, WireErrorCode::ServerDraining);
}

#[test]
fn a_reason_is_cut_between_characters() {
    let mut instance = instance();
    instance.offer(1, 7, START);
    let close = ChannelClose { channel_id: 1, reason: "<\u{e9}".repeat(2000) }.to_frame(1).unwrap();
    let Ok(RelayEvent::Closed { reason, was_accepted: false, .. }) = instance.receive(&close, START) else { panic!() };
    assert_eq!(reason.len(), 256 / 3 * 3 + 1);
    let close = ChannelClose { channel_id: 1, reason };
    assert!(close.to_frame(1).is_ok());
}

#[test]
fn what_cannot_be_read_closes_with_1002() {
    for bytes in [&b""[..], &[1, 8], &[2, 8, 0, 0, 0, 0], &[1, 99, 0, 0, 0, 0]] {
        assert_eq!(instance().receive(bytes, START).unwrap_err().close_code, CloseCode::ProtocolError);
    }
}

#[test]
fn an_end_knows_its_channels_and_hands_them_out_at_its_end() {
    let mut app = side(RelayedEnd::App);
    let (first, second) = (app.next_channel(), app.next_channel());
    app.offer(first, 7, START);
    app.offer(second, 8, START);
    assert_eq!((app.route(first), app.route(second), app.route(99)), (Some(7), Some(8), None));
    assert_eq!(app.routes().copied().collect::<Vec<_>>(), [7, 8]);
    assert!(app.accepted(first));
    assert_eq!(app.end(), [(first, 7), (second, 8)]);
    assert_eq!((app.channel_count(), app.end().len()), (0, 0));
}

#[test]
fn a_second_acceptance_is_nothing_and_one_of_no_channel_is_answered() {
    let mut instance = instance();
    let channel = instance.next_channel();
    instance.offer(channel, 7, START);
    let accept = |side: &mut Side, channel: u32| {
        let open = ChannelOpen { channel_id: channel, ..ChannelOpen::default() }.to_frame(channel).unwrap();
        match side.receive(&open, START) {
            Ok(RelayEvent::Accepted { .. }) => "accepted",
            Ok(RelayEvent::Nothing) => "nothing",
            Ok(RelayEvent::Answer(_)) => "answer",
            _ => "another",
        }
    };
    let answers = [accept(&mut instance, channel), accept(&mut instance, channel), accept(&mut instance, 99)];
    assert_eq!(answers, ["accepted", "nothing", "answer"]);
}

#[test]
fn pings_of_the_websocket_break_the_silence_and_are_counted() {
    let mut side = instance();
    let silence = RelaySideLimits::default().silence_timeout;
    assert_eq!(side.next_timeout(), START + silence);
    let later = START + Duration::from_secs(30);
    side.receive_websocket_ping(later).unwrap();
    assert_eq!(side.next_timeout(), later + silence);
    side.postpone_silence(later + Duration::from_secs(1));
    assert_eq!(side.next_timeout(), later + Duration::from_secs(1) + silence);
    assert!((0..10_000).any(|_| side.receive_websocket_ping(later).is_err()));
}

#[test]
fn an_instance_may_close_as_many_channels_as_it_has() {
    let limits = RelaySideLimits { channels: 10_000, ..RelaySideLimits::default() };
    let close = |side: &mut Side, channel: u32| {
        let close = ChannelClose::new(channel, "bye").to_frame(channel).unwrap();
        side.receive(&close, START).map(|event| matches!(event, RelayEvent::Closed { .. }))
    };
    let mut closed = [RelayedEnd::Instance, RelayedEnd::App].map(|end| {
        let mut side = Side::new(end, limits.clone(), START);
        side.registered();
        (0..2000)
            .take_while(|_| {
                let channel = side.next_channel();
                side.offer(channel, 7, START);
                matches!(close(&mut side, channel), Ok(true))
            })
            .count()
    });
    assert_eq!(closed[0], 2000, "what an instance closes is its own");
    closed.sort();
    assert!(closed[0] < 2000, "an app that opens and closes is slowed down");
}

/// A phone that had used up its frames closed its channel, and the instance was never told.
#[test]
fn a_channel_whose_close_is_refused_is_among_those_that_end() {
    let mut app = Side::new(RelayedEnd::App, RelaySideLimits::default(), START);
    let channel = app.next_channel();
    app.offer(channel, 7, START);
    assert!(app.accepted(channel));
    let close = ChannelClose::new(channel, "bye").to_frame(channel).unwrap();
    while app.receive(&frame(FrameType::Data, 99), START).is_ok() {}
    assert!(app.receive(&close, START).is_err(), "its frames are used up");
    assert_eq!(app.end(), [(channel, 7)]);
}

#[test]
fn the_channel_of_a_frame_that_belongs_to_none_is_ignored() {
    let register = Register::default().to_frame(7).unwrap();
    assert!(matches!(side(RelayedEnd::Instance).receive(&register, START), Ok(RelayEvent::Register(_))));
    let connect = Connect::default().to_frame(7).unwrap();
    assert!(matches!(side(RelayedEnd::App).receive(&connect, START), Ok(RelayEvent::Connect(_))));
}

#[test]
fn a_ping_is_answered_with_a_frame() {
    let mut side = instance();
    let ping = frame(FrameType::Ping, 0);
    let Ok(RelayEvent::Answer(pong)) = side.receive(&ping, START) else { panic!("a PING is answered") };
    let pong = Frame::decode(&pong).unwrap();
    assert_eq!((pong.frame_type, pong.channel, pong.payload.len()), (FrameType::Pong, 0, 0));
}

#[test]
fn every_channel_that_went_is_remembered_and_its_sender_told_once() {
    let mut instance = instance();
    for channel in [1, 2, 3] {
        instance.offer(channel, 7, START);
        assert!(instance.accepted(channel) && instance.remove(channel));
    }
    for channel in [1, 2, 3] {
        let told = [(); 2]
            .map(|()| matches!(instance.receive(&frame(FrameType::Data, channel), START), Ok(RelayEvent::Answer(_))));
        assert_eq!(told, [true, false], "{channel}");
    }
}
