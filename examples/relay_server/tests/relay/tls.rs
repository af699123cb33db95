//! TLS on the listener.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_relay::{Config, Relay, TlsFiles};
use pulse_trust::relay::{ControlPayload, Frame, RegisterAck};
use rcgen::{CertificateParams, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tokio_tungstenite::tungstenite::Message;

use crate::common::{TestKeys, register};

const HOST: &str = "t-1.cloud.example.test";

/// A private authority, made for a test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
    root_pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let (root, root_pem) = (root.der().clone(), root.pem());
        Self { issuer: Issuer::new(params, key), root, root_pem }
    }

    pub(crate) fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// Writes a certificate for localhost that counts until this year's end, and its key.
    pub(crate) fn issue(&self, until_year: i32, certificate: &Path, key: &Path) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until_year, 12, 31);
        let pair = KeyPair::generate().unwrap();
        fs::write(certificate, params.signed_by(&pair, &self.issuer).unwrap().pem()).unwrap();
        fs::write(key, pair.serialize_pem()).unwrap();
    }

    async fn connect(&self, addr: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_on(TcpStream::connect(addr).await.unwrap()).await
    }

    async fn connect_on(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// The certificate that the relay shows to a new connection.
    async fn shown(&self, addr: SocketAddr) -> CertificateDer<'static> {
        let stream = self.connect(addr).await.unwrap();
        stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned()
    }

    async fn get(&self, addr: SocketAddr, path: &str) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = self.connect(addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Waits for what the relay's metrics must come to say.
    async fn until(&self, addr: SocketAddr, say: impl Fn(&str) -> bool) -> String {
        let mut metrics = String::new();
        for _ in 0..100 {
            metrics = self.get(addr, "/metrics").await;
            if say(&metrics) {
                return metrics;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{metrics}");
    }
}

/// A server's end of TLS with these files.
pub(crate) fn acceptor(files: &TlsFiles) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(&files.certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(&files.key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn failures(metrics: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix("pulse_relay_tls_reload_failures_total "));
    line.unwrap().parse().unwrap()
}

fn files(directory: &Path) -> TlsFiles {
    TlsFiles { certificate: directory.join("relay.pem"), key: directory.join("relay.key") }
}

async fn start(keys: &TestKeys, directory: &Path) -> Relay {
    let mut config = Config::on_loopback(keys.trusted(), directory.join("data"));
    config.tls = Some(files(directory));
    config.limits.certificate_interval = Duration::from_millis(100);
    Relay::start(config).await.unwrap()
}

#[tokio::test]
async fn a_proxy_header_comes_before_tls() {
    use tokio::io::AsyncWriteExt;
    let (keys, authority, directory) = (TestKeys::new(), Authority::new(), tempfile::tempdir().unwrap());
    let files = files(directory.path());
    authority.issue(2099, &files.certificate, &files.key);
    let mut config = Config::on_loopback(keys.trusted(), directory.path().join("data"));
    config.tls = Some(files);
    config.proxy_protocol = vec!["127.0.0.1/32".parse().unwrap()];
    let relay = Relay::start(config).await.unwrap();
    let mut stream = TcpStream::connect(relay.local_addr()).await.unwrap();
    stream.write_all(b"PROXY TCP4 198.51.100.7 192.0.2.1 51234 443\r\n").await.unwrap();
    let stream = authority.connect_on(stream).await.unwrap();
    tokio_tungstenite::client_async("wss://localhost/ws/instance", stream).await.unwrap();
    assert!(authority.connect(relay.local_addr()).await.is_err(), "TLS without the header was served");
}

#[tokio::test]
async fn an_instance_registers_over_tls_and_a_large_frame_arrives() {
    let (keys, authority, directory) = (TestKeys::new(), Authority::new(), tempfile::tempdir().unwrap());
    let files = files(directory.path());
    authority.issue(2099, &files.certificate, &files.key);
    let relay = start(&keys, directory.path()).await;
    let stream = authority.connect(relay.local_addr()).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async("wss://localhost/ws/instance", stream).await.unwrap();
    // Larger than a record of TLS, and larger than any that is taken at once.
    let mut large = register(&keys.lease(HOST, 3600), "h", "key");
    large.client_version = Some("v".repeat(40_000));
    socket.send(Message::Binary(large.to_frame(0).unwrap().into())).await.unwrap();
    let Message::Binary(bytes) = socket.next().await.unwrap().unwrap() else { panic!("no frame") };
    let ack = RegisterAck::from_frame(&Frame::decode(&bytes).unwrap()).unwrap();
    assert!(ack.instance_id.starts_with("relay_"), "{}", ack.instance_id);
    // Who speaks plainly is not served.
    let plain = tokio_tungstenite::connect_async(format!("ws://{}/ws/instance", relay.local_addr())).await;
    assert!(plain.is_err());
    assert!(Authority::new().connect(relay.local_addr()).await.is_err(), "a stranger's root is enough");
    let metrics = authority.get(relay.local_addr(), "/metrics").await;
    assert!(metrics.contains("pulse_relay_tls_handshake_failures_total 2"), "{metrics}");
    // The close of a drain arrives.
    let closed = tokio::spawn(async move {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(close)))) => return u16::from(close.code),
                Some(Ok(_)) => {}
                _ => return 1006,
            }
        }
    });
    relay.drain().await;
    assert_eq!(closed.await.unwrap(), 1001);
}

#[tokio::test]
async fn a_new_certificate_is_used_and_a_half_written_one_is_not() {
    let (keys, authority, directory) = (TestKeys::new(), Authority::new(), tempfile::tempdir().unwrap());
    let files = files(directory.path());
    authority.issue(2098, &files.certificate, &files.key);
    let relay = start(&keys, directory.path()).await;
    let addr = relay.local_addr();
    let old = authority.shown(addr).await;
    let old_key = fs::read(&files.key).unwrap();
    authority.issue(2099, &files.certificate, &files.key);
    let new_key = fs::read(&files.key).unwrap();
    fs::write(&files.key, old_key).unwrap();
    authority.until(addr, |metrics| failures(metrics) > 0).await;
    // The relay may have seen both files before the old key was put back.
    let meanwhile = authority.shown(addr).await;
    fs::write(&files.key, new_key).unwrap();
    let until_2099 = "pulse_relay_tls_certificate_not_after_timestamp_seconds 4102358400";
    let is_new = |metrics: &str| metrics.contains(until_2099) && metrics.contains("pulse_relay_tls_reloads_total 1");
    authority.until(addr, is_new).await;
    let new = authority.shown(addr).await;
    assert_ne!(new, old);
    assert!(meanwhile == old || meanwhile == new);
}

/// A pipe in its place ended the following of the files in silence, and an expired certificate replaced a good one.
#[tokio::test]
async fn neither_a_pipe_nor_an_expired_certificate_replaces_a_good_one() {
    let (keys, authority, directory) = (TestKeys::new(), Authority::new(), tempfile::tempdir().unwrap());
    let files = files(directory.path());
    authority.issue(2098, &files.certificate, &files.key);
    let relay = start(&keys, directory.path()).await;
    let addr = relay.local_addr();
    let old = authority.shown(addr).await;
    fs::remove_file(&files.certificate).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(&files.certificate).status().unwrap();
    assert!(pipe.success());
    let metrics = authority.until(addr, |metrics| failures(metrics) > 0).await;
    fs::remove_file(&files.certificate).unwrap();
    // What failed until now is read anew until the expired one is there whole.
    authority.issue(2020, &files.certificate, &files.key);
    authority.until(addr, |now| failures(now) > failures(&metrics) + 2).await;
    assert_eq!(authority.shown(addr).await, old);
    authority.issue(2099, &files.certificate, &files.key);
    authority.until(addr, |metrics| metrics.contains("pulse_relay_tls_reloads_total 1")).await;
    assert_ne!(authority.shown(addr).await, old);
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named_with_their_setting() {
    let (keys, authority, directory) = (TestKeys::new(), Authority::new(), tempfile::tempdir().unwrap());
    let files = files(directory.path());
    let config = || {
        let mut config = Config::on_loopback(keys.trusted(), directory.path().join("data"));
        config.tls = Some(files.clone());
        config
    };
    let refused = || async {
        match Relay::start(config()).await {
            Ok(_) => panic!("the relay has started"),
            Err(error) => error.to_string(),
        }
    };
    let error = refused().await;
    assert!(error.contains("relay.pem") && error.contains("PULSE_RELAY_TLS_CERTIFICATE"), "{error}");
    authority.issue(2099, &files.certificate, &files.key);
    let key = fs::read_to_string(&files.key).unwrap();
    fs::write(&files.key, key.replace("PRIVATE KEY", "NOTHING")).unwrap();
    let error = refused().await;
    let secret = key.lines().nth(1).unwrap();
    assert!(error.contains("PULSE_RELAY_TLS_KEY") && !error.contains(secret), "{error}");
    fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let error = refused().await;
    assert!(error.contains("do not belong together"), "{error}");
    fs::write(&files.certificate, "nothing").unwrap();
    let error = refused().await;
    assert!(error.contains("PULSE_RELAY_TLS_CERTIFICATE") && error.contains("found none"), "{error}");
}
