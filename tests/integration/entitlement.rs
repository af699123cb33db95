//! Hosts that have no normal form, and when a lease is refreshed. What the deployed code does is in `tests/cases`.

use core::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{InstanceHost, refresh_delay};

#[test]
fn hosts_that_have_no_normal_form_are_refused() {
    let long_label = "a".repeat(64);
    let long_host = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(62)].join(".");
    for host in [
        "a..b",
        ".a",
        "a b",
        "é.test",
        "a:x",
        ":80",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[a.b]",
        "fe80::1%eth0",
        "1:2:3",
        "ht tp://a",
        "1http://a",
        "https://a:/",
        "https://@a",
        "a@b",
        "https://a:8x/",
        "a/b",
        "a?b",
        "a#b",
        &long_label,
        &long_host,
    ] {
        assert!(InstanceHost::normalize(host).is_err(), "{host}");
    }
    for (host, normal) in [("[::1]:80", "::1"), ("A_b-1.T", "a_b-1.t"), ("wss+x://H?q", "h"), ("\u{a0}a\u{2003}", "a")]
    {
        assert_eq!(InstanceHost::normalize(host).unwrap().as_str(), normal);
    }
    // As long as DNS allows, and no longer.
    let longest = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".");
    assert_eq!(longest.len(), 253);
    assert_eq!(InstanceHost::normalize(&longest).unwrap().as_str(), longest);
}

#[test]
fn a_refresh_comes_after_half_of_what_remains_give_or_take_a_fifth() {
    let now = UnixTime::from_secs(1_800_000_000);
    let delay = |remaining: u64, random: u32| {
        refresh_delay(Some(now.saturating_add(Duration::from_secs(remaining))), now, random).as_millis()
    };
    for (remaining, least, middle) in [
        // Soon, where there is no half to wait for.
        (30 * 60, 60_000, 60_000),
        // At least a quarter of an hour.
        (30 * 60 + 1, 15 * 60 * 800, 15 * 60 * 1000),
        (3600, 30 * 60 * 800, 30 * 60 * 1000),
        // At most six hours.
        (12 * 3600, 6 * 3600 * 800, 6 * 3600 * 1000),
        (7 * 86_400, 6 * 3600 * 800, 6 * 3600 * 1000),
    ] {
        assert_eq!(delay(remaining, 0), least, "{remaining}");
        assert_eq!(delay(remaining, 1 << 31), middle, "{remaining}");
    }
    assert_eq!(refresh_delay(None, now, 1 << 31), Duration::from_secs(60), "its end is not known");
}
