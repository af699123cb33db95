//! Subscription states (formats.md#lease-claims).

use core::fmt;

use crate::json::written_as_name;

/// The state of a subscription.
///
/// ```
/// use pulse_trust::entitlement::SubscriptionState;
///
/// assert!(SubscriptionState::from_name("grace").is_paid_or_trial());
/// assert!(!SubscriptionState::from_name("new-state").is_paid_or_trial());
/// ```
///
/// Only `trial`, `active` and `grace` grant anything beyond the free set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriptionState {
    /// A trial, until its end.
    Trial,
    /// Paid.
    Active,
    /// Payment is late, but the subscription still counts.
    Grace,
    /// Ended.
    Expired,
    /// Suspended by the provider.
    Suspended,
    /// Canceled by the customer.
    Canceled,
    /// Any other text: kept, and grants nothing beyond the free set.
    Other(OtherState),
}

/// The name of a state that this library does not know. Only [`SubscriptionState::from_name`] makes one, so it is never
/// the name of a state that grants something.
///
/// See the example of [`SubscriptionState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherState(String);

impl SubscriptionState {
    /// The state of this name; names are exact.
    pub fn from_name(name: &str) -> Self {
        match name {
            "trial" => Self::Trial,
            "active" => Self::Active,
            "grace" => Self::Grace,
            "expired" => Self::Expired,
            "suspended" => Self::Suspended,
            "canceled" => Self::Canceled,
            other => Self::Other(OtherState(other.to_owned())),
        }
    }

    /// The state of this name; `None` for the empty text, which is how files say that there is none.
    #[cfg(feature = "storage")]
    pub(crate) fn given(name: &str) -> Option<Self> {
        (!name.is_empty()).then(|| Self::from_name(name))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Trial => "trial",
            Self::Active => "active",
            Self::Grace => "grace",
            Self::Expired => "expired",
            Self::Suspended => "suspended",
            Self::Canceled => "canceled",
            Self::Other(OtherState(name)) => name,
        }
    }

    /// Whether it grants more than the free set, regardless of a trial's end.
    pub const fn is_paid_or_trial(&self) -> bool {
        matches!(self, Self::Trial | Self::Active | Self::Grace)
    }
}

/// As [`SubscriptionState::from_name`].
impl From<&str> for SubscriptionState {
    fn from(name: &str) -> Self {
        Self::from_name(name)
    }
}

impl AsRef<str> for SubscriptionState {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

written_as_name!(SubscriptionState);
