//! The tenant: provisioned here, or taken as somebody else has left it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

use pulse_trust::UnixTime;
use pulse_trust::hosted::{Runtime, RuntimeMode, TenantOrder, issue_billing_state};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::storage::{BillingState, DataDir, Revision};

use crate::Args;
use crate::failure::Failure;

const BASE_URL: &str = "https://cloud.example.test";

/// The tenant and what its container would be given.
pub(crate) struct Tenant {
    pub(crate) directory: PathBuf,
    pub(crate) runtime: Runtime,
    /// The control plane's key, where the tenant was provisioned here.
    pub(crate) control_plane: Option<SigningKey>,
    /// Whether that key was made here too.
    pub(crate) is_key_own: bool,
    _temporary: tempfile::TempDir,
}

impl Tenant {
    pub(crate) fn provision(args: &Args) -> Result<(Self, String), Failure> {
        let temporary = tempfile::tempdir().map_err(Failure::from_error)?;
        if let Some(directory) = &args.data_dir {
            // Opened once: a directory that is not there is no tenant.
            DataDir::new(directory).open_read_only()?;
            let (runtime, _) = Runtime::from_process()?;
            let seen = format!("took {}, as somebody else has provisioned it", directory.display());
            let tenant = Self {
                directory: directory.clone(),
                runtime,
                control_plane: None,
                is_key_own: false,
                _temporary: temporary,
            };
            return Ok((tenant, seen));
        }
        let (key, is_key_own) = match given_key(args)? {
            Some(key) => (key, false),
            None => (SigningKey::generate()?, true),
        };
        let directory = temporary.path().join("tenant");
        // Another one for each run: at a relay, an instance id belongs to the identity that came first.
        let tenant_id = format!("t-journey{:016x}", RandomState::new().build_hasher().finish());
        let host = provision_at(&directory, &key, &tenant_id, UnixTime::now())?;
        let runtime = hosted_runtime(&key, &host);
        let seen = format!("signed a lease for {host} and wrote the tenant's directory");
        Ok((Self { directory, runtime, control_plane: Some(key), is_key_own, _temporary: temporary }, seen))
    }

    pub(crate) fn host(&self) -> String {
        self.runtime.public_url.clone().unwrap_or_default()
    }
}

fn given_key(args: &Args) -> Result<Option<SigningKey>, Failure> {
    let text = match (&args.signing_key_file, &args.signing_key) {
        (Some(path), _) => std::fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("--signing-key-file {}: {error}", path.display())))?,
        (None, Some(key)) => key.clone(),
        (None, None) => return Ok(None),
    };
    Ok(Some(SigningKey::from_base64(text.trim())?))
}

/// Writes a tenant's directory; the host its lease is for.
pub(crate) fn provision_at(
    directory: &Path,
    key: &SigningKey,
    tenant_id: &str,
    now: UnixTime,
) -> Result<String, Failure> {
    let order = {
        let mut tenant_order = TenantOrder::new(tenant_id, BASE_URL);
        tenant_order.email = Some("owner@example.test".to_owned());
        tenant_order
    };
    let mut issued = issue_billing_state(&order, BillingState::default(), key, now)?;
    let data_dir = DataDir::create(directory)?.lock()?;
    data_dir.save_billing_state("default", &mut issued.billing, &Revision::ABSENT)?;
    Ok(issued.instance_host.to_string())
}

pub(crate) fn hosted_runtime(key: &SigningKey, host: &str) -> Runtime {
    let lease = TrustKeySet::new([key.public_key().clone()]);
    let mut runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::for_leases(lease));
    runtime.public_url = Some(format!("https://{host}"));
    runtime
}
