//! The tenants that the load consists of: made from their number, so that no process has to tell another.

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{InstanceHost, LeaseClaims, hosted_plan_capabilities, tenant_host};
use pulse_trust::keys::SigningKey;
use pulse_trust::relay::Identity;

use crate::Failure;

/// Seed of the control plane's key: for tests and benchmarks alone.
const TEST_SEED: [u8; 32] = *b"pulse-trust load tool, no secret";
/// What every phone presents.
pub(crate) const AUTH_TOKEN: &str = "load-test-token";

/// The key that signs the leases.
pub(crate) fn control_plane() -> Result<SigningKey, Failure> {
    Ok(SigningKey::from_seed(&TEST_SEED)?)
}

/// The host of the tenant of this number.
pub(crate) fn host(number: usize) -> Result<InstanceHost, Failure> {
    Ok(tenant_host(&format!("t-{number:06}"), "https://cloud.example.test")?)
}

/// Its identity: made of its number, so that phones know it.
pub(crate) fn identity(number: usize) -> Result<Identity, Failure> {
    let mut seed = TEST_SEED;
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Ok(Identity::from_private_base64(SigningKey::from_seed(&seed)?.secret_base64().expose_secret())?)
}

/// Its lease, which counts for a day.
pub(crate) fn lease(number: usize, key: &SigningKey) -> Result<String, Failure> {
    let now = UnixTime::now();
    let mut claims = LeaseClaims::new(&host(number)?, now.saturating_add(std::time::Duration::from_secs(86_400)));
    claims.email = Some("owner@example.test".to_owned());
    claims.plan_version = "cloud_starter".to_owned();
    claims.capabilities = hosted_plan_capabilities("cloud_starter");
    claims.iat = Some(now);
    Ok(claims.sign(key)?.expose_secret().to_owned())
}
