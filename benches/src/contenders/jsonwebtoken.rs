//! `jsonwebtoken`, with either of its cryptographic back ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils, aws_lc, rust_crypto};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use crate::fixtures::{Fixture, HOST};
use crate::rounds::Contender;

/// A lease's claims as a user of these libraries would declare them.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read from the token, as ours are")]
pub struct Claims {
    org_id: String,
    #[serde(default)]
    email: String,
    pub(super) instance_host: String,
    plan_version: String,
    subscription_state: String,
    #[serde(default)]
    capabilities: Vec<String>,
    #[serde(default)]
    limits: HashMap<String, i64>,
    iss: String,
    aud: Vec<String>,
    exp: i64,
    iat: i64,
}

/// The process has one provider: this one asks, at each verification, which back end is being measured.
static EITHER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(jsonwebtoken::errors::ErrorKind::InvalidKeyFormat.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};
static AWS_LC: AtomicBool = AtomicBool::new(false);

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtVerifier>> {
    let provider =
        if AWS_LC.load(Ordering::Relaxed) { &aws_lc::DEFAULT_PROVIDER } else { &rust_crypto::DEFAULT_PROVIDER };
    (provider.verifier_factory)(algorithm, key)
}

/// The lease under `rust_crypto`, or under `aws_lc_rs`.
pub fn contender(fixture: &Fixture, aws_lc: bool) -> Contender<'static> {
    // An error says that it is installed already.
    let _ = EITHER.install_default();
    let key = DecodingKey::from_ed_der(fixture.signer.public_key().as_bytes());
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = 0;
    validation.set_issuer(&["pulse-pro-entitlement-lease"]);
    validation.set_audience(&["pulse-pro-entitlement-cache"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    let backend = if aws_lc { "aws_lc_rs" } else { "rust_crypto" };
    let mut leases = fixture.turns();
    Contender::new(format!("jsonwebtoken 11, {backend}"), move || {
        AWS_LC.store(aws_lc, Ordering::Relaxed);
        decode::<Claims>(leases.turn(), &key, &validation).is_ok_and(|token| token.claims.instance_host == HOST)
    })
}
