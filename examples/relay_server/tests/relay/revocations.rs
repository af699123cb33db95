//! The revocation feed: read to its end, kept, and in force at once.

use std::time::{Duration, Instant};

use pulse_relay::Config;
use pulse_trust::relay::{ChannelClose, ControlPayload, ErrorMessage, Frame};

use crate::common::{TestKeys, channel, get_status, metric, metric_becomes, refused, register, registered, start};
use crate::feed::FeedServer;

const HOST: &str = "t-1.cloud.example.test";

fn config(keys: &TestKeys, directory: &tempfile::TempDir, feed: &FeedServer) -> Config {
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.revocation_feed = Some(feed.config.clone());
    config.limits.revocation_interval = Duration::from_millis(50);
    config
}

#[tokio::test]
async fn whatever_a_revocation_names_ends_the_live_session_and_its_resumption_after_a_restart_too() {
    let keys = TestKeys::new();
    let instance_id = |registered: &str| registered.to_owned();
    let lease_key = keys.lease.public_key().key_id().as_str().to_owned();
    let cases = [
        (keys.grant("lic_1", 3, "inst_1", "jti_1"), r#"{"lid":"lic_1"}"#.to_owned()),
        (keys.grant("lic_1", 3, "inst_1", "jti_1"), r#"{"lid":"lic_1","lv":4}"#.to_owned()),
        (keys.grant("lic_1", 3, "inst_1", "jti_1"), r#"{"iid":"inst_1"}"#.to_owned()),
        (keys.grant("lic_1", 3, "inst_1", "jti_1"), r#"{"jti":"jti_1"}"#.to_owned()),
        (keys.lease(HOST, 3600), format!(r#"{{"host":"{HOST}"}}"#)),
        (keys.lease(HOST, 3600), r#"{"instance_id":"ID"}"#.to_owned()),
        (keys.lease(HOST, 3600), format!(r#"{{"kid":"{lease_key}"}}"#)),
    ];
    for (token, event) in cases {
        let directory = tempfile::tempdir().unwrap();
        let feed = FeedServer::quiet().await;
        let relay = start(config(&keys, &directory, &feed)).await;
        let (mut instance, ack) = registered(&relay, &register(&token, "h", "key")).await;
        let (mut app, here, _) = channel(&relay, &mut instance, &ack.instance_id).await;
        feed.announce(&event.replace("ID", &instance_id(&ack.instance_id)));
        let announced = Instant::now();
        let (frames, code, reason) = instance.end().await;
        assert!(announced.elapsed() < Duration::from_secs(1), "{event}");
        let error = ErrorMessage::from_frame(&Frame::decode(frames.last().unwrap()).unwrap()).unwrap();
        assert_eq!((error.code.as_str(), code), ("LICENSE_INVALID", 1008), "{event}: {reason}");
        let close: ChannelClose = app.expect().await;
        assert!(close.channel_id == here && close.reason.contains("revoked"), "{close:?}");
        assert_eq!(refused(&relay, &register(&token, "h", "key")).await.0, "LICENSE_INVALID", "{event}");
        relay.drain().await;
        // The feed says it only once: the relay has kept it.
        let relay = start(config(&keys, &directory, &feed)).await;
        assert_eq!(feed.requests().last(), Some(&1));
        let resume = {
            let mut register = register("", &ack.instance_id, "key");
            register.session_token = Some(ack.session_token);
            register
        };
        assert_eq!(refused(&relay, &resume).await.0, "LICENSE_INVALID", "{event}");
        relay.drain().await;
    }
}

#[tokio::test]
async fn a_grant_at_or_above_the_floor_goes_on() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let feed = FeedServer::quiet().await;
    let relay = start(config(&keys, &directory, &feed)).await;
    let token = keys.grant("lic_1", 4, "inst_1", "jti_1");
    let (mut instance, _) = registered(&relay, &register(&token, "h", "key")).await;
    feed.announce(r#"{"lid":"lic_1","lv":4}"#);
    feed.asked(1).await;
    instance.settle().await;
}

#[tokio::test]
async fn the_feed_is_read_to_its_end_before_the_relay_serves_and_a_bad_event_hides_no_other() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let feed = FeedServer::start(|since| {
        let event = match since {
            0 => r#"{"lid":7},"nonsense""#.to_owned(),
            8 => format!(r#"{{"what":"is this"}},{{"host":"{HOST}"}}"#),
            _ => r#"{"lid":"lic_other"}"#.to_owned(),
        };
        let (next, has_more) = if since < 10 { (since + 1, true) } else { (10, false) };
        Some(format!(r#"{{"next_seq":{next},"has_more":{has_more},"events":[{event}]}}"#))
    })
    .await;
    let relay = start(config(&keys, &directory, &feed)).await;
    assert_eq!(refused(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await.0, "LICENSE_INVALID");
    assert_eq!(metric(&relay, "pulse_relay_revocation_bad_events_total").await, 3);
}

/// `has_more` without progress made 958 requests a second.
#[tokio::test]
async fn a_feed_that_does_not_move_on_or_hangs_is_an_error_and_then_stale() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let feed = FeedServer::quiet().await;
    let relay = start(config(&keys, &directory, &feed)).await;
    assert_eq!(get_status(&relay, "/healthz").await, 200);
    feed.answer(|since| Some(format!(r#"{{"next_seq":{since},"has_more":true}}"#)));
    let before = feed.requests().len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let made = feed.requests().len() - before;
    assert!((2..=12).contains(&made), "{made} requests in 10 intervals");
    metric_becomes(&relay, "pulse_relay_revocation_feed_stale", 1).await;
    // Who restarts processes, or chooses among nodes, may leave it out: neither cures a license server.
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get_status(&relay, path).await, 503);
        assert_eq!(get_status(&relay, &format!("{path}?exclude=revocation")).await, 503);
        assert_eq!(get_status(&relay, &format!("{path}?exclude=revocations")).await, 200);
    }
    assert!(metric(&relay, "pulse_relay_revocation_feed_failures_total").await > 0);
    feed.answer(|since| Some(format!(r#"{{"next_seq":{since}}}"#)));
    metric_becomes(&relay, "pulse_relay_revocation_feed_stale", 0).await;
    assert_eq!(get_status(&relay, "/healthz").await, 200);
    feed.answer(|_| None);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    relay.drain().await;
    assert!(began.elapsed() < Duration::from_secs(1), "a hanging feed delays the end");
}

/// The server was restored from a backup and passed the old position again: what it said under the numbers that the relay had had was skipped,
/// and the feed counted as fresh.
#[tokio::test]
async fn a_feed_that_went_back_is_read_from_its_beginning_and_what_it_said_stays() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let page = |events: &[String], since: u64| {
        let news =
            events.iter().skip(usize::try_from(since).unwrap()).map(String::as_str).collect::<Vec<_>>().join(",");
        Some(format!(r#"{{"next_seq":{},"events":[{news}]}}"#, events.len()))
    };
    let host = |name: &str| format!(r#"{{"host":"{name}.example.test"}}"#);
    let before = ["a", "b", "lost"].map(host);
    let feed = FeedServer::start(move |since| page(&before, since)).await;
    let relay = start(config(&keys, &directory, &feed)).await;
    let restored = ["a"].map(host);
    feed.answer(move |since| page(&restored, since));
    feed.asked(1).await;
    let later = ["a", "new", "newer", "newest"].map(host);
    feed.answer(move |since| page(&later, since));
    feed.asked(4).await;
    metric_becomes(&relay, "pulse_relay_revocation_feed_stale", 0).await;
    for revoked in ["a", "lost", "new", "newest"] {
        let token = keys.lease(&format!("{revoked}.example.test"), 3600);
        assert_eq!(refused(&relay, &register(&token, "h", "key")).await.0, "LICENSE_INVALID", "{revoked}");
    }
}

/// It was believed and kept, and every honest answer after it was an error for ever.
#[tokio::test]
async fn an_absurd_position_is_not_believed() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let feed = FeedServer::quiet().await;
    let relay = start(config(&keys, &directory, &feed)).await;
    for absurd in [u64::MAX, 1 << 53] {
        let failures = metric(&relay, "pulse_relay_revocation_feed_failures_total").await;
        feed.answer(move |_| Some(format!(r#"{{"next_seq":{absurd}}}"#)));
        while metric(&relay, "pulse_relay_revocation_feed_failures_total").await == failures {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        feed.answer(|since| Some(format!(r#"{{"next_seq":{since}}}"#)));
    }
    feed.announce(&format!(r#"{{"host":"{HOST}"}}"#));
    feed.asked(1).await;
    assert_eq!(refused(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await.0, "LICENSE_INVALID");
}

/// A node that was restarted during the license server's outage did not listen, although it had the whole list.
#[tokio::test]
async fn a_relay_starts_with_the_list_on_its_disk_if_it_may_and_the_list_is_whole_and_young() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let feed = FeedServer::quiet().await;
    feed.announce(&format!(r#"{{"host":"{HOST}"}}"#));
    let config = config(&keys, &directory, &feed);
    start(config.clone()).await.drain().await;
    feed.answer(|_| Some("out of order".to_owned()));
    let mut serves = config.clone();
    serves.limits.revocations_max_age = Duration::from_secs(3600);
    let relay = tokio::time::timeout(Duration::from_secs(20), start(serves)).await.expect("it does not serve");
    assert_eq!(refused(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await.0, "LICENSE_INVALID");
    assert_eq!(get_status(&relay, "/healthz").await, 503, "it is stale until the feed was read");
    let failures = metric(&relay, "pulse_relay_revocation_feed_failures_total").await;
    while metric(&relay, "pulse_relay_revocation_feed_failures_total").await < failures + 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(metric(&relay, "pulse_relay_revocation_feed_stale").await, 1, "one failure more made it fresh");
    feed.answer(|since| Some(format!(r#"{{"next_seq":{since}}}"#)));
    metric_becomes(&relay, "pulse_relay_revocation_feed_stale", 0).await;
    relay.drain().await;
    // By default, with a list that is too old, and with one of which a part is missing, it waits for the feed.
    feed.answer(|_| Some("out of order".to_owned()));
    let path = directory.path().join("revocations.json");
    let whole: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let read_at = whole["read_at"].as_i64().unwrap();
    for (limit, read_at) in
        [(0, Some(read_at)), (3600, Some(read_at - 3601)), (3600, Some(read_at + 1000)), (3600, None)]
    {
        let mut waits = config.clone();
        waits.limits.revocations_max_age = Duration::from_secs(limit);
        let mut kept = whole.clone();
        kept["read_at"] = read_at.into();
        std::fs::write(&path, kept.to_string()).unwrap();
        let requests = feed.requests().len();
        let starting = tokio::spawn(pulse_relay::Relay::start(waits));
        while feed.requests().len() < requests + 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(!starting.is_finished(), "{limit} {read_at:?}");
        starting.abort();
        assert!(starting.await.is_err());
    }
}
