//! One owner of an instance id, on whichever node.

use std::time::{Duration, Instant};

use pulse_trust::relay::{ControlPayload, ErrorMessage, Frame, RegisterAck};

use crate::common::{Client, TestKeys, channel, metric, refused, register, registered};
use crate::nats::{Nats, Node, becomes};

const HOST: &str = "t-1.cloud.example.test";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_takeover_on_another_node_is_told_to_the_one_that_lost() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b, c] = nats.nodes(&keys).await;
    let token = keys.lease(HOST, 3600);
    let (mut first, ack) = registered(&a.relay, &register(&token, "h", "key")).await;
    let (mut second, again) = registered(&b.relay, &register(&token, "h", "key")).await;
    assert_eq!(again.instance_id, ack.instance_id);
    let (frames, code, _) = first.end().await;
    let error = ErrorMessage::from_frame(&Frame::decode(frames.last().unwrap()).unwrap()).unwrap();
    assert_eq!((error.code.as_str(), code), ("DUPLICATE_INSTANCE", 1008));
    // A phone on a third node reaches the one that has it.
    channel(&c.relay, &mut second, &ack.instance_id).await;
    becomes(&a.relay, "pulse_relay_instance_connections", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hold_of_an_identity_counts_on_every_node() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b] = nats.nodes(&keys).await;
    let token = keys.lease(HOST, 3600);
    let (instance, _) = registered(&a.relay, &register(&token, "h", "key")).await;
    assert_eq!(refused(&b.relay, &register(&token, "h", "another key")).await.0, "DUPLICATE_INSTANCE");
    drop(instance);
    becomes(&a.relay, "pulse_relay_instance_connections", 0).await;
    assert_eq!(refused(&b.relay, &register(&token, "h", "another key")).await.0, "DUPLICATE_INSTANCE");
    registered(&b.relay, &register(&token, "h", "key")).await;
}

/// Registers, and says whether it was granted; the connection is kept.
async fn race(node: &Node, token: &str) -> Option<Client> {
    let mut client = Client::connect(&node.relay, "/ws/instance").await;
    client.send(register(token, "h", "key").to_frame(0).unwrap()).await;
    let bytes = client.next().await?;
    RegisterAck::from_frame(&Frame::decode(&bytes).ok()?).is_ok().then_some(client)
}

/// Races of one registration on each of three nodes at once; `PULSE_RELAY_RACES=10000` is the long form, best in release.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn races_over_three_nodes_leave_one_holder() {
    let Some(nats) = Nats::start() else { return };
    let rounds = std::env::var("PULSE_RELAY_RACES").map_or(60, |rounds| rounds.parse().unwrap());
    let keys = TestKeys::new();
    let [a, b, c] = nats.nodes(&keys).await;
    let token = keys.lease(HOST, 3600);
    let mut kept = Vec::new();
    let (mut granted, mut slowest) = (0, Duration::ZERO);
    for round in 0..rounds {
        let clients = tokio::join!(race(&a, &token), race(&b, &token), race(&c, &token));
        granted += [&clients.0, &clients.1, &clients.2].into_iter().flatten().count();
        let ended = Instant::now();
        loop {
            let mut holders = 0;
            for node in [&a, &b, &c] {
                holders += metric(&node.relay, "pulse_relay_instance_connections").await;
            }
            if holders == 1 {
                break;
            }
            assert!(ended.elapsed() < Duration::from_secs(1), "round {round}: {holders} holders after a second");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        slowest = slowest.max(ended.elapsed());
        kept = vec![clients.0, clients.1, clients.2];
    }
    println!(
        "{rounds} races, {granted} registrations granted, one holder within {slowest:?} of the last answer each time"
    );
    // Whoever holds it is the one that a phone reaches, from each node.
    let mut reached = 0;
    for client in kept.into_iter().flatten() {
        let mut client = client;
        if client.try_send(crate::common::frame(pulse_trust::relay::FrameType::Ping, 0, b"")).await
            && client.next_within(Duration::from_millis(500)).await
                == Some(crate::common::frame(pulse_trust::relay::FrameType::Pong, 0, b""))
        {
            reached += 1;
            for node in [&a, &b, &c] {
                let ack = instance_id();
                let (app, ..) = channel(&node.relay, &mut client, &ack).await;
                drop(app);
                client.next().await.unwrap();
            }
        }
    }
    assert_eq!(reached, 1);
}

fn instance_id() -> String {
    let host = pulse_trust::entitlement::InstanceHost::normalize(HOST).unwrap();
    pulse_trust::relay::InstanceId::of_host(&host).as_str().to_owned()
}
