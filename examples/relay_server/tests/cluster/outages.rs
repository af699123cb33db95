//! NATS goes and comes back, nodes die and drain.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use pulse_trust::relay::{ChannelClose, ControlPayload, Drain, ErrorMessage, Frame, FrameType, RegisterAck};
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Client, TestKeys, channel, frame, get_status, refused, register, registered, status_of};
use crate::nats::{Nats, answers, becomes};
use crate::process::Process;

const HOST: &str = "t-1.cloud.example.test";
const OTHER: &str = "t-2.cloud.example.test";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_nats_local_sessions_go_on_and_when_it_is_back_so_is_presence() {
    for has_forgotten in [false, true] {
        let Some(mut nats) = Nats::start() else { return };
        let keys = TestKeys::new();
        let [a, b] = nats.nodes(&keys).await;
        let (mut instance, ack) = registered(&a.relay, &register(&keys.lease(HOST, 240), "h", "key")).await;
        let (mut near, near_here, near_there) = channel(&a.relay, &mut instance, &ack.instance_id).await;
        let (mut far, far_here, _) = channel(&b.relay, &mut instance, &ack.instance_id).await;
        nats.kill();
        let closed: ChannelClose = far.expect().await;
        assert!(closed.channel_id == far_here && closed.reason.contains("between the relay's nodes"), "{closed:?}");
        instance.expect::<ChannelClose>().await;
        answers(&a.relay, "/readyz", 503).await;
        assert_eq!(get_status(&a.relay, "/healthz").await, 200);
        near.send(frame(FrameType::Data, near_here, b"still here")).await;
        assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, near_there, b"still here"));
        assert_eq!(refused(&b.relay, &register(&keys.lease(OTHER, 3600), "h", "key")).await.0, "INTERNAL_ERROR");
        // A renewal needs nobody else. It is within five minutes of the end.
        instance.say(&register(&keys.lease(HOST, 3600), "h", "key"), 0).await;
        instance.expect::<RegisterAck>().await;
        nats.start_again(has_forgotten);
        for node in [&a, &b] {
            answers(&node.relay, "/readyz", 200).await;
        }
        becomes(&b.relay, "pulse_relay_cluster_peers", 1).await;
        channel(&b.relay, &mut instance, &ack.instance_id).await;
        registered(&b.relay, &register(&keys.lease(OTHER, 3600), "h", "key")).await;
    }
}

/// Each try to connect again was a warning, eight in the first seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_nats_goes_is_one_warning_and_that_it_is_back_one_line() {
    let Some(mut nats) = Nats::start() else { return };
    let node = Process::start(&nats, &TestKeys::new(), &[("RUST_LOG", "info".to_owned())]);
    nats.kill();
    status_becomes(node.addr, 503).await;
    // For some tries to connect.
    tokio::time::sleep(Duration::from_secs(4)).await;
    nats.start_again(false);
    status_becomes(node.addr, 200).await;
    let log = node.log();
    let since: Vec<_> = log.lines().skip_while(|line| !line.contains("WARN")).collect();
    let [gone, back] = since.as_slice() else { panic!("{log}") };
    assert!(gone.contains("NATS cannot be reached") && back.contains("NATS is back"), "{log}");
}

async fn status_becomes(addr: SocketAddr, status: u16) {
    let began = Instant::now();
    while status_of(addr, "/readyz").await != status {
        assert!(began.elapsed() < Duration::from_secs(15), "/readyz does not answer {status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_instances_of_a_node_that_dies_register_elsewhere_within_seconds_and_nobody_else_takes_their_ids() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [survivor] = nats.nodes(&keys).await;
    let mut dying = Process::start(&nats, &keys, &[]);
    becomes(&survivor.relay, "pulse_relay_cluster_peers", 1).await;
    assert_eq!(status_of(dying.addr, "/readyz").await, 200);
    let token = keys.lease(HOST, 3600);
    let mut instance = Client::connect_to(dying.addr, "/ws/instance").await;
    instance.say(&register(&token, "h", "key"), 0).await;
    let ack: RegisterAck = instance.expect().await;
    let (mut app, here, _) = channel(&survivor.relay, &mut instance, &ack.instance_id).await;
    dying.kill();
    let died = Instant::now();
    // At once, as the identity is the same; its phone is told within seconds.
    let (mut instance, again) = registered(&survivor.relay, &register(&token, "h", "key")).await;
    assert!(died.elapsed() < Duration::from_secs(5), "{:?}", died.elapsed());
    assert_eq!(again.instance_id, ack.instance_id);
    let closed: ChannelClose = app.expect().await;
    assert!(closed.channel_id == here && closed.reason.contains("gone"), "{closed:?}");
    channel(&survivor.relay, &mut instance, &ack.instance_id).await;
    let (code, _) = refused(&survivor.relay, &register(&token, "h", "another key")).await;
    assert_eq!(code, "DUPLICATE_INSTANCE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_id_of_a_dead_nodes_instance_is_held_for_its_identity() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [survivor] = nats.nodes(&keys).await;
    let mut dying = Process::start(&nats, &keys, &[]);
    becomes(&survivor.relay, "pulse_relay_cluster_peers", 1).await;
    let token = keys.lease(HOST, 3600);
    let mut instance = Client::connect_to(dying.addr, "/ws/instance").await;
    instance.say(&register(&token, "h", "key"), 0).await;
    instance.expect::<RegisterAck>().await;
    dying.kill();
    becomes(&survivor.relay, "pulse_relay_cluster_peers", 0).await;
    for _ in 0..2 {
        let (code, _) = refused(&survivor.relay, &register(&token, "h", "another key")).await;
        assert_eq!(code, "DUPLICATE_INSTANCE");
    }
    registered(&survivor.relay, &register(&token, "h", "key")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_drains_sends_its_instances_and_phones_to_one_that_goes_on() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b] = nats.nodes(&keys).await;
    let token = keys.lease(HOST, 3600);
    let (mut instance, ack) = registered(&a.relay, &register(&token, "h", "key")).await;
    let mut app = Client::connect(&a.relay, "/ws/app").await;
    app.settle().await;
    let draining = tokio::spawn(a.relay.drain());
    for client in [&mut instance, &mut app] {
        let drain: Drain = client.expect().await;
        assert_eq!(drain.reconn_url.as_deref(), Some("ws://node-1.example.test/ws/instance"));
    }
    // It comes to the other node while this one still drains.
    let (mut moved, again) = registered(&b.relay, &register(&token, "h", "key")).await;
    assert_eq!(again.instance_id, ack.instance_id);
    draining.await.unwrap();
    let (frames, _, _) = instance.end().await;
    for bytes in frames {
        let frame = Frame::decode(&bytes).unwrap();
        assert!(ErrorMessage::from_frame(&frame).map_or(true, |error| error.code == "DUPLICATE_INSTANCE"));
    }
    // The first one's end has not released what the second has.
    let (_app, ..) = channel(&b.relay, &mut moved, &ack.instance_id).await;
    assert_eq!(refused(&b.relay, &register(&token, "h", "another key")).await.0, "DUPLICATE_INSTANCE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_ends_has_sent_on_what_its_instance_said_last() {
    const FRAMES: usize = 120;
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [survivor] = nats.nodes(&keys).await;
    let ending = Process::start(&nats, &keys, &[("PULSE_RELAY_DRAIN_TIMEOUT", "8s".to_owned())]);
    becomes(&survivor.relay, "pulse_relay_cluster_peers", 1).await;
    let mut instance = Client::connect_to(ending.addr, "/ws/instance").await;
    instance.say(&register(&keys.lease(HOST, 3600), "h", "key"), 0).await;
    let ack: RegisterAck = instance.expect().await;
    let (mut app, here, there) = channel(&survivor.relay, &mut instance, &ack.instance_id).await;
    ending.terminate();
    instance.expect::<Drain>().await;
    let answering = tokio::spawn(async move {
        for number in 0..FRAMES {
            instance.send(frame(FrameType::Data, there, &vec![u8::try_from(number).unwrap(); 48 * 1024])).await;
        }
        instance.send_message(Message::Close(None)).await;
        while instance.next().await.is_some() {}
    });
    // So slow a phone that the node still has some of it when the instance is gone.
    tokio::time::sleep(Duration::from_millis(500)).await;
    for number in 0..FRAMES {
        let bytes = app.next().await.unwrap_or_else(|| panic!("{number} of {FRAMES} frames came"));
        let received = Frame::decode(&bytes).unwrap();
        assert_eq!((received.frame_type, received.channel), (FrameType::Data, here), "after {number} frames");
        assert_eq!(usize::from(received.payload[0]), number);
    }
    answering.await.unwrap();
}
