//! When and how a runtime refreshes its lease (formats.md#lease-refresh). No I/O: the caller sends the request and
//! brings the answer.

use core::fmt;
use core::time::Duration;

use serde::Deserialize;

use super::lease::VerifiedLease;
use super::lease_checks::{HostBinding, LeaseChecks};
use crate::error::{Error, Result};
use crate::json::{self, Json, json_struct};
use crate::keys::TrustKeys;
use crate::secret::{Secret, with_wiped_stack};
use crate::time::UnixTime;
use crate::token::MAX_TOKEN_LEN;

const MINUTE: i64 = 60;

/// How long to wait before the next refresh of a lease that expires at `expires_at`. `random`, evenly distributed over
/// all of `u32`, spreads the tenants by 20 % in either direction.
pub fn refresh_delay(expires_at: Option<UnixTime>, now: UnixTime, random: u32) -> Duration {
    let remaining = expires_at.map_or(0, |expires_at| expires_at.as_secs().saturating_sub(now.as_secs()));
    if remaining <= 30 * MINUTE {
        return Duration::from_secs(60);
    }
    let half = remaining.saturating_div(2).clamp(15 * MINUTE, 6 * 60 * MINUTE);
    let milliseconds = u64::try_from(half).unwrap_or_default().saturating_mul(1000);
    // 80 % and up to 40 % more: 0.4 of it, times random / 2^32.
    let spread = (u128::from(milliseconds).saturating_mul(4).saturating_mul(u128::from(random)) / 10) >> 32;
    let base = milliseconds.saturating_mul(8) / 10;
    Duration::from_millis(base.saturating_add(u64::try_from(spread).unwrap_or_default()))
}

/// How long to wait after `failures` failed refreshes in a row: 30 s, doubled each time, at most 30 min.
pub fn refresh_backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(6);
    Duration::from_secs((30_u64 << doublings).min(1800))
}

/// What an HTTP status means for a refresh.
///
/// ```
/// use pulse_trust::entitlement::RefreshOutcome;
///
/// // The lease is gone for good: the runtime clears it.
/// assert_eq!(RefreshOutcome::from_status(410), RefreshOutcome::Final);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// 200: the body holds a lease.
    Refreshed,
    /// 400, 401, 404, 410: the lease and the refresh token are to be cleared, and the state becomes `expired`.
    Final,
    /// Anything else: try again after [`refresh_backoff`].
    Retry,
}

impl RefreshOutcome {
    /// The outcome that goes with an HTTP status.
    pub const fn from_status(status: u16) -> Self {
        match status {
            200 => Self::Refreshed,
            400 | 401 | 404 | 410 => Self::Final,
            _ => Self::Retry,
        }
    }
}

json_struct! {
    /// A refresh of a lease: the request's body, and the handling of the answer.
    ///
    /// ```
    /// use pulse_trust::entitlement::{RefreshOutcome, RefreshRequest};
    /// use pulse_trust::keys::TrustKeys;
    /// use pulse_trust::UnixTime;
    ///
    /// let now = UnixTime::from_secs(1_774_440_000);
    /// let request = RefreshRequest::new("default", "t-abc.cloud.example.test", "etr_hosted_0123");
    /// let body = request.secret_json();
    /// // The caller posts the body, and the control plane answers with a status and a body.
    /// # let (status, answer) = (200, br#"{"entitlement_jwt":"forged"}"#);
    /// if RefreshOutcome::from_status(status) == RefreshOutcome::Refreshed {
    ///     // Only a lease that verifies replaces the old one.
    ///     assert!(request.accept(answer, &TrustKeys::default(), now).is_err());
    /// }
    /// ```
    #[form(Serialize in RefreshRequestJson of "RefreshRequest")]
    pub struct RefreshRequest {
        org_id: String,
        instance_host: String,
        #[serde(serialize_with = "crate::secret::text::serialize")]
        entitlement_refresh_token: Secret,
    }
}

impl RefreshRequest {
    /// A request for the lease of this organization and host.
    pub fn new(org_id: &str, instance_host: &str, secret_refresh_token: &str) -> Self {
        Self {
            org_id: org_id.trim().to_owned(),
            instance_host: instance_host.trim().to_owned(),
            entitlement_refresh_token: secret_refresh_token.trim().into(),
        }
    }

    /// **Secret**: the request's JSON, which holds the refresh token.
    pub fn secret_json(&self) -> Secret {
        with_wiped_stack(|| json::text_of(&Json(self)).into())
    }

    /// Takes the answer's body, and returns the token and its lease, verified against this request's host and
    /// organization. Only then may it replace the old lease.
    ///
    /// # Errors
    /// [`Error::RefreshResponse`] if the body holds no token; else as [`VerifiedLease::verify`].
    pub fn accept(&self, body: &[u8], keys: &TrustKeys, now: UnixTime) -> Result<(Secret, VerifiedLease)> {
        with_wiped_stack(|| self.read_answer(body, keys, now))
    }

    fn read_answer(&self, body: &[u8], keys: &TrustKeys, now: UnixTime) -> Result<(Secret, VerifiedLease)> {
        // A token and the JSON around it.
        let limit = MAX_TOKEN_LEN.saturating_mul(2);
        if body.len() > limit {
            return Err(Error::TokenTooLarge { what: "refresh answer", limit, received: body.len() });
        }
        let answer: RefreshAnswer = json::from_bytes(body)
            .map_err(|_| Error::RefreshResponse { reason: "the body holds no entitlement_jwt".to_owned() })?;
        let token = answer.entitlement_jwt.trimmed();
        if token.is_empty() {
            return Err(Error::RefreshResponse { reason: "entitlement_jwt is empty".to_owned() });
        }
        let checks = LeaseChecks::new(HostBinding::Require(&self.instance_host)).with_org(&self.org_id);
        let lease = VerifiedLease::verify(token.expose_secret(), keys, &checks, now)?;
        Ok((token, lease))
    }
}

impl fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshRequest")
            .field("org_id", &self.org_id)
            .field("instance_host", &self.instance_host)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct RefreshAnswer {
    #[serde(deserialize_with = "crate::secret::text::deserialize")]
    entitlement_jwt: Secret,
}
