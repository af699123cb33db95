//! Who may register, who holds an id, and how a session resumes.

use std::time::Duration;

use crate::common::{
    Client, TestKeys, frame, fresh, get, metric, metric_becomes, refused, register, registered, resume, start,
};
use pulse_relay::Config;
use pulse_trust::entitlement::InstanceHost;
use pulse_trust::keys::TrustKeys;
use pulse_trust::relay::{ControlPayload, Frame, FrameType, InstanceId, Register};

const HOST: &str = "t-1.cloud.example.test";

#[tokio::test]
async fn a_lease_registers_under_its_hosts_id_and_the_metric_shows_it() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let health: serde_json::Value = serde_json::from_str(&get(&relay, "/healthz").await).unwrap();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["lease_keys"][0], keys.lease.public_key().log_fingerprint());
    assert_eq!(health["license_keys"][0], keys.license.public_key().log_fingerprint());
    assert_eq!(metric(&relay, "pulse_relay_instance_connections").await, 0);
    let (instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "whatever", "key")).await;
    let expected = InstanceId::of_host(&InstanceHost::normalize(HOST).unwrap());
    assert_eq!(ack.instance_id, expected.as_str());
    assert_eq!(metric(&relay, "pulse_relay_instance_connections").await, 1);
    let metrics = get(&relay, "/metrics").await;
    assert!(!metrics.contains(&ack.instance_id) && !metrics.contains(HOST), "{metrics}");
    drop(instance);
    metric_becomes(&relay, "pulse_relay_instance_connections", 0).await;
}

#[tokio::test]
async fn a_license_registers_under_its_secrets_id() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (_instance, ack) = registered(&relay, &register(&keys.license("lic_1"), "secret", "")).await;
    assert_eq!(ack.instance_id, InstanceId::of_license("lic_1", "secret").unwrap().as_str());
    let (code, message) = refused(&relay, &register(&keys.license("lic_1"), "", "")).await;
    assert_eq!(code, "LICENSE_INVALID");
    assert!(message.contains("instance secret"), "{message}");
}

#[tokio::test]
async fn refusals_name_their_code_and_what_to_mend() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let stranger = TestKeys::new();
    for (token, code, word) in [
        (keys.lease(HOST, -1), "LICENSE_EXPIRED", "expired"),
        (stranger.lease(HOST, 3600), "LICENSE_INVALID", "signature"),
        (String::new(), "LICENSE_INVALID", "token"),
        ("x".repeat(20_000), "LICENSE_INVALID", "20000"),
    ] {
        let (received, message) = refused(&relay, &register(&token, "h", "k")).await;
        assert!(received == code && message.contains(word), "{received}: {message}");
    }
    let mut client = Client::connect(&relay, "/ws/instance").await;
    client.send(frame(FrameType::Data, 1, b"x")).await;
    assert_eq!(client.refusal().await.0, "AUTH_FAILED");
    assert!(client.next().await.is_none());
    let (code, _) = refused(&relay, &register(&keys.lease(HOST, 60), "h", &"k".repeat(257))).await;
    assert_eq!(code, "AUTH_FAILED");
}

#[tokio::test]
async fn a_relay_without_a_lease_key_says_which_setting_is_missing() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let license_only = TrustKeys::for_licenses(keys.trusted().license);
    let relay = start(Config::on_loopback(license_only, directory.path())).await;
    let (code, message) = refused(&relay, &register(&keys.lease(HOST, 3600), "h", "k")).await;
    assert!(code == "LICENSE_INVALID" && message.contains("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY"), "{message}");
    assert_eq!(metric(&relay, "pulse_relay_lease_key_missing_total").await, 1);
}

#[tokio::test]
async fn a_session_resumes_after_a_restart_with_the_same_directory_alone() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let (_instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    relay.drain().await;
    let relay = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    let (_instance, again) = registered(&relay, &resume(&ack, "key")).await;
    assert_eq!((again.instance_id.as_str(), again.expires_at), (ack.instance_id.as_str(), ack.expires_at));
    let (other, _other_directory) = fresh(&keys).await;
    let (mut another_id, mut another_token) = (resume(&ack, "key"), resume(&ack, "key"));
    another_id.instance_hint = Some("relay_other".into());
    another_token.session_token = Some("unknown".into());
    for (register, relay) in [
        (resume(&ack, "key"), &other),
        (resume(&ack, "another key"), &relay),
        (another_id, &relay),
        (another_token, &relay),
    ] {
        assert_eq!(refused(relay, &register).await.0, "AUTH_FAILED");
    }
}

#[tokio::test]
async fn the_same_identity_takes_over_and_another_is_refused_until_the_hold_is_over() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.identity_hold = Duration::from_millis(300);
    let relay = start(config).await;
    let token = keys.lease(HOST, 3600);
    let (mut first, _) = registered(&relay, &register(&token, "h", "key")).await;
    let (second, _) = registered(&relay, &register(&token, "h", "key")).await;
    assert_eq!(first.end().await.1, 1008, "the older connection goes on");
    metric_becomes(&relay, "pulse_relay_instance_connections", 1).await;
    for identity in ["another", ""] {
        assert_eq!(refused(&relay, &register(&token, "h", identity)).await.0, "DUPLICATE_INSTANCE");
    }
    drop(second);
    metric_becomes(&relay, "pulse_relay_instance_connections", 0).await;
    let mut tries = 0;
    while let ("DUPLICATE_INSTANCE", true) =
        (try_once(&relay, &register(&token, "h", "another")).await.as_str(), tries < 100)
    {
        tries += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(tries > 0, "another identity took over at once");
    assert_eq!(metric(&relay, "pulse_relay_identity_changes_total").await, 1);
}

/// The code of a refusal, or nothing for an ACK.
async fn try_once(relay: &pulse_relay::Relay, register: &Register) -> String {
    let mut client = Client::connect(relay, "/ws/instance").await;
    client.send(register.to_frame(0).unwrap()).await;
    let bytes = client.next().await.unwrap();
    let frame = Frame::decode(&bytes).unwrap();
    match frame.frame_type {
        FrameType::Error => pulse_trust::relay::ErrorMessage::from_frame(&frame).unwrap().code,
        _ => String::new(),
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.hello_timeout = Duration::from_millis(100);
    config.limits.silence_timeout = Duration::from_millis(300);
    let relay = start(config).await;
    let mut silent = Client::connect(&relay, "/ws/instance").await;
    assert_eq!(silent.end().await.1, 1008);
    let (mut instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    instance.send(frame(FrameType::Ping, 0, b"")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Pong, 0, b""));
    assert_eq!(instance.end().await.1, 1008);
}

#[tokio::test]
async fn everyone_gets_in_at_once_after_a_restart() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let addr = relay.local_addr().to_string();
    let mut acks = Vec::new();
    for number in 0..100 {
        let token = keys.lease(&format!("t-{number}.example.test"), 3600);
        acks.push(registered(&relay, &register(&token, "h", "key")).await.1);
    }
    relay.drain().await;
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.addr = addr;
    let relay = std::sync::Arc::new(start(config).await);
    let storm: Vec<_> = acks
        .into_iter()
        .map(|ack| {
            let relay = std::sync::Arc::clone(&relay);
            tokio::spawn(async move { registered(&relay, &resume(&ack, "key")).await })
        })
        .collect();
    let mut back = Vec::new();
    for one in storm {
        back.push(one.await.unwrap());
    }
    assert_eq!(metric(&relay, "pulse_relay_instance_connections").await, 100);
}
