//! The admin address among many who use it.

use std::net::SocketAddr;
use std::time::Duration;

use pulse_relay::{Config, Relay};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::common::{TestKeys, start, status_of, try_status_of};

/// A relay with an admin address, where a request may take so long.
async fn with_admin(hello_timeout: Duration) -> (Relay, SocketAddr, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(TestKeys::new().trusted(), directory.path());
    config.admin_addr = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    config.limits.hello_timeout = hello_timeout;
    let relay = start(config).await;
    let addr = relay.admin_addr().unwrap();
    (relay, addr, directory)
}

async fn is_closed(stream: &mut TcpStream) {
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut [0; 1])).await;
    assert!(!read.expect("it stays open").is_ok_and(|length| length > 0));
}

/// Nothing bounded them, and a user of the machine used up every descriptor of the relay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_connections_as_an_operator_needs_and_no_more() {
    let (_relay, addr, _directory) = with_admin(Duration::from_secs(300)).await;
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(TcpStream::connect(addr).await.unwrap());
    }
    for stream in streams.iter_mut().skip(16) {
        is_closed(stream).await;
    }
    streams.clear();
    // The relay notices in its own time that the others are gone.
    for _ in 0..200 {
        if try_status_of(addr, "/settings").await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    for _ in 0..100 {
        assert_eq!(status_of(addr, "/settings").await, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_says_nothing_is_closed() {
    let (_relay, addr, _directory) = with_admin(Duration::from_secs(1)).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    is_closed(&mut stream).await;
}
