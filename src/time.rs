//! How a time is read, and how far two clocks may differ.

use core::str::FromStr;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer};

use crate::error::{Error, Result};
use crate::json::ReadJson;
pub use crate::unix_time::UnixTime;
pub(crate) use crate::unix_time::{serialize_optional_secs, serialize_secs};

/// Fails if the platform's clock cannot represent the time; on Unix it can represent any.
impl TryFrom<UnixTime> for SystemTime {
    type Error = Error;

    fn try_from(time: UnixTime) -> Result<Self> {
        let span = Duration::from_secs(time.as_secs().unsigned_abs());
        let system = if time.as_secs() < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
        system.ok_or_else(|| Error::TimeInvalid {
            expected: "a time that this system can represent",
            received: time.to_string(),
        })
    }
}

/// What [`UnixTime`]'s `Display` writes (RFC 3339 in UTC, to the second, with `Z`), or Unix seconds in decimal digits,
/// with a `-` before 1970. An `@` may stand before the seconds, as for `date`.
impl FromStr for UnixTime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let seconds = text.strip_prefix('@').unwrap_or(text);
        // Rust's own reading would take a plus sign.
        let number = Some(seconds).filter(|text| !text.starts_with('+')).and_then(|text| text.parse().ok());
        number.map(Self::from_secs).or_else(|| Self::from_civil(text)).ok_or_else(|| Error::TimeInvalid {
            expected: "a time like 2026-03-25T12:00:00Z, or Unix seconds",
            received: text.to_owned(),
        })
    }
}

/// How far the clock of a token's issuer and the clock that checks it may differ: none by default, at most five
/// minutes.
///
/// ```
/// use core::time::Duration;
/// use pulse_trust::ClockLeeway;
///
/// let leeway = ClockLeeway::new(Duration::from_secs(30))?;
/// assert_eq!(leeway.as_duration(), Duration::from_secs(30));
/// assert!(ClockLeeway::new(Duration::from_secs(301)).is_err());
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockLeeway(Duration);

impl ClockLeeway {
    /// The clocks agree.
    pub const NONE: Self = Self(Duration::ZERO);
    /// The largest leeway: five minutes.
    pub const MAX: Self = Self(Duration::from_secs(300));

    /// A leeway of this span. A fraction of a second is dropped, as the times in tokens are whole seconds.
    ///
    /// # Errors
    /// [`Error::LeewayTooLarge`] over [`ClockLeeway::MAX`].
    pub const fn new(leeway: Duration) -> Result<Self> {
        if leeway.as_nanos() > Self::MAX.0.as_nanos() {
            return Err(Error::LeewayTooLarge { limit: Self::MAX.0, received: leeway });
        }
        Ok(Self(Duration::from_secs(leeway.as_secs())))
    }

    /// The leeway.
    pub const fn as_duration(self) -> Duration {
        self.0
    }
}

impl TryFrom<Duration> for ClockLeeway {
    type Error = Error;

    fn try_from(leeway: Duration) -> Result<Self> {
        Self::new(leeway)
    }
}

/// Unix seconds as a number.
impl<'de> ReadJson<'de> for UnixTime {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_date_in_utc() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_774_440_000, "2026-03-25T12:00:00Z"),
            (1_774_442_096, "2026-03-25T12:34:56Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
            (-62_167_219_200, "0000-01-01T00:00:00Z"),
            (253_402_300_800, "@253402300800"),
            (-62_167_219_201, "@-62167219201"),
            (i64::MAX, "@9223372036854775807"),
            (i64::MIN, "@-9223372036854775808"),
        ] {
            assert_eq!(UnixTime::from_secs(seconds).to_string(), shown);
            assert_eq!(shown.parse(), Ok(UnixTime::from_secs(seconds)));
            assert_eq!(seconds.to_string().parse(), Ok(UnixTime::from_secs(seconds)));
            assert_eq!(format!("@{seconds}").parse(), Ok(UnixTime::from_secs(seconds)));
        }
    }

    #[test]
    fn reads_no_other_spelling_and_no_date_that_there_is_not() {
        for text in [
            "",
            "@",
            "+5",
            "@+5",
            "@@5",
            "now",
            "1.5",
            " 1",
            "9223372036854775808",
            "2026-03-25",
            "2026-03-25T12:00:00",
            "2026-03-25T12:00:00z",
            "2026-03-25 12:00:00Z",
            "2026-03-25T12:00:00+00:00",
            "2026-03-25T12:00:00.0Z",
            "2026-3-25T12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-00-01T12:00:00Z",
            "2026-04-31T12:00:00Z",
            "2026-04-00T12:00:00Z",
            "2026-04-30T24:00:00Z",
            "2026-04-30T12:60:00Z",
            "2026-12-31T23:59:60Z",
            "+026-04-30T12:00:00Z",
            "20260-04-30T12:00:00",
        ] {
            let refused = text.parse::<UnixTime>();
            assert!(matches!(&refused, Err(Error::TimeInvalid { received, .. }) if received == text), "{refused:?}");
        }
    }

    #[test]
    fn the_system_clock_and_unix_seconds_say_the_same() {
        for seconds in [0, -1, 1_774_440_000, 253_402_300_799] {
            assert_eq!(
                UnixTime::from(SystemTime::try_from(UnixTime::from_secs(seconds)).unwrap()),
                UnixTime::from_secs(seconds)
            );
        }
    }
}
