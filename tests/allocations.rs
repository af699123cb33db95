//! What a token costs in memory: few allocations for one that is verified, and for one that is refused never more than
//! a small multiple of its own size, however it is made. And what a message costs: no copy of its body's text.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

use allocation_counter::{AllocationInfo, measure};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use pulse_trust::UnixTime;
use pulse_trust::entitlement::{
    Capability, HostBinding, LeaseChecks, LeaseClaims, VerifiedLease, VerifiedToken, hosted_plan_capabilities,
    tenant_host,
};
use pulse_trust::keys::{PreparedKey, SigningKey, TableSize, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Body, MAX_BODY_LEN, ProxyResponse};
use pulse_trust::token;

const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);
/// The most allocations for a lease that is verified.
const MOST_ALLOCATIONS: u64 = 12;
/// The most bytes allocated for a token that is refused, as a multiple of its length; a short one may cost a message.
const MOST_BYTES_PER_BYTE: u64 = 4;
const A_MESSAGE: u64 = 512;

#[test]
fn a_verified_lease_takes_few_allocations() {
    let signer = test_signer();
    let lease = lease(&signer);
    for size in [TableSize::None, TableSize::Large] {
        let keys = trust(&signer, size);
        let checks = LeaseChecks::new(HostBinding::Require("t-abc.cloud.example.test"));
        let cost = measure(|| {
            VerifiedLease::verify(&lease, &keys, &checks, NOW).unwrap();
        });
        println!("{size:?}: {} allocations, {} bytes for {} bytes", cost.count_total, cost.bytes_total, lease.len());
        assert!(cost.count_total <= MOST_ALLOCATIONS, "{cost:?}");
        assert_eq!(cost.bytes_current, 0);
    }
}

#[test]
fn a_verified_lease_is_asked_again_without_any() {
    let signer = test_signer();
    let checks = LeaseChecks::new(HostBinding::AnyHost);
    let lease = VerifiedLease::verify(&lease(&signer), &trust(&signer, TableSize::None), &checks, NOW).unwrap();
    let cost = measure(|| {
        lease.check_grants(&Capability::RELAY, NOW).unwrap();
        lease.check_host("t-abc.cloud.example.test").unwrap();
    });
    assert_eq!(cost.count_total, 0);
}

/// The text of a body was copied before it was decoded: 64 KB for each message.
#[test]
fn a_body_is_decoded_without_a_copy_of_its_text() {
    let mut response = ProxyResponse::new("1", 200);
    response.body = Body::new(vec![7; MAX_BODY_LEN]).unwrap();
    let text = response.to_json();
    let cost = measure(|| {
        ProxyResponse::from_json(text.as_bytes()).unwrap();
    });
    let most = u64::try_from(MAX_BODY_LEN).unwrap() + A_MESSAGE;
    assert!(cost.bytes_total <= most, "{} bytes, {most} were expected at most", cost.bytes_total);
}

#[test]
fn a_refused_token_never_costs_more_than_a_multiple_of_its_size() {
    let signer = test_signer();
    let keys = trust(&signer, TableSize::Large);
    let mut dearest = 0.0_f64;
    for (name, token) in hostile_tokens(&signer) {
        for cost in [refusal(&token, &keys), refusal_as_lease(&token, &keys)] {
            let length = u64::try_from(token.len()).unwrap();
            let limit = length * MOST_BYTES_PER_BYTE + A_MESSAGE;
            assert!(cost.bytes_total <= limit, "{name}: {} bytes for {length}", cost.bytes_total);
            assert_eq!(cost.bytes_current, 0, "{name}");
            if length > A_MESSAGE {
                dearest = dearest.max(
                    f64::from(u32::try_from(cost.bytes_total).unwrap()) / f64::from(u32::try_from(length).unwrap()),
                );
            }
        }
    }
    println!("the dearest refusal allocates {dearest:.2} times the size of its token");
    assert!(dearest > 0.5, "nothing was measured");
}

#[test]
fn the_tables_of_a_key_take_little_beside_themselves_while_they_are_built() {
    let signer = test_signer();
    let key = signer.public_key();
    // The base point's tables, which are built once in a process, are not in the figure.
    PreparedKey::new(key, TableSize::Huge).unwrap();
    let cost = measure(|| {
        PreparedKey::new(key, TableSize::Huge).unwrap();
    });
    let scratch = cost.bytes_max - u64::try_from(TableSize::Huge.table_bytes()).unwrap();
    println!("{scratch} bytes beside the tables");
    assert!(scratch <= 256 * 1024, "{cost:?}");
}

/// Tokens that are refused: some for their form, some for their signature, some, well signed, for what they claim.
fn hostile_tokens(signer: &SigningKey) -> Vec<(&'static str, String)> {
    let valid = lease(signer);
    let (signed, signature) = valid.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let with_payload = |json: &str| format!("{header}.{}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(json));
    let signed_claims = |json: &str| token::sign(signer, json).unwrap().expose_secret().to_owned();
    let escapes = r"\u0041".repeat(900);
    let names = |count: usize| (0..count).map(|index| format!(r#""{index:x}":0"#)).collect::<Vec<_>>().join(",");
    let long_header = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, "k".repeat(6000)));
    let lease_with = |claims: &str| format!(r#"{{"iss":"pulse-pro-entitlement-lease",{claims}}}"#);
    vec![
        ("empty", String::new()),
        ("a megabyte", "a".repeat(1 << 20)),
        ("a megabyte of dots", ".".repeat(1 << 20)),
        ("three long segments", format!("{0}.{0}.{0}", "A".repeat(5000))),
        ("a long header", format!("{long_header}.{payload}.{signature}")),
        ("a wrong signature", format!("{signed}.{}", "A".repeat(86))),
        ("brackets", with_payload(&"[".repeat(6000))),
        ("deep objects", with_payload(&r#"{"a":"#.repeat(1200))),
        ("escapes in a claim", with_payload(&lease_with(&format!(r#""org_id":"{escapes}""#)))),
        ("escapes in a name", with_payload(&format!(r#"{{"{escapes}":1}}"#))),
        ("unknown names", with_payload(&lease_with(&names(600)))),
        ("a claim twice", with_payload(r#"{"exp":1,"exp":2}"#)),
        (
            "expired",
            signed_claims(&lease_with(
                r#""aud":"pulse-pro-entitlement-cache","exp":1,"org_id":"o","instance_host":"h""#,
            )),
        ),
        ("signed: another issuer", signed_claims(&format!(r#"{{"iss":"{}","lid":"x"}}"#, "i".repeat(5000)))),
        ("signed: another audience", signed_claims(&lease_with(&format!(r#""aud":[{}"x"]"#, r#""y","#.repeat(1000))))),
        (
            "signed: another host",
            signed_claims(&lease_with(&format!(
                r#""aud":"pulse-pro-entitlement-cache","exp":1999999999,"org_id":"o","instance_host":"{}""#,
                "h.".repeat(100)
            ))),
        ),
        (
            "signed: a license that misses a claim",
            signed_claims(&format!(r#"{{"lid":"l","features":[{}"x"]}}"#, r#""y","#.repeat(1200))),
        ),
    ]
}

fn refusal(token: &str, keys: &TrustKeys) -> AllocationInfo {
    let checks = LeaseChecks::new(HostBinding::Require("t-abc.cloud.example.test"));
    measure(|| drop(VerifiedToken::verify(token, keys, &checks, NOW).unwrap_err()))
}

fn refusal_as_lease(token: &str, keys: &TrustKeys) -> AllocationInfo {
    let checks = LeaseChecks::new(HostBinding::Require("t-abc.cloud.example.test"));
    measure(|| drop(VerifiedLease::verify(token, keys, &checks, NOW).unwrap_err()))
}

fn lease(signer: &SigningKey) -> String {
    let host = tenant_host("t-abc", "https://cloud.example.test").unwrap();
    let mut claims = LeaseClaims::new(&host, NOW.saturating_add(std::time::Duration::from_secs(86_400)));
    claims.email = Some("owner@example.test".to_owned());
    claims.plan_version = "cloud_starter".to_owned();
    claims.capabilities = hosted_plan_capabilities("cloud_starter");
    claims.iat = Some(NOW);
    claims.sign(signer).unwrap().expose_secret().to_owned()
}

fn trust(signer: &SigningKey, size: TableSize) -> TrustKeys {
    let keys = TrustKeySet::new([signer.public_key().clone()]).with_tables(size).unwrap();
    TrustKeys::new(keys.clone(), keys)
}

fn test_signer() -> SigningKey {
    SigningKey::from_seed(&[7; 32]).unwrap()
}
