//! Splits a URL as Go's `net/url` does, as far as relay URLs need it. It only checks the spelling; the caller decides
//! which hosts, ports and queries are acceptable.

use core::net::Ipv6Addr;

/// The parts of an absolute URL, as they are spelled in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    /// Never empty: a letter, then letters, digits, `+`, `-`, `.`.
    pub(crate) scheme: &'a str,
    /// What comes before the last `@`, which may be nothing.
    pub(crate) user_info: Option<&'a str>,
    /// Without the brackets of an IPv6 address; never empty.
    pub(crate) host: &'a str,
    /// Whether the host is in brackets, which makes it an IPv6 address.
    pub(crate) bracketed: bool,
    /// Digits; empty where a colon is followed by nothing.
    pub(crate) port: Option<&'a str>,
    /// Empty, or from the first slash on.
    pub(crate) path: &'a str,
    /// What follows the first `?`, which may be nothing.
    pub(crate) query: Option<&'a str>,
    /// What follows the first `#`, which may be nothing.
    pub(crate) fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Splits `text`, which is not trimmed. An error says what is wrong without quoting the text, as user info may hold
    /// a password.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        if text.chars().any(char::is_control) {
            return Err("it contains a control character");
        }
        let (rest, fragment) = split_optional(text, '#');
        let (rest, query) = split_optional(rest, '?');
        let (scheme, rest) = rest.split_once("://").ok_or("it has no scheme and ://")?;
        if !is_scheme(scheme) {
            return Err("what comes before :// is not a scheme");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user_info, host_and_port) = match authority.rsplit_once('@') {
            Some((user_info, host_and_port)) => (Some(user_info), host_and_port),
            None => (None, authority),
        };
        let (host, bracketed, port) = split_host(host_and_port)?;
        // As in Go, a query may hold any text.
        if ![user_info, Some(host), Some(path), fragment].into_iter().flatten().all(has_whole_escapes) {
            return Err("a % is not followed by two hex digits");
        }
        Ok(Self { scheme, user_info, host, bracketed, port, path, query, fragment })
    }

    /// Whether the scheme is `ws` or `wss`, in any case.
    pub(crate) fn is_websocket(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("ws") || self.scheme.eq_ignore_ascii_case("wss")
    }

    /// The port as a number: `None` if none is given, or nothing follows the colon; an error outside of 1 to 65535.
    pub(crate) fn port_number(&self) -> Result<Option<u16>, &'static str> {
        match self.port {
            None | Some("") => Ok(None),
            Some(digits) => match digits.parse() {
                Ok(port) if port != 0 => Ok(Some(port)),
                _ => Err("the port is not between 1 and 65535"),
            },
        }
    }
}

/// Cuts at the first `separator`.
fn split_optional(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// RFC 3986, section 3.1.
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Host, whether it was in brackets, and port.
fn split_host(text: &str) -> Result<(&str, bool, Option<&str>), &'static str> {
    let (host, bracketed, after) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("a bracket of the host is not closed")?;
            (host, true, after)
        }
        None => {
            let (host, after) = text.split_at(text.find(':').unwrap_or(text.len()));
            (host, false, after)
        }
    };
    let port = match after.strip_prefix(':') {
        Some(port) => Some(port),
        None if after.is_empty() => None,
        None => return Err("something other than a port follows the host"),
    };
    if port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("the port is not a number");
    }
    if host.is_empty() {
        return Err("the host is empty");
    }
    let valid = if bracketed { host.parse::<Ipv6Addr>().is_ok() } else { is_name(host) };
    if !valid {
        return Err("the host contains a character that no host may have");
    }
    Ok((host, bracketed, port))
}

/// No white space, none of the ASCII that RFC 3986 (section 3.2.2) leaves out of a name, and no escape that encodes
/// ASCII. So Go's parser accepts whatever this one accepts.
fn is_name(host: &str) -> bool {
    let is_allowed = |character: char| match character {
        ascii if ascii.is_ascii() => ascii.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%".contains(ascii),
        other => !other.is_whitespace(),
    };
    let is_ascii_escape = |escape: &str| escape.starts_with(|digit: char| digit.is_digit(8));
    host.chars().all(is_allowed) && !host.split('%').skip(1).any(is_ascii_escape)
}

/// Whether every `%` is followed by two hex digits.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let mut digits = after.bytes();
        [digits.next(), digits.next()].into_iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_every_part() {
        let url = Url::parse("WSS://u:p@Relay.Example.Test:8443/a%20b/?x=1?#f#g").unwrap();
        assert_eq!((url.scheme, url.user_info, url.host), ("WSS", Some("u:p"), "Relay.Example.Test"));
        assert_eq!((url.port, url.path), (Some("8443"), "/a%20b/"));
        assert_eq!((url.query, url.fragment), (Some("x=1?"), Some("f#g")));
        assert!(url.is_websocket());
        assert_eq!(url.port_number(), Ok(Some(8443)));
    }

    #[test]
    fn tells_empty_from_absent() {
        let url = Url::parse("wss://@h:?#").unwrap();
        assert_eq!((url.user_info, url.port, url.path), (Some(""), Some(""), ""));
        assert_eq!((url.query, url.fragment), (Some(""), Some("")));
        assert_eq!(url.port_number(), Ok(None));
        let url = Url::parse("wss://h").unwrap();
        assert_eq!((url.user_info, url.port, url.query, url.fragment), (None, None, None, None));
    }

    #[test]
    fn an_ipv6_host_is_in_brackets() {
        let url = Url::parse("ws://[2001:DB8::1]:80/").unwrap();
        assert_eq!((url.host, url.bracketed, url.port), ("2001:DB8::1", true, Some("80")));
        for text in ["ws://2001:db8::1/", "ws://[::1", "ws://[::1]x/", "ws://[h]/", "ws://[::1%25eth0]/", "ws://[]/"] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_absolute_url() {
        for text in [
            "",
            "h",
            "h/x",
            "//h/",
            "://h",
            "1ws://h",
            "w s://h",
            "ws:/h",
            "ws:h",
            "ws://",
            "ws:///x",
            "ws://:80/",
            "ws://u@",
            "ws://h:8x/",
            "ws://h:-1",
            "ws://h:1:2",
            "ws://a b/",
            "ws://a\\b/",
            "ws://h%41/",
            "ws://h\n/",
            "ws://h/\u{7f}",
            "ws://h/%",
            "ws://h/%4",
            "ws://h/%zz",
            "ws://h/#%0g",
            "ws://h\u{a0}/",
            "ws://h/%+1",
        ] {
            assert!(Url::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_port_is_between_1_and_65535() {
        for (port, expected) in [("1", Ok(Some(1))), ("65535", Ok(Some(65535))), ("080", Ok(Some(80)))] {
            assert_eq!(Url::parse(&format!("ws://h:{port}")).unwrap().port_number(), expected);
        }
        for port in ["0", "65536", "99999999999999999999999"] {
            assert!(Url::parse(&format!("ws://h:{port}")).unwrap().port_number().is_err(), "{port}");
        }
    }
}
