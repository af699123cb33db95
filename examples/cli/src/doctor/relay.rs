//! The relay, asked over the network: health, clock, keys, and whether the instance is connected. What it answers is text
//! of a stranger.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_trust::UnixTime;
use pulse_trust::pairing::{relay_url_for_app, relay_url_normal_form};
use pulse_trust::relay::{Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::tenant::Expected;
use crate::outcome::Stop;
use crate::shown::quoted;

/// For each question.
const TIMEOUT: Duration = Duration::from_secs(10);
/// No instance knows it. What the relay and the instance answer to it is the finding.
const NO_TOKEN: &str = "pulse-trust-doctor";

/// What a relay answered.
pub(super) struct Answer {
    /// `/healthz`, or why there is none.
    pub(super) health: Result<Health, String>,
    pub(super) health_url: String,
    pub(super) clock: Option<UnixTime>,
    /// The answer to a CONNECT, where there is an instance to ask for.
    pub(super) connect: Option<Result<ErrorMessage, String>>,
}

pub(super) struct Health {
    pub(super) status: u16,
    /// Where a redirect leads.
    pub(super) location: Option<String>,
    /// The body's JSON, or its text where it is none.
    pub(super) body: Value,
}

/// Asks the relay at the URL that instances use.
pub(super) fn ask(url: &str, expected: Option<&Expected>) -> Result<Answer, Stop> {
    let health_url = health_url(url);
    let (health, clock) = ask_health(&health_url);
    let connect = match expected {
        Some(expected) if health.is_ok() => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| Stop::cannot_tell(format!("no sockets: {error}")))?;
            Some(runtime.block_on(ask_for_instance(&relay_url_for_app(url), &expected.instance_id)))
        }
        _ => None,
    };
    Ok(Answer { health, health_url, clock, connect })
}

/// `wss://relay.example/ws/instance` has its health at `https://relay.example/healthz`.
fn health_url(url: &str) -> String {
    let url = relay_url_normal_form(url).unwrap_or_else(|| url.to_owned());
    format!("{}/healthz", url.strip_suffix("/ws/instance").unwrap_or(&url).replacen("ws", "http", 1))
}

fn ask_health(url: &str) -> (Result<Health, String>, Option<UnixTime>) {
    // Instances and phones follow no redirect either: what is behind one says nothing of this URL.
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
    let config = config.max_redirects(0).max_redirects_will_error(false);
    let agent = ureq::Agent::new_with_config(config.build());
    let mut answer = match agent.get(url).call() {
        Ok(answer) => answer,
        Err(error) => return (Err(error.to_string()), None),
    };
    let date = answer.headers().get("date").and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let clock = date
        .and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .map(UnixTime::from_secs);
    let status = answer.status().as_u16();
    let location = answer.headers().get("location").map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
    let body = answer.body_mut().with_config().limit(64 * 1024).read_to_string();
    let health = match body {
        Ok(body) => Ok(Health { status, location, body: serde_json::from_str(&body).unwrap_or(Value::String(body)) }),
        Err(error) => Err(error.to_string()),
    };
    (health, clock)
}

/// The relay answers for an instance that is not connected, else the instance itself refuses the token.
async fn ask_for_instance(url: &str, instance_id: &str) -> Result<ErrorMessage, String> {
    let asked = tokio::time::timeout(TIMEOUT, async {
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.map_err(|error| error.to_string())?;
        let mut connect = Connect::default();
        instance_id.clone_into(&mut connect.instance_id);
        connect.auth_token = NO_TOKEN.into();
        let frame = connect.to_frame(0).map_err(|error| error.to_string())?;
        socket.send(Message::Binary(frame.into())).await.map_err(|error| error.to_string())?;
        while let Some(message) = socket.next().await {
            let message = message.map_err(|error| error.to_string())?;
            let Message::Binary(bytes) = message else { continue };
            let frame = Frame::decode(&bytes).map_err(|error| error.to_string())?;
            match frame.frame_type {
                FrameType::Error => {
                    let answer = ErrorMessage::from_frame(&frame).map_err(|error| error.to_string())?;
                    socket.close(None).await.ok();
                    return Ok(answer);
                }
                FrameType::ConnectAck => {
                    let ack = ConnectAck::from_frame(&frame).map_err(|error| error.to_string())?;
                    return Err(format!("{} accepted a token that nobody gave out", quoted(&ack.instance_id)));
                }
                _ => {}
            }
        }
        Err("the relay closed the connection without an answer".to_owned())
    });
    asked.await.unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs())))
}
