//! Which hosts `ws://` may name: those on a local network ([formats: pairing](crate::_documentation::formats#pairing)).

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::url::Url;

/// Names that no public name server resolves.
const LOCAL_SUFFIXES: [&str; 4] = [".local", ".lan", ".internal", ".home.arpa"];

/// Whether the host is on a local network: a loopback, RFC 1918, link-local, unique local or 100.64/10 address, a
/// single label, or a name under `.local`, `.lan`, `.internal` or `.home.arpa`.
pub(super) fn is_local(url: &Url<'_>) -> bool {
    if url.bracketed {
        return url.host.parse().is_ok_and(is_local_ipv6);
    }
    match url.host.parse() {
        Ok(address) => is_local_ipv4(address),
        Err(_) => is_local_name(&url.host.to_ascii_lowercase()),
    }
}

fn is_local_ipv4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && second & 0b1100_0000 == 64;
    address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
}

/// An IPv4 address inside an IPv6 one (`::ffff:10.0.0.1`, `64:ff9b::a00:1`) does not count, whatever it is by itself.
fn is_local_ipv6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unicast_link_local() || address.is_unique_local()
}

/// The name is in lower case. A trailing dot makes an empty label, which is refused: `ai.` is not a local name, though
/// `ai` may be.
fn is_local_name(name: &str) -> bool {
    let are_labels = name.len() <= 253 && name.split('.').all(is_label);
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_in_reach = !name.contains('.') || LOCAL_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    are_labels && !is_number(last) && is_in_reach
}

/// A label as in [formats: host-normalization](crate::_documentation::formats#host-normalization).
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len()) && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// Whether a resolver might take a host that ends in this label for an IPv4 address in an old spelling: `127.1`,
/// `0x7f.1`, `2130706433` (WHATWG URL, "ends in a number"). Only the strict spelling counts as an address here.
fn is_number(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
        || label.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_local_host(host: &str) -> bool {
        is_local(&Url::parse(&format!("ws://{host}/")).unwrap())
    }

    #[test]
    fn takes_local_addresses_and_names() {
        for host in [
            "127.0.0.1",
            "127.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.168.0.0",
            "192.168.255.255",
            "169.254.0.1",
            "100.64.0.0",
            "100.127.255.255",
            "[::1]",
            "[fe80::1]",
            "[febf::1]",
            "[fc00::1]",
            "[fdff:ffff::1]",
            "localhost",
            "LOCALHOST",
            "pulse",
            "pulse-2",
            "pulse_2",
            "nas.local",
            "NAS.Local",
            "a.b.lan",
            "x.internal",
            "x.home.arpa",
            "0xg",
            "x1",
            "local",
        ] {
            assert!(is_local_host(host), "{host}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for host in [
            "126.255.255.255",
            "128.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "0.0.0.0",
            "8.8.8.8",
            "255.255.255.255",
            "[::]",
            "[::2]",
            "[fe7f::1]",
            "[fec0::1]",
            "[fbff::1]",
            "[fe00::1]",
            "[2001:db8::1]",
            "[::ffff:8.8.8.8]",
            "[::ffff:10.0.0.1]",
            "[::FFFF:7F00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[2002:7f00:1::]",
            "127.1",
            "0x7f.1",
            "0X7F.1",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.0.0.01",
            "127.0.0.0x1",
            "2130706433",
            "0x7f000001",
            "017700000001",
            "0x",
            "1",
            "127.0.0.1.",
            "localhost.",
            "nas.local.",
            "ai.",
            "relay.example.test",
            "localhost.example.test",
            "home.arpa",
            "xlocal.test",
            "notlocal.xlan",
            "x.locals",
            ".local",
            "a..local",
            "nas.local..",
            "x.0x7f",
            "x.local.1",
            "pulse!",
            "a,b",
            "local\u{e9}",
            "１２７.０.０.１",
            "nas。local",
            "nas.ｌocal",
        ] {
            assert!(!is_local_host(host), "{host}");
        }
        assert!(!is_local_host(&format!("{}.local", "a".repeat(64))));
        assert!(!is_local_host(&format!("{}local", "a.".repeat(125))));
    }
}
