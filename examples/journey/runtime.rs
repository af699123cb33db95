//! The tenant's runtime: an instance's end of a session, whose requests are answered by the runtime's own HTTP server.

use std::net::SocketAddr;
use std::sync::Arc;

use pulse_trust::relay::{Body, Identity, ProxyRequest, ProxyResponse};
use pulse_trust::session::{InstanceConfig, InstanceEnd, InstanceEvent, Now, is_auth_token_known};
use tokio::sync::{mpsc, oneshot};

use crate::driver::{Act, dial, drive};
use crate::failure::Failure;

/// What a runtime registers with.
pub(crate) struct Registration {
    pub(crate) relay_url: String,
    pub(crate) credential: String,
    pub(crate) instance_secret: String,
    pub(crate) identity: Identity,
    pub(crate) auth_token: String,
    pub(crate) api: SocketAddr,
}

/// A runtime that is registered, and serves as long as this is kept.
pub(crate) struct Registered {
    pub(crate) instance_id: String,
    requests: mpsc::UnboundedReceiver<String>,
    _acts: mpsc::UnboundedSender<Act<InstanceEnd>>,
}

impl Registered {
    /// The path of the next request that a phone made and that was answered.
    pub(crate) async fn first_request(&mut self) -> Result<String, Failure> {
        self.requests.recv().await.ok_or_else(|| Failure::new("the runtime has ended"))
    }
}

/// Connects and registers; a refusal is a failure here. What was registered serves from then on.
pub(crate) async fn register(registration: Registration) -> Result<Registered, Failure> {
    let Registration { relay_url, credential, instance_secret, identity, auth_token, api } = registration;
    let mut config = InstanceConfig::new(relay_url, credential, instance_secret, identity);
    config.client_version = Some(env!("CARGO_PKG_VERSION").to_owned());
    let end = InstanceEnd::new(config, u64::from(std::process::id()))?;
    let (acts, received) = mpsc::unbounded_channel();
    let (answered, requests) = mpsc::unbounded_channel();
    let runtime = Runtime { auth_token, api, acts: acts.downgrade(), answered };
    let (first, outcome) = oneshot::channel();
    let mut first = Some(first);
    tokio::spawn(drive(end, received, dial, move |end, event, _| match event {
        InstanceEvent::Registered { instance_id, .. } => report(&mut first, Ok(instance_id)),
        InstanceEvent::Refused { error, .. } => {
            report(&mut first, Err(Failure::new(format!("{}: {}", error.code, error.message))));
        }
        InstanceEvent::Disconnected { reason, .. } => {
            report(&mut first, Err(Failure::new(format!("the connection to the relay ended: {reason:?}"))));
        }
        other => runtime.handle(end, other),
    }));
    let instance_id = outcome.await.map_err(Failure::from_error)??;
    Ok(Registered { instance_id, requests, _acts: acts })
}

fn report(first: &mut Option<oneshot::Sender<Result<String, Failure>>>, outcome: Result<String, Failure>) {
    if let Some(first) = first.take() {
        first.send(outcome).ok();
    }
}

struct Runtime {
    auth_token: String,
    api: SocketAddr,
    acts: mpsc::WeakUnboundedSender<Act<InstanceEnd>>,
    answered: mpsc::UnboundedSender<String>,
}

impl Runtime {
    fn handle(&self, end: &mut InstanceEnd, event: InstanceEvent) {
        match event {
            InstanceEvent::ChannelOffered { channel, auth_token } => {
                let judged = if is_auth_token_known(&auth_token, [self.auth_token.as_str()]) {
                    end.accept(channel)
                } else {
                    end.refuse(channel, "invalid auth token")
                };
                judged.unwrap_or_else(|error| eprintln!("channel {channel}: {error}"));
            }
            InstanceEvent::Request { channel, request } => {
                let (api, acts, answered) = (self.api, self.acts.clone(), self.answered.clone());
                tokio::task::spawn_blocking(move || {
                    let path = request.path.clone();
                    let response = fetch(api, &request);
                    if let Some(acts) = acts.upgrade() {
                        let act = move |end: &mut InstanceEnd, now| {
                            respond(end, channel, &response, now);
                            answered.send(path).ok();
                        };
                        acts.send(Box::new(act)).ok();
                    }
                });
            }
            _ => {}
        }
    }
}

fn respond(end: &mut InstanceEnd, channel: u32, response: &ProxyResponse, now: Now) {
    // Where the phone has gone meanwhile, there is nobody to answer.
    end.respond(channel, response, now).unwrap_or_else(|error| eprintln!("channel {channel}: {error}"));
}

/// Asks the runtime's own HTTP server.
fn fetch(api: SocketAddr, request: &ProxyRequest) -> ProxyResponse {
    let answer = || -> Result<ProxyResponse, Failure> {
        let mut answer = ureq::get(format!("http://{api}{}", request.path)).call().map_err(Failure::from_error)?;
        let content_type =
            answer.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = answer.status().as_u16();
        let body = Body::new(answer.body_mut().read_to_vec().map_err(Failure::from_error)?)?;
        let headers = content_type.into_iter().map(|value| ("Content-Type".to_owned(), value)).collect();
        let mut response = ProxyResponse::new(&request.id, status);
        (response.headers, response.body) = (headers, body);
        Ok(response)
    };
    answer().unwrap_or_else(|failure| {
        eprintln!("the runtime's own server: {failure}");
        ProxyResponse::new(&request.id, 502)
    })
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
