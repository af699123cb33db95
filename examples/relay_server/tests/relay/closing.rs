//! How connections and channels end, and what their ends are told.

use std::time::Duration;

use pulse_relay::{Config, Relay};
use pulse_trust::relay::{
    ChannelClose, ChannelOpen, Connect, ControlPayload, ErrorMessage, Frame, FrameType, MAX_PAYLOAD_LEN,
};
use tokio_tungstenite::tungstenite::Message;

use crate::common::{Client, TestKeys, channel, connect, frame, fresh, metric_becomes, register, registered};

const HOST: &str = "t-1.cloud.example.test";

#[tokio::test]
async fn what_cannot_be_taken_closes_with_the_code_that_says_why() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let wrong_role = Connect::default().to_frame(0).unwrap();
    for (number, (message, expected)) in [
        (Message::Text("hello".into()), 1003),
        (Message::Binary(vec![1; MAX_PAYLOAD_LEN + 7].into()), 1009),
        (Message::Binary(vec![9, 9, 9].into()), 1002),
        (Message::Binary(wrong_role.into()), 1002),
    ]
    .into_iter()
    .enumerate()
    {
        let token = keys.lease(&format!("t-{number}.example.test"), 3600);
        let (mut instance, _) = registered(&relay, &register(&token, "h", "key")).await;
        instance.send_message(message).await;
        let (frames, code, reason) = instance.end().await;
        assert_eq!(code, expected, "{reason}");
        assert!(frames.iter().all(|bytes| Frame::decode(bytes).unwrap().frame_type == FrameType::Error));
    }
    metric_becomes(&relay, "pulse_relay_instance_connections", 0).await;
}

/// A reason that is not text was answered with 1003, as if a text message had come.
#[tokio::test]
async fn a_close_whose_reason_is_no_text_is_answered_with_1007() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let mut app = Client::connect(&relay, "/ws/app").await;
    app.send_raw(&[0x88, 0x80 | 4, 0, 0, 0, 0, 0x03, 0xe8, 0xff, 0xfe]).await;
    let (_, code, reason) = app.end().await;
    assert!(code == 1007 && reason.contains("UTF-8"), "{code} {reason}");
}

/// A reason whose characters JSON escapes to six bytes each did not fit the frame, and was never sent.
#[tokio::test]
async fn a_long_reason_arrives_cut() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let reason = format!("no: {}", "x".repeat(60_000));
    let mut refused = Client::connect(&relay, "/ws/app").await;
    refused.say(&connect(&ack.instance_id), 0).await;
    let open: ChannelOpen = instance.expect().await;
    // Written by hand: with the characters as they are, which our own writer would escape.
    let raw = |id: u32, reason: &str| {
        frame(FrameType::ChannelClose, id, format!(r#"{{"channel_id":{id},"reason":"{reason}"}}"#).as_bytes())
    };
    instance.send(raw(open.channel_id, &"<".repeat(60_000))).await;
    assert_eq!(refused.refusal().await, ("AUTH_FAILED".to_owned(), "<".repeat(256)));
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    instance.send(raw(there, &reason)).await;
    let close: ChannelClose = app.expect().await;
    assert_eq!((close.channel_id, close.reason.as_str()), (here, &reason[..256]));
}

#[tokio::test]
async fn a_takeover_is_told_to_the_one_that_lost() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let token = keys.lease(HOST, 3600);
    let (mut first, ack) = registered(&relay, &register(&token, "h", "key")).await;
    let (mut app, here, _) = channel(&relay, &mut first, &ack.instance_id).await;
    let (mut second, _) = registered(&relay, &register(&token, "h", "key")).await;
    let (frames, code, _) = first.end().await;
    let error = ErrorMessage::from_frame(&Frame::decode(frames.last().unwrap()).unwrap()).unwrap();
    assert_eq!((error.code.as_str(), code), ("DUPLICATE_INSTANCE", 1008));
    assert_eq!(app.expect::<ChannelClose>().await.channel_id, here);
    metric_becomes(&relay, "pulse_relay_takeovers_total", 1).await;
    metric_becomes(&relay, "pulse_relay_instance_connections", 1).await;
    second.settle().await;
}

/// The gauge drifted below 0 when both ends died at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_is_left_or_counted_twice_however_it_ends() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    for round in 0..40 {
        let token = keys.lease(&format!("t-{round}.example.test"), 3600);
        let (mut instance, ack) = registered(&relay, &register(&token, "h", "key")).await;
        let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
        let (both, bye) = (round % 2 == 0, round % 3 == 0);
        let ends = tokio::join!(
            tokio::spawn(async move {
                if bye {
                    instance.say(&ChannelClose::new(there, ""), there).await;
                }
                both.then_some(instance)
            }),
            tokio::spawn(async move {
                if bye {
                    app.say(&ChannelClose::new(here, ""), here).await;
                }
                drop(app);
            })
        );
        drop(ends);
    }
    metric_becomes(&relay, "pulse_relay_app_sessions", 0).await;
    metric_becomes(&relay, "pulse_relay_app_connections", 0).await;
    metric_becomes(&relay, "pulse_relay_instance_connections", 0).await;
}

/// A listener that breaks: what it is worth then is for the program to say.
struct Broken;

impl pulse_relay::Listener for Broken {
    type Stream = tokio::net::TcpStream;

    async fn accept(&mut self) -> std::io::Result<(Self::Stream, std::net::SocketAddr)> {
        panic!("the listener broke")
    }

    fn local_addr(&self) -> std::io::Result<std::net::SocketAddr> {
        Ok(([127, 0, 0, 1], 1).into())
    }
}

/// The accept loop ended for good, and the process went on without it.
#[tokio::test]
async fn a_relay_that_takes_no_more_connections_says_so() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut relay = Relay::start_on(Broken, Config::on_loopback(keys.trusted(), directory.path())).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), relay.failed()).await.expect("it does not say that it failed");
    let (mut serving, _directory) = fresh(&keys).await;
    let goes_on = tokio::time::timeout(Duration::from_millis(200), serving.failed()).await;
    assert!(goes_on.is_err(), "a relay that serves says that it failed");
    Client::connect(&serving, "/ws/app").await;
}
