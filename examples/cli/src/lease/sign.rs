//! Signs a lease, license or grant, and refuses what would surprise its receiver.

use std::io::{self, Read, Write};

use pulse_trust::entitlement::{Capability, GrantClaims, LeaseClaims, LicenseClaims};
use pulse_trust::keys::SigningKey;
use pulse_trust::{Error, Secret, TokenKind};
use serde_json::Value;

use super::private_key::refuse_longer;
use super::receiver;
use super::sign_flags::SignArgs;
use crate::outcome::{Outcome, Stop};
use crate::shown::shown;
use crate::style::{WARN, styled};

/// The longest claims that are read.
const MAX_CLAIMS_LEN: u64 = 64 * 1024;

pub(crate) fn run(args: &SignArgs) -> Result<Outcome, Stop> {
    let key = args.key.read(args.as_is)?;
    let now = args.now();
    let kind = args.kind();
    let claims = match args.claims() {
        Some("-") => read_claims()?,
        Some(text) => text.to_owned(),
        None => args.claims_of_flags(now)?,
    };
    let given = serde_json::from_str::<Value>(&claims).unwrap_or_default();
    if !args.as_is {
        receiver::check_names(kind, &given, args.claims().is_none())?;
    }
    let signed = sign(kind, &claims, &key).map_err(|error| Stop::bad_argument("claims", &error))?;
    // The flags' own claims are written by this program, and hold what the signed ones hold.
    let lost = if args.claims().is_some() {
        receiver::lost_claims(kind, &given, signed.claims.expose_secret())
    } else {
        Vec::new()
    };
    if args.as_is {
        lost.iter().for_each(|lost| note(lost));
    } else {
        if !lost.is_empty() {
            let lost = lost.join("; ");
            return Err(Stop::usage(format!("claims: {lost}. Correct them, or add --as-is to sign the rest")));
        }
        receiver::check_verifies(kind, &signed.token, &key, now)?;
    }
    writeln!(anstream::stdout(), "{}", signed.token.expose_secret())?;
    if !signed.grants_relay && kind == TokenKind::Lease {
        note("this lease does not grant relay: its tenant cannot be reached by a phone");
    }
    Ok(Outcome::Accepted)
}

struct Signed {
    token: Secret,
    /// As the token has them.
    claims: Secret,
    grants_relay: bool,
}

fn sign(kind: TokenKind, claims: &str, key: &SigningKey) -> Result<Signed, Error> {
    match kind {
        TokenKind::Lease => {
            let claims = LeaseClaims::from_json(claims)?;
            let grants_relay =
                claims.capabilities.contains(&Capability::RELAY) && claims.subscription_state.is_paid_or_trial();
            Ok(Signed { token: claims.sign(key)?, claims: claims.secret_json(), grants_relay })
        }
        TokenKind::License => {
            let claims = LicenseClaims::from_json(claims)?;
            Ok(Signed { token: claims.sign(key)?, claims: claims.to_json().into(), grants_relay: true })
        }
        _ => {
            let claims = GrantClaims::from_json(claims)?;
            Ok(Signed { token: claims.sign(key)?, claims: claims.to_json().into(), grants_relay: true })
        }
    }
}

fn read_claims() -> Result<String, Stop> {
    let claims = io::read_to_string(io::stdin().take(MAX_CLAIMS_LEN.saturating_add(1)))
        .map_err(|error| Stop::cannot_tell(format!("standard input cannot be read: {error}")))?;
    refuse_longer("claims", &claims, MAX_CLAIMS_LEN)?;
    Ok(claims)
}

fn note(text: &str) {
    writeln!(anstream::stderr(), "{}: {}", styled(WARN, "note"), shown(text)).ok();
}
