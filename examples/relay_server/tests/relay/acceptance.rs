//! Nothing passes before the instance has accepted, and nothing comes before REGISTER_ACK.

use std::time::Duration;

use pulse_relay::Config;
use pulse_trust::relay::{ChannelClose, ChannelOpen, ConnectAck, ControlPayload, FrameType};
use tokio::time::Instant;

use crate::common::{Client, TestKeys, connect, frame, fresh, metric, register, registered, start};

const HOST: &str = "t-1.cloud.example.test";

/// An app with any token pushed DATA at once: it landed in the instance's queue, and a full queue closed the instance.
#[tokio::test]
async fn an_app_that_was_not_accepted_reaches_the_instance_with_nothing_but_its_connect() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut app = Client::connect(&relay, "/ws/app").await;
    app.say(&connect(&ack.instance_id), 0).await;
    let payload = vec![7; 60_000];
    for number in 0..40 {
        app.send(frame(if number % 2 == 0 { FrameType::Data } else { FrameType::KeyExchange }, 1, &payload)).await;
        assert_eq!(app.expect::<ChannelClose>().await.channel_id, 1);
    }
    let open: ChannelOpen = instance.expect().await;
    instance.settle().await;
    instance.say(&open, open.channel_id).await;
    app.expect::<ConnectAck>().await;
    app.send(frame(FrameType::Data, 1, b"accepted")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, open.channel_id, b"accepted"));
    assert_eq!(metric(&relay, "pulse_relay_unaccepted_frames_total").await, 40);
}

#[tokio::test]
async fn an_instance_that_has_not_accepted_reaches_the_app_with_nothing() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut app = Client::connect(&relay, "/ws/app").await;
    app.say(&connect(&ack.instance_id), 0).await;
    let open: ChannelOpen = instance.expect().await;
    instance.send(frame(FrameType::Data, open.channel_id, b"early")).await;
    assert_eq!(instance.expect::<ChannelClose>().await.channel_id, open.channel_id);
    instance.say(&open, open.channel_id).await;
    instance.send(frame(FrameType::Data, open.channel_id, b"in time")).await;
    let ack: ConnectAck = app.expect().await;
    assert_eq!(app.next().await.unwrap(), frame(FrameType::Data, ack.channel_id, b"in time"));
}

/// 10 of 2,451 instances got a CHANNEL_OPEN before their REGISTER_ACK.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn register_ack_is_the_first_frame_an_instance_gets() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let relay = std::sync::Arc::new(relay);
    let token = keys.lease(HOST, 3600);
    let (first, ack) = registered(&relay, &register(&token, "h", "key")).await;
    let knocking: Vec<_> = (1..4)
        .map(|number| {
            let (relay, id) = (std::sync::Arc::clone(&relay), ack.instance_id.clone());
            tokio::spawn(async move {
                loop {
                    let mut app = Client::connect_from([127, 0, 0, 10 + number], &relay, "/ws/app").await;
                    while app.try_send(connect(&id).to_frame(0).unwrap()).await && app.next().await.is_some() {}
                }
            })
        })
        .collect();
    let mut instances = vec![first];
    for _ in 0..100 {
        // `registered` reads the first frame as an ACK.
        instances.push(registered(&relay, &register(&token, "h", "key")).await.0);
    }
    knocking.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Stray frames kept an app's connection open for as long as it sent them.
#[tokio::test]
async fn the_hello_deadline_holds_until_a_channel_is_accepted() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.hello_timeout = Duration::from_millis(500);
    let relay = start(config).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut accepted, ..) = crate::common::channel(&relay, &mut instance, &ack.instance_id).await;
    let mut stray = Client::connect(&relay, "/ws/app").await;
    let start = Instant::now();
    while stray.try_send(frame(FrameType::Data, 3, b"x")).await && start.elapsed() < Duration::from_secs(5) {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(4), "it is still open");
    assert_eq!(stray.end().await.1, 1008);
    accepted.settle().await;
}
