//! How each error is mended, at the link where it was met.

use pulse_trust::hosted::LinkName;
use pulse_trust::keys::{PublicKey, TrustKeySet};
use pulse_trust::relay::DisabledBy;
use pulse_trust::{Error, TokenKind};

use super::context::Context;
use super::report::{Fault, Mend};
use super::{mend_files, sides};
use crate::shell;
use crate::shown::told;

/// Where an error was met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    DataDirectory,
    Settings,
    Link(LinkName),
}

/// A broken link, of a library's error.
pub(super) fn fault_of(link: Place, error: Error, context: &Context<'_>) -> Fault {
    let sides = sides::sides(&error, context);
    let mend = mend(link, &error, context);
    Fault { what: told(&error), error: Some(error), sides, mend }
}

/// A variable of the tenant's container.
pub(super) fn set_in_runtime(setting: &str, value: &str) -> Mend {
    Mend {
        what: "put this into the environment of the tenant's runtime, and restart it:".to_owned(),
        command: Some(shell::assignment(setting, value)),
    }
}

/// A variable of the relay.
pub(super) fn set_at_relay(setting: &str, value: &str) -> Mend {
    Mend {
        what: "put this into the environment of the relay, beside its other keys if it has some, and restart it:"
            .to_owned(),
        command: Some(shell::assignment(setting, value)),
    }
}

pub(super) fn synchronize_clock() -> Mend {
    run("synchronize the clock of the machine that is wrong:", "timedatectl set-ntp true")
}

pub(super) fn run(what: &str, command: impl Into<String>) -> Mend {
    Mend { what: what.to_owned(), command: Some(command.into()) }
}

/// What no command does.
pub(super) fn only_told(what: impl Into<String>) -> Mend {
    Mend { what: what.into(), command: None }
}

/// One more key for the runtime's leases: its other keys stay, as one of them may have signed the lease that counts.
pub(super) fn key_beside(keys: &TrustKeySet, key: &PublicKey) -> String {
    let mut all: Vec<String> = keys.keys().map(PublicKey::to_base64).collect();
    all.push(key.to_base64());
    all.join(",")
}

fn mend(link: Place, error: &Error, context: &Context<'_>) -> Mend {
    if link == Place::Link(LinkName::Identity) {
        return mend_files::identity(context);
    }
    if let Some(mend) = mend_files::mend(error, context) {
        return mend;
    }
    match error {
        Error::NotHosted => set_in_runtime("PULSE_HOSTED_MODE", "true"),
        Error::KeyNotConfigured { setting, .. } => set_key(setting, context),
        Error::SignatureInvalid { kind: TokenKind::Lease, .. } => signature(context),
        Error::HostMismatch { received, .. } => host_mismatch(received, context),
        Error::HostInvalid { .. } if link == Place::Settings => match context.host_of_lease() {
            Some(host) => set_in_runtime("PULSE_PUBLIC_URL", &format!("https://{host}")),
            None => only_told(
                "put the URL at which this tenant is reached into PULSE_PUBLIC_URL in the environment of its runtime, and \
                 restart it.",
            ),
        },
        Error::SettingKeyInvalid { setting, .. } => set_key(setting, context),
        Error::SettingInvalid { setting, .. } => only_told(format!(
            "correct {setting} in the environment of the tenant's runtime as the message says, and restart it."
        )),
        Error::RelayDisabled { by: DisabledBy::Environment, .. } => run(
            "the environment switches the relay off; where that is not meant, change it and restart the runtime:",
            "PULSE_RELAY_ENABLED=true",
        ),
        Error::RelayDisabled { .. } => run(
            "nobody has switched the relay on: do it in Pulse under Settings, Relay, or in the environment of the runtime:",
            "PULSE_RELAY_ENABLED=true",
        ),
        Error::ServerUrlInvalid { .. } => set_in_runtime("PULSE_RELAY_SERVER", pulse_trust::relay::DEFAULT_SERVER_URL),
        Error::Expired { kind: TokenKind::Lease, .. } | Error::TrialEnded { .. } => expired(context),
        Error::NoLease => only_told(NEW_LEASE),
        Error::NotYetValid { .. } => synchronize_clock(),
        other => only_told(
            Error::TABLE
                .iter()
                .find(|entry| entry.code == other.code())
                .map_or("see the error's page.", |entry| entry.remedy),
        ),
    }
}

const NEW_LEASE: &str =
    "the control plane has to issue a new lease: see in its log why the refresh of this tenant does not arrive.";

/// A key for a variable, where the operator has given it.
fn set_key(setting: &str, context: &Context<'_>) -> Mend {
    match &context.asked.lease_key {
        Some(key) if setting == TokenKind::Lease.runtime_key_setting() => set_in_runtime(setting, &key.to_base64()),
        _ if setting == TokenKind::Lease.runtime_key_setting() => only_told(format!(
            "put the control plane's public key, in base64, into {setting} in the environment of the tenant's runtime, and \
             restart it. With --lease-key KEY the doctor prints the whole line."
        )),
        _ => only_told(format!(
            "put the license server's public key, in base64, into {setting} in the environment of the tenant's runtime, \
             and restart it."
        )),
    }
}

fn signature(context: &Context<'_>) -> Mend {
    let setting = TokenKind::Lease.runtime_key_setting();
    match (&context.asked.lease_key, context.keys) {
        (Some(key), Some(keys)) if context.is_lease_signed_by(key) => {
            set_in_runtime(setting, &key_beside(&keys.lease, key))
        }
        (Some(_), _) => only_told("neither key signed this lease: have the control plane issue the lease anew."),
        (None, _) => set_key(setting, context),
    }
}

/// Which of the two is wrong shows in relay.enc, whose secret is the tenant's host.
fn host_mismatch(host_of_lease: &str, context: &Context<'_>) -> Mend {
    let url = format!("https://{host_of_lease}");
    match context.host_of_config.as_deref() {
        Some(host) if host == host_of_lease => set_in_runtime("PULSE_PUBLIC_URL", &url),
        Some(host) if context.host_of_url().as_deref() == Some(host) => only_told(format!(
            "relay.enc is this tenant's, but the lease in billing.json is of the tenant {host_of_lease}: have the control \
             plane write this tenant's billing.json here."
        )),
        _ => run(
            "if the lease is another tenant's, have the control plane write this tenant's billing.json here. If \
             PULSE_PUBLIC_URL is wrong, put this into the environment of the tenant's runtime, and restart it:",
            shell::assignment("PULSE_PUBLIC_URL", &url),
        ),
    }
}

/// A clock that is ahead makes a good lease look expired.
fn expired(context: &Context<'_>) -> Mend {
    match context.relay_clock {
        Some(_) => only_told(NEW_LEASE),
        None => run(
            &format!(
                "first hold this machine's clock against another, as the relay's is not known: a clock that is ahead makes a \
                 good lease look expired. If it is right, {NEW_LEASE} This shows the clock:"
            ),
            "date -u",
        ),
    }
}
