//! Leases, licenses, grants and the tables behind them, against what the deployed code reads (FORMATS 3, 4, 5, 10).

use std::collections::BTreeMap;

use crate::common::{cases, vector_file};
use pulse_trust::entitlement::{
    Capability, HostBinding, InspectedGrant, InspectedLease, InstanceHost, LeaseChecks, LicenseTerm, Tier,
    VerifiedGrant, VerifiedLease, VerifiedLicense, canonical_plan, provider_chain_ceiling, refresh_backoff,
    scrub_limits, tenant_host,
};
use pulse_trust::keys::{TrustKeySet, TrustKeys};
use pulse_trust::{Error, UnixTime};
use serde_json::{Value, json};

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("{name} in {case}"))
}

fn time(case: &Value, name: &str) -> UnixTime {
    UnixTime::from_secs(case[name].as_i64().unwrap())
}

fn trust_keys(file: &Value) -> TrustKeys {
    let set = |name: &str| {
        file[name].as_str().map_or_else(TrustKeySet::default, |key| TrustKeySet::from_setting(key).unwrap())
    };
    TrustKeys { lease: set("hosted_public_key"), license: set("license_public_key") }
}

/// The class under which the vectors file an error.
fn class(error: &Error) -> &'static str {
    match error {
        Error::SignatureInvalid { .. } | Error::TokenHeader { .. } => "signature",
        Error::ProviderChain { .. } => "provider_chain",
        Error::IssuerMismatch { .. } => "issuer",
        Error::AudienceMismatch { .. } => "audience",
        Error::ClaimMissing { claim: "aud" } => "claim_missing",
        Error::Expired { .. } => "expired",
        Error::NotYetValid { .. } => "not_yet_valid",
        Error::OrgMissing => "org_missing",
        Error::HostMissing => "host_missing",
        Error::HostMismatch { .. } => "host_mismatch",
        Error::ClaimMissing { .. } => "malformed",
        other => panic!("no class for {other:?}"),
    }
}

fn sorted_names(capabilities: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        capabilities.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn names(capabilities: &[Capability]) -> Vec<String> {
    capabilities.iter().map(|capability| capability.as_str().to_owned()).collect()
}

#[test]
fn leases_are_read_as_the_deployed_runtime_reads_them() {
    let file = vector_file("leases.json");
    let keys = trust_keys(&file);
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let now = time(case, "now");
        let binding = match text(case, "expected_host") {
            "" => HostBinding::AnyHost,
            host => HostBinding::Require(host),
        };
        let checks = LeaseChecks::new(binding);
        let verified = VerifiedLease::verify(text(case, "token"), &keys, &checks, now);
        let inspected = InspectedLease::inspect(text(case, "token"), &keys, &checks, now);
        let stricter = case["stricter"].as_str().unwrap_or_default();
        let verifies_but_grants_nothing = stricter.contains("it verifies");
        if !stricter.is_empty() && !verifies_but_grants_nothing {
            assert!(verified.is_err(), "{name}: accepted, but {stricter}");
            assert!(inspected.is_err(), "{name}: inspected, but {stricter}");
            continue;
        }
        match (&verified, text(case, "verify_error")) {
            (Ok(lease), "") => {
                assert_eq!(serde_json::to_value(lease.claims()).unwrap(), case["verified_claims"], "{name}");
                let grants = case["grants_relay"].as_bool().unwrap() && !verifies_but_grants_nothing;
                assert_eq!(lease.check_grants(&Capability::RELAY, now).is_ok(), grants, "{name}");
            }
            (Err(error), expected) => assert_eq!(class(error), expected, "{name}"),
            (Ok(_), expected) => panic!("{name}: accepted, expected {expected}"),
        }
        match (&inspected, text(case, "inspect_error"), case.get("inspect_ours")) {
            (Err(_), "", Some(_)) => {}
            (Ok(lease), "", None) => {
                assert_eq!(serde_json::to_value(lease.claims()).unwrap(), case["inspected_claims"], "{name}");
            }
            (Err(error), expected, None) => assert_eq!(class(error), expected, "{name}"),
            (Ok(_), expected, ours) => panic!("{name}: inspected, expected {expected} {ours:?}"),
            (Err(error), expected, Some(_)) => panic!("{name}: {error:?}, {expected}"),
        }
    }
}

#[test]
fn leases_are_signed_byte_for_byte() {
    use pulse_trust::entitlement::LeaseClaims;
    use pulse_trust::keys::SigningKey;
    let file = vector_file("leases.json");
    let Some(key) = file["hosted_private_key"].as_str() else { panic!("no signing key in leases.json") };
    let key = SigningKey::from_base64(key).unwrap();
    let case = &cases(&file, "cases")[0];
    let claims = LeaseClaims::from_json(&case["verified_claims"].to_string()).unwrap();
    assert_eq!(claims.sign(&key).unwrap(), text(case, "token"));
}

#[test]
fn licenses_are_read_as_the_deployed_runtime_reads_them() {
    let file = vector_file("licenses.json");
    let keys = trust_keys(&file);
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let now = time(case, "now");
        let token = text(case, "token");
        if token.trim() != token {
            let error = VerifiedLicense::verify(token, &keys, now).unwrap_err();
            assert!(matches!(error, Error::TokenHeader { .. } | Error::TokenMalformed { .. }), "{name}: {error:?}");
        }
        // Readers of files and settings trim.
        match (VerifiedLicense::verify(token.trim(), &keys, now), text(case, "error")) {
            (Ok(license), "") => {
                let term = license.term_at(now).unwrap();
                assert_eq!(term == LicenseTerm::Lifetime, case["lifetime"].as_bool().unwrap(), "{name}");
                let ends_at = match term {
                    LicenseTerm::InGrace { ends_at } => Some(ends_at.as_secs()),
                    _ => None,
                };
                assert_eq!(ends_at.is_some(), case["in_grace"].as_bool().unwrap(), "{name}");
                assert_eq!(ends_at, case["grace_period_end"].as_i64(), "{name}");
                assert_eq!(license.claims().subscription_state.as_str(), text(case, "subscription_state"), "{name}");
                assert_eq!(license.claims().plan_version, text(case, "plan_version"), "{name}");
                assert_eq!(
                    json!(names(license.capabilities())),
                    *case.get("capabilities").unwrap_or(&json!([])),
                    "{name}"
                );
                assert_eq!(json!(license.limits()), *case.get("limits").unwrap_or(&json!({})), "{name}");
            }
            (Err(Error::Expired { .. }), "expired_past_grace") => {}
            (Err(error), expected) => assert_eq!(class(&error), expected, "{name}"),
            (Ok(_), expected) => panic!("{name}: accepted, expected {expected}"),
        }
    }
}

#[test]
fn grants_are_read_as_the_deployed_runtime_reads_them() {
    let file = vector_file("grants.json");
    let keys = trust_keys(&file);
    let now = time(&file, "now");
    for case in cases(&file, "cases") {
        let name = text(case, "name");
        let verified = VerifiedGrant::verify(text(case, "token"), &keys, now);
        let inspected = InspectedGrant::inspect(text(case, "token"), &keys);
        if let Some(stricter) = case["stricter"].as_str() {
            assert!(verified.is_err() && inspected.is_err(), "{name}: accepted, but {stricter}");
            continue;
        }
        if let Ok(grant) = &inspected {
            assert_eq!(serde_json::to_value(grant.claims()).unwrap(), case["claims"], "{name}");
            assert_eq!(grant.state_at(now).as_str(), text(case, "effective_state"), "{name}");
        }
        match (verified, text(case, "error")) {
            (Err(Error::Expired { .. }), "") => assert_eq!(text(case, "effective_state"), "expired", "{name}"),
            (Ok(grant), "") => {
                let claims = serde_json::to_value(grant.claims()).unwrap();
                assert_eq!(claims, case["claims"], "{name}");
                assert_eq!(grant.state_at(now).as_str(), text(case, "effective_state"), "{name}");
                assert_eq!(grant.claimed_state().as_str(), text(case, "subscription_state"), "{name}");
                assert_eq!(json!(names(grant.capabilities())), case["capabilities"], "{name}");
                assert_eq!(json!(grant.limits()), *case.get("limits").unwrap_or(&json!({})), "{name}");
                let grants = grant.check_grants(&Capability::RELAY, now).is_ok();
                assert_eq!(grants, case["grants_relay"].as_bool().unwrap(), "{name}");
                assert_eq!(
                    grants,
                    grant.counts_until() > now && names(&grant.capabilities_at(now)).contains(&"relay".into())
                );
            }
            (Err(error), expected) => assert_eq!(class(&error), expected, "{name}"),
            (Ok(_), expected) => panic!("{name}: accepted, expected {expected}"),
        }
    }
}

#[test]
fn hosts_have_one_normal_form() {
    let file = vector_file("tables.json");
    for case in cases(&file, "hosts") {
        match (InstanceHost::normalize(text(case, "in")), case.get("ours")) {
            (Ok(host), None) => assert_eq!(host.as_str(), text(case, "out"), "{case}"),
            (Err(Error::HostInvalid { .. }), Some(_)) => {}
            (outcome, _) => panic!("{case}: {outcome:?}"),
        }
    }
    let file = vector_file("tenant_hosts.json");
    for case in cases(&file, "cases") {
        match (tenant_host(text(case, "tenant_id"), text(case, "base_url")), case.get("ours")) {
            (Ok(host), None) => assert_eq!(host.as_str(), text(case, "instance_host"), "{case}"),
            (Err(_), Some(_)) => {}
            (outcome, _) => panic!("{case}: {outcome:?}"),
        }
    }
}

#[test]
fn hosts_that_have_no_normal_form_are_refused() {
    let long_label = "a".repeat(64);
    let long_host = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(62)].join(".");
    for host in [
        "a..b",
        ".a",
        "a b",
        "é.test",
        "a:x",
        ":80",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[a.b]",
        "fe80::1%eth0",
        "1:2:3",
        "ht tp://a",
        "1http://a",
        "https://a:/",
        "https://@a",
        "a@b",
        "https://a:8x/",
        "a/b",
        "a?b",
        "a#b",
        &long_label,
        &long_host,
    ] {
        assert!(InstanceHost::normalize(host).is_err(), "{host}");
    }
    for (host, normal) in [("[::1]:80", "::1"), ("A_b-1.T", "a_b-1.t"), ("wss+x://H?q", "h"), ("\u{a0}a\u{2003}", "a")]
    {
        assert_eq!(InstanceHost::normalize(host).unwrap().as_str(), normal);
    }
}

#[test]
fn plans_limits_and_tiers_follow_the_tables() {
    let file = vector_file("tables.json");
    for case in cases(&file, "plans") {
        assert_eq!(canonical_plan(text(case, "in")), text(case, "out"), "{case}");
    }
    for case in cases(&file, "lease_limits") {
        let mut limits: BTreeMap<String, i64> = serde_json::from_value(case["in"].clone()).unwrap();
        scrub_limits(text(case, "plan_version"), &mut limits);
        let expected = if case["out"].is_null() { json!({}) } else { case["out"].clone() };
        assert_eq!(json!(limits), expected, "{case}");
    }
    for case in cases(&file, "tiers") {
        let features: Vec<Capability> = case["features"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| Capability::new(name.as_str().unwrap()))
            .collect();
        let derived = Tier::from_name(text(case, "tier")).capabilities_with(&features);
        assert_eq!(names(&derived), sorted_names(&case["capabilities"]), "{case}");
    }
    assert_eq!(names(&provider_chain_ceiling()), sorted_names(&file["provider_chain_ceiling"]));
}

#[test]
fn a_failed_refresh_backs_off_as_deployed() {
    let file = vector_file("onboarding.json");
    for case in cases(&file, "refresh_backoff") {
        let failures = u32::try_from(case["failures"].as_u64().unwrap()).unwrap();
        assert_eq!(refresh_backoff(failures).as_secs(), case["backoff_seconds"].as_u64().unwrap(), "{case}");
    }
}
