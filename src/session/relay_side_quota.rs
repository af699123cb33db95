//! How often something may happen: the generic cell rate algorithm (ITU-T I.371), one number of state.

use std::time::Duration;

use super::relay_side_events::Rate;

/// Counts what happens at a [`Rate`].
#[derive(Debug, Clone)]
pub(super) struct Quota {
    interval: Duration,
    burst: Duration,
    /// When the quota will be full again.
    whole_at: Duration,
}

impl Quota {
    pub(super) fn new(Rate { burst, interval }: Rate) -> Self {
        Self { interval, burst: interval.saturating_mul(burst), whole_at: Duration::ZERO }
    }

    /// Whether one more may happen at `now`.
    pub(super) fn has_room(&self, now: Duration) -> bool {
        self.whole_at.max(now).saturating_add(self.interval).saturating_sub(now) <= self.burst
    }

    /// Takes one; returns false and takes nothing if none is left.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let has_room = self.has_room(now);
        if has_room {
            self.whole_at = self.whole_at.max(now).saturating_add(self.interval);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_an_interval() {
        let second = Duration::from_secs(1);
        let mut quota = Quota::new(Rate::new(3, second));
        let start = second * 100;
        assert_eq!([(); 4].map(|()| quota.take(start)), [true, true, true, false]);
        assert!(!quota.take(start + second / 2));
        assert!(quota.take(start + second));
        assert!(!quota.take(start + second));
        assert_eq!([(); 4].map(|()| quota.take(start + second * 60)), [true, true, true, false]);
    }
}
