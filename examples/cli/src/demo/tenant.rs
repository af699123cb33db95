//! The demonstration's tenant: provisioned by a control plane, started by the library's one call.

use std::sync::Mutex;

use pulse_trust::UnixTime;
use pulse_trust::hosted::{Bootstrap, DEFAULT_ORG, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::pairing::{Onboarding, qr_svg};
use pulse_trust::relay::RelayConfig;
use pulse_trust::storage::{BillingState, DataDir, Revision};

use super::Shown;
use crate::failure::Failure;

/// A tenant that has started and may register.
pub(super) struct Tenant {
    pub(super) host: String,
    pub(super) started: Bootstrap,
    /// What its owner gives to the phone.
    pub(super) auth_token: String,
    steps: Vec<(&'static str, String)>,
    _directory: tempfile::TempDir,
}

impl Tenant {
    pub(super) fn start(control_plane: &SigningKey, relay_url: &str) -> Result<Self, Failure> {
        let directory = super::private_directory()?;
        let order = {
            let mut tenant_order = TenantOrder::new("t-demo", "https://cloud.example.test");
            tenant_order.email = Some("owner@example.test".to_owned());
            tenant_order
        };
        let now = UnixTime::now();
        let mut issued = issue_billing_state(&order, BillingState::default(), control_plane, now)?;
        let host = issued.instance_host.to_string();
        let locked = DataDir::new(directory.path()).lock()?;
        locked.save_billing_state(DEFAULT_ORG, &mut issued.billing, &Revision::ABSENT)?;

        let lease = TrustKeySet::new([control_plane.public_key().clone()]);
        let mut runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::for_leases(lease));
        runtime.public_url = Some(format!("https://{host}"));
        let started = bootstrap(&locked, &runtime, now)?;
        let identity = started.config.identity()?;
        let steps = vec![
            ("Control plane", format!("signed a lease for {host}, and wrote billing.json")),
            ("Tenant", format!("made relay.enc, with the identity {}", identity.fingerprint())),
            ("Relay", format!("listens at {relay_url}, and trusts {}", control_plane.public_key().log_fingerprint())),
        ];
        // Nobody can guess the hash of a key that is made for it.
        let auth_token = SigningKey::generate()?.public_key().fingerprint().replace(':', "");
        Ok(Self { host, started, auth_token, steps, _directory: directory })
    }

    /// What the page shows of it, once it is registered.
    pub(super) fn shown(&self, relay_url: &str, instance_id: &str) -> Result<Shown, Failure> {
        let mut config = RelayConfig::from_json(self.started.config.secret_json().expose_secret())?;
        config.server_url = relay_url.to_owned();
        let payload = Onboarding::new(&config, instance_id, &self.auth_token)
            .build()
            .map_err(|not_ready| Failure::from(pulse_trust::Error::from(not_ready)))?;
        let code = payload.secret_compact_code();
        let mut steps = self.steps.clone();
        steps.push(("Registered", format!("the relay knows the tenant as {instance_id}")));
        Ok(Shown {
            relay_url: relay_url.to_owned(),
            instance_id: instance_id.to_owned(),
            fingerprint: config.identity()?.fingerprint(),
            qr: qr_svg(code.expose_secret())?,
            code: code.expose_secret().to_owned(),
            steps,
            paired: Mutex::new(None),
        })
    }
}
