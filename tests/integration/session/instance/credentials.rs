//! A credential that is set while a REGISTER is not answered yet, and one that is lost between two connections.

use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::keys::SigningKey;
use pulse_trust::relay::{FrameType, WireErrorCode};
use pulse_trust::session::{InstanceEvent, Now};

use super::super::{WALL, at, connection, frame, frame_of};
use super::renewal::{ControlPlane, due_request};
use super::{Done, Driven};

/// When the next try is, after the refusal that `done` begins with.
fn retry_after_refusal(done: &Done) -> Duration {
    match done.events[..] {
        [InstanceEvent::Refused { retry_at: Some(retry_at), .. }, InstanceEvent::Disconnected { .. }] => retry_at,
        _ => panic!("expected a refusal, {:?} came", done.events),
    }
}

pub(super) fn connecting() -> Driven {
    let mut driven = Driven::with(|_| {});
    driven.end.start(at(0));
    driven.poll();
    driven.connect(at(0));
    driven
}

/// The ACK for an old credential was taken for one of the new credential, which was then never presented.
#[test]
fn a_credential_that_is_set_before_the_ack_is_not_the_registered_one() {
    let mut driven = connecting();
    driven.end.set_credential("another", at(1));
    driven.acknowledge("session", WALL + 86_400, at(2));
    let near_the_end = Now::new(Duration::from_secs(60), UnixTime::from_secs(WALL + 86_400 - 300));
    driven.end.handle_timeout(near_the_end);
    let is_register = |bytes: &Vec<u8>| frame_of(bytes).frame_type == FrameType::Register;
    assert!(driven.poll().frames.iter().any(is_register), "it renews with the new one");

    let mut driven = connecting();
    driven.end.set_credential("another", at(1));
    driven.acknowledge("session", WALL + 86_400, at(2));
    let retry_at = retry_after_refusal(&driven.error(WireErrorCode::LicenseExpired, at(3)));
    assert_eq!(retry_at, at(3).monotonic, "the new one is presented at once");
}

#[test]
fn a_credential_that_is_set_before_the_ack_of_a_renewal_is_presented_after_it() {
    let mut driven = Driven::registered(at(0));
    let now = Now::new(Duration::from_secs(10), UnixTime::from_secs(WALL + 86_400 - 60));
    driven.end.set_credential("second", now);
    assert_eq!(frame_of(&driven.poll().frames[0]).frame_type, FrameType::Register);
    driven.end.set_credential("third", now);
    assert!(driven.poll().frames.is_empty(), "one REGISTER at a time");
    let done = driven.acknowledge("session", WALL + 86_400 + 60, now);
    assert_eq!(frame_of(&done.frames[0]).frame_type, FrameType::Register, "the third is newer than what is registered");
    assert!(driven.acknowledge("session", WALL + 86_400 + 60, now).frames.is_empty());
}

/// The relay refused the old credential, and the new one waited for five minutes.
#[test]
fn a_credential_that_is_set_before_a_refusal_is_presented_at_once() {
    for code in [WireErrorCode::LicenseExpired, WireErrorCode::LicenseInvalid, WireErrorCode::AuthFailed] {
        let mut driven = connecting();
        driven.end.set_credential("another", at(1));
        let retry_at = retry_after_refusal(&driven.error(code, at(2)));
        assert_eq!(retry_at, at(2).monotonic, "{code}");
        driven.end.handle_timeout(at(2));
        driven.poll();
        assert_eq!(driven.connect(at(2)).license_token.expose_secret(), "another");
        let retry_at = retry_after_refusal(&driven.error(code, at(3)));
        assert_eq!(retry_at, at(303).monotonic, "{code}: this one was refused itself");
    }
    // Another runtime is not fought with, whatever the credential is.
    let mut driven = connecting();
    driven.end.set_credential("another", at(1));
    let retry_at = retry_after_refusal(&driven.error(WireErrorCode::DuplicateInstance, at(2)));
    assert_eq!(retry_at, at(302).monotonic);
}

/// A runtime whose refresh is under way, and whose connection is lost.
fn refreshing_without_a_connection(control_plane: &ControlPlane) -> (Driven, Now) {
    let refresh = control_plane.refresh();
    let mut driven = Driven::registered_with(at(0), |config| config.refresh = Some(refresh));
    let now = Now::new(Duration::from_secs(8 * 3600), at(60).wall);
    driven.feed(&frame(FrameType::Pong, 0, b""), now);
    due_request(&mut driven, now).unwrap();
    driven.end.handle_disconnected(connection(1), now);
    let done = driven.poll();
    assert!(matches!(done.events[..], [InstanceEvent::Disconnected { retry_at: Some(_), .. }]), "{:?}", done.events);
    (driven, now)
}

/// The next connection stayed planned, and its REGISTER presented an empty credential.
#[test]
fn a_lease_that_is_lost_between_two_connections_calls_off_the_next_one() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    let (mut driven, now) = refreshing_without_a_connection(&control_plane);
    driven.end.handle_refresh_answer(410, b"", now);
    let done = driven.poll();
    assert!(matches!(done.events[..], [InstanceEvent::LeaseLost { status: 410, .. }]), "{:?}", done.events);
    assert_eq!(driven.end.poll_timeout(), None, "nothing is tried without a credential");
    let later = Now::new(now.monotonic + Duration::from_secs(600), now.wall);
    driven.end.handle_timeout(later);
    assert!(driven.poll().urls.is_empty());
    driven.end.set_credential("another", later);
    assert_eq!(driven.poll().urls.len(), 1);
    let register = driven.connect(later);
    assert_eq!(register.license_token.expose_secret(), "another");
    assert!(register.session_token.is_none());
}

#[test]
fn an_end_that_starts_after_its_lease_was_lost_waits_for_another_credential() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    let (mut driven, now) = refreshing_without_a_connection(&control_plane);
    driven.end.stop(now);
    driven.end.handle_refresh_answer(401, b"", now);
    driven.poll();
    driven.end.start(now);
    assert!(driven.poll().urls.is_empty(), "there is nothing to register with");
    driven.end.set_credential("another", now);
    assert_eq!(driven.poll().urls.len(), 1);
}
