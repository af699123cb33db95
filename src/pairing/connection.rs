//! The runtime's side of a connection check: what a phone presents, against what the runtime knows (FORMATS 13).

use core::fmt;

use super::diagnostic::{Diagnostic, DiagnosticCode};
use super::relay_url::{relay_url_for_app, relay_url_normal_form};

/// What the runtime makes of an auth token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TokenVerdict {
    /// It does not know the token.
    #[default]
    Unknown,
    /// It knows the token.
    Known,
}

/// What the runtime knows of its own instance id.
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
#[derive(Clone, Copy, Default)]
pub struct ConnectionCheck<'a> {
    /// Whether the relay is on.
    pub relay_enabled: bool,
    /// The runtime's server URL.
    pub server_url: &'a str,
    /// What the runtime knows of its id.
    pub own_instance_id: InstanceIdVerdict<'a>,
    /// What the phone presents.
    pub instance_id: &'a str,
    /// What the phone presents.
    pub relay_url: &'a str,
    /// **Secret**: what the phone presents.
    pub auth_token: &'a str,
    /// What the runtime makes of the token.
    pub token_verdict: TokenVerdict,
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

/// Every diagnostic of a connection, in the order of FORMATS 13; none where it is right.
pub fn check_connection(check: &ConnectionCheck<'_>) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    if !check.relay_enabled {
        diagnostics.push(Diagnostic::error(DiagnosticCode::RelayDisabled, "The relay is off on this instance."));
    }
    diagnostics.extend(instance_id_diagnostic(check));
    diagnostics.extend(relay_url_diagnostic(check));
    if check.auth_token.trim().is_empty() {
        let missing =
            Diagnostic::error(DiagnosticCode::AuthTokenMissing, "The phone presents no token: pair it again.");
        diagnostics.push(missing.about("auth_token"));
    } else if check.token_verdict != TokenVerdict::Known {
        let invalid = Diagnostic::error(
            DiagnosticCode::AuthTokenInvalid,
            "This instance does not know the phone's token: it was removed, or is another instance's. Pair again.",
        );
        diagnostics.push(invalid.about("auth_token"));
    }
    diagnostics
}

fn instance_id_diagnostic(check: &ConnectionCheck<'_>) -> Option<Diagnostic> {
    let presented = check.instance_id.trim();
    let diagnostic = match check.own_instance_id {
        _ if presented.is_empty() => {
            Diagnostic::error(DiagnosticCode::InstanceIdMissing, "The phone names no instance: pair it again.")
        }
        InstanceIdVerdict::Unverifiable => Diagnostic::error(
            DiagnosticCode::InstanceIdUnverifiable,
            "This instance is not registered at the relay, so it cannot say which id it has.",
        ),
        InstanceIdVerdict::Registered(own) if own != presented => Diagnostic::error(
            DiagnosticCode::InstanceIdMismatch,
            "The phone is paired with another instance, or this one has another id since: pair again.",
        )
        .compared(own, presented),
        InstanceIdVerdict::Registered(_) => return None,
    };
    Some(diagnostic.about("instance_id"))
}

fn relay_url_diagnostic(check: &ConnectionCheck<'_>) -> Option<Diagnostic> {
    let presented = check.relay_url.trim();
    let diagnostic = if presented.is_empty() {
        Diagnostic::error(DiagnosticCode::RelayUrlMissing, "The phone names no relay: pair it again.")
    } else if relay_url_normal_form(presented).is_none() {
        Diagnostic::error(DiagnosticCode::RelayUrlInvalid, "The phone's relay URL is no ws:// or wss:// URL.")
            .compared("wss://...", presented)
    } else {
        let (expected, received) = (relay_url_for_app(check.server_url), relay_url_for_app(presented));
        if expected == received {
            return None;
        }
        Diagnostic::error(
            DiagnosticCode::RelayUrlMismatch,
            "The phone uses another relay than this instance: pair again.",
        )
        .compared(&expected, &received)
    };
    Some(diagnostic.about("relay_url"))
}
