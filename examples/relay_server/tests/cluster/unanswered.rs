//! NATS does not answer a write: what it said may be in the store all the same.

use std::time::{Duration, Instant};

use pulse_relay::{NatsConfig, Relay};
use serde_json::Value;

use crate::common::{TestKeys, channel, refused, register, registered};
use crate::nats::{Nats, answers, becomes};
use crate::proxy::{Fate, Proxy};

const HOST: &str = "t-1.cloud.example.test";

/// The entry of an instance, and its revision.
async fn entry(nats: &Nats, instance_id: &str) -> (Value, u64) {
    let context = async_nats::jetstream::new(async_nats::connect(nats.url()).await.unwrap());
    let store = context.get_key_value("pulse_relay_instances").await.unwrap();
    let entry = store.entry(instance_id).await.unwrap().unwrap();
    (serde_json::from_slice(&entry.value).unwrap(), entry.revision)
}

/// Waits for the entry to be as it should.
async fn entry_becomes(nats: &Nats, instance_id: &str, is_so: impl Fn(&Value, u64) -> bool) {
    let began = Instant::now();
    loop {
        let (entry, revision) = entry(nats, instance_id).await;
        if is_so(&entry, revision) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(15), "the entry is {entry}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A node that reaches NATS through a proxy alone, once the other node knows of it.
async fn behind_proxy(nats: &Nats, keys: &TestKeys, other: &Relay) -> (Relay, Proxy, tempfile::TempDir) {
    let (proxy, data) = (Proxy::before(nats.port()).await, tempfile::tempdir().unwrap());
    let mut config = nats.config(keys, &data);
    config.nats = Some(NatsConfig::new(&proxy.url()).unwrap());
    let relay = Relay::start(config).await.unwrap();
    becomes(other, "pulse_relay_cluster_peers", 1).await;
    (relay, proxy, data)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_written_and_not_answered_ends_the_connection_that_had_the_instance() {
    for fate in [Fate::AnswerWaits, Fate::Waits] {
        let Some(nats) = Nats::start() else { return };
        let keys = TestKeys::new();
        let [node] = nats.nodes(&keys).await;
        let (other, proxy, _data) = behind_proxy(&nats, &keys, &node.relay).await;
        let token = keys.lease(HOST, 3600);
        let (mut first, ack) = registered(&node.relay, &register(&token, "h", "key")).await;
        proxy.arm(fate);
        assert_eq!(refused(&other, &register(&token, "h", "key")).await.0, "INTERNAL_ERROR", "{fate:?}");
        assert!(proxy.has_come(), "{fate:?}");
        proxy.open();
        let (_, code, reason) = first.end().await;
        assert!(code == 1008 && reason.contains("at another node"), "{fate:?}: {code} {reason}");
        // Nobody has it by the claim that was refused, so that another identity is not kept out for as long as the node lives.
        entry_becomes(&nats, &ack.instance_id, |entry, _| !entry["released_at"].is_null()).await;
        let (mut again, _) = registered(&node.relay, &register(&token, "h", "key")).await;
        channel(&other, &mut again, &ack.instance_id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_never_came_to_the_store_ends_nobody() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [node] = nats.nodes(&keys).await;
    let (other, proxy, _data) = behind_proxy(&nats, &keys, &node.relay).await;
    let token = keys.lease(HOST, 3600);
    let (mut first, ack) = registered(&node.relay, &register(&token, "h", "key")).await;
    let (before, revision) = entry(&nats, &ack.instance_id).await;
    proxy.arm(Fate::Lost);
    assert_eq!(refused(&other, &register(&token, "h", "key")).await.0, "INTERNAL_ERROR");
    proxy.open();
    answers(&other, "/readyz", 200).await;
    // It is barred: with another revision of the same entry it can come no more.
    entry_becomes(&nats, &ack.instance_id, |entry, now| *entry == before && now > revision).await;
    first.settle().await;
    channel(&other, &mut first, &ack.instance_id).await;
}

/// It stayed connected for the store, and no other identity got the id for as long as its node lived.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_left_while_nats_was_gone_has_left_when_it_is_back() {
    let Some(mut nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [node] = nats.nodes(&keys).await;
    let (instance, ack) = registered(&node.relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    nats.kill();
    answers(&node.relay, "/readyz", 503).await;
    drop(instance);
    becomes(&node.relay, "pulse_relay_instance_connections", 0).await;
    // Longer than a question to the store may take.
    tokio::time::sleep(Duration::from_secs(3)).await;
    nats.start_again(false);
    answers(&node.relay, "/readyz", 200).await;
    entry_becomes(&nats, &ack.instance_id, |entry, _| !entry["released_at"].is_null()).await;
}
