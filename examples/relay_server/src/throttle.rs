//! How many bytes per second may pass: a sender above that is read more slowly, and nothing is thrown away.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use crate::client_address::AddressKey;
use crate::config::ByteRate;
use crate::sync::{Mutex, locked};

const NANOS: u128 = 1_000_000_000;

/// What has passed, as the moment until which it is paid for. The rate is given with each frame, so a new rate counts at once.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<Duration>);

impl Throttle {
    /// Notes that bytes pass now, and says how long their sender has to wait before it is read again.
    ///
    /// Data is always accepted, and the sender pays for it afterwards. So senders that share a throttle take turns, and none
    /// waits for a bucket that others empty again and again.
    pub(crate) fn take(&self, bytes: u64, rate: Option<ByteRate>, now: Duration) -> Duration {
        let Some(rate) = rate else { return Duration::ZERO };
        let mut paid_until = locked(&self.0);
        *paid_until = (*paid_until).max(now).saturating_add(time_of(bytes, rate));
        paid_until.saturating_sub(now).saturating_sub(time_of(rate.burst, rate))
    }

    fn is_at_rest(&self, now: Duration) -> bool {
        *locked(&self.0) <= now
    }
}

fn time_of(bytes: u64, rate: ByteRate) -> Duration {
    let nanos = u128::from(bytes).saturating_mul(NANOS).div_euclid(u128::from(rate.per_second.max(1)));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Throttles that outlast a connection, by what they are for.
pub(crate) struct Throttles<K>(Mutex<HashMap<K, Arc<Throttle>>>);

impl<K: Hash + Eq> Throttles<K> {
    pub(crate) fn of(&self, key: K) -> Arc<Throttle> {
        Arc::clone(locked(&self.0).entry(key).or_default())
    }

    /// Drops those that nobody uses and that owe nothing.
    pub(crate) fn sweep(&self, now: Duration) {
        locked(&self.0).retain(|_, throttle| Arc::strong_count(throttle) > 1 || !throttle.is_at_rest(now));
    }
}

impl<K> Default for Throttles<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// The relay's throttles. An app's connection has its own.
#[derive(Default)]
pub(crate) struct Paces {
    pub(crate) instances: Throttles<Arc<str>>,
    pub(crate) addresses: Throttles<AddressKey>,
}

impl Paces {
    pub(crate) fn sweep(&self, now: Duration) {
        self.instances.sweep(now);
        self.addresses.sweep(now);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    const RATE: Option<ByteRate> = Some(ByteRate { burst: 1000, per_second: 100 });

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn a_burst_passes_at_once_and_the_rest_at_its_rate() {
        let throttle = Throttle::default();
        assert_eq!(throttle.take(1000, RATE, seconds(5)), Duration::ZERO);
        assert_eq!(throttle.take(100, RATE, seconds(5)), seconds(1));
        // Another sender waits for what the first has sent too.
        assert_eq!(throttle.take(100, RATE, seconds(5)), seconds(2));
        // Nothing is saved up beyond the burst.
        assert_eq!(throttle.take(1000, RATE, seconds(500)), Duration::ZERO);
        assert_eq!(throttle.take(200, RATE, seconds(500)), seconds(2));
        assert_eq!(throttle.take(u64::MAX, None, seconds(500)), Duration::ZERO);
    }

    #[test]
    fn whoever_owes_is_remembered_without_a_connection() {
        let throttles = Throttles::default();
        throttles.of("a").take(2000, RATE, seconds(0));
        throttles.sweep(seconds(19));
        assert_eq!(throttles.of("a").take(0, RATE, seconds(19)), Duration::ZERO);
        assert!(throttles.of("a").take(1000, RATE, seconds(19)) > Duration::ZERO, "it was forgotten");
        throttles.sweep(seconds(100));
        assert!(locked(&throttles.0).is_empty());
    }
}
