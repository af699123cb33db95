//! Capabilities, and the sets of them that tiers mean (formats.md#tiers-and-capabilities).

use core::fmt;
use std::borrow::Cow;

use serde::de::Deserializer;

use crate::json::{self, ReadJson, written_as_name};

macro_rules! capability_sets {
    ($($set:ident: $($name:literal)*;)*) => {
        $(const $set: &[&str] = &[$($name),*];)*

        /// The name as one of the sets has it.
        fn known_name(name: &str) -> Option<&'static str> {
            match name {
                $($($name => Some($name),)*)*
                _ => None,
            }
        }
    };
}

capability_sets! {
    FREE: "advanced_sso" "ai_patrol" "sso" "update_alerts";
    RELAY: "long_term_metrics" "mobile_app" "push_notifications" "relay";
    PRO: "advanced_reporting" "agent_profiles" "ai_alerts" "ai_autofix" "audit_logging" "external_probe" "kubernetes_ai"
        "rbac";
    MSP: "multi_tenant" "unlimited";
    ENTERPRISE: "multi_user" "white_label";
}

/// One capability by its name.
///
/// ```
/// use pulse_trust::entitlement::{Capability, Tier};
///
/// assert!(Tier::from_name("pro").capabilities().contains(&Capability::RELAY));
/// assert!(!Tier::Free.capabilities().contains(&Capability::RELAY));
/// ```
///
/// A name that this crate knows is not allocated; one it does not know is kept as it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(Cow<'static, str>);

impl Capability {
    /// May register at the relay.
    pub const RELAY: Self = Self(Cow::Borrowed("relay"));

    /// The capability of this name.
    pub fn new(name: &str) -> Self {
        Self(known_name(name).map_or_else(|| Cow::Owned(name.to_owned()), Cow::Borrowed))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is of the free set, which always counts.
    pub fn is_free(&self) -> bool {
        FREE.contains(&self.as_str())
    }

    const fn known(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

/// The same as [`Capability::new`].
impl From<&str> for Capability {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl AsRef<str> for Capability {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

written_as_name!(Capability);

impl<'de> ReadJson<'de> for Capability {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::read_text(deserializer, "a capability name", |name| Ok(Self::new(name)))
    }
}

/// A tier of license or grant. Names are exact.
///
/// ```
/// use pulse_trust::entitlement::{Capability, Tier};
/// assert!(Tier::from_name("relay").capabilities().contains(&Capability::RELAY));
/// assert_eq!(Tier::from_name("platinum"), Tier::Unknown);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tier {
    /// `free`
    Free,
    /// `relay`
    Relay,
    /// `pro`, and `pro_plus`, `pro_annual`, `lifetime`, `business`, `cloud`, which have the same set.
    Pro,
    /// `msp`
    Msp,
    /// `enterprise`
    Enterprise,
    /// Any other name: no capabilities.
    Unknown,
}

impl Tier {
    /// The tier of this name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "free" => Self::Free,
            "relay" => Self::Relay,
            "pro" | "pro_plus" | "pro_annual" | "lifetime" | "business" | "cloud" => Self::Pro,
            "msp" => Self::Msp,
            "enterprise" => Self::Enterprise,
            _ => Self::Unknown,
        }
    }

    /// Its capabilities, sorted.
    pub fn capabilities(self) -> Vec<Capability> {
        self.capabilities_with(&[])
    }

    /// Its capabilities and these `features`, sorted, each name once.
    pub fn capabilities_with(self, features: &[Capability]) -> Vec<Capability> {
        let sets: &[&[&'static str]] = match self {
            Self::Free => &[FREE],
            Self::Relay => &[FREE, RELAY],
            Self::Pro => &[FREE, RELAY, PRO],
            Self::Msp => &[FREE, RELAY, PRO, MSP],
            Self::Enterprise => &[FREE, RELAY, PRO, MSP, ENTERPRISE],
            Self::Unknown => &[],
        };
        let own = sets.iter().copied().flatten().map(|name| Capability::known(name));
        sorted_once(own.chain(features.iter().cloned()))
    }
}

/// What the control plane writes into a paid hosted lease: the `msp` set and `white_label` for an `msp_*`
/// plan, else the `cloud` set. `plan` is canonical.
pub fn hosted_plan_capabilities(plan: &str) -> Vec<Capability> {
    if plan.starts_with("msp_") {
        Tier::Msp.capabilities_with(&[Capability::known("white_label")])
    } else {
        Tier::Pro.capabilities()
    }
}

/// The most that a provider-chained lease can grant: it never registers at the relay.
pub fn provider_chain_ceiling() -> Vec<Capability> {
    let mut ceiling = hosted_plan_capabilities("msp_");
    ceiling.retain(|capability| !["relay", "mobile_app", "push_notifications"].contains(&capability.as_str()));
    ceiling
}

/// The free set alone.
pub(crate) fn free_capabilities() -> Vec<Capability> {
    Tier::Free.capabilities()
}

fn sorted_once(capabilities: impl Iterator<Item = Capability>) -> Vec<Capability> {
    let mut sorted: Vec<_> = capabilities.collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}
