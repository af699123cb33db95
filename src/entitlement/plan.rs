//! Plan names and limits in their normal form (formats.md#plans-and-limits).

use std::borrow::Cow;
use std::collections::BTreeMap;

const ALIASES: &[(&str, &[&str])] = &[
    ("cloud_starter", &["cloud_starter", "cloud", "starter", "cloud-v1", "cloud_v1", "cloud-starter"]),
    ("msp_starter", &["msp_starter", "msp", "msp-hosted-v1", "msp_hosted_v1", "msp-starter"]),
    ("msp_eval", &["msp_eval", "msp-eval"]),
    ("cloud_power", &["cloud_power", "power", "cloud-power"]),
    ("cloud_max", &["cloud_max", "max", "cloud-max"]),
    ("cloud_founding", &["cloud_founding", "founding", "cloud-founding"]),
];

const SELF_HOSTED: &[&str] = &[
    "community",
    "free",
    "relay",
    "pro",
    "pro_plus",
    "pro_annual",
    "lifetime",
    "business",
    "business_annual",
    "v5_lifetime_grandfathered",
    "v5_pro_monthly_grandfathered",
    "v5_pro_annual_grandfathered",
];

/// The canonical name of a plan: its aliases are compared trimmed and ignoring case; any other name is only trimmed.
///
/// ```
/// assert_eq!(pulse_trust::entitlement::canonical_plan(" Cloud-V1 "), "cloud_starter");
/// ```
pub fn canonical_plan(plan: &str) -> Cow<'_, str> {
    let plan = plan.trim();
    let is_alias = |names: &[&str]| names.iter().any(|name| plan.eq_ignore_ascii_case(name));
    ALIASES
        .iter()
        .find(|(_, names)| is_alias(names))
        .map_or(Cow::Borrowed(plan), |(canonical, _)| Cow::Borrowed(*canonical))
}

/// Drops the limits that no longer count: three always, `max_guests` for the self-hosted plans.
pub fn scrub_limits(plan: &str, limits: &mut BTreeMap<String, i64>) {
    if limits.is_empty() {
        return;
    }
    for retired in ["max_monitored_systems", "max_agents", "max_nodes"] {
        limits.remove(retired);
    }
    let plan = plan.trim();
    if SELF_HOSTED.iter().any(|name| plan.eq_ignore_ascii_case(name)) {
        limits.remove("max_guests");
    }
}
