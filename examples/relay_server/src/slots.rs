//! How many connections there may be, by what they are: apps take no instance's place, and neither does whoever has not
//! said yet what it is.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// File descriptors that are kept for other things than connections.
const KEPT_DESCRIPTORS: usize = 64;

pub(crate) struct Slots {
    /// Every connection.
    all: Arc<Semaphore>,
    /// Those that are no WebSocket, and instances that have not registered.
    newcomers: Arc<Semaphore>,
    instances: Arc<Semaphore>,
    apps: Arc<Semaphore>,
}

impl Slots {
    /// The slots that the limits and `descriptors` allow.
    pub(crate) fn new(limits: &Limits, descriptors: usize) -> Self {
        let all = descriptors.saturating_sub(KEPT_DESCRIPTORS).clamp(1, Semaphore::MAX_PERMITS);
        let slots = |count: usize| Arc::new(Semaphore::new(count.clamp(1, all)));
        Self {
            all: slots(all),
            newcomers: slots(limits.http_connections.min(all / 4)),
            instances: slots(limits.instance_connections),
            apps: slots(limits.app_connections.min(all / 2)),
        }
    }

    /// A place for a connection that was accepted: among all, and among the newcomers.
    pub(crate) fn newcomer(&self) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        Some((take(&self.all)?, take(&self.newcomers)?))
    }

    pub(crate) fn instance(&self) -> Option<OwnedSemaphorePermit> {
        take(&self.instances)
    }

    pub(crate) fn has_instance(&self) -> bool {
        self.instances.available_permits() > 0
    }

    pub(crate) fn app(&self) -> Option<OwnedSemaphorePermit> {
        take(&self.apps)
    }
}

fn take(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(slots).try_acquire_owned().ok()
}
