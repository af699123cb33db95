//! The parts of a URL, as the relay's URLs need them (FORMATS 7, 13).

use core::net::{Ipv4Addr, Ipv6Addr};

/// The parts of an absolute URL, borrowed. Empty port, query and fragment count as none.
pub(crate) struct Url<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) user_info: Option<&'a str>,
    /// With its brackets, where it has any.
    pub(crate) host: &'a str,
    pub(crate) port: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Splits a URL; `None` where it has no scheme, its host is empty or holds what no host has, its port is no port, or
    /// a `%` is not followed by two hex digits.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        if text.chars().any(char::is_control) || !has_valid_escapes(text) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let (rest, fragment) = split_off(rest, '#');
        let (rest, query) = split_off(rest, '?');
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let (user_info, host_and_port) = match authority.rsplit_once('@') {
            Some((user_info, host)) => (Some(user_info), host),
            None => (None, authority),
        };
        let (host, port) = split_port(host_and_port)?;
        if !is_host(host) || port.is_some_and(|port| !is_port(port)) {
            return None;
        }
        Some(Self { scheme, user_info, host, port, path, query, fragment })
    }

    /// Whether the scheme is `ws` or `wss`, in any case.
    pub(crate) fn is_web_socket(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("ws") || self.scheme.eq_ignore_ascii_case("wss")
    }

    /// The address, where the host is one.
    pub(crate) fn address(&self) -> Option<core::net::IpAddr> {
        match self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(bracketed) => bracketed.parse::<Ipv6Addr>().ok().map(Into::into),
            None => self.host.parse::<Ipv4Addr>().ok().map(Into::into),
        }
    }
}

fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after).filter(|after| !after.is_empty())),
        None => (text, None),
    }
}

/// Host and port; an empty port counts as none. A colon in the host belongs between brackets.
fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    let end_of_host = if text.starts_with('[') {
        let end = text.find(']')?.checked_add(1)?;
        text.get(1..end.checked_sub(1)?)?.parse::<Ipv6Addr>().ok()?;
        end
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at_checked(end_of_host)?;
    match rest.strip_prefix(':') {
        Some(port) => Some((host, Some(port).filter(|port| !port.is_empty()))),
        None if rest.is_empty() => Some((host, None)),
        None => None,
    }
}

/// An address in brackets, or a name: no white space, none of the ASCII that RFC 3986 (section 3.2.2) leaves out of one,
/// and no escape that stands for ASCII. So Go's parser takes what this one takes.
fn is_host(host: &str) -> bool {
    let is_allowed = |character: char| match character {
        ascii if ascii.is_ascii() => ascii.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%".contains(ascii),
        other => !other.is_whitespace(),
    };
    let is_ascii_escape = |escape: &str| escape.starts_with(|digit: char| digit.is_digit(8));
    let is_name = || host.chars().all(is_allowed) && !host.split('%').skip(1).any(is_ascii_escape);
    !host.is_empty() && (host.starts_with('[') || is_name())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|digit| digit.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}

fn has_valid_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        let mut is_hex = || digits.next().is_some_and(|digit| digit.is_ascii_hexdigit());
        is_hex() && is_hex()
    })
}
