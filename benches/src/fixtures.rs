//! The hosted lease that everything is measured on: 834 bytes, as the control plane issues them.

use std::time::{SystemTime, UNIX_EPOCH};

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use pulse_trust::UnixTime;
use pulse_trust::entitlement::{
    HostBinding, LeaseChecks, LeaseClaims, SubscriptionState, hosted_plan_capabilities, tenant_host,
};
use pulse_trust::keys::{SigningKey, TableSize, TrustKeySet, TrustKeys};
use pulse_trust::pairing::Onboarding;
use pulse_trust::relay::{Identity, RelayConfig};

/// Length of the measured lease in bytes.
pub const LEASE_LEN: usize = 834;
/// The host that the lease is for.
pub const HOST: &str = "t-7f3k9q2m.cloud.pulserelay.test";

/// Seed of the measured key: for tests and benchmarks alone.
const TEST_SEED: [u8; 32] = *b"pulse-trust benchmark, no secret";

/// A control plane, and a lease of its making.
pub struct Fixture {
    /// The control plane's key.
    pub signer: SigningKey,
    /// The lease's claims.
    pub claims: LeaseClaims,
    /// The signed lease.
    pub lease: String,
    /// The time of measuring. Peers ask the clock: beside them it is the clock's.
    pub now: UnixTime,
}

impl Fixture {
    /// A lease that counts for a day from now on.
    pub fn new() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        Self::at(UnixTime::from_secs(i64::try_from(seconds).expect("a clock of this age")))
    }

    /// A lease that counts for a day from a given time on: the same bytes in every run.
    pub fn at(now: UnixTime) -> Self {
        let signer = SigningKey::from_seed(&TEST_SEED).expect("a seed");
        let host = tenant_host("t-7f3k9q2m", "https://cloud.pulserelay.test").expect("a host");
        assert_eq!(host.as_str(), HOST);
        let mut claims = LeaseClaims::new(&host, now.saturating_add(Duration::from_secs(86_400)));
        claims.plan_version = "cloud_starter".to_owned();
        claims.subscription_state = SubscriptionState::Active;
        claims.capabilities = hosted_plan_capabilities("cloud_starter");
        claims.iat = Some(now);
        let lease = (1..200)
            .map(|length| {
                claims.email = Some(format!("{}@example.test", "o".repeat(length)));
                claims.sign(&signer).expect("a lease").expose_secret().to_owned()
            })
            .find(|lease| lease.len() >= LEASE_LEN)
            .expect("a lease of the length");
        Self { signer, claims, lease, now }
    }

    /// Trust in the control plane, prepared with tables of this size.
    pub fn keys(&self, size: TableSize) -> TrustKeys {
        let lease = TrustKeySet::new([self.signer.public_key().clone()]).with_tables(size).expect("tables");
        TrustKeys::for_leases(lease)
    }

    /// The checks of the tenant's runtime.
    pub fn checks(&self) -> LeaseChecks<'static> {
        LeaseChecks::new(HostBinding::Require(HOST))
    }

    /// The lease with one bit of its signature flipped.
    pub fn with_wrong_signature(&self) -> String {
        let (signed, signature) = self.lease.rsplit_once('.').expect("a token");
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
        bytes[0] ^= 1;
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Different leases that take turns.
    pub fn turns(&self) -> Turns<String> {
        Turns::of(self.leases(64))
    }

    /// Many different leases of the same tenant and length.
    pub fn leases(&self, count: usize) -> Vec<String> {
        (0..count)
            .map(|index| {
                let mut claims = LeaseClaims::from_json(&self.claims.display_json()).expect("its own JSON");
                claims.iat =
                    Some(self.now.saturating_sub(Duration::from_secs(u64::try_from(index).expect("a small index"))));
                claims.sign(&self.signer).expect("a lease").expose_secret().to_owned()
            })
            .collect()
    }
}

/// Inputs that take turns: one and the same again and again would have its table entries in the nearest cache, and its
/// branches learned by the processor, which no second lease of a day finds.
pub struct Turns<T> {
    inputs: Vec<T>,
    next: usize,
}

impl<T> Turns<T> {
    /// These inputs, of which there is at least one.
    pub fn of(inputs: Vec<T>) -> Self {
        Self { inputs, next: 0 }
    }

    /// The next one; the first after the last.
    pub fn turn(&mut self) -> &T {
        self.next = (self.next + 1) % self.inputs.len();
        &self.inputs[self.next]
    }

    /// All of them.
    pub fn all(&self) -> &[T] {
        &self.inputs
    }
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

/// An instance's identity, the same in every run.
pub fn identity() -> Identity {
    let seed = SigningKey::from_seed(&TEST_SEED).expect("a seed").secret_base64();
    Identity::from_private_base64(seed.expose_secret()).expect("an identity")
}

/// A relay config as the bootstrap leaves it.
pub fn relay_config() -> RelayConfig {
    let identity = identity();
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.set_identity(&identity);
    config
}

/// A deep link as a phone scans it.
pub fn pairing_code() -> String {
    let config = relay_config();
    let payload = Onboarding::new(&config, "relay_2e1b0929e6fd7c52", "not-a-secret-but-of-its-length-0123456789");
    payload.build().expect("a payload").secret_deep_link().to_owned()
}
