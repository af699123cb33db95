//! What the prober saw, over HTTP.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use pulse_trust::UnixTime;
use tokio::net::TcpListener;

use crate::metrics::Metrics;
use crate::page;
use crate::standing::Standing;

const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'");

/// What is served.
pub(crate) struct Served {
    pub(crate) standing: Mutex<Standing>,
    pub(crate) metrics: Metrics,
    pub(crate) interval: u64,
}

/// Serves for good.
pub(crate) async fn serve(listener: TcpListener, served: Arc<Served>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, say: those there are will end.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let served = Arc::clone(&served);
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let response = answer(request.method(), request.uri().path(), &served);
            async move { Ok::<_, std::convert::Infallible>(response) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

fn answer(method: &Method, path: &str, served: &Served) -> Response<Full<Bytes>> {
    if method != Method::GET {
        return text(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "expected GET\n");
    }
    let standing = served.standing.lock().unwrap_or_else(PoisonError::into_inner);
    match path {
        "/" => {
            let page = page::page(&standing, served.interval, UnixTime::now());
            text(StatusCode::OK, "text/html; charset=utf-8", page)
        }
        "/status.json" => match serde_json::to_vec(&*standing) {
            Ok(json) => text(StatusCode::OK, "application/json", json),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
        },
        "/metrics" => match served.metrics.text() {
            Ok(metrics) => text(StatusCode::OK, "text/plain; version=0.0.4", metrics),
            Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
        },
        // Of the prober itself: what it saw of the relay is not a reason to restart it.
        "/healthz" => text(StatusCode::OK, "text/plain", "ok\n"),
        _ => text(StatusCode::NOT_FOUND, "text/plain", "not found\n"),
    }
}

fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}
