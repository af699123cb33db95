//! The runtime's side of a connection check: compares what a phone presents with what the runtime knows ([formats:
//! pairing](crate::_documentation::formats#pairing)).

use core::fmt;

use super::diagnostic::{Diagnostic, DiagnosticCode};
use super::relay_url::{relay_url_for_app, relay_url_normal_form};

/// The runtime's verdict on an auth token.
///
/// See the example of [`ConnectionCheck`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TokenVerdict {
    /// It does not know the token.
    #[default]
    Unknown,
    /// It knows the token.
    Known,
}

/// What the runtime knows about its own instance id.
///
/// See the example of [`ConnectionCheck`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum InstanceIdVerdict<'a> {
    /// It is not registered, so it cannot say.
    #[default]
    Unverifiable,
    /// The id of the last ACK.
    Registered(&'a str),
}

/// What is compared.
///
/// ```
/// use pulse_trust::pairing::{ConnectionCheck, InstanceIdVerdict, TokenVerdict, check_connection};
/// let mut check = ConnectionCheck::new("relay_2", "wss://relay.example.test/ws/app", "token");
/// check.relay_enabled = true;
/// check.server_url = "wss://relay.example.test/ws/instance";
/// check.own_instance_id = InstanceIdVerdict::Registered("relay_1");
/// check.token_verdict = TokenVerdict::Known;
/// let diagnostics = check_connection(&check);
/// assert_eq!(diagnostics[0].code.as_str(), "instance_id_mismatch");
/// ```
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct ConnectionCheck<'a> {
    /// Whether the relay is on.
    pub relay_enabled: bool,
    /// The runtime's server URL, as its relay config has it.
    pub server_url: &'a str,
    /// What the runtime knows about its id.
    pub own_instance_id: InstanceIdVerdict<'a>,
    /// What the phone presents.
    pub instance_id: &'a str,
    /// What the phone presents.
    pub relay_url: &'a str,
    /// **Secret**: what the phone presents.
    pub auth_token: &'a str,
    /// The runtime's verdict on the token.
    pub token_verdict: TokenVerdict,
}

impl<'a> ConnectionCheck<'a> {
    /// What a phone presents: the instance, the relay's URL and its token. The runtime knows nothing yet, and its relay is
    /// off.
    pub fn new(instance_id: &'a str, relay_url: &'a str, secret_auth_token: &'a str) -> Self {
        Self { instance_id, relay_url, auth_token: secret_auth_token, ..Self::default() }
    }
}

impl fmt::Debug for ConnectionCheck<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionCheck")
            .field("relay_enabled", &self.relay_enabled)
            .field("instance_id", &self.instance_id)
            .field("relay_url", &self.relay_url)
            .finish_non_exhaustive()
    }
}

/// Every diagnostic of a connection, in the order of the contract; empty if nothing is wrong. A warning
/// (`instance_id_unverifiable`) does not keep the phone from connecting.
///
/// ```
/// use pulse_trust::pairing::{ConnectionCheck, InstanceIdVerdict, TokenVerdict, check_connection};
/// let mut check = ConnectionCheck::new("relay_4e7a9c8524bfdd4d", "wss://relay.example.test/ws/app", "token");
/// check.relay_enabled = true;
/// check.server_url = "wss://relay.example.test/ws/instance";
/// check.own_instance_id = InstanceIdVerdict::Registered("relay_2e1b0929e6fd7c52");
/// check.token_verdict = TokenVerdict::Known;
/// let wrong = check_connection(&check);
/// assert_eq!(wrong[0].code.as_str(), "instance_id_mismatch");
/// ```
pub fn check_connection(check: &ConnectionCheck<'_>) -> Vec<Diagnostic> {
    let disabled = (!check.relay_enabled).then(|| {
        let message = "The relay is off on this instance: turn it on in the settings, or with PULSE_RELAY_ENABLED.";
        Diagnostic::error(DiagnosticCode::RelayDisabled, message).about("relay_url")
    });
    let instance_id = check_instance_id(check).map(|diagnostic| diagnostic.about("instance_id"));
    let relay_url = check_relay_url(check).map(|diagnostic| diagnostic.about("relay_url"));
    let token = check_token(check).map(|diagnostic| diagnostic.about("auth_token"));
    [disabled, instance_id, relay_url, token].into_iter().flatten().collect()
}

fn check_instance_id(check: &ConnectionCheck<'_>) -> Option<Diagnostic> {
    let presented = check.instance_id.trim();
    if presented.is_empty() {
        let message = "The phone does not name an instance: pair it again.";
        return Some(Diagnostic::error(DiagnosticCode::InstanceIdMissing, message));
    }
    match check.own_instance_id {
        InstanceIdVerdict::Registered(own) if !own.trim().is_empty() => (own.trim() != presented).then(|| {
            let message =
                "The phone is paired with another instance, or the id of this one has changed since: pair it again.";
            Diagnostic::error(DiagnosticCode::InstanceIdMismatch, message).compared(own.trim(), presented)
        }),
        _ => {
            let message = "This instance is not registered at the relay, so the id cannot be compared: check again \
                           once it is connected.";
            Some(Diagnostic::warning(DiagnosticCode::InstanceIdUnverifiable, message))
        }
    }
}

fn check_relay_url(check: &ConnectionCheck<'_>) -> Option<Diagnostic> {
    let presented = check.relay_url.trim();
    if presented.is_empty() {
        let message = "The phone does not name a relay: pair it again.";
        return Some(Diagnostic::error(DiagnosticCode::RelayUrlMissing, message));
    }
    let Some(received) = relay_url_normal_form(presented) else {
        let message = "The phone's relay URL is not a ws:// or wss:// URL with a host: pair it again.";
        return Some(Diagnostic::error(DiagnosticCode::RelayUrlInvalid, message).received(presented));
    };
    // Where the runtime's own URL is not valid there is nothing to compare with.
    let expected = relay_url_normal_form(&relay_url_for_app(check.server_url))?;
    (expected != received).then(|| {
        let message = "The phone uses a different relay than this instance: pair it again.";
        Diagnostic::error(DiagnosticCode::RelayUrlMismatch, message).compared(&expected, &received)
    })
}

fn check_token(check: &ConnectionCheck<'_>) -> Option<Diagnostic> {
    if check.auth_token.trim().is_empty() {
        let message = "The phone presents no token: pair it again.";
        return Some(Diagnostic::error(DiagnosticCode::AuthTokenMissing, message));
    }
    (check.token_verdict != TokenVerdict::Known).then(|| {
        let message =
            "This instance does not know the phone's token: it was removed, or belongs to another instance. Pair the phone again.";
        Diagnostic::error(DiagnosticCode::AuthTokenInvalid, message)
    })
}
