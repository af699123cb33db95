//! Refreshing a hosted lease while it is in use.

use core::fmt;
use core::time::Duration;

use super::backoff::Backoff;
use super::clock::Now;
use crate::entitlement::{RefreshOutcome, RefreshRequest, VerifiedLease, refresh_backoff, refresh_delay};
use crate::error::Error;
use crate::keys::TrustKeys;
use crate::secret::Secret;
use crate::time::UnixTime;

/// How long the control plane may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// A lease with less than this left is nearly over: then the wall clock decides too, which may have jumped.
const NEARLY_OVER: Duration = Duration::from_secs(30 * 60);
/// How far away the refresh of a lease that is nearly over may still be planned.
const LONGEST_LAST_WAIT: Duration = Duration::from_secs(60);

/// What an instance refreshes its lease with.
///
/// ```
/// use pulse_trust::keys::TrustKeys;
/// use pulse_trust::relay::Identity;
/// use pulse_trust::session::{InstanceConfig, LeaseRefresh};
///
/// let url = "wss://relay.example.test/ws/instance";
/// let mut config = InstanceConfig::new(url, "a lease", "a secret", Identity::generate()?);
/// let host = "t-abc.cloud.example.test";
/// config.refresh = Some(LeaseRefresh::new("default", host, "etr_hosted_0123", TrustKeys::default(), None));
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct LeaseRefresh {
    org_id: String,
    instance_host: String,
    refresh_token: Secret,
    keys: TrustKeys,
    expires_at: Option<UnixTime>,
    failures: u32,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    NotStarted,
    Due(Duration),
    /// The request was sent, and counts as failed at this moment.
    Asked(Duration),
    /// The control plane has refused for good.
    Over,
}

/// What is to be done at a moment.
pub(super) enum RefreshStep {
    Ask(RefreshRequest),
    /// The last request was not answered in time.
    Failed(RefreshFailure),
}

/// The outcome of an answer.
pub(super) enum Answered {
    Refreshed(Secret, Box<VerifiedLease>),
    Failed(RefreshFailure),
    Final,
}

/// A refresh that is tried again.
pub(super) struct RefreshFailure {
    pub(super) error: Error,
    pub(super) retry_at: Duration,
}

impl LeaseRefresh {
    /// Refreshes the lease of this organization and host. `keys` are those that the new lease must verify under;
    /// `expires_at` is the end of the lease that there is, `None` if it is unknown or already expired.
    pub fn new(
        org_id: impl Into<String>,
        instance_host: impl Into<String>,
        refresh_token: impl Into<Secret>,
        keys: TrustKeys,
        expires_at: Option<UnixTime>,
    ) -> Self {
        Self {
            org_id: org_id.into(),
            instance_host: instance_host.into(),
            refresh_token: refresh_token.into(),
            keys,
            expires_at,
            failures: 0,
            phase: Phase::NotStarted,
        }
    }

    /// **Secret**: the members that it was created with, named as the C functions name them.
    #[cfg(feature = "capi")]
    pub(crate) fn secret_members(&self) -> impl serde::Serialize + use<'_> {
        #[derive(serde::Serialize)]
        struct Members<'a> {
            org_id: &'a str,
            instance_host: &'a str,
            refresh_token: &'a str,
            expires_at: Option<i64>,
        }
        Members {
            org_id: &self.org_id,
            instance_host: &self.instance_host,
            refresh_token: self.refresh_token.expose_secret(),
            expires_at: self.expires_at.map(UnixTime::as_secs),
        }
    }

    pub(super) fn start(&mut self, backoff: &mut Backoff, now: Now) {
        if self.phase == Phase::NotStarted {
            self.schedule(backoff, now);
        }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Due(at) | Phase::Asked(at) => Some(at),
            Phase::NotStarted | Phase::Over => None,
        }
    }

    /// The request that is due now. A request that was not answered in time counts as failed, and is due again later.
    pub(super) fn poll(&mut self, now: Now) -> Option<RefreshStep> {
        match self.phase {
            Phase::Asked(until) if now.monotonic >= until => {
                let reason = format!("no answer came within {} s", ANSWER_TIMEOUT.as_secs());
                Some(RefreshStep::Failed(self.fail(reason, now)))
            }
            Phase::Due(at) if now.monotonic >= at || self.is_overdue(at, now) => {
                self.phase = Phase::Asked(now.monotonic.saturating_add(ANSWER_TIMEOUT));
                Some(RefreshStep::Ask(self.request()))
            }
            _ => None,
        }
    }

    pub(super) fn answered(&mut self, status: u16, body: &[u8], backoff: &mut Backoff, now: Now) -> Answered {
        let outcome = match RefreshOutcome::from_status(status) {
            RefreshOutcome::Refreshed => self.request().accept(body, &self.keys, now.wall),
            RefreshOutcome::Final => {
                self.phase = Phase::Over;
                return Answered::Final;
            }
            RefreshOutcome::Retry => Err(failed(format!("expected HTTP status 200, received {status}"))),
        };
        match outcome {
            Ok((token, lease)) => {
                self.failures = 0;
                self.expires_at = Some(lease.expires_at());
                self.schedule(backoff, now);
                Answered::Refreshed(token, Box::new(lease))
            }
            Err(error) => Answered::Failed(self.fail_with(error, now)),
        }
    }

    /// The request was not answered at all, for this reason.
    pub(super) fn fail(&mut self, reason: impl Into<String>, now: Now) -> RefreshFailure {
        self.fail_with(failed(reason), now)
    }

    fn fail_with(&mut self, error: Error, now: Now) -> RefreshFailure {
        self.failures = self.failures.saturating_add(1);
        let retry_at = now.monotonic.saturating_add(refresh_backoff(self.failures));
        self.phase = Phase::Due(retry_at);
        RefreshFailure { error, retry_at }
    }

    /// **Secret**: what it asks with.
    pub(super) fn secret_refresh_token(&self) -> Secret {
        self.refresh_token.duplicate()
    }

    pub(super) fn is_asked(&self) -> bool {
        matches!(self.phase, Phase::Asked(_))
    }

    /// Whether the control plane has refused for good.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    fn request(&self) -> RefreshRequest {
        RefreshRequest::new(&self.org_id, &self.instance_host, self.refresh_token.expose_secret())
    }

    fn schedule(&mut self, backoff: &mut Backoff, now: Now) {
        let delay = refresh_delay(self.expires_at, now.wall, backoff.next_u32());
        self.phase = Phase::Due(now.monotonic.saturating_add(delay));
    }

    /// The wall clock has jumped: the lease is nearly over, and the planned refresh would come too late.
    fn is_overdue(&self, at: Duration, now: Now) -> bool {
        let is_ending = self.expires_at.is_some_and(|end| end.saturating_duration_since(now.wall) <= NEARLY_OVER);
        is_ending && self.failures == 0 && at.saturating_sub(now.monotonic) > LONGEST_LAST_WAIT
    }
}

fn failed(reason: impl Into<String>) -> Error {
    Error::RefreshResponse { reason: reason.into() }
}

impl fmt::Debug for LeaseRefresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeaseRefresh")
            .field("instance_host", &self.instance_host)
            .field("expires_at", &self.expires_at)
            .field("failures", &self.failures)
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
