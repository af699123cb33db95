//! Without the feature `nats` there is one node.

use std::sync::Arc;
use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::relay::{Connect, WireErrorCode};

use crate::link::Link;
use crate::registry::{Claim, ClaimRefused, Fence};
use crate::shared::Shared;

/// There is none.
pub(crate) enum Cluster {}

impl Cluster {
    pub(crate) fn is_up(&self) -> bool {
        match *self {}
    }

    pub(crate) fn living_url(&self, _: u64) -> Option<String> {
        match *self {}
    }

    pub(crate) async fn drain(&self) {
        match *self {}
    }

    pub(crate) async fn flush(&self) {
        match *self {}
    }

    pub(crate) async fn claim(&self, _: &Claim, _: Duration, _: UnixTime) -> Result<Fence, ClaimRefused> {
        match *self {}
    }

    pub(crate) async fn release(&self, _: &str, _: u64, _: UnixTime) {
        match *self {}
    }

    pub(crate) async fn connect_app(
        self: &Arc<Self>,
        _: &Arc<Shared>,
        _: &Arc<Link>,
        _: &Connect,
    ) -> Result<bool, (WireErrorCode, &'static str)> {
        match **self {}
    }
}
