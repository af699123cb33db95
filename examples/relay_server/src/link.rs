//! A connection, as the others see it: where frames are left for it, and what the rules say about it.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::relay::RevocationSubject;
use pulse_trust::session::{RelaySide, RelaySideLimits, RelayedEnd};
use tokio::time::Instant;

use crate::client_address::AddressKey;
use crate::connection::Outbox;
use crate::passage::Route;
use crate::slots::Slot;
use crate::story::Story;
use crate::sync::{Mutex, MutexGuard, locked};
use crate::throttle::Throttle;

/// How many addresses of an instance's phones are remembered.
const KNOWN_ADDRESSES: usize = 16;

/// A registration that is in force while its connection lives.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    /// The connection ends at this moment.
    pub(crate) expires_at: UnixTime,
    /// The credential itself has no end; its sessions do.
    pub(crate) is_lifetime: bool,
    pub(crate) subject: RevocationSubject,
}

/// A large message that has not arrived whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unfinished {
    /// When it was first noticed.
    pub(crate) since: Instant,
    /// What of it is counted.
    pub(crate) bytes: usize,
}

/// Where a connection comes from, and what it requested.
pub(crate) struct Origin {
    pub(crate) address: AddressKey,
    pub(crate) host: Box<str>,
    pub(crate) slot: Slot,
}

/// One connection of either role.
pub(crate) struct Link {
    pub(crate) end: RelayedEnd,
    pub(crate) address: AddressKey,
    pub(crate) outbox: Outbox,
    /// Its last steps.
    pub(crate) story: Story,
    /// The host that its HTTP request named.
    pub(crate) host: Box<str>,
    /// The instance's id, once it is registered.
    registered: OnceLock<Arc<str>>,
    live: Mutex<Option<Live>>,
    side: Mutex<RelaySide<Route>>,
    known: Mutex<VecDeque<AddressKey>>,
    unfinished: Mutex<Option<Unfinished>>,
    still_since: Mutex<Option<Instant>>,
    /// Of an app's connection alone.
    own_throttle: Throttle,
    /// Of an instance, on whichever connection it is.
    throttle: OnceLock<Arc<Throttle>>,
    /// Its place among the connections there may be.
    slot: Mutex<Slot>,
}

impl Link {
    pub(crate) fn new(
        end: RelayedEnd,
        origin: Origin,
        outbox: Outbox,
        limits: RelaySideLimits,
        now: Duration,
    ) -> Arc<Self> {
        let side = Mutex::new(RelaySide::new(end, limits, now));
        let Origin { address, host, slot } = origin;
        let (registered, live, known, unfinished) =
            (OnceLock::new(), Mutex::default(), Mutex::default(), Mutex::default());
        let slot = Mutex::new(slot);
        let (story, own_throttle, throttle) = (Story::new(), Throttle::default(), OnceLock::new());
        Arc::new(Self {
            end,
            address,
            outbox,
            story,
            host,
            registered,
            live,
            side,
            known,
            unfinished,
            still_since: Mutex::default(),
            own_throttle,
            throttle,
            slot,
        })
    }

    /// What its bytes a second are counted in.
    pub(crate) fn throttle(&self) -> &Throttle {
        self.throttle.get().map_or(&self.own_throttle, |shared| shared)
    }

    /// Counts its bytes with those of the instance's other connections.
    pub(crate) fn set_throttle(&self, throttle: Arc<Throttle>) {
        self.throttle.set(throttle).ok();
    }

    /// The rules' view of it.
    pub(crate) fn side(&self) -> MutexGuard<'_, RelaySide<Route>> {
        locked(&self.side)
    }

    /// The instance id of a registered instance.
    pub(crate) fn instance_id(&self) -> Option<&Arc<str>> {
        self.registered.get()
    }

    /// What its registration depends on; set again when it is renewed.
    pub(crate) fn set_live(&self, live: Live) {
        *locked(&self.live) = Some(live);
    }

    pub(crate) fn live(&self) -> Option<Live> {
        locked(&self.live).clone()
    }

    /// Notes that the instance is registered; false if it already was and has renewed.
    pub(crate) fn set_registered(&self, instance_id: &str) -> bool {
        self.registered.set(instance_id.into()).is_ok()
    }

    /// Moves the connection to another group, which may have another limit.
    pub(crate) fn set_slot(&self, slot: Slot) {
        *locked(&self.slot) = slot;
    }

    /// Notes how much is counted of a message that has not arrived whole.
    pub(crate) fn set_unfinished(&self, bytes: Option<usize>) {
        let mut unfinished = locked(&self.unfinished);
        let since = unfinished.map_or_else(Instant::now, |begun| begun.since);
        *unfinished = bytes.map(|bytes| Unfinished { since, bytes });
    }

    /// Notes since when the other end has taken nothing of what is on its way; `None` if nothing is on its way.
    pub(crate) fn set_still_since(&self, since: Option<Instant>) {
        *locked(&self.still_since) = since;
    }

    /// Since when the other end has taken nothing although something is on its way to it.
    pub(crate) fn still_since(&self) -> Option<Instant> {
        *locked(&self.still_since)
    }

    /// The message that has not arrived whole, if it is a large one.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        *locked(&self.unfinished)
    }

    /// Remembers that the instance accepted a phone from this address, so guessing by others does not keep it out.
    pub(crate) fn knows(&self, address: AddressKey) {
        let mut known = locked(&self.known);
        if !known.contains(&address) {
            if known.len() >= KNOWN_ADDRESSES {
                known.pop_front();
            }
            known.push_back(address);
        }
    }

    pub(crate) fn is_known(&self, address: AddressKey) -> bool {
        locked(&self.known).contains(&address)
    }
}
