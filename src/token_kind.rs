//! The three kinds of token, and what names them in claims and settings.

use core::fmt;

/// The issuer that every lease names (`iss`).
pub const LEASE_ISSUER: &str = "pulse-pro-entitlement-lease";
/// The audience that every lease names (`aud`).
pub const LEASE_AUDIENCE: &str = "pulse-pro-entitlement-cache";

/// A kind of token. Each kind verifies only under the keys that are configured for it.
///
/// ```
/// use pulse_trust::TokenKind;
///
/// assert_eq!(TokenKind::Lease.to_string(), "lease");
/// assert_eq!(TokenKind::Grant.relay_key_setting(), "PULSE_RELAY_PUBLIC_KEY");
/// assert_eq!(TokenKind::Grant.runtime_key_setting(), "PULSE_LICENSE_PUBLIC_KEY");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenKind {
    /// A hosted entitlement lease: `iss` is `pulse-pro-entitlement-lease`.
    Lease,
    /// A short-lived grant of an activated self-hosted instance: it has an `iid`.
    Grant,
    /// A classic license: it has a `lid`.
    License,
}

impl TokenKind {
    /// `lease`, `grant` or `license`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Grant => "grant",
            Self::License => "license",
        }
    }

    /// The environment variable in which the relay finds the keys for this kind.
    pub const fn relay_key_setting(self) -> &'static str {
        match self {
            Self::Lease => "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY",
            Self::Grant | Self::License => "PULSE_RELAY_PUBLIC_KEY",
        }
    }

    /// The environment variable in which a runtime finds the keys for this kind.
    pub const fn runtime_key_setting(self) -> &'static str {
        match self {
            Self::Lease => "PULSE_TRIAL_ACTIVATION_PUBLIC_KEY",
            Self::Grant | Self::License => "PULSE_LICENSE_PUBLIC_KEY",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
