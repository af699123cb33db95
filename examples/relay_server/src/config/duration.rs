//! Durations as Go writes them: `2s`, `1m30s`, `500ms`.

use std::time::Duration;

/// Numbers with a unit, one after the other, without a sign.
pub(super) fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.')?;
        let (number, from_unit) = rest.split_at_checked(end)?;
        let end = from_unit.find(|character: char| character.is_ascii_digit() || character == '.');
        let (unit, after) = from_unit.split_at_checked(end.unwrap_or(from_unit.len()))?;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// The same, as [`parse`] reads it.
pub(super) fn show(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds.checked_rem(60) {
        Some(0) if time.is_zero() => "0s".to_owned(),
        Some(0) if time.subsec_nanos() == 0 && seconds > 0 => format!("{}m", seconds.div_euclid(60)),
        _ => format!("{time:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, milliseconds) in [("2s", 2000), ("1m30s", 90_000), ("500ms", 500), ("1.5h", 5_400_000), ("0", 0)] {
            assert_eq!(parse(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["0s", "2s", "1m", "90s", "10m", "500ms", "1.5s"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
        for bad in ["", "2", "s", "-2s", "2 s", "2x", "1..5s"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
