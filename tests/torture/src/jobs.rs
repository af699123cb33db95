//! What a victim does, from which directory it begins, and how to tell that it is done.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pulse_trust::hosted::{DEFAULT_ORG, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::{BillingState, DataDir, IdentityChange, LockedDataDir, Revision};
use pulse_trust::{Result, UnixTime};

use crate::check::State;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
/// The control plane's key of the bench, which opens nothing real.
const SEED: &str = "cHVsc2UtdG9ydHVyZS1zZWVkLXRoYXQtb3BlbnMtMDA=";
const NEW_SECRET: &str = "new-secret";
const NEW_CUSTOMER: &str = "cus_new";
const ORG: &str = "acme";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    /// The first save into an empty directory.
    Create,
    /// A save over a config with an identity, which stays.
    Save,
    /// A save that replaces the identity.
    Replace,
    /// A load that seals a plain file of an older runtime.
    Migrate,
    /// A tenant's first start.
    Bootstrap,
    /// A save of the billing state.
    Billing,
    /// The first save for another organization.
    Organization,
    /// Adds one to a number in the config.
    Increment,
    /// Loads everything.
    Read,
}

impl Job {
    /// Those that change something once.
    pub(crate) const ALL: [Self; 7] =
        [Self::Create, Self::Save, Self::Replace, Self::Migrate, Self::Bootstrap, Self::Billing, Self::Organization];
    /// Those that races use.
    pub(crate) const MORE: [Self; 2] = [Self::Increment, Self::Read];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Save => "save",
            Self::Replace => "replace",
            Self::Migrate => "migrate",
            Self::Bootstrap => "bootstrap",
            Self::Billing => "billing",
            Self::Organization => "organization",
            Self::Increment => "increment",
            Self::Read => "read",
        }
    }

    /// Fills an empty directory with what the job begins from.
    pub(crate) fn prepare(self, directory: &Path) {
        let locked = DataDir::create(directory).and_then(|data_dir| data_dir.lock()).expect("a directory");
        match self {
            Self::Create => {}
            Self::Bootstrap | Self::Billing | Self::Read => provision(&locked),
            Self::Save | Self::Replace | Self::Organization | Self::Increment => save_first(&locked),
            Self::Migrate => {
                save_first(&locked);
                let mut config = locked.relay_config().expect("a config").value;
                config.server_url = "wss://plain.example.test/ws/instance".to_owned();
                let path = directory.join("relay.enc");
                fs::write(&path, config.secret_json().expose_secret()).expect("a plain file");
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
            }
        }
    }

    /// Does it; gives what it has seen, for the races.
    pub(crate) fn run(self, directory: &Path) -> Result<String> {
        let locked = DataDir::new(directory).lock()?;
        let mut loaded = locked.relay_config()?;
        match self {
            Self::Create | Self::Save | Self::Replace => {
                loaded.value.instance_secret = NEW_SECRET.to_owned().into();
                let mut change = IdentityChange::Keep;
                if self == Self::Replace {
                    loaded.value.set_identity(&Identity::generate()?);
                    change = IdentityChange::Replace;
                }
                locked.save_relay_config(&loaded.value, &loaded.revision, change)?;
            }
            Self::Migrate => {}
            Self::Bootstrap => {
                let started = bootstrap(&locked, &runtime(), NOW)?;
                started.credential.require_secret_token()?;
                return Ok(started.config.identity_fingerprint.unwrap_or_default());
            }
            Self::Billing => {
                let loaded = locked.billing_state(DEFAULT_ORG)?;
                let mut state = loaded.value.unwrap_or_default();
                state.stripe_customer_id = Some(NEW_CUSTOMER.to_owned());
                locked.save_billing_state(DEFAULT_ORG, &mut state, &loaded.revision)?;
            }
            Self::Organization => {
                let revision = locked.billing_state(ORG)?.revision;
                let mut state = BillingState::default();
                state.entitlement_refresh_token = Some("etr_hosted_00".into());
                state.stripe_customer_id = Some(NEW_CUSTOMER.to_owned());
                locked.save_billing_state(ORG, &mut state, &revision)?;
            }
            Self::Increment => {
                let count: usize = loaded.value.server_url.parse().unwrap_or_default();
                loaded.value.server_url = (count + 1).to_string();
                locked.save_relay_config(&loaded.value, &loaded.revision, IdentityChange::Keep)?;
            }
            Self::Read => {
                locked.billing_state(DEFAULT_ORG)?;
                locked.billing_state(ORG)?;
            }
        }
        Ok(String::new())
    }

    /// Whether a directory is as the job leaves it.
    pub(crate) fn is_done(self, before: &State, now: &State) -> bool {
        let is_new_customer = |billing: &Option<serde_json::Value>| {
            billing.as_ref().is_some_and(|billing| billing["stripe_customer_id"] == NEW_CUSTOMER)
        };
        let fingerprint = |state: &State| state.config["identity_fingerprint"].clone();
        match self {
            Self::Create | Self::Save => now.config["instance_secret"] == NEW_SECRET,
            Self::Replace => fingerprint(now) != fingerprint(before) && !fingerprint(now).is_null(),
            Self::Migrate => now.config == before.config,
            Self::Bootstrap => now.config["enabled"] == true && !fingerprint(now).is_null(),
            Self::Billing => is_new_customer(&now.billing),
            Self::Organization => is_new_customer(&now.organization),
            Self::Increment => now.config["server_url"] != before.config["server_url"],
            Self::Read => now == before,
        }
    }
}

fn signing_key() -> SigningKey {
    SigningKey::from_base64(SEED).expect("a seed")
}

pub(crate) fn runtime() -> Runtime {
    let lease = TrustKeySet::new([signing_key().public_key().clone()]);
    Runtime::new(RuntimeMode::Hosted, TrustKeys::for_leases(lease))
}

fn provision(locked: &LockedDataDir) {
    let order = TenantOrder::new("t-torture", "https://cloud.example.test");
    let mut issued = issue_billing_state(&order, BillingState::default(), &signing_key(), NOW).expect("a state");
    locked.save_billing_state(DEFAULT_ORG, &mut issued.billing, &Revision::ABSENT).expect("saved");
}

fn save_first(locked: &LockedDataDir) {
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.instance_secret = "old-secret".to_owned().into();
    config.set_identity(&Identity::generate().expect("an identity"));
    locked.save_relay_config(&config, &Revision::ABSENT, IdentityChange::Keep).expect("saved");
}
