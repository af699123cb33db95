//! Hosts, plans, limits, tiers and the schedule of refreshes, against the deployed tables.

use std::collections::BTreeMap;

use libtest_mimic::Trial;
use pulse_trust::entitlement::{
    Capability, InstanceHost, Tier, canonical_plan, provider_chain_ceiling, refresh_backoff, scrub_limits, tenant_host,
};
use serde_json::{Value, json};

use crate::common::{text, vector_file};
use crate::ours::is_ours;
use crate::{each, one};

pub fn tests() -> Vec<Trial> {
    let mut tests = each("tables.json", "hosts", host);
    tests.extend(each("tenant_hosts.json", "cases", host_of_tenant));
    tests.extend(each("tables.json", "plans", plan));
    tests.extend(each("tables.json", "lease_limits", limits));
    tests.extend(each("tables.json", "tiers", tier));
    tests.extend(each("onboarding.json", "refresh_backoff", backoff));
    tests.push(one("tables/provider_chain_ceiling", ceiling));
    tests
}

pub fn names(capabilities: &[Capability]) -> Vec<String> {
    capabilities.iter().map(|capability| capability.as_str().to_owned()).collect()
}

fn sorted_names(capabilities: &Value) -> Vec<String> {
    let mut names: Vec<String> = serde_json::from_value(capabilities.clone()).unwrap();
    names.sort();
    names
}

fn host(_: &Value, case: &Value) {
    let host = InstanceHost::normalize(text(case, "in"));
    if !is_ours("tables", case, "normalize", &host) {
        assert_eq!(host.unwrap().as_str(), text(case, "out"));
    }
}

fn host_of_tenant(_: &Value, case: &Value) {
    let host = tenant_host(text(case, "tenant_id"), text(case, "base_url"));
    if !is_ours("tenant_hosts", case, "tenant_host", &host) {
        assert_eq!(host.unwrap().as_str(), text(case, "instance_host"));
    }
}

fn plan(_: &Value, case: &Value) {
    assert_eq!(canonical_plan(text(case, "in")), text(case, "out"));
}

fn limits(_: &Value, case: &Value) {
    let mut limits: BTreeMap<String, i64> = serde_json::from_value(case["in"].clone()).unwrap();
    scrub_limits(text(case, "plan_version"), &mut limits);
    assert_eq!(json!(limits), if case["out"].is_null() { json!({}) } else { case["out"].clone() });
}

fn tier(_: &Value, case: &Value) {
    let features = case["features"].as_array().map(Vec::as_slice).unwrap_or_default();
    let features: Vec<Capability> = features.iter().map(|name| Capability::new(name.as_str().unwrap())).collect();
    let derived = Tier::from_name(text(case, "tier")).capabilities_with(&features);
    assert_eq!(json!(names(&derived)), json!(sorted_names(&case["capabilities"])));
}

fn ceiling() {
    let file = vector_file("tables.json");
    assert_eq!(names(&provider_chain_ceiling()), sorted_names(&file["provider_chain_ceiling"]));
}

fn backoff(_: &Value, case: &Value) {
    let failures = u32::try_from(case["failures"].as_u64().unwrap()).unwrap();
    assert_eq!(refresh_backoff(failures).as_secs(), case["backoff_seconds"].as_u64().unwrap());
}
