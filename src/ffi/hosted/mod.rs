//! A hosted runtime's start, and what the control plane issues

mod report;

use core::ffi::c_char;

use self::report::{BootstrapReport, Credential, LinkReport, ReadinessReport, Resolved};
use super::buffer::pulse_buffer;
use super::call::{Out, borrow, call, free, text};
use super::data_dir::pulse_data_dir;
use super::fault::{Fault, pulse_error, pulse_status};
use super::json::{self, ErrorText};
use super::keys::{pulse_signing_key, pulse_trust_keys};
use crate::entitlement::SubscriptionState;
use crate::hosted::{
    BootstrapOutcome, DEFAULT_ORG, LinkState, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state,
    readiness, registration_credential, resolve_billing,
};
use crate::json::Json;
use crate::relay::RelayEnvironment;
use crate::storage::BillingState;
use crate::time::UnixTime;
use crate::warning::Warning;

/// Whether a runtime is a hosted one: `PULSE_MODE_...`.
pub type pulse_mode = i32;
/// It is run by its owner.
pub const PULSE_MODE_SELF_HOSTED: pulse_mode = 0;
/// It is run by Pulse Cloud: it is bootstrapped, and may offer its lease.
pub const PULSE_MODE_HOSTED: pulse_mode = 1;

/// How a runtime is configured.
pub struct pulse_runtime {
    runtime: Runtime,
    warnings: Vec<Warning>,
}

impl pulse_runtime {
    pub(super) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// The warnings about its settings, then those of a call.
    fn warning_texts_and(&self, warnings: &[Warning]) -> Vec<String> {
        self.warnings.iter().chain(warnings).map(ToString::to_string).collect()
    }
}

/// A runtime of this mode with these keys. `public_url` is the value of `PULSE_PUBLIC_URL`, whose host the lease must
/// be for (empty: any host); `relay_enabled` and `relay_server` are the values of `PULSE_RELAY_ENABLED` and
/// `PULSE_RELAY_SERVER` (empty: not set).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_runtime_new(
    mode: pulse_mode,
    keys: *const pulse_trust_keys,
    public_url: *const c_char,
    public_url_len: usize,
    relay_enabled: *const c_char,
    relay_enabled_len: usize,
    relay_server: *const c_char,
    relay_server_len: usize,
    out: *mut *mut pulse_runtime,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            let mode = match mode {
                PULSE_MODE_SELF_HOSTED => RuntimeMode::SelfHosted,
                PULSE_MODE_HOSTED => RuntimeMode::Hosted,
                _ => return Err(Fault::Argument("mode", "expected one of PULSE_MODE_...")),
            };
            let mut runtime = Runtime::new(mode, borrow(keys, "keys")?.keys.clone());
            let public_url = text(public_url, public_url_len, "public_url")?.trim();
            runtime.public_url = Some(public_url.to_owned()).filter(|url| !url.is_empty());
            let enabled = text(relay_enabled, relay_enabled_len, "relay_enabled")?;
            let server = text(relay_server, relay_server_len, "relay_server")?;
            let (environment, warnings) = RelayEnvironment::from_values(Some(enabled), Some(server));
            runtime.relay_environment = environment;
            Ok(pulse_runtime { runtime, warnings })
        })
    }
}

/// Frees a runtime; NULL is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_runtime_free(runtime: *mut pulse_runtime) {
    // SAFETY: the pointer contract of this module.
    unsafe { free(runtime) };
}

/// Brings a runtime's directory to the point where it can register: creates the relay config of a hosted tenant that
/// nobody has configured, gives an enabled config its identity, and picks the credential. Running it again changes
/// nothing. Returns **secret** JSON: `outcome` (`bootstrapped`, `identity_made`, `unchanged`), `reason` (why it was not
/// bootstrapped), `config` (in effect), `credential` (`token`, `offered`, `suspended`, `blocked`: why an activation
/// blocks every credential, `candidates`), `warnings`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_bootstrap(
    data_dir: *const pulse_data_dir,
    runtime: *const pulse_runtime,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let runtime = borrow(runtime, "runtime")?;
            let data_dir = borrow(data_dir, "data_dir")?;
            let now = UnixTime::from_secs(now);
            let done = data_dir.with_lock(|locked| Ok(bootstrap(locked, &runtime.runtime, now)?))?;
            let (outcome, reason) = match &done.outcome {
                BootstrapOutcome::Bootstrapped => ("bootstrapped", None),
                BootstrapOutcome::IdentityMade => ("identity_made", None),
                BootstrapOutcome::Unchanged { reason } => ("unchanged", reason.as_ref().map(ErrorText::from)),
            };
            let warnings = runtime.warning_texts_and(&done.warnings);
            let credential = Credential::from(&done.credential);
            let report = BootstrapReport { outcome, reason, config: &done.config, credential, warnings };
            json::buffer(&report)
        })
    }
}

/// The credential to register with: **secret** JSON as `credential` of `pulse_bootstrap`. If none can be offered, it
/// fails, and the error says why for each candidate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_registration_credential(
    data_dir: *const pulse_data_dir,
    runtime: *const pulse_runtime,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let runtime = &borrow(runtime, "runtime")?.runtime;
            let data_dir = borrow(data_dir, "data_dir")?;
            let now = UnixTime::from_secs(now);
            let choice = data_dir.with_lock(|locked| Ok(registration_credential(locked.reader(), runtime, now)))?;
            choice.require_secret_token()?;
            json::buffer(&Credential::from(&choice))
        })
    }
}

/// Which link of the chain from "provisioned" to "can register" is broken: JSON with `ready`, `links` (each `name`,
/// `state`: `holds`, `will_be_made`, `broken`; `seen`, `error`) and `warnings`. It only reads: it takes no lock, makes no
/// file, and leaves files of older forms as they are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_readiness(
    data_dir: *const pulse_data_dir,
    runtime: *const pulse_runtime,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let runtime = borrow(runtime, "runtime")?;
            let data_dir = borrow(data_dir, "data_dir")?;
            let now = UnixTime::from_secs(now);
            let found = data_dir.with_reader(|directory| Ok(readiness(directory, &runtime.runtime, now)))?;
            let links = found.links.iter().map(|link| match &link.state {
                LinkState::Holds(seen) => LinkReport { name: link.name.as_str(), state: "holds", seen, error: None },
                LinkState::WillBeMade(seen) => {
                    LinkReport { name: link.name.as_str(), state: "will_be_made", seen, error: None }
                }
                LinkState::Broken(error) => LinkReport {
                    name: link.name.as_str(),
                    state: "broken",
                    seen: "",
                    error: Some(ErrorText::from(error)),
                },
            });
            let warnings = runtime.warning_texts_and(&found.warnings);
            let report = ReadinessReport { ready: found.first_broken().is_none(), links: links.collect(), warnings };
            json::buffer(&report)
        })
    }
}

/// What a billing state (its JSON, with unsealed secrets) says once the lease in it was verified, which must be for the
/// organization `org` (empty: any, as the deployed runtime has it). JSON with `capabilities` (those that it names,
/// whatever its state is), `granted` (those that count at `now`), `limits`, `meters_enabled`, `plan_version`,
/// `subscription_state`, `trial_started_at`,
/// `trial_ends_at`, `lease_error`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_billing_state_resolve(
    runtime: *const pulse_runtime,
    org: *const c_char,
    org_len: usize,
    billing_json: *const c_char,
    billing_json_len: usize,
    now: i64,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let runtime = &borrow(runtime, "runtime")?.runtime;
            let billing_json = text(billing_json, billing_json_len, "billing_json")?;
            let org = text(org, org_len, "org")?.trim();
            let Json(state) = json::parse::<Json<BillingState>>(billing_json, "billing_json")?;
            let checks = runtime.lease_checks_for(Some(org).filter(|org| !org.is_empty()));
            let now = UnixTime::from_secs(now);
            let resolved = resolve_billing(&state, &runtime.keys, &checks, now);
            let resolved = Resolved {
                capabilities: &resolved.capabilities,
                granted: resolved.capabilities_at(now),
                limits: &resolved.limits,
                meters_enabled: &resolved.meters_enabled,
                plan_version: &resolved.plan_version,
                subscription_state: resolved.subscription_state.as_ref().map_or("", SubscriptionState::as_str),
                trial_started_at: resolved.trial_started_at.map(UnixTime::as_secs),
                trial_ends_at: resolved.trial_ends_at.map(UnixTime::as_secs),
                lease_error: resolved.lease_error.as_ref().map(ErrorText::from),
            };
            json::buffer(&resolved)
        })
    }
}

/// The control plane's side: issues a tenant's billing state with a signed lease and saves it in its directory. The
/// order is JSON with `tenant_id`, `base_url`, and optionally `email`, `plan_version`, `subscription_state`,
/// `trial_ends_at`, `stripe_customer_id`, `stripe_subscription_id`, `stripe_price_id`. Gives the tenant's host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_billing_state_issue(
    data_dir: *const pulse_data_dir,
    order_json: *const c_char,
    order_json_len: usize,
    key: *const pulse_signing_key,
    now: i64,
    out_host: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_host, "out_host"), || {
            let (data_dir, key) = (borrow(data_dir, "data_dir")?, &borrow(key, "key")?.key);
            let order_json = text(order_json, order_json_len, "order_json")?;
            let Json(order) = json::parse::<Json<TenantOrder>>(order_json, "order_json")?;
            let host = data_dir.with_lock(|locked| {
                let loaded = locked.billing_state(DEFAULT_ORG)?;
                let existing = loaded.value.unwrap_or_default();
                let mut issued = issue_billing_state(&order, existing, key, UnixTime::from_secs(now))?;
                locked.save_billing_state(DEFAULT_ORG, &mut issued.billing, &loaded.revision)?;
                Ok(issued.instance_host)
            })?;
            Ok(pulse_buffer::new(host.as_str()))
        })
    }
}
