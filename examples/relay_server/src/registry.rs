//! Which instances are connected, who holds their ids, and the channels between them and the apps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pulse_trust::relay::ChannelClose;

use crate::connection::Outbox;
use crate::metrics::Metrics;

/// One end of channels: a connection of an instance or of an app.
pub(crate) struct Link {
    pub(crate) outbox: Arc<Outbox>,
    /// The instance's id; empty for an app.
    pub(crate) instance_id: String,
    channels: Mutex<Channels>,
}

#[derive(Default)]
struct Channels {
    last_id: u32,
    open: HashMap<u32, Channel>,
}

/// A channel, as one of its ends sees it.
#[derive(Clone)]
pub(crate) struct Channel {
    /// The other end.
    pub(crate) peer: Arc<Link>,
    /// Its id there.
    pub(crate) peer_id: u32,
    /// Whether the instance has accepted it.
    pub(crate) is_accepted: bool,
}

impl Link {
    pub(crate) fn of_instance(outbox: Arc<Outbox>, instance_id: &str) -> Arc<Self> {
        Arc::new(Self { outbox, instance_id: instance_id.to_owned(), channels: Mutex::default() })
    }

    pub(crate) fn of_app(outbox: Arc<Outbox>) -> Arc<Self> {
        Self::of_instance(outbox, "")
    }

    pub(crate) fn channel(&self, id: u32) -> Option<Channel> {
        locked(&self.channels).open.get(&id).cloned()
    }

    pub(crate) fn channel_count(&self) -> usize {
        locked(&self.channels).open.len()
    }

    /// Notes that the instance accepted; the channel as it was before.
    pub(crate) fn accept(&self, id: u32) -> Option<Channel> {
        let mut channels = locked(&self.channels);
        let channel = channels.open.get_mut(&id)?;
        let before = channel.clone();
        channel.is_accepted = true;
        Some(before)
    }

    fn reserve(&self) -> u32 {
        let mut channels = locked(&self.channels);
        loop {
            channels.last_id = channels.last_id.wrapping_add(1).max(1);
            if !channels.open.contains_key(&channels.last_id) {
                return channels.last_id;
            }
        }
    }

    fn insert(&self, id: u32, channel: Channel) {
        locked(&self.channels).open.insert(id, channel);
    }

    fn remove(&self, id: u32) -> Option<Channel> {
        locked(&self.channels).open.remove(&id)
    }

    fn take_all(&self) -> Vec<(u32, Channel)> {
        locked(&self.channels).open.drain().collect()
    }
}

/// Makes a channel between an app and an instance, not accepted yet; its ids there.
pub(crate) fn connect(app: &Arc<Link>, instance: &Arc<Link>) -> (u32, u32) {
    let (app_id, instance_id) = (app.reserve(), instance.reserve());
    app.insert(app_id, Channel { peer: Arc::clone(instance), peer_id: instance_id, is_accepted: false });
    instance.insert(instance_id, Channel { peer: Arc::clone(app), peer_id: app_id, is_accepted: false });
    (app_id, instance_id)
}

/// Takes a channel away on both ends; it, as this end saw it.
pub(crate) fn disconnect(link: &Link, id: u32, metrics: &Metrics) -> Option<Channel> {
    let channel = link.remove(id)?;
    let theirs = channel.peer.remove(channel.peer_id);
    if channel.is_accepted || theirs.is_some_and(|theirs| theirs.is_accepted) {
        metrics.app_sessions.dec();
    }
    Some(channel)
}

/// Closes every channel of a connection that has ended, and tells the other ends.
pub(crate) fn disconnect_all(link: &Link, reason: &str, metrics: &Metrics) {
    for (_, channel) in link.take_all() {
        let theirs = channel.peer.remove(channel.peer_id);
        if channel.is_accepted || theirs.is_some_and(|theirs| theirs.is_accepted) {
            metrics.app_sessions.dec();
        }
        let close = ChannelClose { channel_id: channel.peer_id, reason: reason.to_owned() };
        channel.peer.outbox.send_control(&close, channel.peer_id);
    }
}

/// Who holds an instance id.
struct Holder {
    identity: String,
    link: Option<Arc<Link>>,
    released_at: Instant,
}

/// What became of an attempt to hold an instance id.
pub(crate) enum Attached {
    /// It holds it now; the connection that it took it from, and whether another identity held it before.
    Held { replaced: Option<Arc<Link>>, identity_changed: bool },
    /// Another identity holds it.
    Duplicate,
}

/// The instances, by id.
pub(crate) struct Registry {
    holders: Mutex<Holders>,
    hold: Duration,
}

struct Holders {
    by_id: HashMap<String, Holder>,
    sweep_at: usize,
}

/// From so many ids on, those that nobody holds any more are forgotten.
const REMEMBERED_IDS: usize = 100_000;

impl Holders {
    /// Forgets ids, and does so again only when as many have come: a storm of registrations pays for one sweep.
    fn sweep(&mut self, hold: Duration) {
        if self.by_id.len() >= self.sweep_at {
            self.by_id.retain(|_, holder| holder.link.is_some() || holder.released_at.elapsed() < hold);
            self.sweep_at = self.by_id.len().saturating_mul(2).max(REMEMBERED_IDS);
        }
    }
}

impl Registry {
    pub(crate) fn new(hold: Duration) -> Self {
        Self { holders: Mutex::new(Holders { by_id: HashMap::new(), sweep_at: REMEMBERED_IDS }), hold }
    }

    pub(crate) fn find(&self, instance_id: &str) -> Option<Arc<Link>> {
        locked(&self.holders).by_id.get(instance_id)?.link.clone()
    }

    /// Lets a connection hold an id: at once where its identity held it, or nobody does any more.
    pub(crate) fn attach(&self, instance_id: &str, identity: &str, link: &Arc<Link>) -> Attached {
        let mut holders = locked(&self.holders);
        holders.sweep(self.hold);
        let mut replaced = None;
        let mut identity_changed = false;
        if let Some(holder) = holders.by_id.get(instance_id) {
            identity_changed = holder.identity != identity;
            if identity_changed && (holder.link.is_some() || holder.released_at.elapsed() < self.hold) {
                return Attached::Duplicate;
            }
            replaced.clone_from(&holder.link);
        }
        let holder =
            Holder { identity: identity.to_owned(), link: Some(Arc::clone(link)), released_at: Instant::now() };
        holders.by_id.insert(instance_id.to_owned(), holder);
        Attached::Held { replaced, identity_changed }
    }

    /// Notes that a connection ended, where it still held its id.
    pub(crate) fn detach(&self, instance_id: &str, link: &Arc<Link>) {
        if let Some(holder) = locked(&self.holders).by_id.get_mut(instance_id)
            && holder.link.as_ref().is_some_and(|held| Arc::ptr_eq(held, link))
        {
            holder.link = None;
            holder.released_at = Instant::now();
        }
    }
}

/// A panic elsewhere leaves the maps whole: each change is one call.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(count: usize, sweep_at: usize) -> Holders {
        let free = || Holder { identity: String::new(), link: None, released_at: Instant::now() };
        Holders { by_id: (0..count).map(|id| (id.to_string(), free())).collect(), sweep_at }
    }

    #[test]
    fn ids_that_nobody_holds_are_forgotten_when_there_are_many() {
        let mut few = holders(3, 4);
        few.sweep(Duration::ZERO);
        assert_eq!(few.by_id.len(), 3);
        let mut many = holders(4, 4);
        many.sweep(Duration::ZERO);
        assert_eq!((many.by_id.len(), many.sweep_at), (0, REMEMBERED_IDS));
    }

    #[test]
    fn ids_within_the_hold_stay_and_the_next_sweep_waits_for_as_many_again() {
        let mut held = holders(REMEMBERED_IDS, REMEMBERED_IDS);
        held.sweep(Duration::from_secs(3600));
        assert_eq!((held.by_id.len(), held.sweep_at), (REMEMBERED_IDS, 2 * REMEMBERED_IDS));
    }
}
