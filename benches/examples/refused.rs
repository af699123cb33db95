//! Which of the tokens in `tests/vectors/refused` this library and its peers in Rust accept: a line for each that is
//! accepted, `PEER GROUP/NAME`, and one for each peer that was asked, `PEER`.
//!
//! A peer is configured as strictly as it allows: no leeway, its issuer, audience and expiry required where the kind has
//! them, every claim typed, the key by its id where the token names one. What no JWT library decides is not asked: hosts,
//! kinds, provider chains, capabilities. The clock is the case's where the peer takes one; `jsonwebtoken` asks the
//! system's, so that the cases of times are not asked of it, nor does it see a different verdict in the others before 2027.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_simple::prelude::{Duration, Ed25519PublicKey, EdDSAPublicKeyLike, UnixTimeStamp, VerificationOptions};
use pulse_trust::UnixTime;
use pulse_trust::entitlement::{HostBinding, LEASE_AUDIENCE, LEASE_ISSUER, LeaseChecks, VerifiedToken};
use pulse_trust::keys::{PublicKey, TrustKeySet, TrustKeys};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const NOT_ASKED: [&str; 4] = ["host", "kind", "chain", "capability"];

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: String,
    token: String,
    keys: HashMap<String, String>,
    now: i64,
    leeway: u64,
    error: String,
}

/// The claims of a lease that a caller declares; those that the peers read themselves are not among them for `jwt-simple`.
#[derive(Serialize, Deserialize)]
struct Lease {
    org_id: String,
    instance_host: String,
    plan_version: String,
    subscription_state: String,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    limits: HashMap<String, i64>,
    #[serde(default)]
    meters_enabled: Vec<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    trial_ends_at: Option<i64>,
    #[serde(default)]
    provider_license: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct License {
    lid: String,
    email: String,
    tier: String,
    #[serde(default)]
    license_period_end: Option<i64>,
    #[serde(default)]
    features: Vec<String>,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    limits: HashMap<String, i64>,
    #[serde(default)]
    max_users: i64,
    #[serde(default)]
    subscription_state: Option<String>,
    #[serde(default)]
    entitlement_signing_public_key: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Grant {
    lid: String,
    iid: String,
    lv: i64,
    st: String,
    tier: String,
    #[serde(default)]
    feat: Vec<String>,
    #[serde(default)]
    current_period_end: Option<i64>,
    #[serde(default)]
    grace_until: Option<i64>,
}

fn main() {
    // The package has both of its back ends: a process must choose.
    let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/refused");
    type Accepts = fn(&Case) -> bool;
    let peers: [(&str, Accepts); 3] =
        [("pulse-trust", pulse_trust), ("jsonwebtoken", jsonwebtoken), ("jwt-simple", jwt_simple)];
    for (peer, accepts) in peers {
        println!("{peer}");
        for group in entries(&folder).filter(|path| path.is_dir()) {
            let group_name = group.file_name().unwrap().to_string_lossy().into_owned();
            if NOT_ASKED.contains(&group_name.as_str()) || (peer == "jsonwebtoken" && group_name == "time") {
                continue;
            }
            for path in entries(&group).filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
                let case: Case = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
                // More leeway than this library allows is not the token's fault.
                if case.error != "LEEWAY_TOO_LARGE" && accepts(&case) {
                    println!("{peer} {group_name}/{}", case.name);
                }
            }
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}

impl Case {
    /// The keys of its kind that its `kid` names, or all of them.
    fn keys(&self, kid: Option<&str>) -> Vec<PublicKey> {
        let setting = &self.keys[if self.kind == "lease" { "lease" } else { "license" }];
        let keys = TrustKeySet::from_setting(setting).unwrap();
        keys.keys().filter(|key| kid.is_none_or(|kid| key.key_id().as_str() == kid)).cloned().collect()
    }
}

fn pulse_trust(case: &Case) -> bool {
    let set = |kind: &str| TrustKeySet::from_setting(&case.keys[kind]).unwrap();
    let checks = LeaseChecks::new(HostBinding::AnyHost);
    let leeway = pulse_trust::ClockLeeway::new(std::time::Duration::from_secs(case.leeway));
    let Ok(leeway) = leeway else { return false };
    let keys = TrustKeys::new(set("lease"), set("license"));
    let now = UnixTime::from_secs(case.now);
    VerifiedToken::verify(&case.token, &keys, &checks.with_leeway(leeway), now).is_ok()
}

fn jsonwebtoken(case: &Case) -> bool {
    /// With what the library reads itself: it takes the claims for those that it checks.
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "read for their types")]
    struct Whole<T> {
        iat: Option<i64>,
        exp: Option<i64>,
        nbf: Option<i64>,
        jti: Option<String>,
        sub: Option<String>,
        #[serde(flatten)]
        claims: T,
    }
    fn decodes<T: DeserializeOwned>(token: &str, key: &DecodingKey, validation: &Validation) -> bool {
        jsonwebtoken::decode::<Whole<T>>(token, key, validation).is_ok()
    }
    let Ok(header) = jsonwebtoken::decode_header(&case.token) else { return false };
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = case.leeway;
    validation.validate_nbf = true;
    match case.kind.as_str() {
        "lease" => {
            validation.set_issuer(&[LEASE_ISSUER]);
            validation.set_audience(&[LEASE_AUDIENCE]);
            validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        }
        "grant" => {
            validation.set_audience(&["pulse-runtime"]);
            validation.set_required_spec_claims(&["exp", "aud"]);
        }
        _ => validation.set_required_spec_claims::<&str>(&[]),
    }
    case.keys(header.kid.as_deref()).iter().any(|key| {
        let key = DecodingKey::from_ed_der(key.as_bytes());
        match case.kind.as_str() {
            "lease" => decodes::<Lease>(&case.token, &key, &validation),
            "license" => decodes::<License>(&case.token, &key, &validation),
            _ => decodes::<Grant>(&case.token, &key, &validation),
        }
    })
}

fn jwt_simple(case: &Case) -> bool {
    fn verifies<T: Serialize + DeserializeOwned>(key: &PublicKey, token: &str, options: VerificationOptions) -> bool {
        let key = Ed25519PublicKey::from_bytes(key.as_bytes()).unwrap();
        key.verify_token::<T>(token, Some(options)).is_ok()
    }
    let Ok(metadata) = jwt_simple::token::Token::decode_metadata(&case.token) else { return false };
    let only = |text: &str| Some(HashSet::from([text.to_owned()]));
    let mut options = VerificationOptions {
        time_tolerance: Some(Duration::from_secs(case.leeway)),
        max_token_length: Some(16_384),
        max_header_length: Some(8_192),
        artificial_time: Some(UnixTimeStamp::from_secs(u64::try_from(case.now).unwrap())),
        ..VerificationOptions::default()
    };
    if case.kind == "lease" {
        (options.allowed_issuers, options.allowed_audiences) = (only(LEASE_ISSUER), only(LEASE_AUDIENCE));
    } else if case.kind == "grant" {
        options.allowed_audiences = only("pulse-runtime");
    }
    case.keys(metadata.key_id()).iter().any(|key| match case.kind.as_str() {
        "lease" => verifies::<Lease>(key, &case.token, options.clone()),
        "license" => verifies::<License>(key, &case.token, options.clone()),
        _ => verifies::<Grant>(key, &case.token, options.clone()),
    })
}
