//! What the receiver of a token would make of its claims: names that it knows, claims that it reads, and its verdict.

use pulse_trust::entitlement::{HostBinding, LeaseChecks, LicenseClaims, Tier, VerifiedToken, canonical_plan};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::token::UnverifiedToken;
use pulse_trust::{Error, Secret, TokenKind, UnixTime};
use serde_json::Value;

use crate::moment::moment;
use crate::outcome::Stop;
use crate::shown::{quoted, told};

/// The states that a license or lease may be in, and those of a grant.
const STATES: &[&str] = &["trial", "active", "grace", "expired", "suspended", "canceled"];
const GRANT_STATES: &[&str] = &["active", "past_due", "grace", "suspended", "canceled"];
const HOSTED_PLANS: &[&str] =
    &["cloud_starter", "cloud_power", "cloud_max", "cloud_founding", "msp_starter", "msp_eval"];
const TIERS: &[&str] = &["free", "relay", "pro", "msp", "enterprise"];

/// The claims of each kind (formats.md#lease-claims, formats.md#license, formats.md#grant). They are those of the
/// library's `LeaseClaims`, `LicenseClaims` and `GrantClaims`, which a test compares.
const LEASE_CLAIMS: &str = "org_id email instance_host plan_version subscription_state capabilities limits \
    meters_enabled trial_started_at trial_ends_at provider_license iss sub aud exp nbf iat jti";
const LICENSE_CLAIMS: &str = "lid email tier iat exp license_period_end features max_guests max_users capabilities \
    limits meters_enabled plan_version subscription_state entitlement_signing_public_key";
const GRANT_CLAIMS: &str = "iss aud lid iid lv st tier plan feat max_guests max_users iat exp current_period_end \
    grace_until jti email";

/// Refuses a claim, state, plan or tier that its receiver does not know; a message names the flag that gave it, or the
/// claim.
pub(super) fn check_names(kind: TokenKind, claims: &Value, are_of_flags: bool) -> Result<(), Stop> {
    let known: Vec<&str> = claims_of(kind).split_whitespace().collect();
    if let Some(unknown) =
        claims.as_object().and_then(|claims| claims.keys().find(|name| !known.contains(&name.as_str())))
    {
        let hint = meant(unknown, &known);
        return Err(Stop::usage(format!(
            "claims: a {kind} has no claim {}, so nobody would read it.{hint} Leave it out, or add --as-is to sign the rest",
            quoted(unknown)
        )));
    }
    let name = |flag: &'static str, claim: &'static str| if are_of_flags { flag } else { claim };
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty());
    let (state, states) = if kind == TokenKind::Grant { ("st", GRANT_STATES) } else { ("subscription_state", STATES) };
    if let Some(given) = text(state) {
        one_of(name("--state", state), given, states)?;
    }
    match kind {
        TokenKind::Lease => match text("plan_version") {
            Some(plan) => one_of(name("--plan", "plan_version"), &canonical_plan(plan), HOSTED_PLANS),
            None => Ok(()),
        },
        _ => match text("tier") {
            Some(tier) if Tier::from_name(tier) == Tier::Unknown => one_of(name("--tier", "tier"), tier, TIERS),
            _ => Ok(()),
        },
    }
}

/// What of the given claims the token does not say, or says differently.
pub(super) fn lost_claims(kind: TokenKind, given: &Value, signed: &str) -> Vec<String> {
    let signed: Value = serde_json::from_str(signed).unwrap_or_default();
    let lost = given.as_object().into_iter().flatten().filter_map(|(name, value)| match signed.get(name) {
        Some(written) if is_same(value, written) => None,
        Some(written) => Some(format!("{name}: every {kind} of this tool says {written}, received {value}")),
        None if is_empty(value) => None,
        None => Some(format!("{name}: a {kind} does not say this, received {value}")),
    });
    lost.collect()
}

/// A text and a list of that text alone name the same audience.
fn is_same(given: &Value, written: &Value) -> bool {
    let alone = |value: &Value| value.as_array().filter(|list| list.len() == 1).and_then(|list| list.first().cloned());
    given == written || Some(given) == alone(written).as_ref() || is_empty(given) && is_empty(written)
}

/// What a token leaves out, or says as 0, is the same as nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Bool(_) => false,
    }
}

/// Refuses a token that a receiver who trusts its key would not accept now.
pub(super) fn check_verifies(kind: TokenKind, token: &Secret, key: &SigningKey, now: UnixTime) -> Result<(), Stop> {
    let own = TrustKeySet::new([key.public_key().clone()]);
    let keys = if kind == TokenKind::Lease { TrustKeys::for_leases(own) } else { TrustKeys::for_licenses(own) };
    let verdict = VerifiedToken::verify(token.expose_secret(), &keys, &LeaseChecks::new(HostBinding::AnyHost), now);
    let refusal = match verdict.map(drop) {
        // A provider's lease is verified under the key in its license, and that under a key which is not here.
        Err(Error::KeyNotConfigured { kind: TokenKind::License, .. }) => check_provider(token, key, now),
        verdict => verdict,
    };
    refusal.map_err(|error| {
        Stop::usage(match &error {
            Error::Expired { expired_at, .. } => {
                let when = moment(*expired_at, now);
                format!("the token would have expired {when}: nobody takes it. Add --as-is to sign it")
            }
            _ => format!("whoever receives this token would refuse it: {}. Add --as-is to sign it", told(&error)),
        })
    })
}

/// What can be said of a provider's lease without the license server's key: whether this key is the one that the
/// license names.
fn check_provider(lease: &Secret, key: &SigningKey, now: UnixTime) -> Result<(), Error> {
    let lease = UnverifiedToken::parse(lease.expose_secret())?;
    let claims: Value = serde_json::from_str(lease.unverified_payload()).unwrap_or_default();
    let license = claims.get("provider_license").and_then(Value::as_str).unwrap_or_default();
    let license = LicenseClaims::from_json(UnverifiedToken::parse(license)?.unverified_payload())?;
    if license.tier != "msp" {
        return Err(Error::claim_value("tier", "msp in the provider_license", license.tier));
    }
    let received = license.entitlement_signing_public_key.unwrap_or_default();
    if received.trim() != key.public_key().to_base64() {
        let (claim, expected) =
            ("entitlement_signing_public_key", "the public key of the signer in the provider_license");
        return Err(Error::claim_value(claim, expected, received));
    }
    match license.exp {
        Some(expired_at) if expired_at <= now => Err(Error::expired(TokenKind::License, expired_at, now)),
        _ => Ok(()),
    }
}

fn claims_of(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Lease => LEASE_CLAIMS,
        TokenKind::License => LICENSE_CLAIMS,
        _ => GRANT_CLAIMS,
    }
}

/// A name that is known, or an error with the one that was meant.
fn one_of(argument: &str, given: &str, known: &[&str]) -> Result<(), Stop> {
    if known.contains(&given) {
        return Ok(());
    }
    Err(Stop::usage(format!(
        "{argument}: expected one of {}, received {}.{} Add --as-is to sign it anyway",
        known.join(" "),
        quoted(given),
        meant(given, known)
    )))
}

fn meant(given: &str, known: &[&str]) -> String {
    let nearest = known.iter().map(|name| (strsim::damerau_levenshtein(given, name), name)).min();
    nearest
        .filter(|(distance, _)| *distance <= 2)
        .map_or_else(String::new, |(_, name)| format!(" Did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pulse_trust::entitlement::SubscriptionState;

    use super::*;

    /// The fields of a struct of the library, which are the claims.
    fn fields<'s>(source: &'s str, name: &str) -> BTreeSet<&'s str> {
        let (_, rest) = source.split_once(&format!("pub struct {name} {{")).unwrap();
        let lines = rest.lines().map(str::trim).take_while(|line| *line != "}");
        let public = lines.filter_map(|line| line.strip_prefix("pub "));
        public.map(|field| field.split_once(':').unwrap().0).collect()
    }

    #[test]
    fn the_claims_are_those_of_the_library() {
        let mut lease = fields(include_str!("../../../../src/entitlement/lease_claims.rs"), "LeaseClaims");
        // The same in every lease, so they are not fields.
        lease.extend(["iss", "aud"]);
        let license = fields(include_str!("../../../../src/entitlement/license_claims.rs"), "LicenseClaims");
        let grant = fields(include_str!("../../../../src/entitlement/grant_claims.rs"), "GrantClaims");
        for (kind, expected) in [(TokenKind::Lease, lease), (TokenKind::License, license), (TokenKind::Grant, grant)] {
            assert_eq!(claims_of(kind).split_whitespace().collect::<BTreeSet<_>>(), expected, "{kind}");
        }
    }

    #[test]
    fn the_names_of_states_plans_and_tiers_are_known_to_the_library() {
        for state in STATES {
            assert!(!matches!(SubscriptionState::from_name(state), SubscriptionState::Other(_)), "{state}");
        }
        for plan in HOSTED_PLANS {
            assert_eq!(canonical_plan(&plan.replace('_', "-")), *plan);
        }
        for tier in TIERS {
            assert_ne!(Tier::from_name(tier), Tier::Unknown, "{tier}");
        }
    }
}
