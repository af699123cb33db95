//! The listener: HTTP, the WebSocket handshake, and the drain.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use pulse_trust::relay::{Admission, RevocationList};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::config::{Config, Limits};
use crate::connection::Connection;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::revocations::{self, InForce};
use crate::session_token::SessionKey;
use crate::{app, instance};

/// What every connection works with.
pub(crate) struct Shared {
    pub(crate) admission: Admission,
    pub(crate) registry: Registry,
    pub(crate) metrics: Metrics,
    pub(crate) session_key: SessionKey,
    pub(crate) limits: Limits,
    pub(crate) drain: CancellationToken,
    pub(crate) revocations: InForce,
    tasks: TaskTracker,
    permits: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn revocations(&self) -> Arc<RevocationList> {
        self.revocations.current()
    }
}

/// A relay that runs. Dropping it leaves it running; [`Relay::drain`] ends it.
pub struct Relay {
    addr: SocketAddr,
    shared: Arc<Shared>,
    drain_timeout: std::time::Duration,
}

impl Relay {
    /// Starts a relay: from its return on, it takes connections.
    ///
    /// # Errors
    /// Where the address cannot be bound, or the data directory holds no usable session key and takes none.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = listen(&config.addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            admission: Admission::new(config.keys),
            registry: Registry::new(config.limits.identity_hold),
            metrics: Metrics::new().map_err(io::Error::other)?,
            session_key: SessionKey::load_or_make(&config.data_dir)?,
            permits: Arc::new(Semaphore::new(config.limits.connections.min(Semaphore::MAX_PERMITS))),
            limits: config.limits,
            drain: CancellationToken::new(),
            revocations: InForce::default(),
            tasks: TaskTracker::new(),
        });
        if shared.admission.keys().lease.is_empty() {
            warn!("no lease key is wired: hosted instances will be refused");
        }
        if let Some((url, token)) = config.revocation_feed {
            tokio::spawn(revocations::follow(Arc::clone(&shared), url, token));
        }
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        info!(%addr, "listening");
        Ok(Self { addr, shared, drain_timeout: config.drain_timeout })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no more connections, sends DRAIN to every one there is, and closes them, all within the drain timeout.
    pub async fn drain(self) {
        self.shared.drain.cancel();
        self.shared.tasks.close();
        if timeout(self.drain_timeout, self.shared.tasks.wait()).await.is_err() {
            warn!("connections were left when the drain timeout was over");
        }
    }
}

/// Connections that may wait to be accepted: after a restart all instances come at once. The kernel has a limit of its own.
const BACKLOG: u32 = 16_384;

async fn listen(addr: &str) -> io::Result<TcpListener> {
    let mut last_error = io::Error::new(io::ErrorKind::AddrNotAvailable, format!("{addr} has no address"));
    for addr in tokio::net::lookup_host(addr).await? {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        match socket.bind(addr).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let stream = tokio::select! {
            () = shared.drain.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, say: those there are go on.
                    warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let Ok(permit) = Arc::clone(&shared.permits).try_acquire_owned() else {
            continue;
        };
        stream.set_nodelay(true).ok();
        let serving = Arc::clone(&shared);
        shared.tasks.spawn(async move {
            let upgraded = serve_http(&serving, stream).await;
            if let Some((path, connection)) = upgraded {
                match path {
                    Path::Instance => instance::serve(&serving, connection).await,
                    Path::App => app::serve(&serving, connection).await,
                }
            }
            drop(permit);
        });
    }
}

#[derive(Clone, Copy)]
enum Path {
    Instance,
    App,
}

/// Answers HTTP requests until the connection ends or becomes a WebSocket.
async fn serve_http(shared: &Arc<Shared>, stream: TcpStream) -> Option<(Path, Connection<TcpStream>)> {
    let (sender, mut upgrades) = tokio::sync::mpsc::unbounded_channel();
    let service = service_fn(|request| {
        let answer = answer(shared, request, &sender);
        async move { Ok::<_, std::convert::Infallible>(answer) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.limits.hello_timeout)
        .max_buf_size(8 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(serving);
    tokio::select! {
        _ = &mut serving => {}
        () = shared.drain.cancelled() => {
            serving.as_mut().graceful_shutdown();
            timeout(shared.limits.hello_timeout, serving).await.ok();
        }
    }
    let (path, upgrade): (Path, hyper::upgrade::OnUpgrade) = upgrades.try_recv().ok()?;
    let parts = upgrade.await.ok()?.downcast::<TokioIo<TcpStream>>().ok()?;
    let limits = &shared.limits;
    let connection = Connection::new(
        parts.io.into_inner(),
        parts.read_buf.to_vec(),
        limits.queued_bytes,
        limits.silence_timeout,
        shared.drain.clone(),
    );
    Some((path, connection.await))
}

type Upgrades = tokio::sync::mpsc::UnboundedSender<(Path, hyper::upgrade::OnUpgrade)>;

fn answer(shared: &Shared, request: Request<Incoming>, upgrades: &Upgrades) -> Response<Full<Bytes>> {
    if request.method() != Method::GET {
        return text(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET\n");
    }
    match request.uri().path() {
        "/healthz" => text(StatusCode::OK, "application/json", r#"{"status":"ok"}"#),
        "/metrics" => match shared.metrics.text() {
            Ok(metrics) => text(StatusCode::OK, "text/plain; version=0.0.4", metrics),
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "no metrics\n"),
        },
        "/ws/instance" => upgrade(shared, request, Path::Instance, upgrades),
        "/ws/app" => upgrade(shared, request, Path::App, upgrades),
        _ => text(StatusCode::NOT_FOUND, "text/plain", "not found\n"),
    }
}

/// The WebSocket handshake (RFC 6455, section 4.2).
fn upgrade(shared: &Shared, mut request: Request<Incoming>, path: Path, upgrades: &Upgrades) -> Response<Full<Bytes>> {
    if shared.drain.is_cancelled() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "draining\n");
    }
    let has_token = |name, token: &str| {
        request
            .headers()
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    let is_handshake = has_token(CONNECTION, "upgrade")
        && has_token(UPGRADE, "websocket")
        && request.headers().get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let accept = request.headers().get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let Some(accept) = accept.filter(|_| is_handshake).and_then(|accept| HeaderValue::from_str(&accept).ok()) else {
        return text(StatusCode::UPGRADE_REQUIRED, "text/plain", "expected a WebSocket handshake, version 13\n");
    };
    upgrades.send((path, hyper::upgrade::on(&mut request))).ok();
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
