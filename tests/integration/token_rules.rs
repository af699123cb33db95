//! The strict reading of tokens where it differs from what is easily written: absent claims, names twice, states at a
//! time, provider chains (formats.md#compact-tokens, #hosted-lease, #grant).

use std::error::Error as _;
use std::time::Duration;

use pulse_trust::entitlement::{
    Capability, GrantClaims, GrantState, HostBinding, Inspected, InspectedToken, InstanceHost, LeaseChecks,
    LeaseClaims, LicenseClaims, SubscriptionState, VerifiedGrant, VerifiedLease, VerifiedLicense, VerifiedToken,
};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{ChannelClose, Connect, ControlPayload, Register};
use pulse_trust::token::sign;
use pulse_trust::{ClockLeeway, Error, TokenKind, UnixTime};
use serde_json::{Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const ANY_HOST: LeaseChecks<'static> = LeaseChecks::new(HostBinding::AnyHost);

/// One key for all kinds, so that nothing but the claims tells them apart.
struct Issuer {
    key: SigningKey,
    keys: TrustKeys,
}

impl Issuer {
    fn new() -> Self {
        let key = SigningKey::from_seed(&[9; 32]).unwrap();
        let set = TrustKeySet::new([key.public_key().clone()]);
        Self { key, keys: TrustKeys::new(set.clone(), set) }
    }

    fn sign(&self, claims: &Value) -> String {
        sign(&self.key, &claims.to_string()).unwrap().expose_secret().to_owned()
    }

    fn verify(&self, claims: &Value) -> Result<VerifiedToken, Error> {
        VerifiedToken::verify(&self.sign(claims), &self.keys, &ANY_HOST, NOW)
    }

    fn verify_text(&self, payload: &str) -> Result<VerifiedToken, Error> {
        VerifiedToken::verify(sign(&self.key, payload).unwrap().expose_secret(), &self.keys, &ANY_HOST, NOW)
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn lease() -> Value {
    json!({
        "org_id": "default", "instance_host": "t-1.cloud.example.test", "plan_version": "cloud_starter",
        "subscription_state": "active", "capabilities": ["relay"], "iss": "pulse-pro-entitlement-lease",
        "aud": ["pulse-pro-entitlement-cache"], "exp": NOW.as_secs() + 60,
    })
}

fn grant() -> Value {
    json!({"iss": "i", "lid": "lic_1", "iid": "inst_1", "lv": 1, "st": "active", "tier": "pro", "exp": NOW.as_secs() + 60})
}

fn license() -> Value {
    json!({"lid": "lic_1", "email": "owner@example.test", "tier": "pro", "exp": NOW.as_secs() + 60})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[test]
fn a_claim_that_is_null_counts_as_absent() {
    let issuer = Issuer::new();
    for claim in ["exp", "iss", "aud"] {
        let refused = issuer.verify(&with(lease(), claim, Value::Null)).unwrap_err();
        if claim == "iss" {
            assert_eq!(refused, Error::TokenKindUnknown);
        } else {
            assert_error!(refused, ClaimMissing { claim: if claim == "exp" { "exp" } else { "aud" } });
        }
    }
    assert_eq!(issuer.verify(&with(lease(), "org_id", Value::Null)).unwrap_err(), Error::OrgMissing);
    assert_eq!(issuer.verify(&with(lease(), "instance_host", Value::Null)).unwrap_err(), Error::HostMissing);
    for claim in
        ["email", "capabilities", "limits", "meters_enabled", "trial_ends_at", "provider_license", "nbf", "jti"]
    {
        let VerifiedToken::Lease(verified) = issuer.verify(&with(lease(), claim, Value::Null)).unwrap() else {
            panic!("a lease")
        };
        assert!(!verified.claims().secret_json().expose_secret().contains(&format!("\"{claim}\"")), "{claim}");
    }
    // Without an iid it is a license, which has an e-mail address.
    let kind = issuer.verify(&with(with(grant(), "iid", Value::Null), "email", json!("e"))).unwrap().kind();
    assert_eq!(kind, TokenKind::License);
    let VerifiedToken::License(lifetime) = issuer.verify(&with(license(), "exp", Value::Null)).unwrap() else {
        panic!("a license")
    };
    assert_eq!(lifetime.claims().exp, None);
}

#[test]
fn no_name_appears_twice_in_a_claim_or_inside_one() {
    let issuer = Issuer::new();
    let text = lease().to_string();
    let with_text = |member: &str| format!("{},{member}}}", text.strip_suffix('}').unwrap());
    let twice = [
        // A claim that we know, of this kind or of another.
        r#""exp":1"#,
        r#""tier":"pro","tier":"pro""#,
        // Inside a claim of this kind, whether its values agree or not, and in one of another kind.
        r#""limits":{"max_guests":1,"max_guests":1}"#,
        r#""features":[{"a":1,"b":{"c":1,"c":2}}]"#,
        r#""tier":{"a":1,"\u0061":1}"#,
    ];
    for member in twice {
        let refused = issuer.verify_text(&with_text(member)).unwrap_err();
        assert!(matches!(refused, Error::PayloadMalformed { .. } | Error::ClaimType { .. }), "{member}: {refused:?}");
    }
    for member in
        [r#""limits":{"max_guests":1,"max_users":1}"#, r#""new":{"a":1,"a":1}"#, r#""features":[{"a":1},{"a":1}]"#]
    {
        assert!(issuer.verify_text(&with_text(member)).is_ok(), "{member}");
    }
}

#[test]
fn a_grant_may_name_no_installation_but_has_the_claim() {
    let issuer = Issuer::new();
    let VerifiedToken::Grant(empty) = issuer.verify(&with(grant(), "iid", json!(""))).unwrap() else {
        panic!("a grant")
    };
    assert_eq!(empty.claims().iid, None);
    assert!(empty.claims().to_json().contains(r#""iid":"""#));
    let mut without = grant();
    without.as_object_mut().unwrap().remove("iid");
    let token = issuer.sign(&without);
    let refused = VerifiedGrant::verify(&token, &issuer.keys, NOW).unwrap_err();
    assert_error!(refused, TokenKind { expected: TokenKind::Grant, received: TokenKind::License });
    let number = issuer.verify(&with(grant(), "iid", json!(7))).unwrap_err();
    assert_error!(number, ClaimType { claim: "iid", expected: "a text" });
}

#[test]
fn a_token_verifies_as_its_own_kind_alone() {
    let issuer = Issuer::new();
    let (lease, grant, license) = (issuer.sign(&lease()), issuer.sign(&grant()), issuer.sign(&license()));
    let as_lease = |token: &str| VerifiedLease::verify(token, &issuer.keys, &ANY_HOST, NOW).map(drop);
    let as_grant = |token: &str| VerifiedGrant::verify(token, &issuer.keys, NOW).map(drop);
    let as_license = |token: &str| VerifiedLicense::verify(token, &issuer.keys, NOW).map(drop);
    assert_eq!((as_lease(&lease), as_grant(&grant), as_license(&license)), (Ok(()), Ok(()), Ok(())));
    assert_error!(as_grant(&lease).unwrap_err(), TokenKind { expected: TokenKind::Grant, received: TokenKind::Lease });
    assert_error!(
        as_grant(&license).unwrap_err(),
        TokenKind { expected: TokenKind::Grant, received: TokenKind::License }
    );
    assert_error!(
        as_license(&lease).unwrap_err(),
        TokenKind { expected: TokenKind::License, received: TokenKind::Lease }
    );
    assert_error!(
        as_license(&grant).unwrap_err(),
        TokenKind { expected: TokenKind::License, received: TokenKind::Grant }
    );
    assert!(matches!(as_lease(&grant), Err(Error::IssuerMismatch { .. })));
    assert_error!(as_lease(&license).unwrap_err(), ClaimMissing { claim: "iss" });
}

#[test]
fn an_inspected_token_has_its_state_at_the_given_time() {
    let issuer = Issuer::new();
    let after = |count| NOW.saturating_add(seconds(count));
    let week = 7 * 86_400;
    let past_due = with(grant(), "st", json!("past_due"));
    let trial = with(with(lease(), "subscription_state", json!("trial")), "trial_ends_at", json!(NOW.as_secs() + 30));
    for (claims, now, expected) in [
        (lease(), after(59), "active"),
        (lease(), after(60), "expired"),
        (with(lease(), "subscription_state", json!("suspended")), after(0), "suspended"),
        (trial.clone(), after(29), "trial"),
        (trial, after(30), "expired"),
        (license(), after(60), "active"),
        (license(), after(61), "grace"),
        (with(license(), "subscription_state", json!("suspended")), after(61), "suspended"),
        (license(), after(60 + week), "expired"),
        (with(license(), "subscription_state", json!("suspended")), after(0), "suspended"),
        (grant(), after(60), "active"),
        (past_due, after(0), "grace"),
        (grant(), after(61), "grace"),
        (grant(), after(60 + week), "expired"),
        (with(grant(), "st", json!("new")), after(0), "suspended"),
    ] {
        let inspected = InspectedToken::inspect(&issuer.sign(&claims), &issuer.keys, &ANY_HOST, now).unwrap();
        assert_eq!(inspected.state_at(now).as_str(), expected, "{claims} at {now}");
        assert!(inspected.claims_json().starts_with('{'));
    }
}

#[test]
fn a_lease_counts_until_its_expiry_or_its_trials_end() {
    let issuer = Issuer::new();
    let until = |claims: &Value, leeway: u64| {
        let checks = ANY_HOST.with_leeway(ClockLeeway::new(seconds(leeway)).unwrap());
        let lease = VerifiedLease::verify(&issuer.sign(claims), &issuer.keys, &checks, NOW).unwrap();
        let ends_at = lease.counts_until();
        // Whatever the end is, the lease counts a second before it and not from it on.
        assert!(lease.check_grants(&Capability::RELAY, ends_at.saturating_sub(seconds(1))).is_ok(), "{claims}");
        assert!(lease.check_grants(&Capability::RELAY, ends_at).is_err(), "{claims}");
        ends_at.as_secs() - NOW.as_secs()
    };
    let trial_until = |end: i64| {
        with(with(lease(), "subscription_state", json!("trial")), "trial_ends_at", json!(NOW.as_secs() + end))
    };
    assert_eq!((until(&lease(), 0), until(&lease(), 300)), (60, 360));
    assert_eq!((until(&trial_until(30), 0), until(&trial_until(30), 10)), (30, 40));
    assert_eq!(until(&trial_until(90), 10), 70);
    // A trial's end says nothing of a lease that is not a trial.
    assert_eq!(until(&with(lease(), "trial_ends_at", json!(NOW.as_secs() + 30)), 0), 60);
}

#[test]
fn a_providers_license_is_in_term_on_inspection_too() {
    let issuer = Issuer::new();
    let provider = SigningKey::from_seed(&[10; 32]).unwrap();
    let chained = |license_expiry: i64, tier: &str, key: Option<&str>| {
        let license = issuer.sign(&json!({
            "lid": "lic_msp", "email": "msp@example.test", "tier": tier, "exp": NOW.as_secs() + license_expiry,
            "entitlement_signing_public_key": key,
        }));
        let host = InstanceHost::normalize("t-1.cloud.example.test").unwrap();
        let mut claims = LeaseClaims::new(&host, NOW.saturating_sub(seconds(1)));
        claims.provider_license = Some(license.into());
        let token = claims.sign(&provider).unwrap().expose_secret().to_owned();
        Inspected::<VerifiedLease>::inspect(&token, &issuer.keys, &ANY_HOST, NOW).map(|lease| lease.state_at(NOW))
    };
    let key = provider.public_key().to_base64();
    let week = 7 * 86_400;
    assert_eq!(chained(60, "msp", Some(&key)), Ok(SubscriptionState::Expired));
    assert_eq!(chained(1 - week, "msp", Some(&key)), Ok(SubscriptionState::Expired), "the license's grace counts");
    for (license_expiry, tier, key) in [(-week, "msp", Some(key.as_str())), (60, "pro", Some(&key)), (60, "msp", None)]
    {
        let refused = chained(license_expiry, tier, key).unwrap_err();
        assert!(matches!(refused, Error::ProviderChain { .. }), "{refused:?}");
        // Programs reach what is wrong with the license, too.
        let source = refused.source().unwrap().to_string();
        assert_eq!(refused.to_string(), format!("provider license: {source}"));
    }
}

/// A kept lease outlived the license that its provider had signed it under.
#[test]
fn a_kept_lease_ends_with_its_providers_license() {
    let issuer = Issuer::new();
    let provider = SigningKey::from_seed(&[10; 32]).unwrap();
    let kept = |license_expiry: Option<i64>| {
        let license = issuer.sign(&json!({
            "lid": "lic_msp", "email": "msp@example.test", "tier": "msp", "exp": license_expiry,
            "entitlement_signing_public_key": provider.public_key().to_base64(),
        }));
        let mut claims = with(lease(), "provider_license", json!(license));
        claims["exp"] = json!(NOW.as_secs() + 100 * 86_400);
        claims["capabilities"] = json!(["multi_tenant"]);
        let token = sign(&provider, &claims.to_string()).unwrap();
        VerifiedLease::verify(token.expose_secret(), &issuer.keys, &ANY_HOST, NOW).unwrap()
    };
    let wanted = Capability::from("multi_tenant");
    let license_ends_at = NOW.saturating_add(seconds(60 + 7 * 86_400));
    let lease = kept(Some(NOW.as_secs() + 60));
    assert_eq!(lease.counts_until(), license_ends_at);
    assert_eq!(lease.check_grants(&wanted, license_ends_at.saturating_sub(seconds(1))), Ok(()));
    let refused = lease.check_grants(&wanted, license_ends_at).unwrap_err();
    assert!(matches!(refused, Error::ProviderChain { .. }), "{refused:?}");
    assert!(!lease.capabilities_at(license_ends_at).contains(&wanted));
    assert_eq!(lease.state_at(license_ends_at), SubscriptionState::Expired);
    assert_eq!(lease.state_at(license_ends_at.saturating_sub(seconds(1))), SubscriptionState::Active);
    assert_eq!(kept(None).counts_until(), NOW.saturating_add(seconds(100 * 86_400)), "a lifetime license");
}

/// A suspended grant never expired.
#[test]
fn a_suspended_grant_expires_as_any_other() {
    let issuer = Issuer::new();
    for state in ["suspended", "revoked", "active"] {
        let token = issuer.sign(&with(grant(), "st", json!(state)));
        let ends_at = NOW.saturating_add(seconds(60 + 7 * 86_400));
        let grant = VerifiedGrant::verify(&token, &issuer.keys, ends_at.saturating_sub(seconds(1))).unwrap();
        assert_eq!(grant.state_at(ends_at), GrantState::Expired, "{state}");
        let refused = VerifiedGrant::verify(&token, &issuer.keys, ends_at).unwrap_err();
        assert!(matches!(refused, Error::Expired { kind: TokenKind::Grant, .. }), "{state}: {refused:?}");
        assert!(grant.check_grants(&Capability::from("sso"), ends_at).is_err(), "{state}");
    }
}

#[test]
fn claims_that_no_verifier_takes_are_not_signed() {
    let key = SigningKey::from_seed(&[9; 32]).unwrap();
    let mut grant_claims = GrantClaims::from_json(&grant().to_string()).unwrap();
    assert!(grant_claims.sign(&key).is_ok());
    let mut as_lease = grant_claims.clone();
    as_lease.iss = "pulse-pro-entitlement-lease".to_owned();
    assert!(matches!(as_lease.sign(&key), Err(Error::ClaimsUnsignable { .. })));
    assert!(matches!(as_lease.sign_with_key_id(&key), Err(Error::ClaimsUnsignable { .. })));
    grant_claims.tier.clear();
    assert_error!(grant_claims.sign(&key).unwrap_err(), ClaimMissing { claim: "tier" });
    let mut license_claims = LicenseClaims::from_json(&license().to_string()).unwrap();
    assert!(license_claims.sign(&key).is_ok());
    license_claims.email.clear();
    assert_error!(license_claims.sign(&key).unwrap_err(), ClaimMissing { claim: "email" });
    let mut lease_claims = LeaseClaims::from_json(&lease().to_string()).unwrap();
    assert!(lease_claims.sign(&key).is_ok());
    lease_claims.org_id = " ".to_owned();
    assert_eq!(lease_claims.sign(&key), Err(Error::OrgMissing));
}

#[test]
fn an_array_of_a_payloads_values_is_not_the_payload() {
    assert!(Register::from_json(br#"["token"]"#).is_err());
    assert!(ChannelClose::from_json(br#"[7,"reason"]"#).is_err());
    assert!(
        Register::from_json(br#"{"identity_proof":{"at":1,"signature":"AA=="}}"#).unwrap().identity_proof.is_some()
    );
    assert!(Register::from_json(br#"{"identity_proof":null}"#).unwrap().identity_proof.is_none());
    assert!(Register::from_json(br#"{"identity_proof":[1,"AA=="]}"#).is_err());
    let connect = |preferences: &str| {
        Connect::from_json(format!(r#"{{"instance_id":"i","notification_preferences":{preferences}}}"#).as_bytes())
    };
    assert!(connect(r#"{"critical_enabled":true}"#).unwrap().notification_preferences.unwrap().critical_enabled);
    assert!(connect("null").unwrap().notification_preferences.is_none());
    assert!(connect("[true,true,true,true]").is_err());
}

#[test]
fn a_count_of_zero_is_left_out_of_a_licenses_claims() {
    let counted = with(license(), "max_users", json!(5)).to_string();
    let written: Value = serde_json::from_str(&LicenseClaims::from_json(&counted).unwrap().to_json()).unwrap();
    assert_eq!((written.get("max_users"), written.get("max_guests")), (Some(&json!(5)), None));
}

#[test]
fn a_verified_lease_says_its_host_and_whether_a_provider_signed_it() {
    let issuer = Issuer::new();
    let verified = |claims: &Value| match issuer.verify(claims) {
        Ok(VerifiedToken::Lease(lease)) => lease,
        other => panic!("{other:?}"),
    };
    let direct = verified(&lease());
    assert!(!direct.is_provider_chained());
    assert_eq!(direct.check_host("https://T-1.cloud.example.test:443/"), Ok(()));
    assert!(matches!(direct.check_host("t-2.cloud.example.test"), Err(Error::HostMismatch { .. })));
    let provider = with(license(), "tier", json!("msp"));
    let key = issuer.key.public_key().to_base64();
    let provider = issuer.sign(&with(provider, "entitlement_signing_public_key", json!(key)));
    let chained = with(lease(), "provider_license", json!(provider));
    assert!(verified(&chained).is_provider_chained());
    // The provider's license is a credential: a screen does not show it.
    assert!(verified(&chained).claims().secret_json().expose_secret().contains(&provider));
    let shown = issuer.verify(&chained).unwrap().claims_json();
    let inspected =
        InspectedToken::inspect(&issuer.sign(&chained), &issuer.keys, &ANY_HOST, NOW).unwrap().claims_json();
    assert_eq!(inspected, shown);
    let mut expected =
        serde_json::from_str::<Value>(verified(&chained).claims().secret_json().expose_secret()).unwrap();
    expected.as_object_mut().unwrap().remove("provider_license").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), expected);
}

#[test]
fn an_expired_grant_leaves_the_free_capabilities() {
    let issuer = Issuer::new();
    let granted = with(grant(), "features", json!(["relay"]));
    let Ok(VerifiedToken::Grant(grant)) = issuer.verify(&granted) else { panic!("{granted}") };
    let (before, after) = (grant.capabilities_at(NOW), grant.capabilities_at(NOW.saturating_add(seconds(30 * 86_400))));
    assert!(before.contains(&Capability::RELAY) && !after.contains(&Capability::RELAY));
    assert!(!after.is_empty() && after.iter().all(Capability::is_free), "{after:?}");
}
