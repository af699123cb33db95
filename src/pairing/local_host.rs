//! The hosts to which a phone may connect without TLS (FORMATS 13).

use core::net::IpAddr;

use crate::url::Url;

/// Whether a URL's host is a local one: loopback, RFC 1918, link-local, unique local and 100.64/10 addresses, single
/// labels, and names under `.local`, `.lan`, `.internal`, `.home.arpa`.
pub(super) fn is_local(url: &Url<'_>) -> bool {
    match url.address() {
        Some(IpAddr::V4(address)) => {
            let is_shared = matches!(address.octets(), [100, second, ..] if second & 0b1100_0000 == 64);
            address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
        }
        // A mapped address (::ffff:a.b.c.d) is none of these.
        Some(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => is_local_name(&url.host.to_ascii_lowercase()),
    }
}

fn is_local_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if !host.split('.').all(is_label) {
        return false;
    }
    // Resolvers read a last label that begins with a digit as a number of an IPv4 address: 127.1, 0x7f000001, 2130706433.
    if host.rsplit('.').next().is_none_or(|last| last.starts_with(|first: char| first.is_ascii_digit())) {
        return false;
    }
    !host.contains('.') || [".local", ".lan", ".internal", ".home.arpa"].iter().any(|suffix| host.ends_with(suffix))
}
