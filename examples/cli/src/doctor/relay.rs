//! The relay's half, asked over the network: health, clock, keys, and whether the instance is connected.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_trust::keys::PublicKey;
use pulse_trust::pairing::{relay_url_for_app, relay_url_normal_form};
use pulse_trust::relay::{
    Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType, MAX_PROOF_AGE, WireErrorCode,
};
use pulse_trust::{TokenKind, UnixTime};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::mend;
use super::report::{Fault, Link, Mend, Report};
use super::tenant::Expected;
use crate::moment::date;
use crate::outcome::Stop;

/// For each question.
const TIMEOUT: Duration = Duration::from_secs(10);
/// No instance knows it. What the relay and the instance answer to it is the finding.
const NO_TOKEN: &str = "pulse-trust-doctor";

/// What a relay answered.
pub(super) struct Answer {
    /// `/healthz`, or why there is none.
    health: Result<Health, String>,
    health_url: String,
    pub(super) clock: Option<UnixTime>,
    /// The answer to a CONNECT, where there is an instance to ask for.
    connect: Option<Result<ErrorMessage, String>>,
}

struct Health {
    status: u16,
    body: Value,
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
    let config = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
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
    let body = answer.body_mut().with_config().limit(64 * 1024).read_to_string();
    let health = match body {
        Ok(body) => Ok(Health { status, body: serde_json::from_str(&body).unwrap_or(Value::String(body)) }),
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
                    return Err(format!("{} accepted a token that nobody gave out", ack.instance_id));
                }
                _ => {}
            }
        }
        Err("the relay closed the connection without an answer".to_owned())
    });
    asked.await.unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs())))
}

impl Answer {
    /// The relay's clock against this machine's.
    pub(super) fn clock_link(&self, now: UnixTime) -> Option<Link> {
        const NAME: &str = "clocks";
        let clock = self.clock?;
        let apart = clock.as_secs().abs_diff(now.as_secs());
        if apart <= MAX_PROOF_AGE.as_secs() {
            return Some(Link::holds(NAME, format!("the relay's is {apart} s from this machine's")));
        }
        Some(Link::broken(
            NAME,
            Fault {
                what: format!("they are {apart} s apart, at most {} s are allowed", MAX_PROOF_AGE.as_secs()),
                error: None,
                sides: vec![("this machine".to_owned(), date(now)), ("the relay".to_owned(), date(clock))],
                mend: mend::synchronize_clock(),
            },
        ))
    }

    /// The links at the relay, in the order in which a registration meets them.
    pub(super) fn add_links(&self, url: &str, expected: Option<&Expected>, clock: Option<Link>, report: &mut Report) {
        report.links.push(self.health_link(url));
        report.links.extend(clock);
        if let (Ok(health), Some(expected)) = (&self.health, expected) {
            report.links.extend(key_link(&health.body, expected));
        }
        if let (Some(answer), Some(expected)) = (&self.connect, expected) {
            report.links.push(instance_link(answer, expected));
        }
    }

    fn health_link(&self, url: &str) -> Link {
        const NAME: &str = "relay";
        let sides = vec![("the relay's URL".to_owned(), url.to_owned()), ("asked".to_owned(), self.health_url.clone())];
        let broken = |what: String, mend: &str| {
            let command = Some(format!("curl -v {}", self.health_url));
            let mend = Mend { what: mend.to_owned(), command };
            Link::broken(NAME, Fault { what, error: None, sides, mend })
        };
        match &self.health {
            Err(error) => broken(
                format!("it cannot be reached: {error}"),
                "look at its address, the network between, its certificate, and whether it runs; this asks the same:",
            ),
            Ok(health) if health.status == 200 => Link::holds(NAME, format!("{} answers ok", self.health_url)),
            Ok(health) => broken(
                format!("it answers {} to /healthz: {}", health.status, health.body),
                "it drains, or cannot read its revocations; its log says which. This asks again:",
            ),
        }
    }
}

/// Whether the relay trusts the key of the tenant's credential, where it says which it trusts.
fn key_link(health: &Value, expected: &Expected) -> Option<Link> {
    const NAME: &str = "relay's key";
    let member = if expected.kind == TokenKind::Lease { "lease_keys" } else { "license_keys" };
    let trusted: Vec<&str> = health.get(member)?.as_array()?.iter().filter_map(Value::as_str).collect();
    let signer = expected.signer.as_ref()?;
    let fingerprint = signer.log_fingerprint();
    if trusted.contains(&fingerprint.as_str()) {
        return Some(Link::holds(NAME, format!("the relay trusts {fingerprint}, which signed the {}", expected.kind)));
    }
    let setting = expected.kind.relay_key_setting();
    Some(Link::broken(NAME, untrusted(setting, &trusted, signer, expected.kind)))
}

fn untrusted(setting: &str, trusted: &[&str], signer: &PublicKey, kind: TokenKind) -> Fault {
    let shown = if trusted.is_empty() { "none".to_owned() } else { trusted.join(", ") };
    Fault {
        what: format!(
            "the relay does not trust the key that signed this tenant's {kind}, so it refuses to register it"
        ),
        error: None,
        sides: vec![
            (format!("{setting} trusts"), shown),
            (format!("the {kind} is signed by"), signer.log_fingerprint()),
        ],
        mend: mend::set_at_relay(setting, &signer.to_base64()),
    }
}

fn instance_link(answer: &Result<ErrorMessage, String>, expected: &Expected) -> Link {
    const NAME: &str = "instance at the relay";
    let id = &expected.instance_id;
    let broken = |what: String, mend: &str, command: Option<&str>| {
        let mend = Mend { what: mend.to_owned(), command: command.map(str::to_owned) };
        Link::broken(
            NAME,
            Fault { what, error: None, sides: vec![("this tenant's instance".to_owned(), id.clone())], mend },
        )
    };
    match answer {
        Ok(error) => match error.wire_code() {
            // The instance is there and knows no such token.
            Some(WireErrorCode::AuthFailed) => Link::holds(NAME, format!("{id} is connected, and answers")),
            Some(WireErrorCode::InstanceNotFound) if expected.has_started => broken(
                format!("{id} is not connected: {}", error.message),
                "the relay has no connection of this instance. Restart the tenant's runtime, and look in its log for \
                 REGISTER and the error that follows it, such as:",
                Some("docker restart <tenant> && docker logs --since 1m <tenant> 2>&1 | grep -i relay"),
            ),
            Some(WireErrorCode::InstanceNotFound) => broken(
                format!("{id} is not connected: the tenant's runtime has not started on this directory yet"),
                "start it, and it registers by itself, such as:",
                Some("docker start <tenant>"),
            ),
            _ => broken(
                format!("the relay answers {}: {}", error.code, error.message),
                "wait a minute and run the doctor again.",
                None,
            ),
        },
        Err(error) => broken(
            format!("the relay was asked for {id}: {error}"),
            "a proxy before the relay may not pass WebSocket upgrades for /ws/instance and /ws/app; see the relay's README.",
            None,
        ),
    }
}
