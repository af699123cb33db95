//! Guessing and probing are limited, and places are kept apart.

use std::io::{Read, Write};
use std::time::Duration;

use pulse_relay::{Config, Rate, Relay};
use pulse_trust::relay::{ChannelClose, ChannelOpen, ControlPayload, ErrorMessage, Frame, FrameType};

use crate::common::{
    Client, TestKeys, channel, connect, frame, fresh, get_status, metric, metric_becomes, refused, register,
    registered, start,
};

const HOST: &str = "t-1.cloud.example.test";

async fn with(keys: &TestKeys, change: impl FnOnce(&mut Config)) -> (Relay, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    change(&mut config);
    (start(config).await, directory)
}

/// Refuses every phone.
fn refusing(mut instance: Client) -> tokio::task::JoinHandle<usize> {
    tokio::spawn(async move {
        let mut refused = 0;
        while let Some(bytes) = instance.next_within(Duration::from_secs(2)).await {
            if let Ok(open) = ChannelOpen::from_frame(&Frame::decode(&bytes).unwrap()) {
                let close = ChannelClose::new(open.channel_id, "invalid token");
                instance.say(&close, open.channel_id).await;
                refused += 1;
            }
        }
        refused
    })
}

/// 12,234 wrong tokens a second passed on one connection.
#[tokio::test]
async fn wrong_tokens_on_one_connection_end_it() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let refused = refusing(instance);
    let mut app = Client::connect(&relay, "/ws/app").await;
    for _ in 0..1000 {
        if !app.try_send(connect(&ack.instance_id).to_frame(0).unwrap()).await {
            break;
        }
        let Some(bytes) = app.next().await else { break };
        let error = ErrorMessage::from_frame(&Frame::decode(&bytes).unwrap()).unwrap();
        if error.code == "RATE_LIMITED" {
            break;
        }
    }
    assert!(app.end().await.1 == 1008);
    let passed = refused.await.unwrap();
    assert!(passed <= 10, "{passed} guesses passed");
}

/// 27,466 instance-id probes and 3,834 bad REGISTERs a second passed from one address.
#[tokio::test]
async fn an_address_that_probes_is_limited_and_another_is_not() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| {
        config.limits.refusals_per_address = Rate::new(20, Duration::from_secs(30));
    })
    .await;
    let token = keys.lease(HOST, 3600);
    let (instance, ack) = registered(&relay, &register(&token, "h", "key")).await;
    let mut answered = 0;
    for _ in 0..10 {
        let mut app = Client::connect(&relay, "/ws/app").await;
        for _ in 0..7 {
            app.say(&connect("relay_0123456789abcdef"), 0).await;
            match app.refusal().await.0.as_str() {
                "INSTANCE_NOT_FOUND" => answered += 1,
                other => assert_eq!(other, "RATE_LIMITED"),
            }
        }
    }
    assert!(answered <= 21, "{answered} probes were answered");
    assert_eq!(refused(&relay, &register("bad", "h", "key")).await.0, "RATE_LIMITED");
    // Who was registered comes back, from the same address too.
    let resume = {
        let mut register = register("", &ack.instance_id, "key");
        register.session_token = Some(ack.session_token.duplicate());
        register
    };
    drop(instance);
    let (mut instance, _) = registered(&relay, &resume).await;
    let mut app = Client::connect_from([127, 0, 0, 9], &relay, "/ws/app").await;
    app.say(&connect(&ack.instance_id), 0).await;
    instance.expect::<ChannelOpen>().await;
}

#[tokio::test]
async fn guesses_at_one_instance_are_limited_over_all_addresses_and_its_known_phones_are_not() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| {
        config.limits.refusals_per_instance = Rate::new(5, Duration::from_secs(30));
    })
    .await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let _known = channel(&relay, &mut instance, &ack.instance_id).await;
    let mut codes = Vec::new();
    for last in 10..30 {
        let mut guessing = Client::connect_from([127, 0, 0, last], &relay, "/ws/app").await;
        guessing.say(&connect(&ack.instance_id), 0).await;
        let answered = tokio::select! {
            open = instance.expect::<ChannelOpen>() => Some(open.channel_id),
            refusal = guessing.refusal() => { codes.push(refusal.0); None }
        };
        if let Some(channel_id) = answered {
            instance.say(&ChannelClose::new(channel_id, ""), channel_id).await;
            assert_eq!(guessing.refusal().await.0, "AUTH_FAILED");
        }
    }
    assert!(codes.len() >= 13 && codes.iter().all(|code| code == "RATE_LIMITED"), "{codes:?}");
    channel(&relay, &mut instance, &ack.instance_id).await;
}

#[tokio::test]
async fn whoever_waits_for_an_answer_takes_no_accepted_channels_place() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| {
        config.limits.channels_per_instance = 4;
        config.limits.offered_per_instance = 6;
    })
    .await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut waiting = Vec::new();
    for _ in 0..6 {
        let mut app = Client::connect(&relay, "/ws/app").await;
        app.say(&connect(&ack.instance_id), 0).await;
        let open: ChannelOpen = instance.expect().await;
        waiting.push((app, open));
    }
    let mut app = Client::connect(&relay, "/ws/app").await;
    app.say(&connect(&ack.instance_id), 0).await;
    assert_eq!(app.refusal().await.0, "RATE_LIMITED");
    let (mut guessing, open) = waiting.remove(0);
    instance.say(&ChannelClose::new(open.channel_id, ""), open.channel_id).await;
    assert_eq!(guessing.refusal().await.0, "AUTH_FAILED");
    channel(&relay, &mut instance, &ack.instance_id).await;
}

#[tokio::test]
async fn one_grant_makes_a_bounded_number_of_ids() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let grant = keys.grant("lic_1", 1, "inst", "jti");
    let mut kept = Vec::new();
    let mut refusals = 0;
    for secret in 0..15 {
        let mut instance = Client::connect(&relay, "/ws/instance").await;
        instance.say(&register(&grant, &format!("secret {secret}"), "key"), 0).await;
        let bytes = instance.next().await.unwrap();
        match Frame::decode(&bytes).unwrap().frame_type {
            FrameType::RegisterAck => kept.push(instance),
            _ => refusals += 1,
        }
    }
    assert!(kept.len() <= 11 && refusals >= 4, "{} ids", kept.len());
    // An id that it has is not a new one.
    registered(&relay, &register(&grant, "secret 0", "key")).await;
}

#[tokio::test]
async fn at_the_cap_there_is_503_and_apps_take_no_instances_place() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| {
        config.limits.app_connections = 2;
        config.limits.http_connections = 4;
    })
    .await;
    let (_instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let _apps = [Client::connect(&relay, "/ws/app").await, Client::connect(&relay, "/ws/app").await];
    assert_eq!(Client::handshake_status(&relay, "/ws/app").await, 503);
    assert_eq!(metric(&relay, "pulse_relay_connections_refused_total").await, 1);
    registered(&relay, &register(&keys.lease("t-2.example.test", 3600), "h", "key")).await;
    let silent: Vec<_> = (0..4).map(|_| std::net::TcpStream::connect(relay.local_addr()).unwrap()).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(get_status(&relay, "/healthz").await, 503);
    drop(silent);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(get_status(&relay, "/healthz").await, 200);
    assert!(!ack.instance_id.is_empty());
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_cut() {
    let keys = TestKeys::new();
    let (relay, _directory) = with(&keys, |config| config.limits.hello_timeout = Duration::from_millis(500)).await;
    let mut stream = std::net::TcpStream::connect(relay.local_addr()).unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        stream.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        let requests = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n".repeat(100);
        let start = std::time::Instant::now();
        while stream.write_all(requests.as_bytes()).is_ok() && start.elapsed() < Duration::from_secs(3) {}
        let mut rest = Vec::new();
        matches!(stream.read_to_end(&mut rest), Ok(_) | Err(_)) && start.elapsed() < Duration::from_secs(3)
    });
    assert!(ended.await.unwrap(), "the connection is still open");
}

/// Four connections that flood stray frames slowed every other tenant 150-fold.
#[tokio::test]
async fn a_flood_of_frames_that_are_not_forwarded_ends_the_connection() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut pinging = Client::connect(&relay, "/ws/app").await;
    for client in [&mut instance, &mut pinging] {
        let mut sent = 0;
        while client.try_send(frame(FrameType::Ping, 0, b"")).await && sent < 100_000 {
            sent += 1;
        }
        let (frames, code, _) = client.end().await;
        assert!(code == 1008 || code == 1006, "{code}");
        assert!(frames.len() < 2000, "{} were answered", frames.len());
    }
}

/// The CHANNEL_CLOSE that exceeded what the relay takes removed its channel and was then refused: the instance kept a channel
/// whose phone was gone. Sixty-four of them were all the channels that an instance may have.
#[tokio::test]
async fn a_close_that_ends_its_connection_is_passed_on_all_the_same() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    // One more is taken every 20 ms, so the time decides which of these closes is the first that is too many.
    for pings in 250..275 {
        let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
        let mut messages = masked(&frame(FrameType::Ping, 0, b"")).repeat(pings);
        messages.extend(masked(&ChannelClose::new(here, "bye").to_frame(here).unwrap()));
        app.send_raw(&messages).await;
        let close: ChannelClose = instance.expect().await;
        assert_eq!(close.channel_id, there, "after {pings} pings");
    }
    metric_becomes(&relay, "pulse_relay_app_sessions", 0).await;
}

/// A client's binary message, masked with zeros.
fn masked(frame: &[u8]) -> Vec<u8> {
    let length = u8::try_from(frame.len()).ok().filter(|length| *length < 126).unwrap();
    [&[0x82, 0x80 | length, 0, 0, 0, 0], frame].concat()
}
