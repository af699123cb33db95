//! The flags of `lease sign`, and the claims that they make.

use clap::{Args, ValueEnum};
use pulse_trust::entitlement::{
    Capability, InstanceHost, LeaseClaims, SubscriptionState, canonical_plan, hosted_plan_capabilities,
};
use pulse_trust::{TokenKind, UnixTime};
use serde_json::json;

use super::private_key::PrivateKeyArgs;
use crate::outcome::Stop;

const DAY: i64 = 24 * 3600;
/// A paid lease.
const LEASE_TTL: i64 = DAY;
const GRANT_TTL: i64 = 3 * DAY;

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pulse-trust lease sign --key-file control-plane.key --host t-abc.cloud.example.com\n  \
    pulse-trust lease sign --key-file license.key --kind license --license-id lic_1 --email owner@example.com\n  \
    pulse-trust lease sign --key-file control-plane.key --claims - < claims.json")]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(super) key: PrivateKeyArgs,
    /// What to sign
    #[arg(long, value_enum, default_value = "lease")]
    kind: Kind,
    /// The claims as JSON; - reads them from standard input
    #[arg(long, value_name = "JSON", conflicts_with_all = ["host", "org", "email", "plan", "state", "capabilities",
        "license_id", "installation_id", "tier", "ttl"])]
    claims: Option<String>,
    /// Lease: the host of the instance
    #[arg(long)]
    host: Option<String>,
    /// Lease: the organization; without it, default
    #[arg(long)]
    org: Option<String>,
    /// Contact
    #[arg(long)]
    email: Option<String>,
    /// Lease, grant: the plan; without it, `cloud_starter`
    #[arg(long)]
    plan: Option<String>,
    /// Subscription state; without it, active
    #[arg(long)]
    state: Option<String>,
    /// A capability; without any, those of the plan (lease) or of the tier (license, grant). May be given several times
    #[arg(long = "capability", value_name = "NAME")]
    capabilities: Vec<String>,
    /// License, grant: the license id
    #[arg(long)]
    license_id: Option<String>,
    /// Grant: the installation id
    #[arg(long)]
    installation_id: Option<String>,
    /// License, grant: the tier; without it, pro
    #[arg(long)]
    tier: Option<String>,
    /// Seconds until it expires; without it a lease lasts 24 hours, a grant 72 hours and a license forever
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    ttl: Option<i64>,
    /// Unix seconds to take for now: the claims count from then, and have to be valid then
    #[arg(long, value_name = "SECONDS")]
    now: Option<i64>,
    /// Signs what is refused otherwise: unknown states, plans, tiers and claims, what no receiver would accept now, a
    /// 32-byte seed that is also a public key
    #[arg(long)]
    pub(super) as_is: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Lease,
    License,
    Grant,
}

impl SignArgs {
    pub(super) fn kind(&self) -> TokenKind {
        match self.kind {
            Kind::Lease => TokenKind::Lease,
            Kind::License => TokenKind::License,
            Kind::Grant => TokenKind::Grant,
        }
    }

    pub(super) fn now(&self) -> UnixTime {
        self.now.map_or_else(UnixTime::now, UnixTime::from_secs)
    }

    /// The claims that are given as JSON, where they are.
    pub(super) fn claims(&self) -> Option<&str> {
        self.claims.as_deref()
    }

    /// The claims that the flags make.
    pub(super) fn claims_of_flags(&self, now: UnixTime) -> Result<String, Stop> {
        self.check_flags_of_kind()?;
        if let Some(ttl) = self.ttl.filter(|ttl| *ttl <= 0 && !self.as_is) {
            return Err(Stop::usage(format!("--ttl: expected a positive number of seconds, received {ttl}")));
        }
        let expiry = |default: i64| now.as_secs().saturating_add(self.ttl.unwrap_or(default));
        let needed = |value: &Option<String>, flag: &str| {
            value.clone().ok_or_else(|| Stop::usage(format!("{flag} is required, or --claims")))
        };
        let state = self.state.as_deref().unwrap_or("active");
        let plan = self.plan.as_deref().unwrap_or("cloud_starter");
        let tier = self.tier.as_deref().unwrap_or("pro");
        let claims = match self.kind {
            Kind::Lease => {
                let exp = UnixTime::from_secs(expiry(LEASE_TTL));
                return self.lease_claims(&needed(&self.host, "--host")?, plan, state, now, exp);
            }
            Kind::License => json!({
                "lid": needed(&self.license_id, "--license-id")?, "email": needed(&self.email, "--email")?,
                "tier": tier, "iat": now.as_secs(), "exp": self.ttl.map(|_| expiry(0)),
                "capabilities": self.capabilities, "subscription_state": state,
            }),
            Kind::Grant => json!({
                "lid": needed(&self.license_id, "--license-id")?,
                "iid": needed(&self.installation_id, "--installation-id")?,
                "st": state, "tier": tier, "plan": plan, "feat": self.capabilities,
                "email": self.email.clone().unwrap_or_default(), "iat": now.as_secs(), "exp": expiry(GRANT_TTL),
            }),
        };
        Ok(claims.to_string())
    }

    fn lease_claims(&self, host: &str, plan: &str, state: &str, now: UnixTime, exp: UnixTime) -> Result<String, Stop> {
        let host = InstanceHost::normalize(host).map_err(|error| Stop::bad_argument("--host", &error))?;
        let mut claims = LeaseClaims::new(&host, exp);
        if let Some(org) = &self.org {
            claims.org_id.clone_from(org);
        }
        claims.email.clone_from(&self.email);
        claims.plan_version = canonical_plan(plan).into_owned();
        claims.subscription_state = SubscriptionState::from_name(state);
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
        Ok(claims.display_json())
    }

    /// A flag of another kind would be without effect, and whoever gave it would not know.
    fn check_flags_of_kind(&self) -> Result<(), Stop> {
        let flags: [(&str, bool, &[Kind]); 6] = [
            ("--host", self.host.is_some(), &[Kind::Lease]),
            ("--org", self.org.is_some(), &[Kind::Lease]),
            ("--plan", self.plan.is_some(), &[Kind::Lease, Kind::Grant]),
            ("--license-id", self.license_id.is_some(), &[Kind::License, Kind::Grant]),
            ("--installation-id", self.installation_id.is_some(), &[Kind::Grant]),
            ("--tier", self.tier.is_some(), &[Kind::License, Kind::Grant]),
        ];
        match flags.iter().find(|(_, is_given, kinds)| *is_given && !kinds.contains(&self.kind)) {
            None => Ok(()),
            Some((flag, ..)) => {
                let kind = self.kind();
                Err(Stop::usage(format!("{flag}: a {kind} has no such claim. Leave it out, or give another --kind")))
            }
        }
    }
}
