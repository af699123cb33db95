//! A token of any kind, read without regard to its own time.

use super::grant::{GrantState, VerifiedGrant};
use super::inspected::Inspected;
use super::lease::VerifiedLease;
use super::lease_checks::LeaseChecks;
use super::license::{LicenseTerm, VerifiedLicense};
use super::of_any_kind::of_any_kind;
use super::provider_chain::verify_signature;
use super::signed_claims::ClaimedToken;
use super::state::SubscriptionState;
#[cfg(doc)]
use super::verified_token::VerifiedToken;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::keys::TrustKeys;
use crate::time::UnixTime;
use crate::token::UnverifiedToken;
use crate::token_kind::TokenKind;

/// A lease, license or grant whose signature and claims were checked, but not its time: for a screen that shows a token
/// which may have expired. It grants nothing, and no policy takes it.
///
/// ```
/// use core::time::Duration;
/// use pulse_trust::UnixTime;
/// use pulse_trust::entitlement::{
///     HostBinding, InspectedToken, LeaseChecks, LeaseClaims, SubscriptionState, VerifiedToken, tenant_host,
/// };
/// use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
///
/// let control_plane = SigningKey::generate()?;
/// let now = UnixTime::from_secs(1_774_440_000);
/// let host = tenant_host("t-abc", "https://cloud.example.test")?;
/// let yesterday = now.saturating_sub(Duration::from_secs(86_400));
/// let token = LeaseClaims::new(&host, yesterday).sign(&control_plane)?;
///
/// let keys = TrustKeys::for_leases(TrustKeySet::new([control_plane.public_key().clone()]));
/// let checks = LeaseChecks::new(HostBinding::AnyHost);
/// assert!(VerifiedToken::verify(token.expose_secret(), &keys, &checks, now).is_err());
/// let inspected = InspectedToken::inspect(token.expose_secret(), &keys, &checks, now)?;
/// assert_eq!(inspected.state_at(now), SubscriptionState::Expired);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum InspectedToken {
    /// A hosted lease.
    Lease(Box<Inspected<VerifiedLease>>),
    /// A classic license.
    License(Box<Inspected<VerifiedLicense>>),
    /// A grant.
    Grant(Box<Inspected<VerifiedGrant>>),
}

impl InspectedToken {
    /// Checks everything but the token's own time, as the kind that its claims name. `checks` apply to a lease, and
    /// `now` to a provider's license inside one.
    ///
    /// # Errors
    /// As [`VerifiedToken::verify`], without [`Error::Expired`] and [`Error::NotYetValid`] of the token itself.
    pub fn inspect(token: &str, keys: &TrustKeys, checks: &LeaseChecks<'_>, now: UnixTime) -> Result<Self> {
        let token = UnverifiedToken::parse(token)?;
        let signed = verify_signature(ClaimedToken::read(&token, None)?, keys, now)?;
        Ok(match signed.kind {
            TokenKind::Lease => Self::Lease(Box::new(Inspected::<VerifiedLease>::from_signed(signed, checks)?)),
            TokenKind::License => Self::License(Box::new(Inspected::<VerifiedLicense>::from_signed(signed)?)),
            TokenKind::Grant => Self::Grant(Box::new(Inspected::<VerifiedGrant>::from_signed(signed)?)),
        })
    }

    /// The state at `now`, in the names that all kinds share: a license or grant in its grace is in `grace`, and
    /// whatever is past its end is `expired`.
    pub fn state_at(&self, now: UnixTime) -> SubscriptionState {
        match self {
            Self::Lease(lease) => lease.state_at(now),
            Self::License(license) => match license.term_at(now) {
                Err(_) => SubscriptionState::Expired,
                Ok(LicenseTerm::InGrace { .. }) if license.claims().subscription_state == SubscriptionState::Active => {
                    SubscriptionState::Grace
                }
                Ok(_) => license.claims().subscription_state.clone(),
            },
            Self::Grant(grant) => match grant.state_at(now) {
                GrantState::Active => SubscriptionState::Active,
                GrantState::Grace => SubscriptionState::Grace,
                GrantState::Suspended => SubscriptionState::Suspended,
                GrantState::Expired => SubscriptionState::Expired,
            },
        }
    }
}

of_any_kind!(InspectedToken);
