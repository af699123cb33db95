//! Rates and sizes as settings write them: `200, 20/s` and `64MiB, 8MiB/s`.

use std::time::Duration;

use super::duration;
use super::limits::{ByteRate, Rate};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * 1024 * 1024;

/// A number at once, then a number per second, minute or hour; or one after a duration, as in `1/90s`.
pub(super) fn parse_rate(text: &str) -> Option<Rate> {
    let (burst, then) = text.split_once(',')?;
    let (count, per) = then.split_once('/')?;
    let burst = burst.trim().parse().ok().filter(|burst| *burst > 0)?;
    let count: u32 = count.trim().parse().ok()?;
    let interval = period(per)?.checked_div(count)?;
    (!interval.is_zero()).then_some(Rate::new(burst, interval))
}

/// The same, as [`parse_rate`] reads it.
pub(super) fn show_rate(rate: Rate) -> String {
    let Rate { burst, interval, .. } = rate;
    let units = [("s", 1), ("m", 60), ("h", 3600)].map(|(name, seconds)| (name, Duration::from_secs(seconds)));
    let whole = units.iter().find_map(|(name, unit)| {
        let count = unit.as_nanos().checked_div(interval.as_nanos())?;
        let count = u32::try_from(count).ok().filter(|count| *count > 0)?;
        (unit.checked_div(count) == Some(interval)).then(|| format!("{burst}, {count}/{name}"))
    });
    whole.unwrap_or_else(|| format!("{burst}, 1/{interval:?}"))
}

/// A number of bytes at once, then a number per second; `none` for no limit.
pub(super) fn parse_byte_rate(text: &str) -> Option<Option<ByteRate>> {
    if text == "none" {
        return Some(None);
    }
    let (burst, then) = text.split_once(',')?;
    let per_second = parse_bytes(then.trim().strip_suffix("/s")?)?;
    Some(Some(ByteRate { burst: parse_bytes(burst)?, per_second }))
}

/// The same, as [`parse_byte_rate`] reads it.
pub(super) fn show_byte_rate(rate: Option<ByteRate>) -> String {
    rate.map_or_else(
        || "none".to_owned(),
        |rate| format!("{}, {}/s", show_bytes(rate.burst), show_bytes(rate.per_second)),
    )
}

/// A number of bytes above 0, with an optional `KiB`, `MiB` or `GiB`.
pub(super) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let units = [("KiB", KIB), ("MiB", MIB), ("GiB", GIB)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?.trim_end(), unit)))
        .unwrap_or((text, 1));
    number.parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// The same, as [`parse_bytes`] reads it.
pub(super) fn show_bytes(bytes: u64) -> String {
    let units = [("GiB", GIB), ("MiB", MIB), ("KiB", KIB)];
    let whole = units.into_iter().find(|(_, unit)| bytes > 0 && bytes.checked_rem(*unit) == Some(0));
    whole.map_or_else(
        || bytes.to_string(),
        |(name, unit)| format!("{}{name}", bytes.checked_div(unit).unwrap_or_default()),
    )
}

fn period(text: &str) -> Option<Duration> {
    let text = text.trim();
    match text {
        "s" | "m" | "h" => duration::parse(&format!("1{text}")),
        other => duration::parse(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shown_as_it_is_read() {
        for text in ["200, 20/s", "10, 10/m", "1, 1/h", "5, 1/7s", "50, 2/s"] {
            assert_eq!(show_rate(parse_rate(text).unwrap()), text);
        }
        assert_eq!(parse_rate("50,1/500ms").map(|rate| rate.interval), Some(Duration::from_millis(500)));
        for bad in ["", "200", "0, 1/s", "5, 0/s", "5, 1", "5, 1/", "-5, 1/s", "5, 1/0", "5 1/s"] {
            assert!(parse_rate(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn bytes_are_shown_as_they_are_read() {
        for text in ["64MiB, 8MiB/s", "1000, 1KiB/s", "2GiB, 1/s", "none"] {
            assert_eq!(show_byte_rate(parse_byte_rate(text).unwrap()), text);
        }
        assert_eq!(parse_bytes("268435456").map(show_bytes).as_deref(), Some("256MiB"));
        for bad in ["", "0", "64MB", "64 MiB, 8MiB", "MiB", "1, 0/s", "-1", "99999999999GiB"] {
            assert!(parse_byte_rate(bad).is_none() && parse_bytes(bad).is_none(), "{bad}");
        }
    }
}
