//! The clock as a parameter: Unix seconds in a type of their own.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in Unix seconds. Nothing in this crate reads a clock but [`UnixTime::now`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The moment that lies `seconds` after 1970-01-01T00:00:00Z.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// The system clock, for callers that have no other. Not available on `wasm32-unknown-unknown`, which has no clock.
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// This moment and `seconds` more, at the most the last moment there is.
    pub const fn saturating_add(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, i64::wrapping_neg),
        };
        Self(seconds)
    }
}
