//! A license server whose certificate is of a private authority.

use std::fs;
use std::process::Command;

use pulse_relay::{Config, FeedConfig, TlsFiles};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::{TestKeys, metric, refused, register, start};
use crate::tls::Authority;

const HOST: &str = "t-1.cloud.example.test";

/// A license server over TLS that revokes the host; its base URL.
async fn license_server(authority: &Authority, directory: &std::path::Path) -> String {
    let files = TlsFiles { certificate: directory.join("server.pem"), key: directory.join("server.key") };
    authority.issue(2099, &files.certificate, &files.key);
    let acceptor = crate::tls::acceptor(&files);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            let body = format!(r#"{{"next_seq":1,"events":[{{"host":"{HOST}"}}]}}"#);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
    });
    format!("https://localhost:{port}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_authority_is_trusted_where_it_is_named_and_nobody_elses_is() {
    let (keys, directory) = (TestKeys::new(), tempfile::tempdir().unwrap());
    let (authority, other) = (Authority::new(), Authority::new());
    let url = license_server(&authority, directory.path()).await;
    for (authority, name) in [(&authority, "ca.pem"), (&other, "other.pem")] {
        fs::write(directory.path().join(name), authority.root_pem()).unwrap();
    }
    let feed = FeedConfig::new(&url, "token").unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path().join("data"));
    config.revocation_feed = Some(feed.clone().with_authority(directory.path().join("ca.pem")));
    let relay = start(config.clone()).await;
    assert_eq!(refused(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await.0, "LICENSE_INVALID");
    relay.drain().await;
    config.limits.revocations_max_age = std::time::Duration::from_secs(3600);
    for feed in [feed.clone(), feed.with_authority(directory.path().join("other.pem"))] {
        config.revocation_feed = Some(feed);
        let relay = start(config.clone()).await;
        assert_eq!(metric(&relay, "pulse_relay_revocation_feed_stale").await, 1);
        relay.drain().await;
    }
}

#[test]
fn a_file_that_is_no_authority_is_named_by_the_check_and_by_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    let empty_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for content in [None, Some(""), Some("no certificate"), Some(empty_certificate)] {
        fs::remove_file(&path).ok();
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        for arguments in [&["--check-config"][..], &[]] {
            let output = Command::new(env!("CARGO_BIN_EXE_pulse-relay"))
                .args(arguments)
                .env("PULSE_RELAY_DATA_DIR", directory.path().join("data"))
                .env("PULSE_RELAY_LICENSE_SERVER_URL", "https://license.example.test")
                .env("PULSE_RELAY_REVOCATION_FEED_TOKEN", "token")
                .env("PULSE_RELAY_LICENSE_SERVER_CA", &path)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{content:?}: {text}");
            assert!(text.contains("ca.pem") && text.contains("PULSE_RELAY_LICENSE_SERVER_CA"), "{content:?}: {text}");
        }
    }
}
