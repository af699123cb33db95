//! Limits on what is not refused: bytes a second, connections and CONNECTs, and neighbors who do not pay for each other.

use std::time::{Duration, Instant};

use pulse_relay::{ByteRate, Config, Rate};
use pulse_trust::relay::{ChannelClose, ChannelOpen, ControlPayload, ErrorMessage, Frame, FrameType};

use crate::common::{Client, TestKeys, channel, connect, frame, metric, register, registered, start};

const HOST: &str = "t-1.cloud.example.test";
const PIECE: usize = 16 * 1024;

async fn with(keys: &TestKeys, change: impl FnOnce(&mut Config)) -> (pulse_relay::Relay, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    change(&mut config);
    (start(config).await, directory)
}

/// 256 KiB at once and 256 KiB a second: 640 KiB take a second and a half.
const SLOW: Option<ByteRate> = Some(ByteRate { burst: 256 * 1024, per_second: 256 * 1024 });
const PIECES: usize = 40;

#[tokio::test]
async fn more_bytes_than_a_phone_may_send_arrive_more_slowly_and_all_of_them() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| config.limits.bytes_per_app = SLOW).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let (mut another, other_here, other_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let began = Instant::now();
    let sending = async {
        for number in 0..PIECES {
            let piece = vec![u8::try_from(number).unwrap(); PIECE];
            app.send(frame(FrameType::Data, here, &piece)).await;
        }
        app
    };
    let receiving = async {
        for number in 0..PIECES {
            let piece = vec![u8::try_from(number).unwrap(); PIECE];
            assert!(instance.next().await.unwrap() == frame(FrameType::Data, there, &piece), "piece {number}");
        }
        began.elapsed()
    };
    let (mut app, took) = tokio::join!(sending, receiving);
    assert!((Duration::from_millis(1300)..Duration::from_secs(5)).contains(&took), "{took:?}");
    assert_eq!(metric(&relay, r#"pulse_relay_rate_limited_total{limit="bytes"}"#).await, 1);
    // Nobody told the phone: it would take an ERROR as the end. Another phone of the instance has its own allowance.
    another.send(frame(FrameType::Data, other_here, b"x")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, other_there, b"x"));
    instance.send(frame(FrameType::Data, there, b"answer")).await;
    assert_eq!(app.next().await.unwrap(), frame(FrameType::Data, here, b"answer"));
}

#[tokio::test]
async fn an_instance_is_told_once_that_it_is_slowed_down_and_a_new_connection_does_not_help() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| config.limits.bytes_per_instance = SLOW).await;
    let token = keys.lease(HOST, 3600);
    let mut took = Vec::new();
    for _ in 0..2 {
        let (mut instance, ack) = registered(&relay, &register(&token, "h", "key")).await;
        let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
        let began = Instant::now();
        let sending = async {
            for _ in 0..PIECES / 2 {
                instance.send(frame(FrameType::Data, there, &[7; PIECE])).await;
            }
        };
        let receiving = async {
            for _ in 0..PIECES / 2 {
                assert_eq!(app.next().await.unwrap(), frame(FrameType::Data, here, &[7; PIECE]));
            }
        };
        tokio::join!(sending, receiving);
        took.push(began.elapsed());
        instance.send(frame(FrameType::Data, there, b"end")).await;
        app.next().await.unwrap();
        let told = instance.next().await.unwrap();
        let told = Frame::decode(&told).unwrap();
        assert_eq!(told.channel, there);
        assert_eq!(ErrorMessage::from_frame(&told).unwrap().code, "RATE_LIMITED");
        assert!(instance.next_within(Duration::from_millis(100)).await.is_none(), "it is told again");
    }
    // 320 KiB: a quarter of a second beyond the burst at first, and all of it in the second connection.
    assert!(took[1] > Duration::from_millis(900), "{took:?}");
}

#[tokio::test]
async fn connects_that_reach_one_instance_are_limited() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| {
        config.limits.connects_per_instance = Rate::new(3, Duration::from_secs(60));
    })
    .await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut other, other_ack) =
        registered(&relay, &register(&keys.lease("t-2.cloud.example.test", 3600), "h", "key")).await;
    let mut kept = Vec::new();
    for _ in 0..3 {
        kept.push(channel(&relay, &mut instance, &ack.instance_id).await);
    }
    let mut app = Client::connect(&relay, "/ws/app").await;
    app.say(&connect(&ack.instance_id), 0).await;
    assert_eq!(app.refusal().await.0, "RATE_LIMITED");
    channel(&relay, &mut other, &other_ack.instance_id).await;
}

/// A phone that guessed kept all phones behind the same NAT out of their own instances.
#[tokio::test]
async fn who_guesses_behind_a_nat_keeps_no_neighbor_from_its_instance() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| {
        config.limits.refusals_per_address = Rate::new(10, Duration::from_secs(60));
        config.limits.refusals_per_instance = Rate::new(5, Duration::from_secs(60));
    })
    .await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut other, other_ack) =
        registered(&relay, &register(&keys.lease("t-2.cloud.example.test", 3600), "h", "key")).await;
    let _known = channel(&relay, &mut instance, &ack.instance_id).await;
    let _known_too = channel(&relay, &mut other, &other_ack.instance_id).await;
    // Guesses at instances that are not there use the address up.
    for _ in 0..3 {
        let mut guesser = Client::connect(&relay, "/ws/app").await;
        for _ in 0..5 {
            guesser.say(&connect("relay_0123456789abcdef"), 0).await;
            guesser.refusal().await;
        }
    }
    let mut stranger = Client::connect(&relay, "/ws/app").await;
    stranger.say(&connect("relay_0123456789abcdef"), 0).await;
    assert_eq!(stranger.refusal().await.0, "RATE_LIMITED");
    // Whoever was let in from there is let in again.
    let _again = channel(&relay, &mut instance, &ack.instance_id).await;
    // Guesses at one instance end that one's exception, and no other's.
    let mut code = String::new();
    for _ in 0..8 {
        let mut guesser = Client::connect(&relay, "/ws/app").await;
        guesser.say(&connect(&ack.instance_id), 0).await;
        let offered = tokio::select! {
            open = instance.expect::<ChannelOpen>() => Some(open.channel_id),
            refused = guesser.refusal() => { code = refused.0; None }
        };
        let Some(channel_id) = offered else { break };
        instance.say(&ChannelClose::new(channel_id, ""), channel_id).await;
        assert_eq!(guesser.refusal().await.0, "AUTH_FAILED");
    }
    assert_eq!(code, "RATE_LIMITED");
    channel(&relay, &mut other, &other_ack.instance_id).await;
}
