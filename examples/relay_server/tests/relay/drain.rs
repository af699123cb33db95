//! The relay goes down without losing an answer.

use std::time::{Duration, Instant};

use pulse_relay::Config;
use pulse_trust::relay::{Drain, ErrorMessage, Frame, FrameType, Register};

use crate::common::{Client, TestKeys, channel, connect, frame, fresh, register, registered, start};

const HOST: &str = "t-1.cloud.example.test";

/// The close came at once, although 2 s are allowed: answers under way were lost.
#[tokio::test]
async fn a_request_that_reached_the_instance_is_answered_and_nothing_new_is_taken() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.drain_timeout = Duration::from_secs(5);
    let relay = start(config).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let mut late_app = Client::connect(&relay, "/ws/app").await;
    let mut late_instance = Client::connect(&relay, "/ws/instance").await;
    app.send(frame(FrameType::Data, here, b"request")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"request"));
    let began = Instant::now();
    let drained = tokio::spawn(relay.drain());
    instance.expect::<Drain>().await;
    app.expect::<Drain>().await;
    app.send(frame(FrameType::Data, here, b"too late")).await;
    late_app.expect::<Drain>().await;
    late_app.say(&connect(&ack.instance_id), 0).await;
    assert_eq!(late_app.expect::<ErrorMessage>().await.code, "SERVER_DRAINING");
    late_instance.expect::<Drain>().await;
    late_instance.say(&Register::default(), 0).await;
    assert_eq!(late_instance.expect::<ErrorMessage>().await.code, "SERVER_DRAINING");
    tokio::time::sleep(Duration::from_millis(700)).await;
    instance.send(frame(FrameType::Data, there, b"answer")).await;
    let (frames, code, _) = app.end().await;
    assert_eq!((frames, code), (vec![frame(FrameType::Data, here, b"answer")], 1001));
    let (frames, code, _) = instance.end().await;
    assert_eq!(code, 1001);
    assert!(frames.iter().all(|bytes| Frame::decode(bytes).unwrap().frame_type == FrameType::ChannelClose));
    drained.await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(4), "a quiet relay waits for its timeout");
}

/// What a drain keeps from the instance counted as frames of no channel, and ended the phone's connection with the answer under way.
#[tokio::test]
async fn a_phone_that_sends_on_through_a_drain_gets_the_answer_under_way() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.drain_timeout = Duration::from_secs(3600);
    let relay = start(config).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    app.send(frame(FrameType::Data, here, b"request")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"request"));
    let drained = tokio::spawn(relay.drain());
    instance.expect::<Drain>().await;
    app.expect::<Drain>().await;
    for _ in 0..2000 {
        app.send(frame(FrameType::Data, here, b"too late")).await;
    }
    app.settle().await;
    instance.send(frame(FrameType::Data, there, b"answer")).await;
    let (frames, code, _) = app.end().await;
    assert_eq!((frames, code), (vec![frame(FrameType::Data, here, b"answer")], 1001));
    let (frames, _, _) = instance.end().await;
    assert!(frames.iter().all(|bytes| Frame::decode(bytes).unwrap().frame_type == FrameType::ChannelClose));
    drained.await.unwrap();
}

#[tokio::test]
async fn a_drain_ends_within_its_time_whoever_does_not_answer_or_read() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, _) = channel(&relay, &mut instance, &ack.instance_id).await;
    app.send(frame(FrameType::Data, here, b"never answered")).await;
    let began = Instant::now();
    relay.drain().await;
    let took = began.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_millis(2500)).contains(&took), "{took:?}");
}
