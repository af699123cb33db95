//! A proxy that speaks the PROXY protocol says where connections come from, and nobody else can.

use std::time::Duration;

use ipnet::IpNet;
use pulse_relay::{Config, Rate, Relay};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{TestKeys, metric, socket_from, start};

const PROXY: [u8; 4] = [127, 0, 0, 9];
const V1: &[u8] = b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 443\r\n";
/// 198.51.100.8, in version 2.
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x08\xc0\0\x02\x01\xc8\x22\x01\xbb";

/// The first line of the answer to a handshake, of a connection from `source` that begins with these bytes; empty where there is none.
async fn handshake(relay: &Relay, source: [u8; 4], begins: &[u8]) -> String {
    let mut stream = socket_from(source).connect(relay.local_addr()).await.unwrap();
    let request = "GET /ws/app HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(&[begins, request.as_bytes()].concat()).await.unwrap();
    let mut answer = vec![0; 512];
    // A reset is not an answer either.
    let read =
        tokio::time::timeout(Duration::from_secs(5), stream.read(&mut answer)).await.unwrap().unwrap_or_default();
    String::from_utf8_lossy(&answer[..read]).lines().next().unwrap_or_default().to_owned()
}

async fn behind_proxy(proxies: &[&str]) -> (Relay, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(TestKeys::new().trusted(), directory.path());
    config.proxy_protocol = proxies.iter().map(|network| network.parse::<IpNet>().unwrap()).collect();
    // The second handshake of an address is told so.
    config.limits.handshakes_per_address = Rate::new(1, Duration::from_secs(600));
    (start(config).await, directory)
}

#[tokio::test]
async fn what_the_proxy_names_is_what_limits_count() {
    let (relay, _directory) = behind_proxy(&["127.0.0.9/32"]).await;
    for header in [V1, V2] {
        assert_eq!(handshake(&relay, PROXY, header).await, "HTTP/1.1 101 Switching Protocols");
        assert_eq!(handshake(&relay, PROXY, header).await, "HTTP/1.1 429 Too Many Requests");
    }
    // A health check of the proxy itself is the proxy's own.
    assert_eq!(handshake(&relay, PROXY, b"PROXY UNKNOWN\r\n").await, "HTTP/1.1 101 Switching Protocols");
    assert_eq!(handshake(&relay, PROXY, b"").await, "", "a proxy's connection without the header was served");
    assert_eq!(metric(&relay, "pulse_relay_proxy_headers_refused_total").await, 1);
}

#[tokio::test]
async fn nobody_else_is_believed_or_has_to_say_it() {
    let (relay, _directory) = behind_proxy(&["127.0.0.9/32"]).await;
    assert_eq!(handshake(&relay, [127, 0, 0, 1], V1).await, "HTTP/1.1 400 Bad Request");
    assert_eq!(handshake(&relay, [127, 0, 0, 1], b"").await, "HTTP/1.1 101 Switching Protocols");
    let (relay, _directory) = behind_proxy(&[]).await;
    assert_eq!(handshake(&relay, PROXY, V1).await, "HTTP/1.1 400 Bad Request");
}

/// One address has at most three quarters of the places of those that have not registered yet.
#[tokio::test]
async fn a_proxy_behind_which_everybody_is_has_every_place() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(TestKeys::new().trusted(), directory.path());
    config.proxy_protocol = vec!["127.0.0.9/32".parse().unwrap()];
    config.limits.http_connections = 8;
    let relay = start(config).await;
    let mut silent = Vec::new();
    for _ in 0..7 {
        let mut stream = socket_from(PROXY).connect(relay.local_addr()).await.unwrap();
        stream.write_all(V1).await.unwrap();
        silent.push(stream);
    }
    assert_eq!(metric(&relay, "pulse_relay_connections_refused_total").await, 0);
}
