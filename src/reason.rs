//! What an error names beside texts: what was revoked, and what disables the relay.

use core::fmt;

/// What of a credential was revoked.
///
/// See the example of [`RevocationList`](crate::relay::RevocationList).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RevokedKind {
    /// Its license.
    License,
    /// The version of its license: grants of it count from a later one on.
    LicenseVersion,
    /// Its installation.
    Installation,
    /// The token itself.
    Token,
    /// The host that it is for.
    Host,
    /// The instance that it registers.
    Instance,
    /// The key that signed it.
    SigningKey,
}

impl RevokedKind {
    /// Its name in a message, such as `license version`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::License => "license",
            Self::LicenseVersion => "license version",
            Self::Installation => "installation",
            Self::Token => "token",
            Self::Host => "host",
            Self::Instance => "instance",
            Self::SigningKey => "signing key",
        }
    }
}

impl fmt::Display for RevokedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What disables the relay of a runtime.
///
/// ```
/// use pulse_trust::relay::DisabledBy;
///
/// assert_eq!(DisabledBy::Environment.to_string(), "PULSE_RELAY_ENABLED");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisabledBy {
    /// The environment, in `PULSE_RELAY_ENABLED`.
    Environment,
    /// `relay.enc`.
    Config,
    /// There is no `relay.enc`, and the relay is disabled by default.
    NoConfig,
}

impl DisabledBy {
    /// Its name in a message, such as `relay.enc`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "PULSE_RELAY_ENABLED",
            Self::Config => "relay.enc",
            Self::NoConfig => "default, as there is no relay.enc",
        }
    }
}

impl fmt::Display for DisabledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
