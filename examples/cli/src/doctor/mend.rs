//! For each error: the values that do not fit together, and how to mend it.

use std::path::Path;

use pulse_trust::keys::TrustKeys;
use pulse_trust::token::UnverifiedToken;
use pulse_trust::{Error, TokenKind, UnixTime};

use super::report::{Fault, Mend};
use super::{Asked, fingerprints};
use crate::moment::{date, moment};

/// What is known around an error.
pub(super) struct Context<'a> {
    pub(super) directory: &'a Path,
    pub(super) asked: &'a Asked,
    pub(super) lease: Option<&'a str>,
    pub(super) public_url: Option<&'a str>,
    pub(super) keys: Option<&'a TrustKeys>,
    pub(super) now: UnixTime,
    pub(super) relay_clock: Option<UnixTime>,
}

/// A broken link, of a library's error.
pub(super) fn fault_of(error: Error, context: &Context<'_>) -> Fault {
    let sides = sides(&error, context);
    let mend = mend(&error, context);
    Fault { what: format!("{error} ({} {})", error.code(), error.name()), error: Some(error), sides, mend }
}

/// A variable of the tenant's container.
pub(super) fn set_in_runtime(setting: &str, value: &str) -> Mend {
    Mend {
        what: "put this into the environment of the tenant's runtime, and restart it:".to_owned(),
        command: Some(format!("{setting}={value}")),
    }
}

/// A variable of the relay.
pub(super) fn set_at_relay(setting: &str, value: &str) -> Mend {
    Mend {
        what: "put this into the environment of the relay, beside its other keys if it has some, and restart it:"
            .to_owned(),
        command: Some(format!("{setting}={value}")),
    }
}

pub(super) fn synchronize_clock() -> Mend {
    run("synchronize the clock of the machine that is wrong:", "timedatectl set-ntp true")
}

fn run(what: &str, command: impl Into<String>) -> Mend {
    Mend { what: what.to_owned(), command: Some(command.into()) }
}

fn sides(error: &Error, context: &Context<'_>) -> Vec<(String, String)> {
    let side = |name: &str, value: String| (name.to_owned(), value);
    match error {
        Error::SignatureInvalid { kind } | Error::KeyNotConfigured { kind, .. } => {
            let mut sides = trusted(*kind, context);
            if *kind == TokenKind::Lease {
                sides.push(side("the lease is signed by", signer(context)));
            }
            sides
        }
        Error::KeyUnknown { kid } => {
            let mut sides = trusted(TokenKind::Lease, context);
            sides.push(side("the token names the key", kid.clone()));
            sides
        }
        Error::HostMismatch { received, .. } => vec![
            side("PULSE_PUBLIC_URL", context.public_url.unwrap_or("not set").to_owned()),
            side("the lease is for", received.clone()),
        ],
        Error::Expired { expired_at: at, .. }
        | Error::NotYetValid { not_before: at, .. }
        | Error::TrialEnded { ended_at: at, .. } => {
            let name = if matches!(error, Error::NotYetValid { .. }) { "it counts from" } else { "it ended" };
            let mut sides = vec![side(name, moment(*at, context.now)), side("this machine's clock", date(context.now))];
            sides.extend(context.relay_clock.map(|clock| side("the relay's clock", date(clock))));
            sides
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
        (Some(key), Some(token)) if token.verify_under(key, TokenKind::Lease).is_ok() => {
            format!("{} (--lease-key)", key.log_fingerprint())
        }
        (Some(key), Some(_)) => format!("neither of these nor {} (--lease-key)", key.log_fingerprint()),
        (None, _) => "unknown: give the control plane's public key with --lease-key".to_owned(),
        (_, None) => "unknown".to_owned(),
    }
}

fn mend(error: &Error, context: &Context<'_>) -> Mend {
    let directory = context.directory.display();
    let issue_anew = |what: &str| Mend { what: what.to_owned(), command: None };
    match error {
        Error::FileMissing { path } if path.ends_with("billing.json") => issue_anew(
            "the control plane has not provisioned this directory, or another one is mounted: have it write billing.json \
             here, then run the doctor again.",
        ),
        Error::FileMissing { path } => run(
            "the directory is not there: mount or make it, as the owner of the runtime:",
            format!("mkdir -m 700 -p {path}"),
        ),
        Error::File { path, kind: std::io::ErrorKind::PermissionDenied, .. } => run(
            "run the doctor as a user who may read it:",
            format!("sudo -E pulse-trust doctor {}", path_of(path, context)),
        ),
        Error::KeyFileLost { path, .. } | Error::KeyFileUnreadable { path, .. } => run(
            "restore the key file from a backup; nothing makes a new one:",
            format!("install -m 600 BACKUP/.encryption.key {path}"),
        ),
        Error::FileNotRegular { path }
        | Error::FileTooLarge { path, .. }
        | Error::FileMalformed { path, .. }
        | Error::BillingTampered { path }
        | Error::BillingUnsigned { path } => run(
            "restore the file from a backup, or have the control plane issue it anew:",
            format!("install -m 600 BACKUP/{} {path}", file_name(path)),
        ),
        Error::UnsealFailed { .. } => run(
            "restore the key file that the directory was sealed under:",
            format!("install -m 600 BACKUP/.encryption.key {directory}/.encryption.key"),
        ),
        Error::NotHosted => set_in_runtime("PULSE_HOSTED_MODE", "true"),
        Error::KeyNotConfigured { setting, .. } => set_in_runtime(setting, &given_key(context)),
        Error::SignatureInvalid { kind: TokenKind::Lease } => {
            let is_signer = context.asked.lease_key.as_ref().zip(context.lease).is_some_and(|(key, lease)| {
                UnverifiedToken::parse(lease).is_ok_and(|token| token.verify_under(key, TokenKind::Lease).is_ok())
            });
            if is_signer || context.asked.lease_key.is_none() {
                set_in_runtime(TokenKind::Lease.runtime_key_setting(), &given_key(context))
            } else {
                issue_anew("neither key signed this lease: have the control plane issue the lease anew.")
            }
        }
        Error::HostMismatch { received, .. } => set_in_runtime("PULSE_PUBLIC_URL", &format!("https://{received}")),
        Error::SettingInvalid { setting, .. } | Error::SettingKeyInvalid { setting, .. } => {
            let is_lease_key = *setting == TokenKind::Lease.runtime_key_setting();
            set_in_runtime(setting, &if is_lease_key { given_key(context) } else { "…".to_owned() })
        }
        Error::RelayDisabled { by: "PULSE_RELAY_ENABLED" } => run(
            "the environment switches the relay off; where that is not meant, change it and restart the runtime:",
            "PULSE_RELAY_ENABLED=true",
        ),
        Error::RelayDisabled { .. } => run(
            "nobody has switched the relay on: do it in Pulse under Settings, Relay, or in the environment of the runtime:",
            "PULSE_RELAY_ENABLED=true",
        ),
        Error::ServerUrlInvalid { .. } => set_in_runtime("PULSE_RELAY_SERVER", pulse_trust::relay::DEFAULT_SERVER_URL),
        Error::Expired { kind: TokenKind::Lease, .. } | Error::TrialEnded { .. } | Error::NoLease => issue_anew(
            "the control plane has to issue a new lease: see in its log why the refresh of this tenant does not arrive.",
        ),
        Error::NotYetValid { .. } => synchronize_clock(),
        Error::IdentityInvalid { .. } => run(
            "restore relay.enc from a backup; without one, remove it, and the next start makes a new identity, with which every phone is paired again:",
            format!("install -m 600 BACKUP/relay.enc {directory}/relay.enc"),
        ),
        other => issue_anew(
            Error::TABLE
                .iter()
                .find(|entry| entry.code == other.code())
                .map_or("see the error's page.", |entry| entry.remedy),
        ),
    }
}

/// The key of the command line, or where to get it.
fn given_key(context: &Context<'_>) -> String {
    match &context.asked.lease_key {
        Some(key) => key.to_base64(),
        None => "<the control plane's public key, base64>".to_owned(),
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The directory, where the error is of something in it.
fn path_of<'a>(path: &'a str, context: &'a Context<'_>) -> std::path::Display<'a> {
    if Path::new(path).starts_with(context.directory) { context.directory.display() } else { Path::new(path).display() }
}
