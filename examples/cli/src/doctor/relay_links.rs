//! The relay's half of the chain: what its answers say of each link.

use pulse_trust::keys::PublicKey;
use pulse_trust::relay::{ErrorMessage, MAX_PROOF_AGE, WireErrorCode};
use pulse_trust::{TokenKind, UnixTime};
use serde_json::Value;

use super::mend;
use super::relay::{Answer, Health};
use super::report::{Fault, Link, Mend, Report};
use super::tenant::Expected;
use crate::moment::date;
use crate::shell;
use crate::shown::{quoted, url_without_secrets};

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
        let (what, mend) = match &self.health {
            Err(error) => (
                format!("it cannot be reached: {error}"),
                "look at its address, the network between, its certificate, and whether it runs; this asks the same:",
            ),
            Ok(health) if health.status == 200 && health.body.get("status").is_some_and(|status| status == "ok") => {
                return Link::holds(NAME, format!("{} answers ok", self.health_url));
            }
            Ok(Health { status: status @ 300..400, location: Some(location), .. }) => (
                format!("it answers {status} to /healthz: a redirect to {}", quoted(&url_without_secrets(location))),
                "nobody follows a redirect to a relay: let the server that answers pass /healthz, /ws/instance and /ws/app to \
                 the relay, or give the relay's own URL in PULSE_RELAY_SERVER, relay.enc or --relay. This asks again:",
            ),
            Ok(health) => {
                (format!("it answers {} to /healthz: {}", health.status, body_of(health)), advice(health, url))
            }
        };
        let sides = vec![("the relay's URL".to_owned(), url.to_owned()), ("asked".to_owned(), self.health_url.clone())];
        let mend = mend::run(mend, shell::command(["curl", "-v", &self.health_url]));
        Link::broken(NAME, Fault { what, error: None, sides, mend })
    }
}

fn body_of(health: &Health) -> String {
    match &health.body {
        Value::String(text) => quoted(text),
        body => quoted(&body.to_string()),
    }
}

/// Why a server answers as it does.
fn advice(health: &Health, url: &str) -> &'static str {
    // A relay says its status in JSON, whatever it is; what does not is another server.
    let is_relay = health.body.get("status").is_some_and(Value::is_string);
    match health.status {
        503 if is_relay => "it drains, or cannot read its revocations; its log says which. This asks again:",
        502..=504 => "a proxy answers, and the relay behind it does not: see whether the relay runs. This asks again:",
        _ if !url.ends_with("/ws/instance") => {
            "no relay answers there. A relay's URL ends in /ws/instance: correct it where it is from, in PULSE_RELAY_SERVER, \
             relay.enc or --relay. This asks again:"
        }
        _ => {
            "another server than a relay answers there, or a proxy that does not pass /healthz, /ws/instance and /ws/app to \
             the relay. This asks again:"
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
    let is_fingerprint = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":+/=".contains(&byte));
    let shown: Vec<String> =
        trusted.iter().map(|key| if is_fingerprint(key) { (*key).to_owned() } else { quoted(key) }).collect();
    let shown = if trusted.is_empty() { "none".to_owned() } else { shown.join(", ") };
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
            // An instance is there and knows no such token, but it cannot be this one.
            Some(WireErrorCode::AuthFailed) if !expected.has_started => broken(
                format!("{id} is connected, but this directory holds no identity to register with: another process is"),
                "find the runtime that registers for this host, and give the doctor its directory; or end it, and start this \
                 tenant's runtime.",
                None,
            ),
            // Only a phone that has a token hears which identity it proves.
            Some(WireErrorCode::AuthFailed) => Link::holds(
                NAME,
                format!("{id} is connected, and answers; a paired phone alone sees with which identity"),
            ),
            Some(WireErrorCode::InstanceNotFound) if expected.has_started => broken(
                format!("{id} is not connected: {}", quoted(&error.message)),
                "the relay has no connection of this instance. Restart the tenant's runtime, and look in its log for \
                 REGISTER and the error that follows it, such as:",
                Some("docker restart TENANT && docker logs --since 1m TENANT 2>&1 | grep -i relay"),
            ),
            Some(WireErrorCode::InstanceNotFound) => broken(
                format!("{id} is not connected: the tenant's runtime has not started on this directory yet"),
                "start it, and it registers by itself, such as:",
                Some("docker start TENANT"),
            ),
            _ => broken(
                format!("the relay answers {}: {}", quoted(&error.code), quoted(&error.message)),
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
