//! The relay's URL: its normal form, and the form that an app connects to
//! ([formats: pairing](crate::_documentation::formats#pairing)).

use super::percent;
use crate::url::Url;

/// Where apps connect, at a relay whose URL names no path of its own.
const APP_PATH: &str = "/ws/app";
/// Where instances connect.
const INSTANCE_PATH: &str = "/ws/instance";

/// The spelling by which two relay URLs are compared: trimmed, scheme and host in lower case, without a trailing slash
/// and a fragment; the query is kept. `None` if the URL is not valid: its scheme is `ws` or `wss`, and it has a host.
///
/// ```
/// use pulse_trust::pairing::relay_url_normal_form;
/// let normal = relay_url_normal_form(" WSS://Relay.Example.Test/ws/instance/ ");
/// assert_eq!(normal.as_deref(), Some("wss://relay.example.test/ws/instance"));
/// assert_eq!(relay_url_normal_form("https://relay.example.test"), None);
/// ```
pub fn relay_url_normal_form(url: &str) -> Option<String> {
    let url = parse_websocket_url(url)?;
    Some(write(&url, &normal_path(url.path)?))
}

/// The URL an app connects to, from the one the instance is configured with: the normal form, with the path `/ws/app`
/// where it was empty or `/ws/instance`. A URL that is not valid comes back as it is, trimmed.
///
/// ```
/// use pulse_trust::pairing::relay_url_for_app;
/// assert_eq!(relay_url_for_app("wss://relay.example.test/ws/instance"), "wss://relay.example.test/ws/app");
/// ```
pub fn relay_url_for_app(url: &str) -> String {
    app_form(url).unwrap_or_else(|| url.trim().to_owned())
}

fn app_form(url: &str) -> Option<String> {
    let url = parse_websocket_url(url)?;
    let path = normal_path(url.path)?;
    let decoded = percent::decode(&path)?;
    // The deployed runtime drops another slash before it compares, so `/ws/instance//` counts too.
    let compared = decoded.strip_suffix(b"/").unwrap_or(&decoded);
    let is_replaced = compared.is_empty() || compared == INSTANCE_PATH.as_bytes();
    Some(write(&url, if is_replaced { APP_PATH } else { &path }))
}

fn parse_websocket_url(text: &str) -> Option<Url<'_>> {
    Url::parse(text.trim()).ok().filter(Url::is_websocket)
}

/// The path without a trailing slash. As Go does it: an unchanged path keeps its spelling if that is valid; otherwise
/// it is decoded and encoded again.
fn normal_path(path: &str) -> Option<String> {
    let decoded = percent::decode(path)?;
    let trimmed = match decoded.strip_suffix(b"/") {
        Some(b"/") => b"",
        Some(rest) => rest,
        None if path.bytes().all(is_valid_in_path) => return Some(path.to_owned()),
        None => &decoded,
    };
    Some(percent::encode(trimmed, stays_in_path))
}

fn write(url: &Url<'_>, path: &str) -> String {
    let scheme = url.scheme.to_ascii_lowercase();
    let user_info = url.user_info.map(|user_info| format!("{user_info}@")).unwrap_or_default();
    let host = lower_case_host(url.host);
    let host = if url.bracketed { format!("[{host}]") } else { host };
    let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{user_info}{host}{port}{path}{query}")
}

/// Beyond ASCII, Go reads escapes, and writes them again.
fn lower_case_host(host: &str) -> String {
    let decoded = percent::decode(host).unwrap_or_default();
    let lower_case = String::from_utf8_lossy(&decoded).to_lowercase();
    percent::encode(lower_case.as_bytes(), |byte| byte.is_ascii())
}

/// What Go leaves unencoded in a path.
fn stays_in_path(byte: u8) -> bool {
    percent::is_unreserved(byte) || b"$&+,/:;=@".contains(&byte)
}

/// What Go accepts in a path that is already encoded.
fn is_valid_in_path(byte: u8) -> bool {
    stays_in_path(byte) || b"!'()*[]%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spelled as Go's `url.Parse` and `URL.String` do.
    #[test]
    fn spells_paths_as_go_does() {
        for (url, expected) in [
            ("wss://h//", "wss://h"),
            ("wss://h/a//", "wss://h/a/"),
            ("wss://h/a b", "wss://h/a%20b"),
            ("wss://h/é", "wss://h/%C3%A9"),
            ("wss://h/%41", "wss://h/%41"),
            ("wss://h/%41/", "wss://h/A"),
            ("wss://h/a%2F", "wss://h/a"),
            ("wss://h/a!b", "wss://h/a!b"),
            ("wss://h/a!b/", "wss://h/a%21b"),
            ("wss://h:/", "wss://h:"),
            ("wss://h/?", "wss://h?"),
            ("wss://h/?a b%zz/#f", "wss://h?a b%zz/"),
            ("wss://U:P@H/", "wss://U:P@h"),
            ("wss://É.test", "wss://%C3%A9.test"),
            ("wss://%c3%89.test", "wss://%C3%A9.test"),
        ] {
            assert_eq!(relay_url_normal_form(url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn an_app_path_replaces_an_empty_one_and_the_instances() {
        for url in ["wss://h", "wss://h/", "wss://h//", "wss://h/ws/instance//", "wss://h/ws/%69nstance"] {
            assert_eq!(relay_url_for_app(url), "wss://h/ws/app", "{url}");
        }
        for url in ["wss://h/ws/instances", "wss://h/WS/instance", "wss://h/x/ws/instance", "wss://h/ws/app"] {
            assert_eq!(relay_url_for_app(url), url);
        }
    }
}
