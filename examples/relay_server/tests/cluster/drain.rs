//! A node drains while phones go on asking. The drain's own time is so long here that only quiet ends it.

use std::collections::BTreeSet;
use std::time::Duration;

use pulse_relay::Relay;
use pulse_trust::relay::{ChannelClose, ControlPayload, Drain, ErrorMessage, Frame, FrameType};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::common::{Client, TestKeys, channel, connect, frame, metric, register, registered};
use crate::nats::{Nats, becomes};

const HOST: &str = "t-1.cloud.example.test";
/// A phone has so many requests under way, all the time.
const UNDER_WAY: u32 = 8;

/// Nodes that name no URL, so that nobody is told late. The first is the one that drains.
async fn nodes(nats: &Nats, keys: &TestKeys) -> ([Relay; 2], [tempfile::TempDir; 2]) {
    let data = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut config = nats.config(keys, &data[0]);
    config.drain_timeout = Duration::from_secs(3600);
    let nodes = [Relay::start(config).await.unwrap(), Relay::start(nats.config(keys, &data[1])).await.unwrap()];
    for node in &nodes {
        becomes(node, "pulse_relay_cluster_peers", 1).await;
    }
    (nodes, data)
}

/// Answers whatever comes, after the DRAIN too; what reached it.
async fn answer_all(mut instance: Client) -> BTreeSet<Vec<u8>> {
    let mut reached = BTreeSet::new();
    while let Some(bytes) = instance.next().await {
        let received = Frame::decode(&bytes).unwrap();
        if received.frame_type == FrameType::Data {
            assert!(reached.insert(received.payload.to_vec()), "a request came twice");
            instance.try_send(bytes).await;
        }
    }
    reached
}

/// Asks until its channel ends; what was asked, what was answered, and with which words it ended.
async fn ask(mut app: Client, channel: u32, name: &str) -> (BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>, String) {
    let (mut asked, mut answered) = (BTreeSet::new(), BTreeSet::new());
    let mut due = UNDER_WAY;
    loop {
        for _ in 0..std::mem::take(&mut due) {
            let request = format!("{name} {}", asked.len()).into_bytes();
            app.try_send(frame(FrameType::Data, channel, &request)).await;
            asked.insert(request);
        }
        let Some(bytes) = app.next().await else { return (asked, answered, String::new()) };
        let received = Frame::decode(&bytes).unwrap();
        match received.frame_type {
            FrameType::Data => {
                assert!(answered.insert(received.payload.to_vec()), "a request was answered twice");
                due = 1;
            }
            FrameType::ChannelClose => {
                return (asked, answered, ChannelClose::from_frame(&received).unwrap().reason);
            }
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phones_that_go_on_asking_keep_no_node_from_ending_and_what_reached_its_instance_is_answered() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let ([draining, other], _data) = nodes(&nats, &keys).await;
    let (mut instance, ack) = registered(&draining, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (near, near_here, _) = channel(&draining, &mut instance, &ack.instance_id).await;
    let (far, far_here, _) = channel(&other, &mut instance, &ack.instance_id).await;
    let instance = tokio::spawn(answer_all(instance));
    let near = tokio::spawn(ask(near, near_here, "near"));
    let far = tokio::spawn(ask(far, far_here, "far"));
    while metric(&draining, "pulse_relay_forwarded_frames_total").await < 400 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    timeout(Duration::from_secs(20), draining.drain()).await.expect("the drain does not get quiet");
    let reached = instance.await.unwrap();
    let (near_asked, mut answered, _) = near.await.unwrap();
    let (far_asked, far_answered, reason) = far.await.unwrap();
    assert_eq!(reason, "the relay is going down");
    for (asked, answered) in [(near_asked, &answered), (far_asked, &far_answered)] {
        assert!(asked.len() > answered.len() && !answered.is_empty(), "{} of {}", answered.len(), asked.len());
    }
    answered.extend(far_answered);
    let lost: Vec<_> = reached.difference(&answered).collect();
    assert!(lost.is_empty() && reached.len() == answered.len(), "{} answers were lost", lost.len());
}

/// Nothing of it went through for 200 ms, and it was taken for quiet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_waits_for_an_instance_on_another_node_gets_its_answer() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let ([draining, other], _data) = nodes(&nats, &keys).await;
    let (mut instance, ack) = registered(&other, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&draining, &mut instance, &ack.instance_id).await;
    app.send(frame(FrameType::Data, here, b"request")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"request"));
    let drained = tokio::spawn(draining.drain());
    app.expect::<Drain>().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    instance.send(frame(FrameType::Data, there, b"answer")).await;
    assert_eq!(app.end().await.0, [frame(FrameType::Data, here, b"answer")]);
    drained.await.unwrap();
}

/// With another node to go to, the connections are told one after the other: here the first alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_was_told_to_go_gets_no_new_phone() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [_other] = nats.nodes(&keys).await;
    let data = tempfile::tempdir().unwrap();
    let mut config = nats.config(&keys, &data);
    config.drain_timeout = Duration::from_secs(3600);
    let draining = Relay::start(config).await.unwrap();
    becomes(&draining, "pulse_relay_cluster_peers", 1).await;
    let mut app = Client::connect(&draining, "/ws/app").await;
    app.settle().await;
    let mut told = JoinSet::new();
    for tenant in 0..8 {
        let token = keys.lease(&format!("t-{tenant}.cloud.example.test"), 3600);
        let (mut instance, ack) = registered(&draining, &register(&token, "h", "key")).await;
        told.spawn(async move {
            instance.expect::<Drain>().await;
            (instance, ack.instance_id)
        });
    }
    let draining = tokio::spawn(draining.drain());
    let (_instance, instance_id) = told.join_next().await.unwrap().unwrap();
    app.say(&connect(&instance_id), 0).await;
    assert_eq!(app.expect::<ErrorMessage>().await.code, "SERVER_DRAINING");
    draining.abort();
}
