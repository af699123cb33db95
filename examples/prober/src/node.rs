//! A node of a relay, by its name and where it is reached.

use std::str::FromStr;

/// One node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// What the operator calls it.
    pub(crate) name: String,
    /// `ws://` or `wss://`, host, port, and no path.
    base: String,
}

impl Node {
    /// Where instances connect.
    pub(crate) fn instance_url(&self) -> String {
        format!("{}/ws/instance", self.base)
    }

    /// Where apps connect.
    pub(crate) fn app_url(&self) -> String {
        format!("{}/ws/app", self.base)
    }
}

impl FromStr for Node {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, url) = match text.split_once('=') {
            Some((name, url)) if !name.contains('/') => (name, url),
            _ => ("", text),
        };
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/ws/instance").or_else(|| base.strip_suffix("/ws/app")).unwrap_or(base);
        let authority = base.strip_prefix("ws://").or_else(|| base.strip_prefix("wss://"));
        let is_usable = |authority: &str| {
            !authority.is_empty()
                && !authority.contains(['/', '?', '#', '@'])
                && !authority.contains(char::is_whitespace)
        };
        match authority {
            Some(authority) if is_usable(authority) => {
                let name = if name.is_empty() { authority } else { name };
                Ok(Self { name: name.to_owned(), base: base.to_owned() })
            }
            _ => Err(format!(
                "expected [NAME=]URL such as a=ws://10.0.0.1:8080 or wss://relay.example.com, received {text:?}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_a_url_with_or_without_a_name() {
        let node = |text: &str| text.parse::<Node>().unwrap();
        assert_eq!(node("a=ws://10.0.0.1:8080").name, "a");
        assert_eq!(node("wss://relay.example.com/").name, "relay.example.com");
        assert_eq!(node("a=wss://relay.example.com/ws/instance").app_url(), "wss://relay.example.com/ws/app");
        assert_eq!(node("ws://[::1]:80").instance_url(), "ws://[::1]:80/ws/instance");
        for bad in ["", "a=", "relay.example.com", "http://relay", "ws://", "ws://user@relay", "a=ws://relay/path"] {
            assert!(bad.parse::<Node>().unwrap_err().contains(&format!("{bad:?}")), "{bad}");
        }
    }
}
