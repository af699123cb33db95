//! For each error: the values that do not fit together, each with where it is from.

use pulse_trust::token::UnverifiedToken;
use pulse_trust::{Error, TokenKind};

use super::context::Context;
use super::fingerprints;
use crate::moment::{date, moment};
use crate::shown::{quoted, url_without_secrets};

pub(super) fn sides(error: &Error, context: &Context<'_>) -> Vec<(String, String)> {
    let side = |name: &str, value: String| (name.to_owned(), value);
    match error {
        Error::SignatureInvalid { kind, .. } | Error::KeyNotConfigured { kind, .. } => {
            let mut sides = trusted(*kind, context);
            if *kind == TokenKind::Lease {
                sides.push(side("the lease is signed by", signer(context)));
            }
            sides
        }
        Error::KeyUnknown { kid, .. } => {
            let mut sides = trusted(TokenKind::Lease, context);
            sides.push(side("the token names the key", quoted(kid)));
            sides
        }
        Error::HostMismatch { received, .. } => {
            let mut sides = vec![
                side("PULSE_PUBLIC_URL", context.public_url.map_or_else(|| "not set".to_owned(), url_without_secrets)),
                side("the lease is for", received.clone()),
            ];
            sides.extend(context.host_of_config.clone().map(|host| side("relay.enc is for", host)));
            sides
        }
        Error::HostInvalid { .. } => context
            .public_url
            .map(|url| side("PULSE_PUBLIC_URL", quoted(&url_without_secrets(url))))
            .into_iter()
            .chain(context.host_of_lease().map(|host| side("the lease is for", host.to_string())))
            .collect(),
        Error::ServerUrlInvalid { .. } => context
            .server_url
            .map(|url| side("server_url in relay.enc", quoted(&url_without_secrets(url))))
            .into_iter()
            .collect(),
        Error::Expired { expired_at: at, .. }
        | Error::NotYetValid { not_before: at, .. }
        | Error::TrialEnded { ended_at: at, .. } => {
            let name = if matches!(error, Error::NotYetValid { .. }) { "it counts from" } else { "it ended" };
            let relay_clock = context.relay_clock.map_or_else(|| "not known".to_owned(), date);
            vec![
                side(name, moment(*at, context.now)),
                side("this machine's clock", date(context.now)),
                side("the relay's clock", relay_clock),
            ]
        }
        _ => Vec::new(),
    }
}

/// The runtime's keys for a kind of token.
fn trusted(kind: TokenKind, context: &Context<'_>) -> Vec<(String, String)> {
    let Some(keys) = context.keys else { return Vec::new() };
    let set = if kind == TokenKind::Lease { &keys.lease } else { &keys.license };
    vec![(format!("{} trusts", kind.runtime_key_setting()), fingerprints(set))]
}

/// Who signed the lease, as far as that can be known.
fn signer(context: &Context<'_>) -> String {
    let token = context.lease.and_then(|lease| UnverifiedToken::parse(lease).ok());
    match (&context.asked.lease_key, token) {
        (Some(key), Some(_)) if context.is_lease_signed_by(key) => format!("{} (--lease-key)", key.log_fingerprint()),
        (Some(key), Some(_)) => format!("neither of these nor {} (--lease-key)", key.log_fingerprint()),
        (None, _) => "unknown: give the control plane's public key with --lease-key".to_owned(),
        (_, None) => "unknown".to_owned(),
    }
}
