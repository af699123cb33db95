//! The page over HTTP: the code to scan or to paste, a phone that pairs with what is pasted, and what the tenant sees.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use pulse_trust::pairing::{MAX_CODE_LEN, PairingCode, relay_url_for_app};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Shown, phone};
use crate::failure::Failure;

const PAGE: &str = include_str!("page.html");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn serve(listener: TcpListener, at: SocketAddr, shown: Arc<Shown>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shown = Arc::clone(&shown);
        let service = service_fn(move |request| {
            let shown = Arc::clone(&shown);
            async move { Ok::<_, std::convert::Infallible>(answer(request, at, &shown).await) }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, at: SocketAddr, shown: &Shown) -> Response<Full<Bytes>> {
    // A page of somebody else's, whose name leads here, must not read the code.
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if host != at.to_string() && host != format!("localhost:{}", at.port()) {
        return reply(StatusCode::FORBIDDEN, "text/plain", format!("open http://{at}/\n"));
    }
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => reply(StatusCode::OK, "text/html; charset=utf-8", PAGE),
        (&Method::GET, "/page.css") => reply(StatusCode::OK, "text/css", include_str!("page.css")),
        (&Method::GET, "/page.js") => reply(StatusCode::OK, "text/javascript", include_str!("page.js")),
        (&Method::GET, "/state") => reply(StatusCode::OK, "application/json", state(shown).to_string()),
        (&Method::POST, "/phone") => pair(request, shown).await,
        _ => reply(StatusCode::NOT_FOUND, "text/plain", "not found\n"),
    }
}

fn state(shown: &Shown) -> Value {
    let steps: Vec<Value> = shown.steps.iter().map(|(step, seen)| json!({"step": step, "seen": seen})).collect();
    json!({
        "steps": steps, "qr": shown.qr, "code": shown.code, "fingerprint": shown.fingerprint,
        "instance_id": shown.instance_id,
        "paired": *shown.paired.lock().unwrap_or_else(PoisonError::into_inner),
    })
}

/// The phone of the page: it runs in this program, and gets nothing but the code that was pasted.
async fn pair(request: Request<Incoming>, shown: &Shown) -> Response<Full<Bytes>> {
    // A form or a script of another site cannot send this type without being asked first.
    if request.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json") {
        return reply(StatusCode::UNSUPPORTED_MEDIA_TYPE, "text/plain", "expected application/json\n");
    }
    let limit = MAX_CODE_LEN.saturating_mul(2);
    let body = match Limited::new(request.into_body(), limit).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            return reply(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", format!("at most {limit} bytes are allowed\n"));
        }
    };
    let code =
        serde_json::from_slice::<Value>(&body).ok().and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
    let Some(code) = code else {
        return reply(StatusCode::BAD_REQUEST, "text/plain", "expected {\"code\": \"...\"}\n");
    };
    let outcome = match paired(&code, shown).await {
        Ok(seen) => json!({"paired": true, "seen": seen}),
        Err(failure) => json!({"paired": false, "seen": failure.to_string()}),
    };
    reply(StatusCode::OK, "application/json", outcome.to_string())
}

async fn paired(code: &str, shown: &Shown) -> Result<String, Failure> {
    let scanned = PairingCode::parse(code.trim())?;
    let own = relay_url_for_app(&shown.relay_url);
    if scanned.relay_url() != own {
        let received = scanned.relay_url();
        return Err(Failure::new(format!(
            "this page's phone uses the relay at {own} alone, the code names {received}"
        )));
    }
    let fetched = phone::pair_and_fetch(code.trim(), "/api/status").await?;
    let seen = format!(
        "the instance proved that it is {}, and answered GET /api/status with {}: {}",
        fetched.fingerprint, fetched.status, fetched.body
    );
    fetched.disconnect().await?;
    Ok(seen)
}

fn reply(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
    headers.insert(CONTENT_SECURITY_POLICY, hyper::header::HeaderValue::from_static(POLICY));
    headers.insert("cache-control", hyper::header::HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", hyper::header::HeaderValue::from_static("nosniff"));
    response
}
