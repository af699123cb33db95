//! A relay and its clients, as the tests use them: over real sockets on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_relay::{Config, Relay};
use pulse_trust::UnixTime;
use pulse_trust::entitlement::{Capability, GrantClaims, InstanceHost, LeaseClaims, LicenseClaims};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType, Register, RegisterAck};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The keys of the tests: made for them and trusted by nobody else.
pub(crate) struct TestKeys {
    pub(crate) lease: SigningKey,
    pub(crate) license: SigningKey,
}

impl TestKeys {
    pub(crate) fn new() -> Self {
        Self { lease: SigningKey::generate().unwrap(), license: SigningKey::generate().unwrap() }
    }

    pub(crate) fn trusted(&self) -> TrustKeys {
        TrustKeys::new(
            TrustKeySet::new([self.lease.public_key().clone()]),
            TrustKeySet::new([self.license.public_key().clone()]),
        )
    }

    /// A lease for a host, that expires after so many seconds.
    pub(crate) fn lease(&self, host: &str, ttl: i64) -> String {
        let host = InstanceHost::normalize(host).unwrap();
        let mut claims = LeaseClaims::new(&host, UnixTime::from_secs(UnixTime::now().as_secs() + ttl));
        claims.capabilities = vec![Capability::RELAY];
        claims.sign(&self.lease).unwrap().expose_secret().to_owned()
    }

    /// A grant of a license at a version, for an installation.
    pub(crate) fn grant(&self, license_id: &str, version: i64, installation: &str, token_id: &str) -> String {
        let expires_at = UnixTime::now().as_secs() + 3600;
        let claims = format!(
            r#"{{"lid":"{license_id}","iid":"{installation}","lv":{version},"st":"active","tier":"pro","exp":{expires_at},"jti":"{token_id}"}}"#
        );
        GrantClaims::from_json(&claims).unwrap().sign(&self.license).unwrap().expose_secret().to_owned()
    }

    pub(crate) fn license(&self, license_id: &str) -> String {
        let claims = format!(r#"{{"lid":"{license_id}","email":"a@example.test","tier":"pro"}}"#);
        LicenseClaims::from_json(&claims).unwrap().sign(&self.license).unwrap().expose_secret().to_owned()
    }
}

pub(crate) async fn start(config: Config) -> Relay {
    Relay::start(config).await.unwrap()
}

/// A relay with these keys and a directory of its own.
pub(crate) async fn fresh(keys: &TestKeys) -> (Relay, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (start(Config::on_loopback(keys.trusted(), directory.path())).await, directory)
}

pub(crate) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub(crate) async fn connect(relay: &Relay, path: &str) -> Self {
        Self::connect_to(relay.local_addr(), path).await
    }

    pub(crate) async fn connect_to(addr: SocketAddr, path: &str) -> Self {
        Self(connect_async(format!("ws://{addr}{path}")).await.unwrap().0)
    }

    /// The status of a handshake that is refused.
    pub(crate) async fn handshake_status(relay: &Relay, path: &str) -> u16 {
        match connect_async(format!("ws://{}{path}", relay.local_addr())).await {
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => response.status().as_u16(),
            other => panic!("no status: {:?}", other.map(|_| ())),
        }
    }

    pub(crate) async fn send(&mut self, frame: Vec<u8>) {
        self.0.send(Message::Binary(frame.into())).await.unwrap();
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        self.0.send(message).await.ok();
    }

    /// The next frame; `None` where the connection ends.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
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

    /// Connects from another address than the others.
    pub(crate) async fn connect_from(source: [u8; 4], relay: &Relay, path: &str) -> Self {
        Self::connect_on(socket_from(source), relay, path).await
    }

    /// Connects an app that takes little at a time: what the kernel holds for it is small.
    pub(crate) async fn connect_little_by_little(relay: &Relay) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        Self::connect_on(socket, relay, "/ws/app").await
    }

    /// Connects on a socket that is set up already.
    pub(crate) async fn connect_on(socket: tokio::net::TcpSocket, relay: &Relay, path: &str) -> Self {
        let stream = MaybeTlsStream::Plain(socket.connect(relay.local_addr()).await.unwrap());
        let url = format!("ws://{}{path}", relay.local_addr());
        Self(tokio_tungstenite::client_async(url, stream).await.unwrap().0)
    }

    /// Sends bytes past the WebSocket library.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) {
        tokio::io::AsyncWriteExt::write_all(self.0.get_mut(), bytes).await.unwrap();
    }

    /// The code and the reason of the close that comes; 1006 if there is none.
    pub(crate) async fn close_of<S>(mut socket: WebSocketStream<S>) -> (u16, String)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(close)))) => return (close.code.into(), close.reason.to_string()),
                Some(Ok(_)) => {}
                _ => return (1006, String::new()),
            }
        }
    }

    /// The next frame, if one comes in time.
    pub(crate) async fn next_within(&mut self, time: Duration) -> Option<Vec<u8>> {
        match tokio::time::timeout(time, self.0.next()).await {
            Ok(Some(Ok(Message::Binary(bytes)))) => Some(bytes.to_vec()),
            _ => None,
        }
    }

    /// The frames until the close, and its code; 1006 if there is none.
    pub(crate) async fn end(&mut self) -> (Vec<Vec<u8>>, u16, String) {
        let mut frames = Vec::new();
        loop {
            match tokio::time::timeout(Duration::from_secs(20), self.0.next()).await.expect("no close within 20 s") {
                Some(Ok(Message::Binary(bytes))) => frames.push(bytes.to_vec()),
                Some(Ok(Message::Close(Some(close)))) => return (frames, close.code.into(), close.reason.to_string()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return (frames, 1006, String::new()),
            }
        }
    }

    /// Sends a control frame.
    pub(crate) async fn say(&mut self, payload: &impl ControlPayload, channel: u32) {
        self.send(payload.to_frame(channel).unwrap()).await;
    }

    /// Sends a frame, where the other end still reads.
    pub(crate) async fn try_send(&mut self, frame: Vec<u8>) -> bool {
        self.0.send(Message::Binary(frame.into())).await.is_ok()
    }

    /// Answers a PING: whatever was sent before has been dealt with.
    pub(crate) async fn settle(&mut self) {
        self.send(frame(FrameType::Ping, 0, b"")).await;
        let pong = self.next().await.unwrap();
        assert_eq!(pong, frame(FrameType::Pong, 0, b""));
    }

    /// The next message, whatever it is.
    pub(crate) async fn next_message(&mut self) -> Option<Message> {
        tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.unwrap()?.ok()
    }

    pub(crate) async fn expect<P: ControlPayload>(&mut self) -> P {
        let bytes = self.next().await.expect("the connection ended");
        let frame = Frame::decode(&bytes).unwrap();
        P::from_frame(&frame).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(frame.payload)))
    }

    /// The code of the ERROR that comes next, and its message.
    pub(crate) async fn refusal(&mut self) -> (String, String) {
        let error: ErrorMessage = self.expect().await;
        (error.code, error.message)
    }
}

/// A socket of another address than the others.
pub(crate) fn socket_from(source: [u8; 4]) -> tokio::net::TcpSocket {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((source, 0).into()).unwrap();
    socket
}

pub(crate) fn register(token: &str, hint: &str, identity: &str) -> Register {
    let mut register = Register::new(token);
    register.instance_hint = Some(hint.into());
    register.identity_pub_key = Some(identity.to_owned());
    register.client_version = Some("test".to_owned());
    register
}

/// Resumes the session of an ACK.
pub(crate) fn resume(ack: &RegisterAck, identity: &str) -> Register {
    let mut register = register("stale", &ack.instance_id, identity);
    register.session_token = Some(ack.session_token.duplicate());
    register
}

/// Registers and returns the connection with its ACK.
pub(crate) async fn registered(relay: &Relay, register: &Register) -> (Client, RegisterAck) {
    let mut client = Client::connect(relay, "/ws/instance").await;
    client.send(register.to_frame(0).unwrap()).await;
    let ack = client.expect().await;
    (client, ack)
}

/// Registers in vain: the wire code and the message.
pub(crate) async fn refused(relay: &Relay, register: &Register) -> (String, String) {
    let mut client = Client::connect(relay, "/ws/instance").await;
    client.send(register.to_frame(0).unwrap()).await;
    client.refusal().await
}

/// A CONNECT to an instance.
pub(crate) fn connect(instance_id: &str) -> Connect {
    Connect::new(instance_id, "tok")
}

/// An app with an open channel: its connection and channel, and the instance's channel.
pub(crate) async fn channel(relay: &Relay, instance: &mut Client, instance_id: &str) -> (Client, u32, u32) {
    channel_of(Client::connect(relay, "/ws/app").await, instance, instance_id).await
}

/// The same, of an app that is connected.
pub(crate) async fn channel_of(mut app: Client, instance: &mut Client, instance_id: &str) -> (Client, u32, u32) {
    use pulse_trust::relay::ChannelOpen;
    let connect = Connect::new(instance_id, "tok");
    app.send(connect.to_frame(0).unwrap()).await;
    let open: ChannelOpen = instance.expect().await;
    assert_eq!(open.auth_token, "tok".into());
    instance.send(open.to_frame(open.channel_id).unwrap()).await;
    let ack: ConnectAck = app.expect().await;
    assert_eq!(ack.instance_id, instance_id);
    (app, ack.channel_id, open.channel_id)
}

pub(crate) fn frame(frame_type: FrameType, channel: u32, payload: &[u8]) -> Vec<u8> {
    Frame::new(frame_type, channel, payload).encode().unwrap()
}

/// What `/metrics` says of one metric line.
pub(crate) async fn metric(relay: &Relay, name: &str) -> i64 {
    let text = get(relay, "/metrics").await;
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.and_then(|line| line.rsplit(' ').next()).map_or(0, |value| value.parse().unwrap())
}

pub(crate) async fn get(relay: &Relay, path: &str) -> String {
    let url = format!("http://{}{path}", relay.local_addr());
    tokio::task::spawn_blocking(move || ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap())
        .await
        .unwrap()
}

/// The status of a GET.
pub(crate) async fn get_status(relay: &Relay, path: &str) -> u16 {
    status_of(relay.local_addr(), path).await
}

pub(crate) async fn status_of(addr: SocketAddr, path: &str) -> u16 {
    try_status_of(addr, path).await.unwrap()
}

/// The status of a GET, where the relay may refuse the connection.
pub(crate) async fn try_status_of(addr: SocketAddr, path: &str) -> Result<u16, ureq::Error> {
    let url = format!("http://{addr}{path}");
    let get = move || {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        ureq::Agent::new_with_config(config).get(&url).call().map(|response| response.status().as_u16())
    };
    tokio::task::spawn_blocking(get).await.unwrap()
}

/// Waits for a metric to have a value: what happens on another connection takes its time.
pub(crate) async fn metric_becomes(relay: &Relay, name: &str, expected: i64) {
    for _ in 0..200 {
        if metric(relay, name).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{name} is {}, not {expected}", metric(relay, name).await);
}
