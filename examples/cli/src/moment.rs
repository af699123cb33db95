//! Times for people: how far away, and the date in UTC.

use pulse_trust::UnixTime;

/// `in 23 h (2026-11-25T19:04Z)`, `3 days ago (...)`.
pub(crate) fn moment(at: UnixTime, now: UnixTime) -> String {
    let away = at.as_secs().saturating_sub(now.as_secs());
    let length = span(away.unsigned_abs());
    let place = if away >= 0 { format!("in {length}") } else { format!("{length} ago") };
    format!("{place} ({})", date(at))
}

/// Minutes are exact enough for people; the tokens themselves carry the second.
pub(crate) fn date(at: UnixTime) -> String {
    match jiff::Timestamp::from_second(at.as_secs()) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%dT%H:%MZ").to_string(),
        Err(_) => format!("Unix second {}", at.as_secs()),
    }
}

/// The largest unit that keeps at least two of it.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds.div_euclid(60)),
        7_200..172_800 => format!("{} h", seconds.div_euclid(3_600)),
        _ => format!("{} days", seconds.div_euclid(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_says_how_far_away_it_is_and_when() {
        let now = UnixTime::from_secs(1_795_000_000);
        let after = |seconds: i64| moment(UnixTime::from_secs(1_795_000_000 + seconds), now);
        assert_eq!(after(0), "in 0 s (2026-11-18T11:06Z)");
        assert_eq!(after(119), "in 119 s (2026-11-18T11:08Z)");
        assert_eq!(after(86_000), "in 23 h (2026-11-19T11:00Z)");
        assert_eq!(after(-3 * 86_400), "3 days ago (2026-11-15T11:06Z)");
        assert_eq!(date(UnixTime::from_secs(i64::MAX)), "Unix second 9223372036854775807");
    }
}
