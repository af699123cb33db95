//! The admin address, on loopback: who is connected, the story of one, closing one, and what is logged.

mod connections;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::info;

use crate::shared::Shared;
use crate::{http, logging};

/// The largest body of a request.
const MAX_BODY_LEN: usize = 1024;
/// How many connections an operator may have at once. Every user of the machine may open some, and each takes a
/// descriptor from phones.
const MAX_CONNECTIONS: usize = 16;
/// How long one may last, so that a client that does not read cannot keep its place forever.
const MAX_TIME: Duration = Duration::from_secs(60);
const HELP: &str = "\
GET /connections[?instance=ID|?end=instance|?end=app]   who is connected, the oldest first
GET /connections/NUMBER                                 one of them, with its channels and its last steps
DELETE /connections/NUMBER                              closes it; its other end comes back by itself
GET /settings                                           the settings in effect
PUT /log                                                sets what is logged: the body is a filter such as warn,pulse_relay=debug
GET /readyz                                             whether the relay takes connections, and if not, why
";

/// Serves until the process ends, even while the relay drains. Connections above the limit are closed at once.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let shared = Arc::clone(&shared);
        let hello_timeout = shared.config.load().limits.hello_timeout;
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(request, &shared).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(hello_timeout)
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            timeout(MAX_TIME, connection).await.ok();
            drop(place);
        });
    }
}

async fn answer(request: Request<Incoming>, shared: &Arc<Shared>) -> Response<Full<Bytes>> {
    // A web page whose host name resolves to this address, in a browser on this machine, must not learn who is connected. Every
    // change is a DELETE or a PUT, which a page of another site may not send.
    if !is_for_loopback(&request) {
        return text(StatusCode::FORBIDDEN, "expected a Host header with a loopback address or localhost\n");
    }
    let path = request.uri().path().to_owned();
    let number = path.strip_prefix("/connections/").map(str::parse::<u64>);
    match (request.method().clone(), path.as_str(), number) {
        (Method::GET, "/", _) => text(StatusCode::OK, HELP),
        (Method::GET, "/connections", _) => {
            match connections::Wanted::read(request.uri().query().unwrap_or_default()) {
                Ok(wanted) => json(&connections::list(shared, &wanted)),
                Err(reason) => text(StatusCode::BAD_REQUEST, reason),
            }
        }
        (Method::GET, _, Some(Ok(number))) => match connections::one(shared, number) {
            Some(one) => json(&one),
            None => text(StatusCode::NOT_FOUND, "there is no such connection any more\n"),
        },
        (Method::DELETE, _, Some(Ok(number))) => match connections::close(shared, number) {
            true => text(StatusCode::OK, "closed\n"),
            false => text(StatusCode::NOT_FOUND, "there is no such connection any more\n"),
        },
        (Method::GET, "/settings", _) => {
            let settings = shared.config.load().in_effect(&shared.at_start);
            json(&settings.into_iter().collect::<BTreeMap<_, _>>())
        }
        (Method::GET, "/readyz", _) => http::ready(shared, request.uri().query()),
        (Method::PUT, "/log", _) => set_log(request, shared).await,
        _ => not_answered(&path),
    }
}

/// A path with a method that it does not have, or a path that is not ours.
fn not_answered(path: &str) -> Response<Full<Bytes>> {
    let Some(allowed) = methods(path) else { return text(StatusCode::NOT_FOUND, HELP) };
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, format!("expected {allowed}\n"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// The methods that a path has; `None` if there is no such path.
fn methods(path: &str) -> Option<&'static str> {
    match path {
        "/" | "/connections" | "/settings" | "/readyz" => Some("GET"),
        "/log" => Some("PUT"),
        _ => path.strip_prefix("/connections/")?.parse::<u64>().ok().map(|_| "GET, DELETE"),
    }
}

async fn set_log(request: Request<Incoming>, shared: &Shared) -> Response<Full<Bytes>> {
    let body = Limited::new(request.into_body(), MAX_BODY_LEN).collect().await;
    let Some(filter) = body.ok().and_then(|body| String::from_utf8(body.to_bytes().to_vec()).ok()) else {
        return text(StatusCode::BAD_REQUEST, "expected a filter of at most 1024 bytes\n");
    };
    let filter = filter.trim();
    if filter.is_empty() {
        let message = "expected a log filter as the body, such as info or warn,pulse_relay=debug, received nothing\n";
        return text(StatusCode::BAD_REQUEST, message);
    }
    if let Err(reason) = logging::check_filter(filter) {
        return text(StatusCode::BAD_REQUEST, format!("{reason}\n"));
    }
    match &shared.log {
        None => text(StatusCode::CONFLICT, "the program that runs this relay has a log of its own\n"),
        Some(log) => {
            info!(filter, "what is logged was set over the admin address, until SIGHUP or a restart");
            log.set_filter(filter);
            text(StatusCode::OK, "set\n")
        }
    }
}

fn is_for_loopback(request: &Request<Incoming>) -> bool {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || host.parse::<SocketAddr>().is_ok_and(|addr| addr.ip().is_loopback())
}

fn json(value: &impl Serialize) -> Response<Full<Bytes>> {
    match serde_json::to_vec_pretty(value) {
        Ok(mut body) => {
            body.push(b'\n');
            let mut response = Response::new(Full::new(body.into()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    http::text(status, "text/plain", body)
}
