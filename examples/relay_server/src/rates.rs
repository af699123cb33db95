//! How often something may be refused before more of it is refused unread. Success costs nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::client_address::AddressKey;
use crate::config::{Limits, Rate};
use crate::sync::{Mutex, locked};

/// Tokio's clock, which a simulation advances.
#[derive(Debug, Clone)]
pub(crate) struct TokioClock;

impl Clock for TokioClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// From this many keys on, unused ones are dropped at once instead of at the next sweep.
const MAX_KEYS: usize = 100_000;

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, TokioClock, NoOpMiddleware<std::time::Instant>>;

/// Token buckets by key. Whoever has emptied a bucket is blocked until it holds a token again.
pub(crate) struct Buckets<K: Hash + Eq + Clone> {
    limiter: Limiter<K>,
    blocked: Mutex<HashMap<K, std::time::Instant>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(rate: Rate) -> Self {
        let limiter = RateLimiter::new(quota(rate), HashMapStateStore::default(), TokioClock);
        Self { limiter, blocked: Mutex::default() }
    }

    /// Whether the key's bucket is empty.
    pub(crate) fn is_blocked(&self, key: &K) -> bool {
        locked(&self.blocked).get(key).is_some_and(|until| TokioClock.now() < *until)
    }

    /// Takes a token; if none was left, blocks the key and returns false.
    pub(crate) fn take(&self, key: &K) -> bool {
        if self.limiter.len() >= MAX_KEYS {
            self.sweep();
        }
        match self.limiter.check_key(key) {
            Ok(()) => true,
            Err(until) => {
                locked(&self.blocked).insert(key.clone(), until.earliest_possible());
                false
            }
        }
    }

    fn sweep(&self) {
        self.limiter.retain_recent();
        let now = TokioClock.now();
        locked(&self.blocked).retain(|_, until| now < *until);
    }
}

/// One token bucket.
pub(crate) struct Direct(RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<std::time::Instant>>);

impl Direct {
    pub(crate) fn new(rate: Rate) -> Self {
        Self(RateLimiter::direct_with_clock(quota(rate), TokioClock))
    }

    /// Takes a token; false where none was left.
    pub(crate) fn take(&self) -> bool {
        self.0.check().is_ok()
    }
}

fn quota(rate: Rate) -> Quota {
    Quota::with_period(rate.interval.max(Duration::from_nanos(1)))
        .unwrap_or(Quota::per_second(NonZeroU32::MIN))
        .allow_burst(NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN))
}

/// The relay's token buckets.
pub(crate) struct Rates {
    /// Refused registrations and CONNECTs, by address.
    pub(crate) refusals: Buckets<AddressKey>,
    /// CONNECTs that the instance refused, by instance id.
    pub(crate) guesses: Buckets<Arc<str>>,
    /// CONNECTs that the instance refused, by an address that it has accepted a phone from and its id.
    pub(crate) neighbors: Buckets<(AddressKey, Arc<str>)>,
    /// CONNECTs that reach an instance, by its id.
    pub(crate) connects: Buckets<Arc<str>>,
    /// WebSocket handshakes, by address.
    pub(crate) handshakes: Buckets<AddressKey>,
    /// New instance ids, by license id.
    pub(crate) new_ids: Buckets<String>,
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            refusals: Buckets::new(limits.refusals_per_address),
            guesses: Buckets::new(limits.refusals_per_instance),
            neighbors: Buckets::new(limits.refusals_per_instance),
            connects: Buckets::new(limits.connects_per_instance),
            handshakes: Buckets::new(limits.handshakes_per_address),
            new_ids: Buckets::new(limits.new_ids_per_license),
        }
    }

    /// Whether other limits need other buckets, which begin full.
    pub(crate) fn differ(before: &Limits, after: &Limits) -> bool {
        let rates = |limits: &Limits| {
            let Limits { refusals_per_address, refusals_per_instance, new_ids_per_license, .. } = limits;
            let Limits { connects_per_instance, handshakes_per_address, .. } = limits;
            [
                *refusals_per_address,
                *refusals_per_instance,
                *new_ids_per_license,
                *connects_per_instance,
                *handshakes_per_address,
            ]
        };
        rates(before) != rates(after)
    }

    /// Forgets what is at rest.
    pub(crate) fn sweep(&self) {
        self.refusals.sweep();
        self.guesses.sweep();
        self.neighbors.sweep();
        self.connects.sweep();
        self.handshakes.sweep();
        self.new_ids.sweep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_blocks_when_it_is_empty_and_only_its_key() {
        let buckets = Buckets::new(Rate::new(3, Duration::from_secs(1)));
        assert_eq!([(); 5].map(|()| buckets.take(&"a")), [true, true, true, false, false]);
        assert!(buckets.is_blocked(&"a") && !buckets.is_blocked(&"b"));
        tokio::time::advance(Duration::from_millis(1100)).await;
        assert!(!buckets.is_blocked(&"a"));
        assert_eq!([buckets.take(&"a"), buckets.take(&"a")], [true, false]);
        tokio::time::advance(Duration::from_secs(10)).await;
        buckets.sweep();
        assert_eq!((buckets.limiter.len(), locked(&buckets.blocked).len()), (0, 0));
    }
}
