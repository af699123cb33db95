//! Whether a capability counts at a given time (formats.md#tiers-and-capabilities): one rule for all three kinds.

use super::capability::{Capability, free_capabilities};
use super::state::SubscriptionState;
use crate::error::{Error, Result};
use crate::time::{ClockLeeway, UnixTime};
use crate::token_kind::TokenKind;

/// What a verified token says about its subscription.
pub(crate) struct Subscription<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) state: &'a SubscriptionState,
    pub(crate) trial_ends_at: Option<UnixTime>,
    /// How much longer a trial still counts, because the clocks may differ.
    pub(crate) leeway: ClockLeeway,
    pub(crate) capabilities: &'a [Capability],
}

impl Subscription<'_> {
    /// Whether `wanted` counts at `now`.
    pub(crate) fn check_grants(&self, wanted: &Capability, now: UnixTime) -> Result<()> {
        if wanted.is_free() {
            return Ok(());
        }
        self.check_beyond_free(now)?;
        if self.capabilities.contains(wanted) {
            Ok(())
        } else {
            Err(Error::CapabilityMissing { kind: self.kind, capability: wanted.as_str().to_owned() })
        }
    }

    /// The capabilities that count at `now`: the free set always, the token's where its state grants them.
    pub(crate) fn capabilities_at(&self, now: UnixTime) -> Vec<Capability> {
        let mut counting = free_capabilities();
        if self.check_beyond_free(now).is_ok() {
            counting.extend(self.capabilities.iter().cloned());
            counting.sort_unstable();
            counting.dedup();
        }
        counting
    }

    /// The state at `now`: a trial that has ended is expired.
    pub(crate) fn state_at(&self, now: UnixTime) -> SubscriptionState {
        match self.check_beyond_free(now) {
            Err(Error::TrialEnded { .. }) => SubscriptionState::Expired,
            _ => self.state.clone(),
        }
    }

    fn check_beyond_free(&self, now: UnixTime) -> Result<()> {
        match (self.state, self.trial_ends_at) {
            (SubscriptionState::Active | SubscriptionState::Grace, _) => Ok(()),
            (SubscriptionState::Trial, None) => Err(Error::TrialWithoutEnd),
            (SubscriptionState::Trial, Some(ended_at)) if ended_at.saturating_add(self.leeway.as_duration()) <= now => {
                Err(Error::TrialEnded { ended_at, now })
            }
            (SubscriptionState::Trial, Some(_)) => Ok(()),
            (state, _) => Err(Error::SubscriptionInactive { kind: self.kind, state: state.as_str().to_owned() }),
        }
    }
}
