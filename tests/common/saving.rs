//! Saving what a test has made over whatever is there, in one call.

use pulse_trust::relay::RelayConfig;
use pulse_trust::storage::{BillingState, IdentityChange, LockedDataDir};
use pulse_trust::{Result, Warning};

pub trait Saving {
    /// Saves over the state the file has now, whatever identity it holds.
    fn save_config(&self, config: &RelayConfig) -> Result<Vec<Warning>>;
    /// Saves over the state the file has now.
    fn save_billing(&self, org: &str, state: &mut BillingState) -> Result<Vec<Warning>>;
}

impl Saving for LockedDataDir {
    fn save_config(&self, config: &RelayConfig) -> Result<Vec<Warning>> {
        let revision = self.relay_config()?.revision;
        self.save_relay_config(config, &revision, IdentityChange::Replace).map(|saved| saved.warnings)
    }

    fn save_billing(&self, org: &str, state: &mut BillingState) -> Result<Vec<Warning>> {
        let revision = self.billing_state(org)?.revision;
        self.save_billing_state(org, state, &revision).map(|saved| saved.warnings)
    }
}
