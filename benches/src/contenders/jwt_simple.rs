//! `jwt-simple`.

use std::collections::{HashMap, HashSet};

use jwt_simple::prelude::{Deserialize, Ed25519PublicKey, EdDSAPublicKeyLike, Serialize, VerificationOptions};

use crate::fixtures::{Fixture, HOST};
use crate::rounds::Contender;

/// What the lease says besides the claims that the library reads itself.
#[derive(Serialize, Deserialize)]
struct Claims {
    org_id: String,
    #[serde(default)]
    email: String,
    instance_host: String,
    plan_version: String,
    subscription_state: String,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    limits: HashMap<String, i64>,
}

/// The lease, with the issuer and audience asked for.
pub fn contender(fixture: &Fixture) -> Contender<'static> {
    let key = Ed25519PublicKey::from_bytes(fixture.signer.public_key().as_bytes()).expect("a key");
    let options = VerificationOptions {
        allowed_issuers: Some(HashSet::from(["pulse-pro-entitlement-lease".to_owned()])),
        allowed_audiences: Some(HashSet::from(["pulse-pro-entitlement-cache".to_owned()])),
        ..VerificationOptions::default()
    };
    let mut leases = fixture.turns();
    Contender::new("jwt-simple 0.12", move || {
        key.verify_token::<Claims>(leases.turn(), Some(options.clone()))
            .is_ok_and(|claims| claims.custom.instance_host == HOST)
    })
}
