//! Hosts that have no normal form. What the deployed code reads is in `tests/cases`.

use pulse_trust::entitlement::InstanceHost;

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
}
