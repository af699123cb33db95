//! A relay and its clients, as the tests use them: over real sockets on loopback.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "each test file uses its part of it")]

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_relay::{Config, Relay};
use pulse_trust::UnixTime;
use pulse_trust::entitlement::{Capability, InstanceHost, LeaseClaims, LicenseClaims};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType, Register, RegisterAck};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The keys of the tests: made anew, trusted by nobody else.
pub struct TestKeys {
    pub lease: SigningKey,
    pub license: SigningKey,
}

impl TestKeys {
    pub fn new() -> Self {
        Self { lease: SigningKey::generate().unwrap(), license: SigningKey::generate().unwrap() }
    }

    pub fn trusted(&self) -> TrustKeys {
        TrustKeys {
            lease: TrustKeySet::new([self.lease.public_key().clone()]),
            license: TrustKeySet::new([self.license.public_key().clone()]),
        }
    }

    /// A lease for a host, that expires after so many seconds.
    pub fn lease(&self, host: &str, ttl: i64) -> String {
        let host = InstanceHost::normalize(host).unwrap();
        let mut claims = LeaseClaims::new(&host, UnixTime::from_secs(UnixTime::now().as_secs() + ttl));
        claims.capabilities = vec![Capability::RELAY];
        claims.sign(&self.lease).unwrap()
    }

    pub fn license(&self, license_id: &str) -> String {
        let claims = format!(r#"{{"lid":"{license_id}","email":"a@example.test","tier":"pro"}}"#);
        LicenseClaims::from_json(&claims).unwrap().sign(&self.license).unwrap()
    }
}

pub async fn start(config: Config) -> Relay {
    Relay::start(config).await.unwrap()
}

/// A relay with these keys and a directory of its own.
pub async fn fresh(keys: &TestKeys) -> (Relay, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (start(Config::on_loopback(keys.trusted(), directory.path())).await, directory)
}

pub struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub async fn connect(relay: &Relay, path: &str) -> Self {
        Self(connect_async(format!("ws://{}{path}", relay.local_addr())).await.unwrap().0)
    }

    pub async fn send(&mut self, frame: Vec<u8>) {
        self.0.send(Message::Binary(frame.into())).await.unwrap();
    }

    pub async fn send_message(&mut self, message: Message) {
        self.0.send(message).await.ok();
    }

    /// The next frame; `None` where the connection ends.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let next = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Binary(bytes))) => return Some(bytes.to_vec()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    _ => return None,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), next).await.expect("no frame within 10 s")
    }

    /// The next message, whatever it is.
    pub async fn next_message(&mut self) -> Option<Message> {
        tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.unwrap()?.ok()
    }

    pub async fn expect<P: ControlPayload>(&mut self) -> P {
        let bytes = self.next().await.expect("the connection ended");
        let frame = Frame::decode(&bytes).unwrap();
        P::from_frame(&frame).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(frame.payload)))
    }

    /// The code of the ERROR that comes next, and its message.
    pub async fn refusal(&mut self) -> (String, String) {
        let error: ErrorMessage = self.expect().await;
        (error.code, error.message)
    }
}

pub fn register(token: &str, hint: &str, identity: &str) -> Register {
    Register {
        license_token: token.into(),
        instance_hint: hint.into(),
        identity_pub_key: identity.to_owned(),
        client_version: "test".to_owned(),
        ..Register::default()
    }
}

/// Registers and returns the connection with its ACK.
pub async fn registered(relay: &Relay, register: &Register) -> (Client, RegisterAck) {
    let mut client = Client::connect(relay, "/ws/instance").await;
    client.send(register.to_frame(0).unwrap()).await;
    let ack = client.expect().await;
    (client, ack)
}

/// Registers in vain: the wire code and the message.
pub async fn refused(relay: &Relay, register: &Register) -> (String, String) {
    let mut client = Client::connect(relay, "/ws/instance").await;
    client.send(register.to_frame(0).unwrap()).await;
    client.refusal().await
}

/// An app with an open channel: its connection and channel, and the instance's channel.
pub async fn channel(relay: &Relay, instance: &mut Client, instance_id: &str) -> (Client, u32, u32) {
    use pulse_trust::relay::ChannelOpen;
    let mut app = Client::connect(relay, "/ws/app").await;
    let connect = Connect { instance_id: instance_id.to_owned(), auth_token: "tok".into(), ..Connect::default() };
    app.send(connect.to_frame(0).unwrap()).await;
    let open: ChannelOpen = instance.expect().await;
    assert_eq!(open.auth_token, "tok".into());
    instance.send(open.to_frame(open.channel_id).unwrap()).await;
    let ack: ConnectAck = app.expect().await;
    assert_eq!(ack.instance_id, instance_id);
    (app, ack.channel_id, open.channel_id)
}

pub fn frame(frame_type: FrameType, channel: u32, payload: &[u8]) -> Vec<u8> {
    Frame::new(frame_type, channel, payload).encode().unwrap()
}

/// What `/metrics` says of one metric line.
pub async fn metric(relay: &Relay, name: &str) -> i64 {
    let text = get(relay, "/metrics").await;
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |value| value.parse().unwrap())
}

pub async fn get(relay: &Relay, path: &str) -> String {
    let url = format!("http://{}{path}", relay.local_addr());
    tokio::task::spawn_blocking(move || ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap())
        .await
        .unwrap()
}

/// Waits for a metric to have a value: what happens on another connection takes its time.
pub async fn metric_becomes(relay: &Relay, name: &str, expected: i64) {
    for _ in 0..200 {
        if metric(relay, name).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{name} is {}, not {expected}", metric(relay, name).await);
}
