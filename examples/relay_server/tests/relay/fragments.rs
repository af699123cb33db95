//! Messages in fragments: taken like others, and no way to keep the relay busy unseen.

use std::time::Duration;

use pulse_trust::relay::FrameType;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::common::{Client, TestKeys, channel, frame, fresh, metric_becomes, register, registered};

const HOST: &str = "t-1.cloud.example.test";
const BINARY: u8 = 2;
const CONTINUATION: u8 = 0;
const FINAL: u8 = 0x80;

/// A client's WebSocket frame, masked with zeros.
fn fragment(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0][..], payload].concat()
}

/// A message in one fragment for each byte, and an empty one at its end.
fn in_pieces(message: &[u8]) -> Vec<u8> {
    let pieces = message.iter().enumerate();
    let mut bytes: Vec<u8> =
        pieces.flat_map(|(index, byte)| fragment(if index == 0 { BINARY } else { CONTINUATION }, &[*byte])).collect();
    bytes.extend(fragment(FINAL | CONTINUATION, b""));
    bytes
}

async fn upgraded(relay: &pulse_relay::Relay) -> TcpStream {
    let stream = TcpStream::connect(relay.local_addr()).await.unwrap();
    let url = format!("ws://{}/ws/app", relay.local_addr());
    tokio_tungstenite::client_async(url, stream).await.unwrap().0.into_inner()
}

/// Two connections that sent empty fragments without end, and nothing else, kept every other one waiting for seconds; no
/// limit ended them, and nothing counted them.
#[tokio::test]
async fn a_message_of_endless_empty_fragments_ends_its_connection_at_once() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let mut stream = upgraded(&relay).await;
    let (reading, mut writing) = stream.split();
    let flooding = async move {
        writing.write_all(&fragment(BINARY, b"")).await.ok();
        let many = fragment(CONTINUATION, b"").repeat(1000);
        let mut sent = 0_u64;
        while writing.write_all(&many).await.is_ok() {
            sent += 1000;
        }
        sent
    };
    let closing = async move {
        // What is read alone is enough to see the close.
        let reading = tokio::io::join(reading, tokio::io::sink());
        let socket = WebSocketStream::from_raw_socket(reading, Role::Client, None).await;
        Client::close_of(socket).await
    };
    let both = async { tokio::join!(flooding, closing) };
    let (sent, (code, reason)) = tokio::time::timeout(Duration::from_secs(8), both).await.expect("it goes on");
    assert!(code == 1008 && reason.contains("fragments"), "{code} {reason} after {sent} fragments");
    metric_becomes(&relay, r#"pulse_relay_rate_limited_total{limit="fragments"}"#, 1).await;
}

#[tokio::test]
async fn a_message_in_some_fragments_arrives_whole_and_many_of_them_are_no_fault() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, there) = channel(&relay, &mut instance, &ack.instance_id).await;
    for round in 0..20_u8 {
        let payload = [round; 700];
        app.send_raw(&in_pieces(&frame(FrameType::Data, here, &payload))).await;
        assert_eq!(instance.next().await.unwrap(), frame(FrameType::Data, there, &payload), "round {round}");
    }
    // What fragments cost on the wire is not counted as a message that never ends.
    tokio::time::sleep(Duration::from_millis(100)).await;
    metric_becomes(&relay, "pulse_relay_queued_bytes", 0).await;
}
