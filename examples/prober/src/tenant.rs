//! The synthetic tenant: provisioned by its control plane, or by the prober under the control plane's key.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};

use pulse_trust::entitlement::tenant_host;
use pulse_trust::hosted::{DEFAULT_ORG, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::Identity;
use pulse_trust::storage::DataDir;
use pulse_trust::{Secret, UnixTime};

use crate::Args;
use crate::failure::Failure;

/// The tenant of a directory that the prober made itself. One of a temporary directory has another name each time: at a
/// relay, an instance id belongs for a while to the identity that came first.
const OWN_TENANT: &str = "t-prober";

/// Who registers.
pub(crate) struct Tenant {
    directory: PathBuf,
    runtime: Runtime,
    /// The control plane's key and the order, where the prober signs the leases.
    signing: Option<(SigningKey, TenantOrder)>,
    /// What the phone presents; nobody else knows it.
    pub(crate) auth_token: Secret,
    _temporary: Option<tempfile::TempDir>,
}

/// What a registration needs, as the directory holds it now.
pub(crate) struct Credential {
    pub(crate) token: Secret,
    pub(crate) instance_secret: Secret,
    pub(crate) identity: Identity,
}

impl Tenant {
    /// The tenant of the arguments.
    pub(crate) fn open(args: &Args) -> Result<Self, Failure> {
        // Nobody can guess the hash of a key that is made for it.
        let auth_token = SigningKey::generate()?.public_key().fingerprint().replace(':', "").into();
        let Some(key_file) = &args.signing_key_file else {
            let directory = args.tenant.clone().unwrap_or_default();
            DataDir::new(&directory).open_read_only()?;
            let (runtime, _) = Runtime::from_process()?;
            return Ok(Self { directory, runtime, signing: None, auth_token, _temporary: None });
        };
        let key = signing_key(key_file)?;
        let (directory, tenant_id, temporary) = match &args.tenant {
            Some(directory) => (directory.clone(), OWN_TENANT.to_owned(), None),
            None => {
                let temporary = tempfile::tempdir().map_err(Failure::from_error)?;
                let tenant_id = format!("{OWN_TENANT}{:016x}", RandomState::new().build_hasher().finish());
                (temporary.path().join("tenant"), tenant_id, Some(temporary))
            }
        };
        let order = TenantOrder::new(tenant_id, &args.base_url);
        let host = tenant_host(&order.tenant_id, &order.base_url)
            .map_err(|error| Failure::new(format!("--base-url {:?}: {error}", args.base_url)))?;
        let lease = TrustKeySet::new([key.public_key().clone()]);
        let mut runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::for_leases(lease));
        runtime.public_url = Some(format!("https://{host}"));
        DataDir::create(&directory)?;
        Ok(Self { directory, runtime, signing: Some((key, order)), auth_token, _temporary: temporary })
    }

    /// What to register with now: a lease that was renewed since the last time is seen.
    pub(crate) fn credential(&self) -> Result<Credential, Failure> {
        let now = UnixTime::now();
        let locked = DataDir::new(&self.directory).lock()?;
        if let Some((key, order)) = &self.signing {
            let loaded = locked.billing_state(DEFAULT_ORG)?;
            let mut issued = issue_billing_state(order, loaded.value.unwrap_or_default(), key, now)?;
            locked.save_billing_state(DEFAULT_ORG, &mut issued.billing, &loaded.revision)?;
        }
        let started = bootstrap(&locked, &self.runtime, now)?;
        let token = started.credential.require_secret_token()?.into();
        let identity = started.config.identity()?;
        Ok(Credential { token, instance_secret: started.config.instance_secret.duplicate(), identity })
    }
}

fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    let named = |what: String| Failure::new(format!("--signing-key-file {}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    SigningKey::from_base64(text.trim()).map_err(|error| named(error.to_string()))
}
