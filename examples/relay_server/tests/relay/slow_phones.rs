//! One connection carries all phones of an instance: what a slow one may cost the others.

use std::time::{Duration, Instant};

use pulse_relay::Config;
use pulse_trust::relay::{ChannelClose, ControlPayload, Frame, FrameType};

use crate::common::{Client, TestKeys, channel, channel_of, frame, metric, register, registered, start};

const HOST: &str = "t-1.cloud.example.test";
const PART: usize = 60_000;

fn part(channel: u32) -> Vec<u8> {
    frame(FrameType::Data, channel, &[0; PART])
}

async fn with_stall_timeout(keys: &TestKeys, time: Duration) -> (pulse_relay::Relay, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.stall_timeout = time;
    (start(config).await, directory)
}

async fn little_by_little(relay: &pulse_relay::Relay, instance: &mut Client, id: &str) -> (Client, u32, u32) {
    channel_of(Client::connect_little_by_little(relay).await, instance, id).await
}

/// Phones that read nothing, each of which is sent more than everything on its way holds; then one asks and waits for an
/// answer. How long.
async fn wait_behind(stuck: usize) -> Duration {
    let keys = TestKeys::new();
    let (relay, _directory) = with_stall_timeout(&keys, Duration::from_secs(10)).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut phones = Vec::new();
    for _ in 0..stuck {
        phones.push(channel(&relay, &mut instance, &ack.instance_id).await);
    }
    let (mut quick, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    quick.send(frame(FrameType::Data, here, b"request")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"request"));
    let channels: Vec<_> = phones.iter().map(|(_, _, channel)| *channel).collect();
    let sending = tokio::spawn(async move {
        for _ in 0..140 {
            for channel in &channels {
                instance.send(part(*channel)).await;
            }
        }
        instance.send(frame(FrameType::Data, there, b"answer")).await;
        instance
    });
    let asked_at = Instant::now();
    let answer = quick.next_within(Duration::from_secs(60)).await;
    assert_eq!(answer, Some(frame(FrameType::Data, here, b"answer")));
    let waited = asked_at.elapsed();
    let mut instance = sending.await.unwrap();
    let mut closed: Vec<_> = Vec::new();
    for _ in 0..stuck {
        let close: ChannelClose = instance.expect().await;
        assert!(close.reason.contains("slowly"), "{close:?}");
        closed.push(close.channel_id);
        while let Some(bytes) = instance.next_within(Duration::from_millis(300)).await {
            let frame = Frame::decode(&bytes).unwrap();
            let close = ChannelClose::from_frame(&frame).unwrap();
            if close.reason.contains("slowly") {
                closed.push(close.channel_id);
            }
        }
        if closed.len() == stuck {
            break;
        }
    }
    assert_eq!(metric(&relay, "pulse_relay_slow_channels_total").await, i64::try_from(stuck).unwrap());
    waited
}

/// Another phone got its answer after 8 to 10 s.
#[tokio::test]
async fn a_phone_that_reads_nothing_delays_the_others_by_seconds_at_most() {
    let waited = wait_behind(1).await;
    assert!(waited < Duration::from_secs(6), "{waited:?}");
}

/// And after 28 s where three of them read nothing.
#[tokio::test]
async fn three_phones_that_read_nothing_delay_the_others_no_longer_than_one() {
    let waited = wait_behind(3).await;
    assert!(waited < Duration::from_secs(7), "{waited:?}");
}

/// It is slow, and it takes what it gets: nobody ends its channel while nobody waits for it.
#[tokio::test]
async fn a_slow_phone_that_goes_on_reading_gets_a_large_answer_whole() {
    let keys = TestKeys::new();
    let (relay, _directory) = with_stall_timeout(&keys, Duration::from_secs(10)).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut slow, here, there) = little_by_little(&relay, &mut instance, &ack.instance_id).await;
    let (_other, ..) = channel(&relay, &mut instance, &ack.instance_id).await;
    let count = 40;
    let sending = tokio::spawn(async move {
        for _ in 0..count {
            instance.send(part(there)).await;
        }
        instance
    });
    for number in 0..count {
        let bytes = slow.next().await.unwrap_or_else(|| panic!("it was disconnected after {number} parts"));
        assert_eq!(bytes, part(here), "part {number}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let _instance = sending.await.unwrap();
    assert_eq!(metric(&relay, "pulse_relay_slow_channels_total").await, 0);
}

/// Slow, but never still: it may hold up whoever waits for an answer for `stall_timeout`, and no longer.
#[tokio::test]
async fn a_slow_phone_holds_up_one_that_waits_for_its_answer_for_a_bounded_time() {
    let keys = TestKeys::new();
    let (relay, _directory) = with_stall_timeout(&keys, Duration::from_secs(3)).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut slow, _, slow_there) = little_by_little(&relay, &mut instance, &ack.instance_id).await;
    let (mut quick, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let reading = tokio::spawn(async move {
        while let Some(bytes) = slow.next_within(Duration::from_secs(20)).await {
            if Frame::decode(&bytes).unwrap().frame_type == FrameType::ChannelClose {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        slow
    });
    quick.send(frame(FrameType::Data, here, b"request")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"request"));
    let sending = tokio::spawn(async move {
        // Twenty seconds of its reading.
        for _ in 0..100 {
            instance.send(part(slow_there)).await;
        }
        instance.send(frame(FrameType::Data, there, b"answer")).await;
        instance
    });
    let asked_at = Instant::now();
    let answer = quick.next_within(Duration::from_secs(60)).await;
    assert_eq!(answer, Some(frame(FrameType::Data, here, b"answer")));
    assert!(asked_at.elapsed() < Duration::from_secs(10), "{:?}", asked_at.elapsed());
    let (_instance, _slow) = (sending.await.unwrap(), reading.await.unwrap());
}

/// Frames on their way to a phone that had gone counted as stray ones: 256 of them ended the connection of all phones.
#[tokio::test]
async fn an_answer_on_its_way_to_a_phone_that_went_ends_nobody_else() {
    let keys = TestKeys::new();
    let (relay, _directory) = with_stall_timeout(&keys, Duration::from_secs(10)).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (gone, _, gone_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let (mut other, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    drop(gone);
    let close: ChannelClose = instance.expect().await;
    assert_eq!(close.channel_id, gone_there);
    for _ in 0..5000 {
        instance.send(frame(FrameType::Data, gone_there, &[0; 100])).await;
    }
    instance.send(frame(FrameType::Data, there, b"answer")).await;
    assert_eq!(other.next().await, Some(frame(FrameType::Data, here, b"answer")));
    assert!(metric(&relay, r#"pulse_relay_dropped_frames_total{reason="channel_closed"}"#).await >= 4999);
}
