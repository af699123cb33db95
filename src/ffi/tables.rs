//! Plans, limits and tiers

use core::ffi::c_char;
use std::collections::BTreeMap;

use super::buffer::pulse_buffer;
use super::call::{Out, call, text};
use super::fault::{pulse_error, pulse_status};
use super::json;
use crate::entitlement::{Capability, Tier, canonical_plan, scrub_limits};

/// The canonical name of a plan: of `Cloud-V1` it is `cloud_starter`. A name that is not an alias is only trimmed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_plan_canonical(
    plan: *const c_char,
    plan_len: usize,
    out: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out, "out"), || {
            Ok(pulse_buffer::new(canonical_plan(text(plan, plan_len, "plan")?).as_bytes()))
        })
    }
}

/// The limits that count for a plan: `limits_json`, an object of names and integers, without those that no longer do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_limits_scrub(
    plan: *const c_char,
    plan_len: usize,
    limits_json: *const c_char,
    limits_json_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let plan = text(plan, plan_len, "plan")?;
            let limits_json = text(limits_json, limits_json_len, "limits_json")?;
            let mut limits: BTreeMap<String, i64> = json::parse(limits_json, "limits_json")?;
            scrub_limits(plan, &mut limits);
            json::buffer(&limits)
        })
    }
}

/// The capabilities of a tier of licenses and grants together with `features_json`, an array of names (empty: none): a
/// sorted JSON array, each name once. An unknown tier has none of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pulse_tier_capabilities(
    tier: *const c_char,
    tier_len: usize,
    features_json: *const c_char,
    features_json_len: usize,
    out_json: *mut *mut pulse_buffer,
    error: *mut *mut pulse_error,
) -> pulse_status {
    // SAFETY: the pointer contract of this module.
    unsafe {
        call(error, Out::new(out_json, "out_json"), || {
            let tier = Tier::from_name(text(tier, tier_len, "tier")?);
            let features_json = text(features_json, features_json_len, "features_json")?;
            let features: Vec<String> =
                if features_json.is_empty() { Vec::new() } else { json::parse(features_json, "features_json")? };
            let features: Vec<_> = features.iter().map(|name| Capability::new(name)).collect();
            let capabilities = tier.capabilities_with(&features);
            json::buffer(&capabilities.iter().map(Capability::as_str).collect::<Vec<_>>())
        })
    }
}
