//! `pasetors`: another kind of token, v4 public, with the same claims and the same kind of signature.

use pasetors::claims::{Claims, ClaimsValidationRules};
use pasetors::keys::{AsymmetricKeyPair, Generate};
use pasetors::token::UntrustedToken;
use pasetors::version4::V4;
use pasetors::{Public, public};

use crate::fixtures::{Fixture, HOST, Turns};
use crate::rounds::Contender;

/// The lease's claims as a token of its own.
pub fn contender(fixture: &Fixture) -> Contender<'static> {
    let pair = AsymmetricKeyPair::<V4>::generate().expect("a key");
    let mut claims = Claims::new().expect("claims");
    let json = fixture.claims.display_json();
    let own: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&json).expect("an object");
    for (name, value) in own {
        // Its own of these are texts, made by `Claims::new`.
        match name.as_str() {
            "iss" => claims.issuer("pulse-pro-entitlement-lease"),
            "aud" => claims.audience("pulse-pro-entitlement-cache"),
            "exp" | "iat" => Ok(()),
            _ => claims.add_additional(&name, value),
        }
        .expect("a claim");
    }
    let token = |number: u8| {
        claims.token_identifier(&number.to_string()).expect("a claim");
        public::sign(&pair.secret, &claims, None, None).expect("a token")
    };
    let mut tokens = Turns::of((0..64).map(token).collect());
    let mut rules = ClaimsValidationRules::new();
    rules.validate_issuer_with("pulse-pro-entitlement-lease");
    rules.validate_audience_with("pulse-pro-entitlement-cache");
    Contender::new("pasetors 0.8, v4 public", move || {
        let verified = UntrustedToken::<Public, V4>::try_from(tokens.turn())
            .and_then(|token| public::verify(&pair.public, &token, &rules, None, None));
        verified.is_ok_and(|token| {
            let host = token.payload_claims().and_then(|claims| claims.get_claim("instance_host"));
            host.and_then(|host| host.as_str()) == Some(HOST)
        })
    })
}
