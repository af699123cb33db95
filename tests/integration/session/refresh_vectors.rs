//! `tests/vectors/lease_refresh.json`: what a session makes of each answer to a refresh. Go runs the same.

use core::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::keys::{PublicKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::Identity;
use pulse_trust::session::{InstanceConfig, InstanceEnd, InstanceEvent, LeaseRefresh, Now, Output};
use serde_json::Value;

fn vectors() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/lease_refresh.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// An instance whose first refresh is due, and the moment.
fn due(vectors: &Value) -> (InstanceEnd, Now) {
    let refresh = &vectors["refresh"];
    let lease = TrustKeySet::new([PublicKey::from_base64(text(vectors, "lease_public_key")).unwrap()]);
    let keys = TrustKeys::for_leases(lease);
    let (org, host, token) = (text(refresh, "org_id"), text(refresh, "instance_host"), text(refresh, "refresh_token"));
    let identity = Identity::generate().unwrap();
    let mut config = InstanceConfig::new("wss://relay.example.test/ws/instance", "a lease", "a secret", identity);
    config.refresh = Some(LeaseRefresh::new(org, host, token, keys, None));
    let mut end = InstanceEnd::new(config, 1).unwrap();
    let wall = vectors["now"].as_i64().unwrap();
    end.start(Now::new(Duration::ZERO, UnixTime::from_secs(wall)));
    let now = Now::new(Duration::from_secs(60), UnixTime::from_secs(wall + 60));
    assert_eq!(request(&mut end, now).unwrap(), text(vectors, "request"));
    (end, now)
}

/// The request that is due now.
fn request(end: &mut InstanceEnd, now: Now) -> Option<String> {
    end.handle_timeout(now);
    events(end).into_iter().find_map(|event| match event {
        InstanceEvent::RefreshDue(request) => Some(request.secret_json().expose_secret().to_owned()),
        _ => None,
    })
}

fn events(end: &mut InstanceEnd) -> Vec<InstanceEvent> {
    let event = |output| if let Output::Event(event) = output { Some(event) } else { None };
    std::iter::from_fn(|| end.poll_output()).filter_map(event).collect()
}

#[test]
fn every_answer_becomes_the_event_of_its_vector() {
    let vectors = vectors();
    let answers = vectors["answers"].as_array().unwrap();
    assert!(answers.len() > 20);
    let asked_with = text(&vectors["refresh"], "refresh_token");
    for answer in answers {
        let name = text(answer, "name");
        let (mut end, now) = due(&vectors);
        let status = answer["status"].as_u64().unwrap().try_into().unwrap();
        end.handle_refresh_answer(status, text(answer, "body").as_bytes(), now);
        let event = events(&mut end).into_iter().next().unwrap();
        match (&event, text(answer, "event")) {
            (InstanceEvent::LeaseRefreshed { refresh_token, token, lease }, "lease_refreshed") => {
                assert_eq!(refresh_token.expose_secret(), asked_with, "{name}");
                assert_eq!(token.expose_secret(), text(answer, "token"), "{name}");
                assert_eq!(lease.expires_at().as_secs(), answer["expires_at"].as_i64().unwrap(), "{name}");
            }
            (InstanceEvent::RefreshFailed { error, .. }, "refresh_failed") => {
                assert_eq!(error.name(), text(answer, "error"), "{name}: {error}");
            }
            (InstanceEvent::LeaseLost { refresh_token, status: of }, "lease_lost") => {
                assert_eq!((refresh_token.expose_secret(), *of), (asked_with, status), "{name}");
            }
            (event, expected) => panic!("{name}: expected {expected}, got {event:?}"),
        }
    }
}

#[test]
fn failures_are_followed_by_the_waits_of_the_vector() {
    let vectors = vectors();
    let (mut end, mut now) = due(&vectors);
    for (count, wait) in vectors["failures_are_followed_after_ms"].as_array().unwrap().iter().enumerate() {
        end.handle_refresh_answer(503, b"", now);
        let wait = Duration::from_millis(wait.as_u64().unwrap());
        let failed = events(&mut end).into_iter().next().unwrap();
        assert!(
            matches!(&failed, InstanceEvent::RefreshFailed { retry_at, .. } if *retry_at == now.monotonic + wait),
            "failure {count}: {failed:?}"
        );
        let before = Now::new(now.monotonic + wait - Duration::from_millis(1), now.wall);
        assert_eq!(request(&mut end, before), None, "failure {count}");
        now.monotonic += wait;
        assert!(request(&mut end, now).is_some(), "failure {count}");
    }
}
