//! HTTP: the WebSocket handshake, health, readiness and metrics.

use std::convert::Infallible;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use pulse_trust::keys::{PublicKey, TrustKeySet};
use pulse_trust::session::RelayedEnd;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::client_address;
use crate::link::Origin;
use crate::listener::Upgraded;
use crate::shared::Shared;
use crate::slots::Slot;
use crate::sync::{Mutex, locked};

/// The largest request, including its headers.
const MAX_REQUEST_LEN: usize = 8 * 1024;

/// A handshake that was answered.
struct Handshake {
    end: RelayedEnd,
    /// An app's place; an instance keeps the newcomer's until it is registered.
    app_slot: Option<Slot>,
    address: client_address::AddressKey,
    host: Box<str>,
    upgrade: OnUpgrade,
}

/// Answers requests until the connection ends or becomes a WebSocket. All of them together have `hello_timeout`, so
/// neither a request that is not sent nor an answer that is not read keeps its place for long.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    shared: &Shared,
    stream: S,
    peer: SocketAddr,
    newcomer: Slot,
) -> Option<Upgraded<S>> {
    let hello_timeout = shared.config.load().limits.hello_timeout;
    let handshake = Mutex::new(None);
    let service = service_fn(|request| {
        let answer = answer(shared, request, peer, &handshake);
        async move { Ok::<_, Infallible>(answer) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(hello_timeout)
        .max_buf_size(MAX_REQUEST_LEN)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(serving);
    let until_drained = async {
        tokio::select! {
            _ = &mut serving => {}
            () = shared.drain.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await.ok();
            }
        }
    };
    timeout(hello_timeout, until_drained).await.ok()?;
    let Handshake { end, app_slot, address, host, upgrade } = locked(&handshake).take()?;
    let parts = upgrade.await.ok()?.downcast::<TokioIo<S>>().ok()?;
    let origin = Origin { address, host, slot: app_slot.unwrap_or(newcomer) };
    Some(Upgraded { end, origin, stream: parts.io.into_inner(), read: parts.read_buf.to_vec() })
}

fn answer(
    shared: &Shared,
    request: Request<Incoming>,
    peer: SocketAddr,
    handshake: &Mutex<Option<Handshake>>,
) -> Response<Full<Bytes>> {
    if request.method() != Method::GET {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "expected GET\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return response;
    }
    match request.uri().path() {
        "/healthz" => health(shared, request.uri().query()),
        "/readyz" => ready(shared, request.uri().query()),
        "/metrics" => metrics(shared),
        "/ws/instance" => upgrade(shared, request, RelayedEnd::Instance, peer, handshake),
        "/ws/app" => upgrade(shared, request, RelayedEnd::App, peer, handshake),
        _ => text(StatusCode::NOT_FOUND, "text/plain", "not found\n"),
    }
}

/// The relay's health, and the fingerprints of the trusted keys, so that an operator can compare them with the issuer's.
fn health(shared: &Shared, query: Option<&str>) -> Response<Full<Bytes>> {
    let (code, status) = if shared.drain.is_cancelled() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if is_feed_missed(shared, query) {
        (StatusCode::SERVICE_UNAVAILABLE, "revocation feed stale")
    } else {
        (StatusCode::OK, "ok")
    };
    let fingerprints = |keys: &TrustKeySet| keys.keys().map(PublicKey::log_fingerprint).collect::<Vec<_>>();
    let admission = shared.admission.load();
    let keys = admission.keys();
    let body = serde_json::json!({
        "status": status,
        "lease_keys": fingerprints(&keys.lease),
        "license_keys": fingerprints(&keys.license),
    });
    text(code, "application/json", body.to_string())
}

/// Whether a balancer may send new connections here, and if not, why.
pub(crate) fn ready(shared: &Shared, query: Option<&str>) -> Response<Full<Bytes>> {
    let reasons = reasons_against(shared, query);
    let code = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ready": reasons.is_empty(), "reasons": reasons });
    text(code, "application/json", body.to_string())
}

/// Whether the revocation feed is stale, unless the query says `exclude=revocations`. Neither a restart of this process nor
/// another node makes up for a license server that does not answer, so checks that restart processes or choose among nodes
/// leave it out.
fn is_feed_missed(shared: &Shared, query: Option<&str>) -> bool {
    let is_excluded = query.unwrap_or_default().split('&').any(|part| part == "exclude=revocations");
    shared.metrics.revocation_feed_stale.get() != 0 && !is_excluded
}

fn reasons_against(shared: &Shared, query: Option<&str>) -> Vec<&'static str> {
    [
        (shared.drain.is_cancelled(), "draining"),
        (
            shared.cluster.get().is_some_and(|cluster| !cluster.is_up()),
            "NATS cannot be reached: no instance can register",
        ),
        (is_feed_missed(shared, query), "the revocation feed could not be read for too long"),
        (!shared.slots.has_instance(), "as many instances are connected as PULSE_RELAY_MAX_INSTANCES allows"),
        (shared.memory.is_exhausted(), "the memory for queues is used up (PULSE_RELAY_QUEUE_MEMORY)"),
    ]
    .into_iter()
    .filter_map(|(is_so, reason)| is_so.then_some(reason))
    .collect()
}

fn metrics(shared: &Shared) -> Response<Full<Bytes>> {
    let waiting = shared.memory.used().saturating_add(shared.arriving.used());
    shared.metrics.queued_bytes.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    shared.metrics.ready.set(i64::from(reasons_against(shared, None).is_empty()));
    let lost = shared.log.as_ref().map_or(0, crate::logging::LogHandle::lost_lines);
    match shared.metrics.text(lost) {
        Ok(metrics) => text(StatusCode::OK, "text/plain; version=0.0.4", metrics),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "the metrics could not be written\n"),
    }
}

/// The WebSocket handshake (RFC 6455, section 4.2).
fn upgrade(
    shared: &Shared,
    mut request: Request<Incoming>,
    end: RelayedEnd,
    peer: SocketAddr,
    handshake: &Mutex<Option<Handshake>>,
) -> Response<Full<Bytes>> {
    if shared.drain.is_cancelled() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "draining\n");
    }
    let is_handshake = has_token(&request, CONNECTION, "upgrade")
        && has_token(&request, UPGRADE, "websocket")
        && request.headers().get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    if !is_handshake || request.version() != Version::HTTP_11 {
        let message = "expected a WebSocket handshake of version 13, over HTTP/1.1\n";
        return text(StatusCode::UPGRADE_REQUIRED, "text/plain", message);
    }
    let Some(accept) = request.headers().get(SEC_WEBSOCKET_KEY).and_then(accept) else {
        let message = "expected in Sec-WebSocket-Key the base64 of 16 bytes\n";
        return text(StatusCode::BAD_REQUEST, "text/plain", message);
    };
    let address = client_address::of_request(peer, request.headers(), &shared.config.load().trusted_proxies);
    if !shared.rates.load().handshakes.take(&address) {
        shared.metrics.rate_limited.with_label_values(&["handshakes"]).inc();
        let mut told =
            text(StatusCode::TOO_MANY_REQUESTS, "text/plain", "too many connections from this address: wait\n");
        told.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        return told;
    }
    let app_slot = match end {
        RelayedEnd::App => shared.slots.app(),
        RelayedEnd::Instance => None,
    };
    let has_room = match end {
        RelayedEnd::App => app_slot.is_some(),
        RelayedEnd::Instance => shared.slots.has_instance(),
    };
    if !has_room {
        shared.metrics.connections_refused.inc();
        return text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "too many connections\n");
    }
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host = host.to_ascii_lowercase().into();
    let upgrade = hyper::upgrade::on(&mut request);
    *locked(handshake) = Some(Handshake { end, app_slot, address, host, upgrade });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// The answer to a key: base64 of 16 bytes, as it must be.
fn accept(key: &HeaderValue) -> Option<HeaderValue> {
    let nonce = STANDARD.decode(key.as_bytes()).ok()?;
    (nonce.len() == 16).then(|| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok())?
}

fn has_token(request: &Request<Incoming>, name: HeaderName, token: &str) -> bool {
    let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

pub(crate) fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
