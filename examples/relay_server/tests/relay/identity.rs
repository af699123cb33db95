//! Who holds an instance id: proofs, generations, and the hold over a restart.

use std::time::Duration;

use pulse_relay::Config;
use pulse_trust::UnixTime;
use pulse_trust::relay::{Identity, IdentityProof, Register};

use crate::common::{TestKeys, fresh, metric, metric_becomes, refused, register, registered, resume, start};

const HOST: &str = "t-1.cloud.example.test";

#[tokio::test]
async fn the_hold_survives_a_restart_and_a_crash() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let token = keys.lease(HOST, 3600);
    let (instance, _) = registered(&relay, &register(&token, "h", "key")).await;
    // No drain: what the first relay has written so far is what a kill leaves.
    let left = tempfile::tempdir().unwrap();
    for file in ["session.key", "holds.jsonl"] {
        std::fs::copy(directory.path().join(file), left.path().join(file)).unwrap();
    }
    let crashed = start(Config::on_loopback(keys.trusted(), left.path())).await;
    assert_eq!(refused(&crashed, &register(&token, "h", "another")).await.0, "DUPLICATE_INSTANCE");
    registered(&crashed, &register(&token, "h", "key")).await;
    drop((instance, crashed));
    relay.drain().await;
    let restarted = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    assert_eq!(refused(&restarted, &register(&token, "h", "another")).await.0, "DUPLICATE_INSTANCE");
}

#[tokio::test]
async fn a_session_is_dead_once_another_identity_has_held_the_id() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.identity_hold = Duration::from_millis(100);
    let relay = start(config.clone()).await;
    let token = keys.lease(HOST, 3600);
    let (first, ack) = registered(&relay, &register(&token, "h", "key")).await;
    drop(first);
    metric_becomes(&relay, "pulse_relay_instance_connections", 0).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (second, second_ack) = registered(&relay, &register(&token, "h", "another")).await;
    assert_eq!(metric(&relay, "pulse_relay_identity_changes_total").await, 1);
    drop(second);
    metric_becomes(&relay, "pulse_relay_instance_connections", 0).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(refused(&relay, &resume(&ack, "key")).await.0, "AUTH_FAILED");
    relay.drain().await;
    let relay = start(config).await;
    assert_eq!(refused(&relay, &resume(&ack, "key")).await.0, "AUTH_FAILED");
    registered(&relay, &resume(&second_ack, "another")).await;
}

/// A register with a proof for a relay of this name.
fn proving(identity: &Identity, token: &str, host: &str) -> Register {
    let proof = IdentityProof::sign(identity, host, token, UnixTime::now());
    let mut register = register(token, "h", &identity.public_key().to_base64());
    register.identity_proof = Some(proof);
    register
}

#[tokio::test]
async fn whoever_proves_an_identity_once_must_prove_it_until_the_hold_is_over() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let host = relay.local_addr().to_string();
    let (token, identity) = (keys.lease(HOST, 3600), Identity::generate().unwrap());
    let wrong = proving(&identity, &token, "another.example.test");
    assert_eq!(refused(&relay, &wrong).await.0, "AUTH_FAILED");
    let unproved = || register(&token, "h", &identity.public_key().to_base64());
    registered(&relay, &unproved()).await;
    let (_instance, ack) = registered(&relay, &proving(&identity, &token, &host)).await;
    for register in [unproved(), resume(&ack, &identity.public_key().to_base64())] {
        let (code, message) = refused(&relay, &register).await;
        assert!(code == "AUTH_FAILED" && message.contains("identity_proof"), "{code}: {message}");
    }
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.public_hosts = vec!["relay.example.test".to_owned()];
    relay.drain().await;
    let restarted = start(config).await;
    assert_eq!(refused(&restarted, &unproved()).await.0, "AUTH_FAILED");
    assert_eq!(refused(&restarted, &proving(&identity, &token, &host)).await.0, "AUTH_FAILED", "not a public host");
    registered(&restarted, &proving(&identity, &token, "relay.example.test")).await;
}
