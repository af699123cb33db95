//! How many connections there may be, by what they are: apps take no instance's place, and neither does whoever has not
//! said yet what it is, however many of them come from one address.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::client_address::AddressKey;
use crate::config::Limits;
use crate::sync::{Mutex, locked};

/// File descriptors that are kept for things other than connections.
const KEPT_DESCRIPTORS: usize = 64;
/// How many connections at once get 503 with the time to read it; others may miss it.
const MAX_REFUSALS_AT_ONCE: usize = 256;
/// The part of the descriptors that they may take.
const REFUSALS_PART: usize = 8;

pub(crate) struct Slots {
    /// Every connection.
    all: Arc<Semaphore>,
    /// Connections that are not WebSockets, and instances that have not registered.
    newcomers: Arc<Semaphore>,
    instances: Arc<Semaphore>,
    apps: Arc<Semaphore>,
    /// Those that are told 503.
    refusals: Arc<Semaphore>,
    strangers: Arc<Strangers>,
}

/// A connection's place among others; given back on drop.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    _stranger: Option<Stranger>,
}

impl From<OwnedSemaphorePermit> for Slot {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit, _stranger: None }
    }
}

impl Slots {
    /// The slots that the limits and `descriptors` allow.
    pub(crate) fn new(limits: &Limits, descriptors: usize) -> Self {
        let refusals = descriptors.div_euclid(REFUSALS_PART).min(MAX_REFUSALS_AT_ONCE);
        let all =
            descriptors.saturating_sub(KEPT_DESCRIPTORS).saturating_sub(refusals).clamp(1, Semaphore::MAX_PERMITS);
        let slots = |count: usize| Arc::new(Semaphore::new(count.clamp(1, all)));
        let newcomers = limits.http_connections.min(all.div_euclid(4)).max(1);
        // Generous, because a whole data center can be behind one address and come at once.
        let of_one_address = newcomers.saturating_sub(newcomers.div_euclid(4));
        Self {
            all: slots(all),
            newcomers: slots(newcomers),
            instances: slots(limits.instance_connections),
            apps: slots(limits.app_connections.min(all.div_euclid(2))),
            refusals: slots(refusals),
            strangers: Arc::new(Strangers { limit: of_one_address, by_address: Mutex::default() }),
        }
    }

    /// A place for a connection that was accepted: among all, and among the newcomers. `address` is where it comes from,
    /// unless that is a proxy, behind which everybody may be.
    pub(crate) fn newcomer(&self, address: Option<AddressKey>) -> Option<(Slot, Slot)> {
        let stranger = match address {
            Some(address) => Some(self.strangers.admit(address)?),
            None => None,
        };
        let place = Slot::from(take(&self.all)?);
        Some((place, Slot { _permit: take(&self.newcomers)?, _stranger: stranger }))
    }

    pub(crate) fn instance(&self) -> Option<Slot> {
        take(&self.instances).map(Slot::from)
    }

    pub(crate) fn has_instance(&self) -> bool {
        self.instances.available_permits() > 0
    }

    pub(crate) fn app(&self) -> Option<Slot> {
        take(&self.apps).map(Slot::from)
    }

    /// A place for a refused connection while it is told so.
    pub(crate) fn refusal(&self) -> Option<Slot> {
        take(&self.refusals).map(Slot::from)
    }
}

fn take(slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(slots).try_acquire_owned().ok()
}

/// The newcomers by the address that they come from.
#[derive(Debug)]
struct Strangers {
    limit: usize,
    by_address: Mutex<HashMap<AddressKey, usize>>,
}

impl Strangers {
    fn admit(self: &Arc<Self>, address: AddressKey) -> Option<Stranger> {
        let mut by_address = locked(&self.by_address);
        let count = by_address.entry(address).or_default();
        if *count >= self.limit {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Stranger { address, among: Arc::clone(self) })
    }
}

/// A newcomer, counted while it is one.
#[derive(Debug)]
struct Stranger {
    address: AddressKey,
    among: Arc<Strangers>,
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let mut by_address = locked(&self.among.by_address);
        if let Some(count) = by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn few_descriptors_are_enough_for_all_that_may_be_open() {
        for descriptors in [100, 128, 300, 512, 1024, 4096, 1_000_000] {
            let slots = Slots::new(&Limits::default(), descriptors);
            let open = slots.all.available_permits() + slots.refusals.available_permits();
            assert!(open + KEPT_DESCRIPTORS <= descriptors, "{open} of {descriptors}");
        }
    }

    #[test]
    fn an_address_is_forgotten_with_its_last_connection() {
        let slots = Slots::new(&Limits::default(), 512);
        let address = |last| Some(AddressKey::from(std::net::IpAddr::from([10, 0, 0, last])));
        let mut kept = Vec::new();
        while let Some(place) = slots.newcomer(address(1)) {
            kept.push(place);
        }
        assert!(slots.newcomer(address(2)).is_some() && slots.newcomer(None).is_some());
        kept.pop();
        assert!(slots.newcomer(address(1)).is_some());
        kept.clear();
        assert!(locked(&slots.strangers.by_address).is_empty());
    }
}
