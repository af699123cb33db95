//! Live sessions end with their credential, and are renewed before.

use std::time::{Duration, Instant};

use pulse_relay::Config;
use pulse_trust::UnixTime;
use pulse_trust::keys::{SigningKey, TrustKeySet};
use pulse_trust::relay::{ChannelClose, ControlPayload, ErrorMessage, Frame, FrameType, RegisterAck};

use crate::common::{
    TestKeys, channel, connect, frame, fresh, metric_becomes, refused, register, registered, resume, start,
};

const HOST: &str = "t-1.cloud.example.test";

/// A lease of 5 s was answered after 75 s, and took new phones.
#[tokio::test]
async fn a_session_ends_within_a_second_of_its_lease_with_its_phones() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3), "h", "key")).await;
    let (mut app, here, _) = channel(&relay, &mut instance, &ack.instance_id).await;
    let (frames, code, _) = instance.end().await;
    let end = ack.expires_at.unwrap();
    let late = UnixTime::now().saturating_duration_since(end);
    assert!(UnixTime::now() >= end && late <= Duration::from_secs(1), "{late:?} after its time");
    let error = ErrorMessage::from_frame(&Frame::decode(frames.last().unwrap()).unwrap()).unwrap();
    assert_eq!((error.code.as_str(), code), ("LICENSE_EXPIRED", 1008));
    let close: ChannelClose = app.expect().await;
    assert!(close.channel_id == here && close.reason.contains("expired"), "{close:?}");
    app.say(&connect(&ack.instance_id), 0).await;
    assert_eq!(app.refusal().await.0, "INSTANCE_NOT_FOUND");
    metric_becomes(&relay, "pulse_relay_sessions_expired_total", 1).await;
    assert_eq!(refused(&relay, &resume(&ack, "key")).await.0, "AUTH_FAILED");
    relay.drain().await;
    let restarted = start(Config::on_loopback(keys.trusted(), directory.path())).await;
    assert_eq!(refused(&restarted, &resume(&ack, "key")).await.0, "AUTH_FAILED");
}

#[tokio::test]
async fn a_registration_is_renewed_on_its_connection_and_its_phones_do_not_notice() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    // Another tenant's lease renews nothing, and ends nothing.
    instance.say(&register(&keys.lease("t-2.cloud.example.test", 60), "h", "key"), 0).await;
    assert_eq!(instance.refusal().await.0, "AUTH_FAILED");
    instance.say(&register(&keys.lease(HOST, 3600), "h", "key"), 0).await;
    let renewed: RegisterAck = instance.expect().await;
    assert!(renewed.expires_at > ack.expires_at && renewed.instance_id == ack.instance_id);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        app.send(frame(FrameType::Data, here, b"x")).await;
        assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"x"));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    metric_becomes(&relay, "pulse_relay_instance_connections", 1).await;
}

/// It closed the connection, with all its phones.
#[tokio::test]
async fn a_renewal_that_cannot_be_read_is_an_error_and_the_registration_goes_on() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 60), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    instance.send(frame(FrameType::Register, 0, b"{")).await;
    assert_eq!(instance.refusal().await.0, "AUTH_FAILED");
    app.send(frame(FrameType::Data, here, b"x")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, b"x"));
}

/// An hour before its time, a registration was renewed.
#[tokio::test]
async fn a_renewal_long_before_its_time_is_an_error_and_the_registration_goes_on() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    instance.say(&register(&keys.lease(HOST, 7200), "h", "key"), 0).await;
    let (code, message) = instance.refusal().await;
    assert!(code == "AUTH_FAILED" && message.contains("5 min"), "{code}: {message}");
    instance.settle().await;
    metric_becomes(&relay, "pulse_relay_instance_connections", 1).await;
    // In time, to the second that a clock may differ by.
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 301), "h", "key")).await;
    instance.say(&register(&keys.lease(HOST, 7200), "h", "key"), 0).await;
    let renewed: RegisterAck = instance.expect().await;
    assert!(renewed.expires_at > ack.expires_at);
}

#[tokio::test]
async fn a_removed_key_ends_the_sessions_that_it_signed() {
    let keys = TestKeys::new();
    let (relay, directory) = fresh(&keys).await;
    let (_instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    relay.drain().await;
    let another = SigningKey::generate().unwrap();
    let mut trusted = keys.trusted();
    trusted.lease = TrustKeySet::new([another.public_key().clone(), keys.lease.public_key().clone()]);
    let relay = start(Config::on_loopback(trusted.clone(), directory.path())).await;
    let (_instance, ack) = registered(&relay, &resume(&ack, "key")).await;
    relay.drain().await;
    trusted.lease = TrustKeySet::new([another.public_key().clone()]);
    let relay = start(Config::on_loopback(trusted, directory.path())).await;
    assert_eq!(refused(&relay, &resume(&ack, "key")).await.0, "AUTH_FAILED");
}
