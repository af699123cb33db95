//! The three kinds of token, told apart by their claims (FORMATS 2).

use core::fmt;

/// The setting that holds the relay's lease keys.
pub const LEASE_KEY_SETTING: &str = "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY (or PULSE_TRIAL_ACTIVATION_PUBLIC_KEY)";
/// The setting that holds the relay's license and grant keys.
pub const LICENSE_KEY_SETTING: &str = "PULSE_RELAY_PUBLIC_KEY (in a runtime: PULSE_LICENSE_PUBLIC_KEY)";

/// A kind of token. Each verifies only under the keys configured for it.
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
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
