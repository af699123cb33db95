//! An instance on one node and a phone on another.

use std::time::Duration;

use pulse_trust::relay::{ChannelClose, ChannelOpen, ConnectAck, FrameType};

use crate::common::{Client, TestKeys, channel, channel_of, connect, frame, register, registered};
use crate::nats::{Nats, becomes};

const HOST: &str = "t-1.cloud.example.test";
const PIECE: usize = 30_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_meet_and_what_they_say_arrives_whole_and_in_order() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b, _c] = nats.nodes(&keys).await;
    let (mut instance, ack) = registered(&a.relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&b.relay, &mut instance, &ack.instance_id).await;
    app.send(frame(FrameType::KeyExchange, here, b"hello")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::KeyExchange, there, b"hello"));
    // Far more than may wait in a channel, both ways: the window is given back across nodes.
    let piece = |number: usize| vec![u8::try_from(number % 251).unwrap(); PIECE];
    for number in 0..60 {
        app.send(frame(FrameType::Data, here, &piece(number))).await;
        assert!(instance.next().await.unwrap() == frame(FrameType::Data, there, &piece(number)), "request {number}");
    }
    for number in 0..60 {
        instance.send(frame(FrameType::Data, there, &piece(number))).await;
    }
    for number in 0..60 {
        assert!(app.next().await.unwrap() == frame(FrameType::Data, here, &piece(number)), "answer {number}");
    }
    becomes(&a.relay, "pulse_relay_cluster_channels", 1).await;
    becomes(&b.relay, "pulse_relay_cluster_channels", 1).await;
    // The close crosses too, with its reason, and nothing is left of the channel.
    instance.say(&ChannelClose::new(there, "enough"), there).await;
    let closed: ChannelClose = app.expect().await;
    assert_eq!((closed.channel_id, closed.reason.as_str()), (here, "enough"));
    for node in [&a, &b] {
        becomes(&node.relay, "pulse_relay_cluster_channels", 0).await;
        becomes(&node.relay, "pulse_relay_app_sessions", 0).await;
        becomes(&node.relay, "pulse_relay_queued_bytes", 0).await;
    }
    // The app's connection goes on, and finds the instance again.
    app.say(&connect(&ack.instance_id), 0).await;
    let open: ChannelOpen = instance.expect().await;
    instance.say(&open, open.channel_id).await;
    app.expect::<ConnectAck>().await;
    drop(app);
    instance.expect::<ChannelClose>().await;
}

/// The instance's node answers a credit for a channel that it has closed. That overtook the last frame where the phone was slow to take it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_does_not_overtake_what_was_said_before_it() {
    const FRAMES: usize = 40;
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b] = nats.nodes(&keys).await;
    let (mut instance, ack) = registered(&a.relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    for round in 0..20 {
        let app = Client::connect_little_by_little(&b.relay).await;
        let (mut app, here, there) = channel_of(app, &mut instance, &ack.instance_id).await;
        for number in 0..FRAMES {
            instance.send(frame(FrameType::Data, there, &vec![u8::try_from(number).unwrap(); PIECE])).await;
        }
        instance.say(&ChannelClose::new(there, "enough"), there).await;
        for number in 0..FRAMES {
            let expected = frame(FrameType::Data, here, &vec![u8::try_from(number).unwrap(); PIECE]);
            assert!(app.next().await.unwrap() == expected, "round {round}, frame {number}");
        }
        app.expect::<ChannelClose>().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_crosses_with_its_code_and_an_instance_nowhere_is_not_found() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b] = nats.nodes(&keys).await;
    let (mut instance, ack) = registered(&a.relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut app = Client::connect(&b.relay, "/ws/app").await;
    app.say(&connect("relay_0123456789abcdef"), 0).await;
    assert_eq!(app.refusal().await.0, "INSTANCE_NOT_FOUND");
    app.say(&connect(&ack.instance_id), 0).await;
    let open: ChannelOpen = instance.expect().await;
    assert_eq!(open.auth_token, "tok".into());
    instance.say(&ChannelClose::new(open.channel_id, "invalid auth token"), open.channel_id).await;
    let (code, message) = app.refusal().await;
    assert_eq!((code.as_str(), message.as_str()), ("AUTH_FAILED", "invalid auth token"));
    // An instance that leaves is nowhere.
    drop(instance);
    becomes(&a.relay, "pulse_relay_instance_connections", 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    app.say(&connect(&ack.instance_id), 0).await;
    assert_eq!(app.refusal().await.0, "INSTANCE_NOT_FOUND");
}

/// NATS drops what a subscriber does not take in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_missing_ends_the_channel_on_both_sides() {
    use futures_util::StreamExt;
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b] = nats.nodes(&keys).await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let mut heard = client.subscribe("pulse_relay.n.>").await.unwrap();
    client.flush().await.unwrap();
    let (mut instance, ack) = registered(&a.relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&b.relay, &mut instance, &ack.instance_id).await;
    app.send(frame(FrameType::Data, here, b"request")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"request"));
    // The same message again, but for its number: those between were lost.
    let message = loop {
        let message = heard.next().await.unwrap();
        if message.payload.ends_with(b"request") {
            break message;
        }
    };
    let mut payload = message.payload.to_vec();
    payload[23] += 5;
    client.publish(message.subject, payload.into()).await.unwrap();
    let closed: ChannelClose = instance.expect().await;
    assert!(closed.channel_id == there && closed.reason.contains("lost"), "{closed:?}");
    let closed: ChannelClose = app.expect().await;
    assert!(closed.channel_id == here && closed.reason.contains("lost"), "{closed:?}");
    becomes(&a.relay, "pulse_relay_cluster_gaps_total", 1).await;
    // And they find each other again.
    channel(&b.relay, &mut instance, &ack.instance_id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_end_on_another_node_slows_its_sender_and_loses_nothing() {
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [a, b] = nats.nodes(&keys).await;
    let (mut instance, ack) = registered(&a.relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&b.relay, &mut instance, &ack.instance_id).await;
    let count = 200;
    let sending = tokio::spawn(async move {
        for number in 0..count {
            app.send(frame(FrameType::Data, here, &[u8::try_from(number).unwrap(); PIECE])).await;
        }
        app
    });
    // Nobody reads: what waits is bounded by the windows, on both nodes.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for node in [&a, &b] {
        let queued = crate::common::metric(&node.relay, "pulse_relay_queued_bytes").await;
        assert!(queued <= 600 * 1024, "{queued} bytes wait");
    }
    for number in 0..count {
        let expected = frame(FrameType::Data, there, &[u8::try_from(number).unwrap(); PIECE]);
        assert!(instance.next().await.unwrap() == expected, "{number}");
    }
    sending.await.unwrap();
}
