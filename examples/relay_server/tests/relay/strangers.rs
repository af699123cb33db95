//! Whoever has not said who it is: what it may cost.

use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use pulse_relay::{Config, Rate};
use pulse_trust::relay::FrameType;
use socket2::{Domain, Socket, Type};

use crate::common::{Client, TestKeys, frame, fresh, metric, refused, register, registered, start, status_of};
use crate::program::Program;

const HOST: &str = "t-1.cloud.example.test";

/// 400 of them from one address were answered AUTH_FAILED, none was limited, counted or logged.
#[tokio::test]
async fn registers_that_cannot_be_read_count_as_any_refusal() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.refusals_per_address = Rate::new(20, Duration::from_secs(30));
    let relay = start(config).await;
    let mut codes = Vec::new();
    for first in [frame(FrameType::Register, 0, b"{"), frame(FrameType::Data, 1, b"x")] {
        for _ in 0..15 {
            let mut client = Client::connect(&relay, "/ws/instance").await;
            client.send(first.clone()).await;
            codes.push(client.refusal().await.0);
            assert_eq!(client.end().await.1, 1008);
        }
    }
    let taken = codes.iter().take_while(|code| *code == "AUTH_FAILED").count();
    assert!((20..=21).contains(&taken), "{taken} were decided on");
    assert!(codes.iter().skip(taken).all(|code| code == "RATE_LIMITED"), "{codes:?}");
    assert_eq!(refused(&relay, &register("bad", "h", "key")).await.0, "RATE_LIMITED");
    let counted = metric(&relay, r#"pulse_relay_refusals_total{code="AUTH_FAILED"}"#).await;
    assert_eq!(counted, i64::try_from(taken).unwrap());
}

fn connect_from(source: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((source, 0)).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

/// A quarter of the descriptors in connections of one address that sent no byte shut every instance out.
#[tokio::test]
async fn one_address_that_sends_nothing_shuts_no_other_out() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.http_connections = 40;
    let relay = start(config).await;
    let silent: Vec<_> = (0..60).map(|_| connect_from([127, 0, 0, 9], relay.local_addr())).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (_instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    assert_eq!(metric(&relay, "pulse_relay_connections_refused_total").await, 30);
    // Places come back with their connections, one by one.
    drop(silent);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let again: Vec<_> = (0..30).map(|_| connect_from([127, 0, 0, 9], relay.local_addr())).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(metric(&relay, "pulse_relay_connections_refused_total").await, 30);
    drop(again);
}

/// Whoever registers, or is accepted, leaves its place among the strangers.
#[tokio::test]
async fn instances_of_one_address_are_not_counted_once_they_are_registered() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.http_connections = 8;
    let relay = start(config).await;
    let mut kept = Vec::new();
    for number in 0..20 {
        let token = keys.lease(&format!("t-{number}.example.test"), 3600);
        kept.push(registered(&relay, &register(&token, "h", "key")).await);
    }
    assert_eq!(metric(&relay, "pulse_relay_connections_refused_total").await, 0);
}

/// With 300 descriptors, 380 idle connections used them up, and the log said "Too many open files".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_limit_of_descriptors_does_not_run_out() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut command = Program::command(&directory, &keys, &[]);
    let mut limited = std::process::Command::new("prlimit");
    limited.arg("--nofile=300:300").arg(command.get_program());
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap());
    }
    drop(std::mem::replace(&mut command, limited));
    let log = directory.path().join("log");
    command.stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let program = Program::started(command, directory);
    let mut idle = Vec::new();
    for number in 0..380_u16 {
        let last = u8::try_from(number % 100).unwrap();
        idle.push(connect_from([127, 0, 1, last], program.addr));
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", program.child.id())).unwrap().count();
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(descriptors < 290 && !text.contains("Too many open files"), "{descriptors} are open: {text}");
    drop(idle);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(status_of(program.addr, "/healthz").await, 200);
}

/// `Sec-WebSocket-Key: a`, and HTTP/1.0, got 101.
#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let status = |version: &'static str, key: &'static str| {
        let addr = relay.local_addr();
        tokio::task::spawn_blocking(move || {
            use std::io::{Read, Write};
            let mut stream = TcpStream::connect(addr).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            write!(
                stream,
                "GET /ws/app HTTP/{version}\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
            )
            .unwrap();
            let mut start = [0; 12];
            stream.read_exact(&mut start).unwrap();
            String::from_utf8_lossy(&start[9..]).into_owned()
        })
    };
    assert_eq!(status("1.1", "dGhlIHNhbXBsZSBub25jZQ==").await.unwrap(), "101");
    for key in ["a", "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZQ=!"] {
        assert_eq!(status("1.1", key).await.unwrap(), "400", "{key:?}");
    }
    assert_eq!(status("1.0", "dGhlIHNhbXBsZSBub25jZQ==").await.unwrap(), "426");
}
