//! Signs a lease, license or grant, and refuses what would surprise its receiver.

use std::io::{self, Read, Write};

use clap::{Args, ValueEnum};
use pulse_trust::entitlement::{
    Capability, GrantClaims, InstanceHost, LeaseClaims, LicenseClaims, SubscriptionState, Tier, canonical_plan,
    hosted_plan_capabilities,
};
use pulse_trust::keys::SigningKey;
use pulse_trust::{Error, Secret, UnixTime};
use serde_json::json;

use super::private_key::PrivateKeyArgs;
use crate::moment::moment;
use crate::outcome::{Outcome, Stop};
use crate::style::{WARN, styled};

/// The longest claims that are read.
const MAX_CLAIMS_LEN: u64 = 64 * 1024;
const DAY: i64 = 24 * 3600;
/// A paid lease.
const LEASE_TTL: i64 = DAY;
const GRANT_TTL: i64 = 3 * DAY;
/// The states that a license or lease may be in, and those of a grant.
const STATES: &[&str] = &["trial", "active", "grace", "expired", "suspended", "canceled"];
const GRANT_STATES: &[&str] = &["active", "past_due", "grace", "suspended", "canceled"];
const HOSTED_PLANS: &[&str] =
    &["cloud_starter", "cloud_power", "cloud_max", "cloud_founding", "msp_starter", "msp_eval"];

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pulse-trust lease sign --key-file control-plane.key --host t-abc.cloud.example.com\n  \
    pulse-trust lease sign --key-file license.key --kind license --license-id lic_1 --email owner@example.com\n  \
    pulse-trust lease sign --key-file control-plane.key --claims - < claims.json")]
pub(crate) struct SignArgs {
    #[command(flatten)]
    key: PrivateKeyArgs,
    /// What to sign
    #[arg(long, value_enum, default_value = "lease")]
    kind: Kind,
    /// The claims as JSON; - reads them from standard input
    #[arg(long, value_name = "JSON", conflicts_with_all = ["host", "license_id", "ttl"])]
    claims: Option<String>,
    /// Lease: the host of the instance
    #[arg(long)]
    host: Option<String>,
    /// Lease: the organization
    #[arg(long, default_value = "default")]
    org: String,
    /// Contact
    #[arg(long)]
    email: Option<String>,
    /// Lease, grant: the plan
    #[arg(long, default_value = "cloud_starter")]
    plan: String,
    /// Subscription state
    #[arg(long, default_value = "active")]
    state: String,
    /// A capability; without any, those of the plan (lease) or of the tier (license, grant). May be given several times
    #[arg(long = "capability", value_name = "NAME")]
    capabilities: Vec<String>,
    /// License, grant: the license id
    #[arg(long)]
    license_id: Option<String>,
    /// Grant: the installation id
    #[arg(long)]
    installation_id: Option<String>,
    /// License, grant: the tier
    #[arg(long, default_value = "pro")]
    tier: String,
    /// Seconds until it expires; without it a lease lasts 24 hours, a grant 72 hours and a license forever
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    ttl: Option<i64>,
    /// Unix seconds to take for now
    #[arg(long, value_name = "SECONDS")]
    now: Option<i64>,
    /// Signs what is refused otherwise: unknown states, plans and tiers, an expiry in the past, a 32-byte seed that is
    /// also a public key
    #[arg(long)]
    as_is: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Lease,
    License,
    Grant,
}

pub(crate) fn run(args: &SignArgs) -> Result<Outcome, Stop> {
    let key = args.key.read(args.as_is)?;
    let now = args.now.map_or_else(UnixTime::now, UnixTime::from_secs);
    let claims = match args.claims.as_deref() {
        Some("-") => read_claims()?,
        Some(text) => text.to_owned(),
        None => args.claims_of_flags(now)?,
    };
    let signed = sign(args.kind, &claims, &key).map_err(|error| Stop::bad_argument("claims", &error))?;
    if !args.as_is
        && let Some(expired_at) = signed.expires_at.filter(|expires_at| *expires_at <= now)
    {
        let when = moment(expired_at, now);
        return Err(Stop::usage(format!(
            "the token would have expired {when}: nobody takes it. Add --as-is to sign it"
        )));
    }
    writeln!(anstream::stdout(), "{}", signed.token.expose_secret())?;
    if !signed.grants_relay && args.kind == Kind::Lease {
        let note = "this lease does not grant relay: its tenant cannot be reached by a phone";
        anstream::eprintln!("{}: {note}", styled(WARN, "note"));
    }
    Ok(Outcome::Accepted)
}

struct Signed {
    token: Secret,
    expires_at: Option<UnixTime>,
    grants_relay: bool,
}

fn sign(kind: Kind, claims: &str, key: &SigningKey) -> Result<Signed, Error> {
    match kind {
        Kind::Lease => {
            let claims = LeaseClaims::from_json(claims)?;
            let grants_relay =
                claims.capabilities.contains(&Capability::RELAY) && claims.subscription_state.is_paid_or_trial();
            let expires_at = Some(claims.exp);
            Ok(Signed { token: claims.sign(key)?, expires_at, grants_relay })
        }
        Kind::License => {
            let token = LicenseClaims::from_json(claims)?.sign(key)?;
            Ok(Signed { token, expires_at: None, grants_relay: true })
        }
        Kind::Grant => {
            let token = GrantClaims::from_json(claims)?.sign(key)?;
            Ok(Signed { token, expires_at: None, grants_relay: true })
        }
    }
}

fn read_claims() -> Result<String, Stop> {
    io::read_to_string(io::stdin().take(MAX_CLAIMS_LEN))
        .map_err(|error| Stop::cannot_tell(format!("standard input cannot be read: {error}")))
}

impl SignArgs {
    fn claims_of_flags(&self, now: UnixTime) -> Result<String, Stop> {
        if !self.as_is {
            self.check_names()?;
            if let Some(ttl) = self.ttl.filter(|ttl| *ttl <= 0) {
                return Err(Stop::usage(format!("--ttl: expected a positive number of seconds, received {ttl}")));
            }
        }
        let expiry = |default: i64| now.as_secs().saturating_add(self.ttl.unwrap_or(default));
        let needed = |value: &Option<String>, flag: &str| {
            value.clone().ok_or_else(|| Stop::usage(format!("{flag} is required, or --claims")))
        };
        let claims = match self.kind {
            Kind::Lease => {
                let exp = UnixTime::from_secs(expiry(LEASE_TTL));
                return self.lease_claims(&needed(&self.host, "--host")?, now, exp);
            }
            Kind::License => json!({
                "lid": needed(&self.license_id, "--license-id")?, "email": needed(&self.email, "--email")?,
                "tier": self.tier, "iat": now.as_secs(), "exp": self.ttl.map(|_| expiry(0)),
                "capabilities": self.capabilities, "subscription_state": self.state,
            }),
            Kind::Grant => json!({
                "lid": needed(&self.license_id, "--license-id")?,
                "iid": needed(&self.installation_id, "--installation-id")?,
                "st": self.state, "tier": self.tier, "plan": self.plan, "feat": self.capabilities,
                "email": self.email.clone().unwrap_or_default(), "iat": now.as_secs(), "exp": expiry(GRANT_TTL),
            }),
        };
        Ok(claims.to_string())
    }

    fn lease_claims(&self, host: &str, now: UnixTime, exp: UnixTime) -> Result<String, Stop> {
        let host = InstanceHost::normalize(host).map_err(|error| Stop::bad_argument("--host", &error))?;
        let mut claims = LeaseClaims::new(&host, exp);
        claims.org_id.clone_from(&self.org);
        claims.email.clone_from(&self.email);
        claims.plan_version = canonical_plan(&self.plan).into_owned();
        claims.subscription_state = SubscriptionState::from_name(&self.state);
        claims.capabilities = if self.capabilities.is_empty() {
            hosted_plan_capabilities(&claims.plan_version)
        } else {
            self.capabilities.iter().map(|name| Capability::new(name)).collect()
        };
        claims.iat = Some(now);
        if claims.subscription_state == SubscriptionState::Trial {
            claims.trial_started_at = Some(now);
            claims.trial_ends_at = Some(exp);
        }
        Ok(claims.to_json())
    }

    fn check_names(&self) -> Result<(), Stop> {
        let states = if self.kind == Kind::Grant { GRANT_STATES } else { STATES };
        one_of("--state", &self.state, states)?;
        match self.kind {
            Kind::Lease => one_of("--plan", &canonical_plan(&self.plan), HOSTED_PLANS),
            Kind::License | Kind::Grant if Tier::from_name(&self.tier) == Tier::Unknown => {
                one_of("--tier", &self.tier, &["free", "relay", "pro", "msp", "enterprise"])
            }
            Kind::License | Kind::Grant => Ok(()),
        }
    }
}

/// A name that is known, or an error with the one that was meant.
fn one_of(argument: &str, given: &str, known: &[&str]) -> Result<(), Stop> {
    if known.contains(&given) {
        return Ok(());
    }
    let meant = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .min()
        .filter(|(distance, _)| *distance <= 2);
    let hint = meant.map_or_else(String::new, |(_, name)| format!(" Did you mean {name}?"));
    Err(Stop::usage(format!(
        "{argument}: expected one of {}, received {given:?}.{hint} Add --as-is to sign it anyway",
        known.join(" ")
    )))
}
