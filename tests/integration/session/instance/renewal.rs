//! A lease that is refreshed renews the registration.

use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{LeaseClaims, tenant_host};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{ControlPayload, ErrorMessage, FrameType, Register, WireErrorCode};
use pulse_trust::session::{InstanceEvent, LeaseRefresh, Now};

use super::super::{WALL, at, connection, control, frame, frame_of};
use super::{Driven, response};

/// A control plane, its key and the leases it signs.
pub(super) struct ControlPlane(pub(super) SigningKey);

impl ControlPlane {
    pub(super) fn refresh(&self) -> LeaseRefresh {
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

pub(super) fn due_request(driven: &mut Driven, now: Now) -> Option<String> {
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
    assert!(register.license_token.expose_secret().contains('.') && register.session_token.is_none());
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

/// A control plane that hung, or could not be reached, left no trace.
#[test]
fn every_failed_refresh_is_reported() {
    let control_plane = ControlPlane(SigningKey::generate().unwrap());
    for unanswered in [true, false] {
        let refresh = control_plane.refresh();
        let mut driven = Driven::registered_with(at(0), |config| config.refresh = Some(refresh));
        let now = at(8 * 3600);
        driven.feed(&frame(FrameType::Pong, 0, b""), now);
        due_request(&mut driven, now).unwrap();
        let failed_at = if unanswered { at(8 * 3600 + 60) } else { now };
        if unanswered {
            driven.feed(&frame(FrameType::Pong, 0, b""), failed_at);
            driven.end.handle_timeout(failed_at);
        } else {
            driven.end.handle_refresh_failure(now);
        }
        let done = driven.poll();
        let expected = failed_at.monotonic + Duration::from_secs(30);
        assert!(
            matches!(&done.events[..], [InstanceEvent::RefreshFailed { retry_at, .. }] if *retry_at == expected),
            "{:?}",
            done.events
        );
    }
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
