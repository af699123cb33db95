//! How it registers, resumes, and what refusals and the ACK do.

use std::time::Duration;

use pulse_trust::relay::{ChannelOpen, ControlPayload, ErrorMessage, FrameType, RegisterAck, WireErrorCode};
use pulse_trust::session::{CloseCode, DisconnectReason, InstanceEvent, Now};

use super::super::{INSTANCE_ID, WALL, at, connection, frame};
use super::credentials::connecting;
use super::{Driven, URL};

#[test]
fn it_registers_with_credential_secret_and_proof_and_resumes_with_the_session() {
    let mut driven = Driven::with(|config| config.client_version = Some("6.3.0".to_owned()));
    driven.end.start(at(0));
    assert_eq!(driven.poll().urls, [URL]);
    let register = driven.connect(at(1));
    assert_eq!(register.license_token.expose_secret(), "credential");
    assert_eq!(register.instance_hint, Some("instance secret".into()));
    assert!(register.session_token.is_none());
    let key = driven.identity.public_key().clone();
    assert_eq!(register.identity_pub_key, Some(key.to_base64()));
    let proof = register.identity_proof.unwrap();
    proof.check(&key, ["relay.example.test"], "credential", at(1).wall).unwrap();
    driven.acknowledge("session", 0, at(1));

    driven.end.handle_disconnected(connection(1), at(2));
    let done = driven.poll();
    assert!(matches!(done.events[..], [InstanceEvent::Disconnected { reason: DisconnectReason::Lost, .. }]));
    driven.end.handle_timeout(Now::new(driven.end.poll_timeout().unwrap(), at(3).wall));
    driven.poll();
    let register = driven.connect(at(3));
    assert_eq!(register.session_token, Some("session".into()));
    assert_eq!(register.instance_hint, Some(INSTANCE_ID.into()));
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
        assert!(driven.connect(at(5)).session_token.is_none());
        driven.error(WireErrorCode::LicenseInvalid, at(5));
        assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(305)));
        // Another credential is tried at once.
        driven.end.set_credential("another", at(6));
        assert_eq!(driven.poll().urls, [URL]);
        assert_eq!(driven.connect(at(6)).license_token.expose_secret(), "another");
    }
}

#[test]
fn an_ack_names_an_instance_and_only_one_that_was_asked_for_counts() {
    for (id, is_taken) in [(String::new(), false), ("i".repeat(128), true), ("i".repeat(129), false)] {
        let mut driven = connecting();
        let done = driven.feed(&RegisterAck::new(&id, "session", None).to_frame(0).unwrap(), at(0));
        assert_eq!(matches!(done.events[..], [InstanceEvent::Registered { .. }]), is_taken, "{id}");
        assert_eq!(done.closed.is_empty(), is_taken);
    }
    let mut driven = connecting();
    let done = driven.feed(&RegisterAck::new("relay_1", "session", None).to_frame(7).unwrap(), at(0));
    assert!(matches!(done.events[..], [InstanceEvent::Registered { .. }]), "the channel of an ACK is ignored");
    let mut driven = Driven::registered(at(0));
    assert!(driven.acknowledge("another session", WALL + 60, at(1)).events.is_empty());
}

#[test]
fn nothing_passes_before_the_ack() {
    for message in [
        ChannelOpen::new(1, "t").to_frame(1).unwrap(),
        frame(FrameType::Data, 1, b"{}"),
        frame(FrameType::KeyExchange, 1, b""),
        vec![9, 9],
    ] {
        let mut driven = connecting();
        let done = driven.feed(&message, at(0));
        assert_eq!(done.closed, [CloseCode::ProtocolError]);
        assert!(matches!(
            done.events[..],
            [InstanceEvent::Disconnected { reason: DisconnectReason::ProtocolError, .. }]
        ));
    }
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
        assert_eq!(register.session_token == Some("session".into()), is_resumed, "{code}");
    }
}

#[test]
fn another_runtime_with_the_same_identity_is_not_fought_with() {
    let mut driven = Driven::registered(at(0));
    driven.error(WireErrorCode::DuplicateInstance, at(1));
    assert_eq!(driven.end.poll_timeout(), Some(Duration::from_secs(301)));
}
