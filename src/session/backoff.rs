//! How long to wait before the next connection.

use core::time::Duration;

/// The bounds of the waiting time after failed connections.
///
/// ```
/// use core::time::Duration;
/// use pulse_trust::session::BackoffLimits;
/// assert_eq!(BackoffLimits::default(), BackoffLimits::new(Duration::from_secs(1), Duration::from_secs(60)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackoffLimits {
    /// The longest wait after the first failure: 1 s. It doubles with each failure.
    pub initial: Duration,
    /// The longest wait after any failure: 60 s. A connection that was open for this long does not count as a failure.
    pub max: Duration,
}

impl BackoffLimits {
    /// These bounds.
    pub const fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max }
    }
}

impl Default for BackoffLimits {
    fn default() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(60))
    }
}

/// Counts failures. Half of each waiting time is random, so the instances of a restarted relay do not all come back at
/// once.
#[derive(Debug)]
pub(super) struct Backoff {
    limits: BackoffLimits,
    failures: u32,
    random: Random,
}

impl Backoff {
    pub(super) const fn new(limits: BackoffLimits, seed: u64) -> Self {
        Self { limits, failures: 0, random: Random(seed) }
    }

    /// The time to wait after a connection that was open for `open`: zero for one that never was. One that lasted at
    /// least as long as the longest wait was not a failure; a shorter one may be refused right after its ACK again and
    /// again.
    pub(super) fn after(&mut self, open: Duration) -> Duration {
        if open >= self.limits.max {
            self.failures = 0;
        }
        let doubled = self.limits.initial.saturating_mul(1_u32.checked_shl(self.failures.min(20)).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        self.spread(doubled.min(self.limits.max))
    }

    /// The time to wait after a connection that ended as it should.
    pub(super) fn first(&mut self) -> Duration {
        self.spread(self.limits.initial.min(self.limits.max))
    }

    /// A time between the half of `most` and `most`.
    pub(super) fn spread(&mut self, most: Duration) -> Duration {
        let half = most.checked_div(2).unwrap_or_default();
        half.saturating_add(half.mul_f64(self.random.next_fraction()))
    }

    /// A number evenly distributed over all of `u32`.
    pub(super) fn next_u32(&mut self) -> u32 {
        u32::try_from(self.random.next() >> 32).unwrap_or_default()
    }
}

/// Numbers that spread waiting times: SplitMix64 (Steele, Lea, Flood 2014). They are not used for secrets, and with a
/// given seed a run can be repeated.
#[derive(Debug)]
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to 1.
    fn next_fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_double_up_to_the_limit_and_half_of_each_is_random() {
        let limits = BackoffLimits::new(Duration::from_millis(500), Duration::from_secs(60));
        let mut backoff = Backoff::new(limits, 1);
        for most in [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000] {
            let wait = backoff.after(Duration::ZERO);
            let most = Duration::from_millis(most);
            assert!(wait >= most / 2 && wait <= most, "{wait:?} of {most:?}");
        }
        for _ in 0..100 {
            assert!(backoff.after(Duration::ZERO) <= limits.max);
        }
    }

    #[test]
    fn a_connection_that_held_begins_anew_and_a_short_one_does_not() {
        let mut backoff = Backoff::new(BackoffLimits::default(), 1);
        for _ in 0..10 {
            backoff.after(Duration::from_secs(59));
        }
        assert!(backoff.after(Duration::from_secs(59)) >= Duration::from_secs(30));
        assert!(backoff.after(Duration::from_secs(60)) <= Duration::from_secs(1));
    }

    /// The first numbers that the authors' own program writes for the seed 0.
    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut random = Random(0);
        let numbers = [(); 3].map(|()| random.next());
        assert_eq!(numbers, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
        assert_eq!(Backoff::new(BackoffLimits::default(), 0).next_u32(), 0xe220_a839);
    }

    #[test]
    fn two_seeds_wait_differently_and_one_seed_alike() {
        let wait = |seed| Backoff::new(BackoffLimits::default(), seed).after(Duration::ZERO);
        assert_eq!(wait(1), wait(1));
        assert_ne!(wait(1), wait(2));
    }
}
