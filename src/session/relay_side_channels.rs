//! The channels of one connection, as the relay keeps them: offered, then accepted, then gone.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// For so long after an accepted channel was closed, what was on its way through it costs its sender nothing.
const LEFTOVER_PERIOD: Duration = Duration::from_secs(30);
/// So many closed channels are remembered for it.
const MAX_REMEMBERED: usize = 64;

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
    /// Accepted channels that were closed, the oldest first.
    gone: VecDeque<GoneChannel>,
}

#[derive(Debug)]
struct GoneChannel {
    id: u32,
    /// Counted from the first frame on that came after the channel was closed.
    remembered_until: Option<Duration>,
    is_told: bool,
}

/// What a frame on a channel that does not exist gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stray {
    /// An answer that says so, which counts.
    Told,
    /// Nothing: it was on its way when the channel was closed, and its sender was told.
    Dropped,
}

impl<R> RelayedChannels<R> {
    pub(super) fn new() -> Self {
        Self { by_id: BTreeMap::new(), last_id: 0, offered: 0, gone: VecDeque::new() }
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
        } else {
            if self.gone.len() >= MAX_REMEMBERED {
                self.gone.pop_front();
            }
            self.gone.push_back(GoneChannel { id, remembered_until: None, is_told: false });
        }
        Some(channel)
    }

    /// A frame came on a channel that does not exist.
    pub(super) fn stray(&mut self, id: u32) -> Stray {
        let gone = self.gone.iter_mut().find(|gone| gone.id == id);
        match gone.map(|gone| std::mem::replace(&mut gone.is_told, true)) {
            Some(true) => Stray::Dropped,
            _ => Stray::Told,
        }
    }

    /// Forgets channels whose frames have had the time to arrive; to be called with each frame.
    pub(super) fn forget_gone(&mut self, now: Duration) {
        if self.gone.is_empty() {
            return;
        }
        for gone in &mut self.gone {
            gone.remembered_until.get_or_insert(now.saturating_add(LEFTOVER_PERIOD));
        }
        while self.gone.front().is_some_and(|gone| gone.remembered_until.is_some_and(|until| until <= now)) {
            self.gone.pop_front();
        }
        if self.gone.is_empty() {
            self.gone = VecDeque::new();
        }
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
