//! Leases, licenses and grants, against what the deployed code reads.

use libtest_mimic::Trial;
use pulse_trust::Error;
use pulse_trust::entitlement::{
    Capability, HostBinding, Inspected, LeaseChecks, LeaseClaims, LicenseTerm, VerifiedGrant, VerifiedLease,
    VerifiedLicense,
};
use pulse_trust::keys::SigningKey;
use serde_json::{Value, json};

use crate::common::{cases, text, time, trust_keys, vector_file};
use crate::ours::{is_ours, names_the_cases, ours};
use crate::tables::names;
use crate::{each, one};

pub fn tests() -> Vec<Trial> {
    let mut tests = each("leases.json", "cases", lease);
    tests.extend(each("licenses.json", "cases", license));
    tests.extend(each("grants.json", "cases", grant));
    tests.push(one("leases/signed-byte-for-byte", signed_byte_for_byte));
    tests.push(one("ours/names-the-cases", names_the_cases));
    tests
}

fn lease(file: &Value, case: &Value) {
    let (keys, now) = (trust_keys(file), time(case, "now"));
    let checks = LeaseChecks::new(match text(case, "expected_host") {
        "" => HostBinding::AnyHost,
        host => HostBinding::Require(host),
    });
    let verified = VerifiedLease::verify(text(case, "token"), &keys, &checks, now);
    if !is_ours("leases", case, "verify", &verified) {
        is_of_class(&verified, text(case, "verify_error"));
    }
    if let Ok(lease) = verified {
        assert_eq!(
            serde_json::from_str::<Value>(lease.claims().secret_json().expose_secret()).unwrap(),
            case["verified_claims"]
        );
        let grants = ours("leases", case, "grants_relay").unwrap_or(&case["grants_relay"]);
        assert_eq!(json!(lease.check_grants(&Capability::RELAY, now).is_ok()), *grants);
    }
    let inspected = Inspected::<VerifiedLease>::inspect(text(case, "token"), &keys, &checks, now);
    if !is_ours("leases", case, "inspect", &inspected) {
        is_of_class(&inspected, text(case, "inspect_error"));
    }
    if let Ok(lease) = inspected {
        assert_eq!(
            serde_json::from_str::<Value>(lease.claims().secret_json().expose_secret()).unwrap(),
            case["inspected_claims"]
        );
    }
}

fn signed_byte_for_byte() {
    let file = vector_file("leases.json");
    let key = SigningKey::from_base64(text(&file, "hosted_private_key")).unwrap();
    let case = &cases(&file, "cases")[0];
    let claims = LeaseClaims::from_json(&case["verified_claims"].to_string()).unwrap();
    assert_eq!(claims.sign(&key).unwrap().expose_secret().to_owned(), text(case, "token"));
}

fn license(file: &Value, case: &Value) {
    let (keys, now, token) = (trust_keys(file), time(case, "now"), text(case, "token"));
    if token.trim() != token {
        let error = VerifiedLicense::verify(token, &keys, now).unwrap_err();
        assert!(matches!(error, Error::TokenHeader { .. } | Error::TokenMalformed { .. }), "{error:?}");
    }
    // Readers of files and settings trim.
    let verified = VerifiedLicense::verify(token.trim(), &keys, now);
    is_of_class(&verified, text(case, "error").trim_end_matches("_past_grace"));
    let Ok(license) = verified else { return };
    let term = license.term_at(now).unwrap();
    assert_eq!(term == LicenseTerm::Lifetime, case["lifetime"].as_bool().unwrap());
    let ends_at = match term {
        LicenseTerm::InGrace { ends_at } => Some(ends_at.as_secs()),
        _ => None,
    };
    assert_eq!(ends_at.is_some(), case["in_grace"].as_bool().unwrap());
    assert_eq!(ends_at, case["grace_period_end"].as_i64());
    assert_eq!(license.claims().subscription_state.as_str(), text(case, "subscription_state"));
    assert_eq!(license.claims().plan_version, text(case, "plan_version"));
    assert_eq!(json!(names(license.capabilities())), *case.get("capabilities").unwrap_or(&json!([])));
    assert_eq!(json!(license.limits()), *case.get("limits").unwrap_or(&json!({})));
}

fn grant(file: &Value, case: &Value) {
    let (keys, now) = (trust_keys(file), time(file, "now"));
    let inspected = Inspected::<VerifiedGrant>::inspect(text(case, "token"), &keys);
    if !is_ours("grants", case, "inspect", &inspected) {
        is_of_class(&inspected, text(case, "error"));
    }
    if let Ok(grant) = inspected {
        assert_eq!(serde_json::from_str::<Value>(&grant.claims().to_json()).unwrap(), case["claims"]);
        assert_eq!(grant.state_at(now).as_str(), text(case, "effective_state"));
    }
    let verified = VerifiedGrant::verify(text(case, "token"), &keys, now);
    if is_ours("grants", case, "verify", &verified) {
        return;
    }
    // The deployed reader takes an expired grant, and says so in its state.
    let is_expired = text(case, "error").is_empty() && text(case, "effective_state") == "expired";
    is_of_class(&verified, if is_expired { "expired" } else { text(case, "error") });
    let Ok(grant) = verified else { return };
    assert_eq!(serde_json::from_str::<Value>(&grant.claims().to_json()).unwrap(), case["claims"]);
    assert_eq!(grant.state_at(now).as_str(), text(case, "effective_state"));
    assert_eq!(grant.claimed_state().as_str(), text(case, "subscription_state"));
    assert_eq!(json!(names(grant.capabilities())), case["capabilities"]);
    assert_eq!(json!(grant.limits()), *case.get("limits").unwrap_or(&json!({})));
    assert_eq!(json!(grant.check_grants(&Capability::RELAY, now).is_ok()), case["grants_relay"]);
    assert_eq!(json!(names(&grant.capabilities_at(now)).contains(&"relay".to_owned())), case["grants_relay"]);
}

/// Asserts that an outcome is of the class under which the vectors file it: "" where it is accepted.
fn is_of_class<T>(outcome: &pulse_trust::Result<T>, expected: &str) {
    let class = match outcome {
        Ok(_) => "",
        Err(Error::SignatureInvalid { .. } | Error::TokenHeader { .. }) => "signature",
        Err(Error::ProviderChain { .. }) => "provider_chain",
        Err(Error::IssuerMismatch { .. }) => "issuer",
        Err(Error::AudienceMismatch { .. }) => "audience",
        Err(Error::ClaimMissing { claim: "aud", .. }) => "claim_missing",
        Err(Error::Expired { .. }) => "expired",
        Err(Error::NotYetValid { .. }) => "not_yet_valid",
        Err(Error::OrgMissing) => "org_missing",
        Err(Error::HostMissing) => "host_missing",
        Err(Error::HostMismatch { .. }) => "host_mismatch",
        Err(Error::ClaimMissing { .. }) => "malformed",
        Err(other) => panic!("no class for {other:?}"),
    };
    assert_eq!(class, expected);
}
