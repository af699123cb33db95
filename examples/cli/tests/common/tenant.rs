//! A provisioned tenant, and what the doctor says of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use pulse_trust::UnixTime;
use pulse_trust::hosted::{Bootstrap, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::RelayEnvironment;
use pulse_trust::storage::{BillingState, DataDir, Revision};
use serde_json::Value;

use super::{answers, pulse_trust, run};

/// A provisioned tenant: its directory, the control plane's key, and the environment of its container.
pub(crate) struct Tenant {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) control_plane: SigningKey,
    pub(crate) host: String,
    pub(crate) environment: BTreeMap<&'static str, String>,
}

impl Tenant {
    pub(crate) fn provision() -> Self {
        Self::provision_at(UnixTime::now())
    }

    /// As of then: its lease counts for a day.
    pub(crate) fn provision_at(now: UnixTime) -> Self {
        let control_plane = SigningKey::generate().unwrap();
        let order = TenantOrder::new("t-DOCTOR", "https://cloud.example.test");
        let mut issued = issue_billing_state(&order, BillingState::default(), &control_plane, now).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let locked = DataDir::new(directory.path()).lock().unwrap();
        locked.save_billing_state("default", &mut issued.billing, &Revision::ABSENT).unwrap();
        drop(locked);
        std::fs::remove_file(directory.path().join(".pulse-trust.lock")).unwrap();
        let host = issued.instance_host.to_string();
        let environment = BTreeMap::from([
            ("PULSE_HOSTED_MODE", "true".to_owned()),
            ("PULSE_PUBLIC_URL", format!("https://{host}")),
            ("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", control_plane.public_key().to_base64()),
            ("PULSE_LEGACY_KEY_PATH", String::new()),
        ]);
        Self { directory, control_plane, host, environment }
    }

    /// Starts its runtime once, which makes relay.enc with an identity.
    pub(crate) fn start(&self, relay: &str) -> Bootstrap {
        let lease = TrustKeySet::new([self.control_plane.public_key().clone()]);
        let mut runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::for_leases(lease));
        runtime.public_url = Some(format!("https://{}", self.host));
        runtime.relay_environment = RelayEnvironment::from_values(None, Some(relay)).0;
        let locked = DataDir::new(self.directory.path()).lock().unwrap();
        bootstrap(&locked, &runtime, UnixTime::now()).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn doctor(&self, arguments: &[&str]) -> Output {
        doctor(self.directory.path(), &self.environment, arguments)
    }

    /// The report in JSON. Whatever it says, the directory is as it was.
    pub(crate) fn report(&self, arguments: &[&str]) -> Value {
        let before = files(self.directory.path());
        let output = self.doctor(&[arguments, &["--json"]].concat());
        assert_eq!(files(self.directory.path()), before);
        let report = answers(&output).remove(0);
        assert_eq!(output.status.success(), report["ready"] == true, "{report:#}");
        report
    }
}

pub(crate) fn doctor(directory: &Path, environment: &BTreeMap<&'static str, String>, arguments: &[&str]) -> Output {
    run(pulse_trust().arg("doctor").arg(directory).args(arguments).envs(environment), b"")
}

/// Every file, the lock's too.
pub(crate) fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap_or_default())
        })
        .collect()
}

/// The first broken link.
pub(crate) fn broken(report: &Value) -> &Value {
    let links = report["links"].as_array().unwrap();
    let first = links.iter().find(|link| link["state"] == "broken").unwrap();
    assert_eq!(report["first_broken"], first["name"]);
    first
}

pub(crate) fn command(link: &Value) -> &str {
    link["mend"]["command"].as_str().unwrap_or_default()
}
