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
            register.session_token = ack.session_token;
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
    while feed.requests().last() != Some(&1) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
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
    assert_eq!(get_status(&relay, "/healthz").await, 503);
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
