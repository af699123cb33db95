//! What the nodes tell of themselves, and what must always hold.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use pulse_relay::Clock;
use pulse_trust::UnixTime;
use pulse_trust::entitlement::{Capability, InstanceHost, LeaseClaims};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::InstanceId;

/// Where the calendar begins.
const BEGINNING: i64 = 1_774_440_000;

/// Shared by all nodes of a run.
#[derive(Clone)]
pub(crate) struct World(Arc<Mutex<Inner>>);

pub(crate) struct Inner {
    key: SigningKey,
    /// How far the calendar has jumped.
    pub(crate) jumped: i64,
    /// When the calendar jumped last, in simulated time.
    pub(crate) jumped_at: Duration,
    pub(crate) violations: Vec<String>,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) registrations: u64,
    pub(crate) hostile_frames: u64,
    pub(crate) slowest_healthy: Duration,
    /// The phones' last answers.
    pub(crate) last_answer: BTreeMap<usize, Duration>,
    /// The newest connection of each tenant: its number, and when its ACK came.
    pub(crate) newest: BTreeMap<usize, (u64, Duration)>,
    pub(crate) connections: u64,
    pub(crate) is_talking: bool,
}

impl World {
    pub(crate) fn new(is_talking: bool) -> Self {
        let key = SigningKey::from_seed(b"a seed for the simulation alone.").unwrap();
        Self(Arc::new(Mutex::new(Inner {
            key,
            jumped: 0,
            jumped_at: Duration::ZERO,
            violations: Vec::new(),
            answered: 0,
            failed: 0,
            registrations: 0,
            hostile_frames: 0,
            slowest_healthy: Duration::ZERO,
            last_answer: BTreeMap::new(),
            newest: BTreeMap::new(),
            connections: 0,
            is_talking,
        })))
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// Notes what must not be.
    pub(crate) fn violation(&self, what: impl Into<String>) {
        let what = format!("{:?}: {}", now(), what.into());
        self.say(&what);
        self.inner().violations.push(what);
    }

    /// Says what happens, in the run of one seed alone.
    pub(crate) fn say(&self, what: &str) {
        if self.inner().is_talking {
            println!("{:>9.3} {what}", now().as_secs_f64());
        }
    }

    pub(crate) fn calendar(&self) -> UnixTime {
        let seconds = i64::try_from(now().as_secs()).unwrap();
        UnixTime::from_secs(BEGINNING + seconds + self.inner().jumped)
    }

    pub(crate) fn clock(&self) -> Clock {
        let world = self.clone();
        Clock::new(move || world.calendar())
    }

    pub(crate) fn trusted(&self) -> TrustKeys {
        let lease = TrustKeySet::new([self.inner().key.public_key().clone()]);
        TrustKeys::for_leases(lease)
    }

    /// A lease that counts for so many seconds from now, and its end.
    pub(crate) fn lease(&self, tenant: usize, seconds: i64) -> (String, UnixTime) {
        let end = UnixTime::from_secs(self.calendar().as_secs() + seconds);
        let mut claims = LeaseClaims::new(&host(tenant), end);
        claims.org_id = "default".to_owned();
        claims.capabilities = vec![Capability::RELAY];
        (claims.sign(&self.inner().key).unwrap().expose_secret().to_owned(), end)
    }
}

/// Simulated time.
pub(crate) fn now() -> Duration {
    turmoil::sim_elapsed().unwrap_or_default()
}

fn host(tenant: usize) -> InstanceHost {
    InstanceHost::normalize(&host_text(tenant)).unwrap()
}

/// The host that a tenant's leases are for.
pub(crate) fn host_text(tenant: usize) -> String {
    format!("t-{tenant}.example.test")
}

/// The id under which a tenant's instance is reached.
pub(crate) fn instance_id(tenant: usize) -> String {
    InstanceId::of_host(&host(tenant)).as_str().to_owned()
}
