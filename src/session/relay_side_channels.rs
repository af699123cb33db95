//! The channels of one connection, as the relay keeps them: offered, then accepted, then gone.

use std::collections::BTreeMap;
use std::time::Duration;

/// One channel on one connection. `R` is what the relay needs to reach the other end.
#[derive(Debug)]
pub(super) struct RelayedChannel<R> {
    pub(super) route: R,
    /// Until when the instance may accept it; `None` once it has.
    pub(super) accept_by: Option<Duration>,
}

/// Why a channel cannot be opened.
///
/// See the example of [`RelaySide`](super::RelaySide).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelRefusal {
    /// As many channels as allowed are accepted.
    TooManyChannels,
    /// As many channels as allowed wait for the instance's answer.
    TooManyOffered,
}

/// The channels of a connection by their id on it. An id is not used again until all 2^32 - 1 have been.
#[derive(Debug)]
pub(super) struct RelayedChannels<R> {
    by_id: BTreeMap<u32, RelayedChannel<R>>,
    last_id: u32,
    offered: usize,
}

impl<R> RelayedChannels<R> {
    pub(super) fn new() -> Self {
        Self { by_id: BTreeMap::new(), last_id: 0, offered: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Checks the limits: `accepted` channels may be accepted, `offered` may wait for an answer.
    pub(super) fn check_room(&self, accepted: usize, offered: usize) -> Result<(), ChannelRefusal> {
        if self.by_id.len().saturating_sub(self.offered) >= accepted {
            return Err(ChannelRefusal::TooManyChannels);
        }
        if self.offered >= offered { Err(ChannelRefusal::TooManyOffered) } else { Ok(()) }
    }

    pub(super) fn next_id(&mut self) -> u32 {
        loop {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            if !self.by_id.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    pub(super) fn offer(&mut self, id: u32, route: R, accept_by: Duration) {
        if self
            .by_id
            .insert(id, RelayedChannel { route, accept_by: Some(accept_by) })
            .is_none_or(|old| old.accept_by.is_none())
        {
            self.offered = self.offered.saturating_add(1);
        }
    }

    pub(super) fn get(&self, id: u32) -> Option<&RelayedChannel<R>> {
        self.by_id.get(&id)
    }

    /// Marks a channel accepted; `None` if there is none that waits for it.
    pub(super) fn accept(&mut self, id: u32) -> Option<&R> {
        let channel = self.by_id.get_mut(&id)?;
        channel.accept_by.take()?;
        self.offered = self.offered.saturating_sub(1);
        Some(&channel.route)
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<RelayedChannel<R>> {
        let channel = self.by_id.remove(&id)?;
        if channel.accept_by.is_some() {
            self.offered = self.offered.saturating_sub(1);
        }
        Some(channel)
    }

    pub(super) fn drain(&mut self) -> Vec<(u32, R)> {
        self.offered = 0;
        std::mem::take(&mut self.by_id).into_iter().map(|(id, channel)| (id, channel.route)).collect()
    }

    /// The earliest end of an offer, and its channel.
    pub(super) fn first_offer_to_end(&self) -> Option<(Duration, u32)> {
        if self.offered == 0 {
            return None;
        }
        self.by_id.iter().filter_map(|(id, channel)| channel.accept_by.map(|at| (at, *id))).min()
    }

    pub(super) fn routes(&self) -> impl Iterator<Item = &R> {
        self.by_id.values().map(|channel| &channel.route)
    }
}
