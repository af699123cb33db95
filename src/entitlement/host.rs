//! The host an instance answers at, in its normal form (formats.md#host-normalization).

use core::net::Ipv6Addr;

use crate::error::{Error, Result};
use crate::text_type::text_type;
use crate::url::is_scheme;

/// A host in its normal form: an IPv6 literal, or lower-case labels joined by dots. Two hosts are the same exactly when
/// their normal forms are. The address of a literal is kept as it is spelled: `2001:db8:0:0::1` and `2001:db8::1` are two
/// hosts, with an instance id each, as in the deployed systems.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstanceHost(String);

impl InstanceHost {
    /// Normalizes a host, a host with a port, or a URL.
    ///
    /// ```
    /// use pulse_trust::entitlement::InstanceHost;
    /// let host = InstanceHost::normalize("https://T-ABC.cloud.pulserelay.pro:443/x")?;
    /// assert_eq!(host.as_str(), "t-abc.cloud.pulserelay.pro");
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::HostInvalid`] with the rule that is broken.
    pub fn normalize(text: &str) -> Result<Self> {
        let authority = authority(text.trim())?;
        if authority.contains('@') {
            return Err(invalid("user info is not allowed"));
        }
        let host = without_port(authority)?;
        if host.parse::<Ipv6Addr>().is_ok() {
            return Ok(Self(host.to_ascii_lowercase()));
        }
        if authority.starts_with('[') {
            return Err(invalid("the brackets hold something other than an IPv6 address"));
        }
        check_labels(host)?;
        Ok(Self(host.to_ascii_lowercase()))
    }

    /// Checks that another spelling denotes this host.
    ///
    /// # Errors
    /// [`Error::HostMismatch`], [`Error::HostInvalid`].
    pub(super) fn check_is(&self, expected: &str) -> Result<()> {
        // The usual spelling is the normal one, and then there is nothing to compute.
        if expected == self.0 {
            return Ok(());
        }
        let expected = Self::normalize(expected)?;
        if expected == *self {
            return Ok(());
        }
        Err(Error::HostMismatch { expected: expected.0, received: self.0.clone() })
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(InstanceHost, normalize);

/// The host of a hosted tenant: the trimmed tenant id, a dot, and the base domain of the control plane's base URL.
///
/// # Errors
/// [`Error::TenantHostInvalid`] for an empty id or domain, another scheme, user info or a port that is not a number;
/// [`Error::HostInvalid`] if the two do not form a host.
pub fn tenant_host(tenant_id: &str, base_url: &str) -> Result<InstanceHost> {
    let id = tenant_id.trim();
    if id.is_empty() {
        return Err(Error::TenantHostInvalid { reason: "the tenant id is empty" });
    }
    if id.contains(['/', ':', '?', '#', '[', ']', '@']) {
        return Err(Error::TenantHostInvalid {
            reason: "the tenant id contains a character that no host label may have",
        });
    }
    InstanceHost::normalize(&format!("{id}.{}", base_domain(base_url)?))
}

/// The base domain of a control plane: its base URL without scheme, port and path, lower-cased.
///
/// # Errors
/// [`Error::TenantHostInvalid`] if the scheme is neither `http://` nor `https://` in lower case, if there is user info or
/// a port that is not a number, or if nothing is left.
fn base_domain(base_url: &str) -> Result<String> {
    let url = base_url.trim();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    // In a path or a query, `://` belongs to another URL.
    if rest.split_once("://").is_some_and(|(before, _)| !before.contains(['/', '?', '#'])) {
        return Err(Error::TenantHostInvalid { reason: "the base URL's scheme is neither http:// nor https://" });
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(Error::TenantHostInvalid { reason: "the base URL has user info, which is not allowed" });
    }
    let (domain, port) = authority.split_once(':').unwrap_or((authority, ""));
    if !port.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Error::TenantHostInvalid { reason: "the base URL's port is not a number" });
    }
    if domain.is_empty() {
        return Err(Error::TenantHostInvalid { reason: "the base URL has no domain" });
    }
    Ok(domain.to_ascii_lowercase())
}

/// Host and port: all of the text, or what is between `://` and the next `/`, `?` or `#` of a URL.
fn authority(text: &str) -> Result<&str> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(text);
    };
    if !is_scheme(scheme) {
        return Err(invalid("what comes before :// is not a URL scheme"));
    }
    Ok(rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// Drops a port, which follows `]` or the only colon, and the brackets.
fn without_port(authority: &str) -> Result<&str> {
    if let Some(bracketed) = authority.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']').ok_or(invalid("a bracket is not closed"))?;
        return match after.strip_prefix(':') {
            Some(port) => check_port(port).map(|()| host),
            None if after.is_empty() => Ok(host),
            None => Err(invalid("only a port may follow a bracket")),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) if !port.contains(':') => check_port(port).map(|()| host),
        _ => Ok(authority),
    }
}

fn check_port(port: &str) -> Result<()> {
    if port.is_empty() {
        return Err(invalid("the port is empty"));
    }
    if port.bytes().all(|digit| digit.is_ascii_digit()) { Ok(()) } else { Err(invalid("the port is not a number")) }
}

fn check_labels(host: &str) -> Result<()> {
    if host.is_empty() {
        return Err(invalid("empty"));
    }
    if host.len() > 253 {
        return Err(invalid("longer than 253 characters"));
    }
    for label in host.split('.') {
        if label.is_empty() {
            return Err(invalid("empty label"));
        }
        if label.len() > 63 {
            return Err(invalid("a label is longer than 63 characters"));
        }
        if label.contains('/') {
            return Err(invalid("slash outside a URL"));
        }
        if label.contains(':') {
            return Err(invalid("colon outside an IPv6 address"));
        }
        if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Err(invalid("a label contains a character outside a-z 0-9 - _"));
        }
    }
    Ok(())
}

fn invalid(reason: &'static str) -> Error {
    Error::HostInvalid { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_host_comes_from_the_domain_of_the_base_url_alone() {
        for (base_url, host) in [
            ("https://cloud.example.test", Ok("t-1.cloud.example.test")),
            ("https://Cloud.example.test:8443/x", Ok("t-1.cloud.example.test")),
            ("https://cloud.example.test:", Ok("t-1.cloud.example.test")),
            ("https://cloud.example.test/?next=https://other.example.test", Ok("t-1.cloud.example.test")),
            ("cloud.example.test#https://other.example.test", Ok("t-1.cloud.example.test")),
            ("ftp://cloud.example.test", Err("the base URL's scheme is neither http:// nor https://")),
            ("https://https://cloud.example.test", Err("the base URL's scheme is neither http:// nor https://")),
            ("https://user@cloud.example.test", Err("the base URL has user info, which is not allowed")),
            ("https://user:password@cloud.example.test", Err("the base URL has user info, which is not allowed")),
            ("https:cloud.example.test", Err("the base URL's port is not a number")),
            ("https:///x", Err("the base URL has no domain")),
        ] {
            let expected = host.map(str::to_owned).map_err(|reason| Error::TenantHostInvalid { reason });
            assert_eq!(tenant_host("t-1", base_url).map(|host| host.as_str().to_owned()), expected, "{base_url}");
        }
    }
}
