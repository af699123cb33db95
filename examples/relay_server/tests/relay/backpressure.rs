//! Slow readers: their senders wait, and nobody else does.

use std::time::Duration;

use pulse_relay::Config;
use pulse_trust::relay::{ChannelClose, Frame, FrameType};

use crate::common::{TestKeys, channel, frame, fresh, metric, metric_becomes, register, registered, start};

const HOST: &str = "t-1.cloud.example.test";
const PART: usize = 60_000;

fn part(channel: u32, number: u32) -> Vec<u8> {
    let mut payload = number.to_be_bytes().to_vec();
    payload.resize(PART, 0);
    frame(FrameType::Data, channel, &payload)
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[6..10].try_into().unwrap())
}

/// 8 MB from a phone to an instance that reads slowly disconnected the instance after 4 MB.
#[tokio::test]
async fn a_large_upload_to_a_slow_instance_arrives_whole_and_in_order() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let count = 8_000_000 / u32::try_from(PART).unwrap();
    let sending = tokio::spawn(async move {
        for index in 0..count {
            app.send(part(here, index)).await;
        }
        app
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    for expected in 0..count {
        let bytes = instance.next().await.expect("the instance was disconnected");
        assert_eq!((Frame::decode(&bytes).unwrap().channel, number(&bytes)), (there, expected));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sending.await.unwrap().settle().await;
}

/// A phone that reads 500 KB/s never got an answer of 6 MB.
#[tokio::test]
async fn a_large_answer_to_a_slow_phone_arrives_whole_and_another_phone_is_served_meanwhile() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut slow, slow_here, slow_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let (mut quick, quick_here, quick_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let count = 6_000_000 / u32::try_from(PART).unwrap();
    let sending = tokio::spawn(async move {
        for index in 0..count {
            instance.send(part(slow_there, index)).await;
            instance.send(part(quick_there, index)).await;
        }
        instance
    });
    let reading = tokio::spawn(async move {
        for expected in 0..count {
            let bytes = quick.next().await.expect("the quick phone was disconnected");
            assert_eq!((Frame::decode(&bytes).unwrap().channel, number(&bytes)), (quick_here, expected));
        }
        quick
    });
    for expected in 0..count {
        let bytes = slow.next().await.expect("the slow phone was disconnected");
        assert_eq!((Frame::decode(&bytes).unwrap().channel, number(&bytes)), (slow_here, expected));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _quick = reading.await.unwrap();
    sending.await.unwrap().settle().await;
    assert_eq!(metric(&relay, "pulse_relay_slow_channels_total").await, 0);
}

#[tokio::test]
async fn a_phone_that_reads_nothing_loses_its_channel_and_the_instance_goes_on() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.stall_timeout = Duration::from_millis(300);
    let relay = start(config).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (_stuck, _, stuck_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let (mut other, other_here, other_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    // More than both sockets' buffers and the queue hold.
    for index in 0..200 {
        instance.send(part(stuck_there, index)).await;
    }
    instance.send(frame(FrameType::Data, other_there, b"answer")).await;
    assert_eq!(other.next().await.unwrap(), frame(FrameType::Data, other_here, b"answer"));
    let close: ChannelClose = instance.expect().await;
    assert!(close.channel_id == stuck_there && close.reason.contains("slowly"), "{close:?}");
    metric_becomes(&relay, "pulse_relay_slow_channels_total", 1).await;
    metric_becomes(&relay, "pulse_relay_app_sessions", 1).await;
}

/// The bound of the process: channels whose ends do not read are ended, and a healthy one goes on.
#[tokio::test]
async fn memory_for_queues_is_bounded_over_all_connections() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.process_queued_bytes = 1_000_000;
    config.limits.stall_timeout = Duration::from_secs(60);
    let relay = start(config).await;
    let mut stuck = Vec::new();
    for tenant in 0..8 {
        let token = keys.lease(&format!("t-{tenant}.stuck.example.test"), 3600);
        let (mut instance, ack) = registered(&relay, &register(&token, "h", "key")).await;
        let (app, _, there) = channel(&relay, &mut instance, &ack.instance_id).await;
        stuck.push((
            tokio::spawn(async move {
                for index in 0..200 {
                    if !instance.try_send(part(there, index)).await {
                        break;
                    }
                }
                instance
            }),
            app,
        ));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    for index in 0..50 {
        app.send(part(here, index)).await;
        assert_eq!(number(&instance.next().await.unwrap()), index);
        instance.send(part(there, index)).await;
        assert_eq!(number(&app.next().await.unwrap()), index);
        assert!(metric(&relay, "pulse_relay_queued_bytes").await <= 1_000_000);
    }
    assert!(metric(&relay, "pulse_relay_slow_channels_total").await > 0);
}

/// Half a message of the largest size cost its sender nothing: 100,000 connections could hold 6 GB.
#[tokio::test]
async fn what_has_arrived_of_a_message_counts_and_who_stops_half_way_makes_room() {
    const LIMIT: i64 = 1_000_000;
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.process_queued_bytes = usize::try_from(LIMIT).unwrap();
    let relay = start(config).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let mut stopped = Vec::new();
    for _ in 0..6 {
        stopped.push(half_a_message(&relay).await);
    }
    // At least the half of each is counted.
    metric_settles(&relay, "pulse_relay_queued_bytes", |bytes| bytes >= 6 * 30_000).await;
    for _ in 0..40 {
        stopped.push(half_a_message(&relay).await);
    }
    for index in 0..100 {
        app.send(part(here, index)).await;
        assert_eq!(number(&instance.next().await.unwrap()), index);
        instance.send(part(there, index)).await;
        assert_eq!(number(&app.next().await.unwrap()), index);
        assert!(metric(&relay, "pulse_relay_queued_bytes").await <= LIMIT);
    }
    assert_eq!(metric(&relay, "pulse_relay_slow_channels_total").await, 0, "a channel was ended for it");
    drop(stopped);
    metric_settles(&relay, "pulse_relay_queued_bytes", |bytes| bytes == 0).await;
}

/// An app that begins the largest message, and sends no more than half of it.
async fn half_a_message(relay: &pulse_relay::Relay) -> tokio::net::TcpStream {
    use tokio::io::AsyncWriteExt;
    let stream = tokio::net::TcpStream::connect(relay.local_addr()).await.unwrap();
    let url = format!("ws://{}/ws/app", relay.local_addr());
    let mut stream = tokio_tungstenite::client_async(url, stream).await.unwrap().0.into_inner();
    let mut begun = vec![0x82, 0xff];
    begun.extend(65_000_u64.to_be_bytes());
    begun.extend([0; 4]);
    begun.resize(33_000, 0);
    stream.write_all(&begun).await.unwrap();
    stream
}

async fn metric_settles(relay: &pulse_relay::Relay, name: &str, is_right: impl Fn(i64) -> bool) {
    for _ in 0..200 {
        if is_right(metric(relay, name).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} is {}", metric(relay, name).await);
}
