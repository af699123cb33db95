//! Channels between apps and instances: passed through unread, bounded, closed on both sides.

use crate::common::{Client, TestKeys, channel, frame, fresh, metric, metric_becomes, register, registered, start};
use pulse_relay::Config;
use pulse_trust::relay::{
    ChannelClose, ChannelOpen, Connect, ControlPayload, Drain, Frame, FrameType, MAX_PAYLOAD_LEN,
};
use tokio_tungstenite::tungstenite::Message;

const HOST: &str = "t-1.cloud.example.test";

#[tokio::test]
async fn frames_pass_both_ways_on_each_sides_own_channel() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut first_app, first, first_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    let (mut second_app, second, second_there) = channel(&relay, &mut instance, &ack.instance_id).await;
    assert_eq!(metric(&relay, "pulse_relay_app_sessions").await, 2);
    assert_ne!(first_there, second_there);
    assert_eq!(first, second, "each app counts its own channels, so the ids differ between the sides");
    for (app, here, there) in [(&mut second_app, second, second_there), (&mut first_app, first, first_there)] {
        for frame_type in [FrameType::KeyExchange, FrameType::Data] {
            let longest = vec![7; MAX_PAYLOAD_LEN];
            app.send(frame(frame_type, here, &longest)).await;
            assert!(instance.next().await.unwrap() == frame(frame_type, there, &longest));
            instance.send(frame(frame_type, there, b"answer")).await;
            assert_eq!(app.next().await.unwrap(), frame(frame_type, here, b"answer"));
        }
    }
    let close = ChannelClose::new(first_there, "bye");
    instance.send(close.to_frame(first_there).unwrap()).await;
    assert_eq!(first_app.expect::<ChannelClose>().await, ChannelClose::new(first, "bye"));
    drop(second_app);
    assert_eq!(instance.expect::<ChannelClose>().await.channel_id, second_there);
    metric_becomes(&relay, "pulse_relay_app_sessions", 0).await;
    first_app.send(frame(FrameType::Data, first, b"late")).await;
    assert_eq!(first_app.expect::<ChannelClose>().await.channel_id, first);
}

#[tokio::test]
async fn a_refused_or_unknown_connect_is_told_to_the_app() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut app = Client::connect(&relay, "/ws/app").await;
    let connect = |instance_id: &str| Connect::new(instance_id, "");
    app.send(connect("relay_unknown").to_frame(0).unwrap()).await;
    assert_eq!(app.refusal().await.0, "INSTANCE_NOT_FOUND");
    app.send(connect(&ack.instance_id).to_frame(0).unwrap()).await;
    let open: ChannelOpen = instance.expect().await;
    let close = ChannelClose::new(open.channel_id, "invalid token");
    instance.send(close.to_frame(open.channel_id).unwrap()).await;
    assert_eq!(app.refusal().await, ("AUTH_FAILED".to_owned(), "invalid token".to_owned()));
    assert_eq!(metric(&relay, "pulse_relay_app_sessions").await, 0);
}

#[tokio::test]
async fn channels_are_limited_and_an_instance_that_goes_closes_them() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.channels_per_instance = 2;
    let relay = start(config).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, _) = channel(&relay, &mut instance, &ack.instance_id).await;
    let _second = channel(&relay, &mut instance, &ack.instance_id).await;
    let mut third = Client::connect(&relay, "/ws/app").await;
    let connect = Connect::new(ack.instance_id.clone(), "");
    third.send(connect.to_frame(0).unwrap()).await;
    assert_eq!(third.refusal().await.0, "CHANNEL_LIMIT_REACHED");
    drop(instance);
    assert_eq!(app.expect::<ChannelClose>().await.channel_id, here);
    metric_becomes(&relay, "pulse_relay_app_sessions", 0).await;
    app.send(connect.to_frame(0).unwrap()).await;
    assert_eq!(app.refusal().await.0, "INSTANCE_NOT_FOUND");
}

#[tokio::test]
async fn an_instance_that_does_not_answer_is_given_up() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.accept_timeout = std::time::Duration::from_millis(50);
    let relay = start(config).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let mut app = Client::connect(&relay, "/ws/app").await;
    app.send(Connect::new(ack.instance_id, "").to_frame(0).unwrap()).await;
    let open: ChannelOpen = instance.expect().await;
    assert_eq!(app.refusal().await.0, "INSTANCE_NOT_FOUND");
    assert_eq!(instance.expect::<ChannelClose>().await.channel_id, open.channel_id);
}

#[tokio::test]
async fn both_kinds_of_ping_are_answered_and_a_notification_is_taken() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    instance.send_message(Message::Ping(b"x".to_vec().into())).await;
    assert_eq!(instance.next_message().await, Some(Message::Pong(b"x".to_vec().into())));
    let push = {
        let mut push_notification = pulse_trust::relay::PushNotification::default();
        push_notification.title = "T".to_owned();
        push_notification
    };
    instance.send(push.to_frame(0).unwrap()).await;
    instance.send(frame(FrameType::Ping, 0, b"")).await;
    assert_eq!(instance.next().await.unwrap(), frame(FrameType::Pong, 0, b""));
    assert_eq!(metric(&relay, "pulse_relay_push_notifications_total").await, 1);
}

#[tokio::test]
async fn a_drain_is_told_to_everyone() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, ..) = channel(&relay, &mut instance, &ack.instance_id).await;
    let drained = tokio::spawn(relay.drain());
    for client in [&mut instance, &mut app] {
        let mut told = Vec::new();
        while let Some(bytes) = client.next().await {
            told.push(Frame::decode(&bytes).unwrap().frame_type);
        }
        // The other end of the channel may have gone first.
        told.retain(|frame_type| *frame_type != FrameType::ChannelClose);
        assert_eq!(told, [Drain::FRAME_TYPE]);
    }
    drained.await.unwrap();
}
