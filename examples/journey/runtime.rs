//! The tenant's runtime: registers at the relay, accepts channels, answers requests from its own HTTP server.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_trust::relay::{
    Body, Channel, ChannelClose, ChannelOpen, ControlPayload, ErrorMessage, Frame, FrameType, Identity, ProxyRequest,
    ProxyResponse, Register, RegisterAck, accept_key_exchange,
};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Failure;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a runtime registers with.
pub(crate) struct Registration {
    pub(crate) relay_url: String,
    pub(crate) credential: String,
    pub(crate) instance_secret: String,
    pub(crate) identity: Identity,
    pub(crate) auth_token: String,
    pub(crate) api: SocketAddr,
}

/// A runtime that is registered and serves.
pub(crate) struct Registered {
    pub(crate) ack: RegisterAck,
    serving: JoinHandle<()>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Connects, registers, and serves from then on.
pub(crate) async fn register(registration: Registration) -> Result<Registered, Failure> {
    let (mut socket, _) = connect_async(&registration.relay_url).await.map_err(Failure::from_error)?;
    let register = Register {
        license_token: registration.credential.clone(),
        instance_hint: registration.instance_secret.clone(),
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
        identity_pub_key: registration.identity.public_key().to_base64(),
        ..Register::default()
    };
    send(&mut socket, register.to_frame(0)?).await?;
    let answer = tokio::time::timeout(Duration::from_secs(15), next_frame(&mut socket)).await;
    let bytes = answer.map_err(|_| Failure::new("the relay did not answer REGISTER within 15 s"))??;
    let frame = Frame::decode(&bytes)?;
    if frame.frame_type == FrameType::Error {
        let error = ErrorMessage::from_frame(&frame)?;
        return Err(Failure::new(format!("{}: {}", error.code, error.message)));
    }
    let ack = RegisterAck::from_frame(&frame)?;
    let serving = tokio::spawn(async move {
        if let Err(failure) = serve(&mut socket, &registration).await {
            eprintln!("the runtime's connection ended: {failure}");
        }
    });
    Ok(Registered { ack, serving })
}

async fn serve(socket: &mut Socket, registration: &Registration) -> Result<(), Failure> {
    let mut channels: HashMap<u32, Option<Channel>> = HashMap::new();
    let mut pings = tokio::time::interval(Duration::from_secs(25));
    loop {
        let bytes = tokio::select! {
            bytes = next_frame(socket) => bytes?,
            _ = pings.tick() => {
                send(socket, Frame::new(FrameType::Ping, 0, b"").encode()?).await?;
                continue;
            }
        };
        let frame = Frame::decode(&bytes)?;
        match frame.frame_type {
            FrameType::ChannelOpen => {
                let open = ChannelOpen::from_frame(&frame)?;
                if open.auth_token == registration.auth_token {
                    channels.insert(frame.channel, None);
                    send(socket, open.to_frame(frame.channel)?).await?;
                } else {
                    let close = ChannelClose { channel_id: frame.channel, reason: "invalid token".to_owned() };
                    send(socket, close.to_frame(frame.channel)?).await?;
                }
            }
            FrameType::KeyExchange => {
                if let Some(slot) = channels.get_mut(&frame.channel) {
                    let (channel, answer) = accept_key_exchange(frame.payload, &registration.identity)?;
                    *slot = Some(channel);
                    send(socket, Frame::new(FrameType::KeyExchange, frame.channel, &answer).encode()?).await?;
                }
            }
            FrameType::Data => {
                if let Some(Some(channel)) = channels.get_mut(&frame.channel) {
                    let request = ProxyRequest::from_json(&channel.open(frame.payload)?)?;
                    let response = fetch(registration.api, request).await?;
                    let sealed = channel.seal(response.to_json()?.as_bytes())?;
                    send(socket, Frame::new(FrameType::Data, frame.channel, &sealed).encode()?).await?;
                }
            }
            FrameType::ChannelClose => {
                channels.remove(&frame.channel);
            }
            FrameType::Drain => return Ok(()),
            _ => {}
        }
    }
}

/// Asks the runtime's own HTTP server.
async fn fetch(api: SocketAddr, request: ProxyRequest) -> Result<ProxyResponse, Failure> {
    let answer = tokio::task::spawn_blocking(move || {
        let url = format!("http://{api}{}", request.path);
        let mut answer = ureq::get(&url).call()?;
        let content_type =
            answer.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (status, body) = (answer.status().as_u16(), answer.body_mut().read_to_vec()?);
        Ok::<_, ureq::Error>((request.id, status, content_type, body))
    });
    let (id, status, content_type, body) = answer.await.map_err(Failure::from_error)?.map_err(Failure::from_error)?;
    let headers = content_type.into_iter().map(|value| ("Content-Type".to_owned(), value)).collect();
    Ok(ProxyResponse { id, status, headers, body: Body::new(body)?, stream: false, stream_done: false })
}

/// The runtime's HTTP server: `/api/status`.
pub(crate) async fn serve_api(tenant_host: Arc<str>) -> Result<SocketAddr, Failure> {
    use http_body_util::Full;
    use hyper::{Response, body::Bytes, service::service_fn};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(Failure::from_error)?;
    let addr = listener.local_addr().map_err(Failure::from_error)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tenant_host = Arc::clone(&tenant_host);
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let found = request.uri().path() == "/api/status";
                let body = format!(r#"{{"status":"healthy","instance":"{tenant_host}"}}"#);
                let response = Response::builder()
                    .status(if found { 200 } else { 404 })
                    .header("content-type", "application/json")
                    .body(Full::new(Bytes::from(if found { body } else { "{}".to_owned() })));
                async move { response }
            });
            let io = hyper_util::rt::TokioIo::new(stream);
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    Ok(addr)
}

/// The next binary message's bytes.
pub(crate) async fn next_frame(socket: &mut Socket) -> Result<Vec<u8>, Failure> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(bytes))) => return Ok(bytes.to_vec()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Err(error)) => return Err(Failure::from_error(error)),
            _ => return Err(Failure::new("the relay closed the connection")),
        }
    }
}

pub(crate) async fn send(socket: &mut Socket, frame: Vec<u8>) -> Result<(), Failure> {
    socket.send(Message::Binary(frame.into())).await.map_err(Failure::from_error)
}
