//! The clock as a parameter: Unix seconds in a type of their own, and how they are written. Errors hold them, so this is below.

use core::fmt;
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serializer;

/// A moment in Unix seconds. Nothing in this crate reads a clock but [`UnixTime::now`]: every function that depends on
/// time takes the time as a parameter.
///
/// ```
/// use core::time::Duration;
/// use pulse_trust::UnixTime;
///
/// let noon = UnixTime::from_secs(1_774_440_000);
/// assert_eq!(noon.to_string(), "2026-03-25T12:00:00Z");
/// assert_eq!("2026-03-25T12:00:00Z".parse(), Ok(noon));
/// assert_eq!("1774440000".parse(), Ok(noon));
/// assert_eq!(noon.saturating_add(Duration::from_secs(60)).as_secs(), 1_774_440_060);
/// ```
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

    /// This moment and `span` more, in whole seconds; at most the last moment that can be written.
    #[must_use]
    pub const fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(span.as_secs()))
    }

    /// This moment less `span`, in whole seconds; at least the first moment that can be written.
    #[must_use]
    pub const fn saturating_sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(span.as_secs()))
    }

    /// How long after `earlier` this moment is; zero if it is not later.
    #[must_use]
    pub fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_secs(if self > earlier { self.0.abs_diff(earlier.0) } else { 0 })
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

/// As RFC 3339 has it, in UTC (`2026-03-25T12:00:00Z`); a moment outside the years 0 to 9999, which has no such form,
/// as `@` and its seconds.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some([year, month, day, hour, minute, second]) => {
                write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
            }
            None => write!(f, "@{}", self.0),
        }
    }
}

/// The first second of the year 0, and of the year 10000.
const CIVIL: core::ops::Range<i64> = -62_167_219_200..253_402_300_800;
const DAY: i64 = 86_400;

impl UnixTime {
    /// Year, month, day, hour, minute and second in UTC, in the proleptic Gregorian calendar.
    #[allow(clippy::arithmetic_side_effects, reason = "all values are small once the range was checked")]
    fn civil(self) -> Option<[i64; 6]> {
        if !CIVIL.contains(&self.0) {
            return None;
        }
        let (days, seconds) = (self.0.div_euclid(DAY), self.0.rem_euclid(DAY));
        // Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days: years start in March, so that
        // the leap day is a year's last.
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        let year = year_of_era + era * 400 + next_year;
        Some([year, month, day, seconds / 3600, seconds / 60 % 60, seconds % 60])
    }

    /// Reads `2026-03-25T12:00:00Z`.
    #[allow(clippy::arithmetic_side_effects, reason = "every part has four digits at the most")]
    pub(crate) fn from_civil(text: &str) -> Option<Self> {
        let part = |start: usize, end: usize| -> Option<i64> {
            let digits = text.get(start..end)?;
            digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let parts = [part(0, 4)?, part(5, 7)?, part(8, 10)?, part(11, 13)?, part(14, 16)?, part(17, 19)?];
        let [year, month, day, hour, minute, second] = parts;
        // days_from_civil of the same paper; an input out of range yields another date.
        let year_from_march = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (year_from_march.div_euclid(400), year_from_march.rem_euclid(400));
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
        let time = Self(days * DAY + hour * 3600 + minute * 60 + second);
        (time.civil() == Some(parts) && time.to_string() == text).then_some(time)
    }
}

/// For `#[serde(serialize_with)]`: Unix seconds as a number. `UnixTime` itself has no serde traits.
pub(crate) fn serialize_secs<S: Serializer>(time: &UnixTime, serializer: S) -> core::result::Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.0)
}

/// The same for a time that may be absent: `null`, where the member is not left out.
pub(crate) fn serialize_optional_secs<S: Serializer>(
    time: &Option<UnixTime>,
    serializer: S,
) -> core::result::Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&time.0),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_end_at_the_first_and_the_last_moment() {
        let (first, last) = (UnixTime(i64::MIN), UnixTime(i64::MAX));
        assert_eq!(last.saturating_add(Duration::from_secs(1)), last);
        assert_eq!(first.saturating_sub(Duration::MAX), first);
        assert_eq!(first.saturating_add(Duration::from_secs(u64::MAX)), last);
        assert_eq!(last.saturating_duration_since(first).as_secs(), u64::MAX);
        assert_eq!(first.saturating_duration_since(last), Duration::ZERO);
    }
}
