//! Which instances are connected, and who holds their ids.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pulse_trust::UnixTime;
use pulse_trust::relay::WireErrorCode;
use tokio::time::Instant;

use crate::connection::Ending;
use crate::holds::{Hold, Holds};
use crate::link::Link;
use crate::sync::{Mutex, locked};

/// From this many ids on, those that nobody can claim any more are dropped.
const REMEMBERED_IDS: usize = 100_000;

/// How long to remember that another node has an id: a registration that was granted before that is answered sooner.
const REPLACED_IS_KEPT: Duration = Duration::from_secs(60);

/// Who holds an instance id.
struct Holder {
    hold: Hold,
    fence: Fence,
    link: Option<Arc<Link>>,
    /// Until when the id is kept for its identity, once the connection is gone.
    held_until: Instant,
}

/// A registration among all nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fence {
    /// Grows with each registration of the id, on whichever node.
    pub(crate) generation: u64,
    /// How often another identity has taken the id over.
    pub(crate) changes: u64,
}

/// A claim on an instance id.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) instance_id: String,
    /// The identity key as REGISTER names it, hashed; no key counts as a key of its own.
    pub(crate) identity: [u8; 32],
    /// It was proved that the key is held.
    pub(crate) is_proved: bool,
    /// The generation of the session that resumes.
    pub(crate) generation: Option<u64>,
    /// What the nodes' common store has granted; `None` if there is only one node.
    pub(crate) fence: Option<Fence>,
    /// When the session ends.
    pub(crate) expires_at: UnixTime,
}

/// Why a claim is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimRefused {
    /// Another identity holds the id.
    Duplicate,
    /// This identity proved itself before, but does not now.
    ProofMissing,
    /// Another identity held the id after the session began.
    Superseded,
    /// The id was registered again in the meantime, on this node or another.
    Replaced,
    /// The nodes' common store cannot be reached.
    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "there is one node"))]
    Unavailable,
    /// The welcome could not be made.
    Failed,
}

/// A claim that was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// A connection of the same identity lost the id.
    pub(crate) took_over: bool,
    /// Another identity held the id before.
    pub(crate) identity_changed: bool,
}

/// The instances, by id.
pub(crate) struct Registry {
    holders: Mutex<Holders>,
    hold: Duration,
    holds: Holds,
}

struct Holders {
    by_id: HashMap<String, Holder>,
    /// Ids that another node has, since which generation, and since when that is known.
    replaced: HashMap<String, (u64, Instant)>,
    sweep_at: usize,
    /// No session of a connected instance ends before this moment.
    expires_from: UnixTime,
}

impl Registry {
    /// The registry of the ids that the data directory remembers. `hold`: how long an identity holds its id after its
    /// connection ended. An instance that was connected when the relay went down counts as gone from then, or from now.
    pub(crate) fn new(hold: Duration, holds: Holds, remembered: Vec<(String, Hold)>, now: UnixTime) -> Self {
        let restored = remembered.into_iter().map(|(instance_id, remembered)| {
            let gone = remembered.released_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
            let held_until = after(Instant::now(), hold.saturating_sub(gone));
            (instance_id, Holder { hold: remembered, fence: Fence::default(), link: None, held_until })
        });
        let by_id: HashMap<_, _> = restored.collect();
        let sweep_at = by_id.len().saturating_mul(2).max(REMEMBERED_IDS);
        let expires_from = UnixTime::from_secs(i64::MAX);
        Self { holders: Mutex::new(Holders { by_id, replaced: HashMap::new(), sweep_at, expires_from }), hold, holds }
    }

    /// The connection of an instance.
    pub(crate) fn find(&self, instance_id: &str) -> Option<Arc<Link>> {
        locked(&self.holders).by_id.get(instance_id)?.link.clone().filter(|link| !link.outbox.is_ending())
    }

    /// Whether anyone is remembered to have held the id.
    pub(crate) fn is_known(&self, instance_id: &str) -> bool {
        locked(&self.holders).by_id.contains_key(instance_id)
    }

    /// Every connected instance.
    pub(crate) fn links(&self) -> Vec<Arc<Link>> {
        locked(&self.holders).by_id.values().filter_map(|holder| holder.link.clone()).collect()
    }

    /// The connected instances whose session has ended by `now`. All are checked only when one can have ended.
    pub(crate) fn expired(&self, now: UnixTime) -> Vec<Arc<Link>> {
        let mut holders = locked(&self.holders);
        if now < holders.expires_from {
            return Vec::new();
        }
        let (mut expired, mut expires_from) = (Vec::new(), UnixTime::from_secs(i64::MAX));
        for holder in holders.by_id.values() {
            let Some(link) = holder.link.as_ref().filter(|link| !link.outbox.is_ending()) else { continue };
            match link.live().map(|live| live.expires_at) {
                Some(end) if end <= now => expired.push(Arc::clone(link)),
                Some(end) => expires_from = expires_from.min(end),
                None => {}
            }
        }
        holders.expires_from = expires_from;
        expired
    }

    /// Keeps the journal of holds short and in its place.
    pub(crate) fn keep_journal(&self) {
        let mut holders = locked(&self.holders);
        holders.replaced.retain(|_, (_, known_at)| known_at.elapsed() < REPLACED_IS_KEPT);
        self.holds.keep(holders.by_id.iter().map(|(id, holder)| (id, &holder.hold)));
    }

    /// Grants an id to a connection, or says why not. `welcome` makes the first frame from the id's generation; it is
    /// queued before anybody can find the connection.
    pub(crate) fn claim(
        &self,
        claim: &Claim,
        link: &Arc<Link>,
        now: UnixTime,
        welcome: impl FnOnce(u64) -> Option<Bytes>,
    ) -> Result<Claimed, ClaimRefused> {
        let mut holders = locked(&self.holders);
        holders.sweep(now);
        let mut next = Hold {
            identity: claim.identity,
            generation: claim.generation.unwrap_or_default(),
            is_proved: claim.is_proved,
            sessions_until: claim.expires_at,
            released_at: None,
        };
        let mut claimed = Claimed { took_over: false, identity_changed: false };
        let mut replaced = None;
        if let Some(holder) = holders.by_id.get(&claim.instance_id) {
            let is_held = holder.link.is_some() || Instant::now() < holder.held_until;
            claimed.identity_changed = holder.hold.identity != claim.identity;
            next.generation = holder.hold.generation;
            if claim.fence.is_some_and(|fence| fence.generation < holder.fence.generation) {
                return Err(ClaimRefused::Replaced);
            }
            let is_superseded =
                |generation| generation != holder.hold.generation || holder.hold.identity != claim.identity;
            if claim.fence.is_some() {
                // The store that all nodes share has decided: this node may have missed what happened on others.
                next.sessions_until = next.sessions_until.max(holder.hold.sessions_until);
            } else if claim.generation.is_some_and(is_superseded) {
                return Err(ClaimRefused::Superseded);
            } else if claimed.identity_changed {
                if is_held {
                    return Err(ClaimRefused::Duplicate);
                }
                next.generation = next.generation.saturating_add(1);
            } else {
                if is_held && holder.hold.is_proved && !claim.is_proved {
                    return Err(ClaimRefused::ProofMissing);
                }
                next.sessions_until = next.sessions_until.max(holder.hold.sessions_until);
            }
            replaced = holder.link.clone().filter(|held| !Arc::ptr_eq(held, link));
        }
        if let Some(fence) = claim.fence {
            if holders.replaced.get(&claim.instance_id).is_some_and(|(generation, _)| *generation > fence.generation) {
                return Err(ClaimRefused::Replaced);
            }
            next.generation = fence.changes;
        }
        let first_frame = welcome(next.generation).ok_or(ClaimRefused::Failed)?;
        if let Some(replaced) = replaced {
            claimed.took_over = true;
            let message = "the same identity registered again on another connection, which took this one's place";
            replaced
                .outbox
                .end(Ending { sends_rest: false, ..Ending::error(1008, WireErrorCode::DuplicateInstance, message) });
        }
        link.outbox.push_own(first_frame);
        holders.expires_from = holders.expires_from.min(claim.expires_at);
        self.holds.record(&claim.instance_id, &next);
        let fence = claim.fence.unwrap_or_default();
        let holder = Holder { hold: next, fence, link: Some(Arc::clone(link)), held_until: Instant::now() };
        holders.by_id.insert(claim.instance_id.clone(), holder);
        Ok(claimed)
    }

    /// Notes that another node has the id since this generation: a connection that has an earlier one ends.
    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "there is one node"))]
    pub(crate) fn replace(&self, instance_id: &str, generation: u64) {
        let mut holders = locked(&self.holders);
        // Messages of two nodes may arrive in the wrong order. The newest counts; otherwise a claim between the two would be
        // granted as well.
        let replaced = holders.replaced.entry(instance_id.to_owned()).or_insert((generation, Instant::now()));
        *replaced = (replaced.0.max(generation), Instant::now());
        let Some(holder) = holders.by_id.get_mut(instance_id) else { return };
        if holder.fence.generation < generation
            && let Some(link) = holder.link.take()
        {
            let message =
                "the same identity registered again at another node of the relay, which took this one's place";
            let ending = Ending::error(1008, WireErrorCode::DuplicateInstance, message);
            link.outbox.end(Ending { sends_rest: false, ..ending });
        }
    }

    /// The registration of a connected instance among all nodes.
    pub(crate) fn fence_of(&self, instance_id: &str) -> Option<Fence> {
        let holders = locked(&self.holders);
        holders.by_id.get(instance_id).filter(|holder| holder.link.is_some()).map(|holder| holder.fence)
    }

    /// All of them, with what is held.
    #[cfg_attr(not(feature = "nats"), allow(dead_code, reason = "there is one node"))]
    pub(crate) fn fenced(&self) -> Vec<(String, Hold, Fence)> {
        let holders = locked(&self.holders);
        let connected = holders.by_id.iter().filter(|(_, holder)| holder.link.is_some() && holder.fence.generation > 0);
        connected.map(|(id, holder)| (id.clone(), holder.hold.clone(), holder.fence)).collect()
    }

    /// Notes that a connection ended, if it still held its id; returns the registration that it had.
    pub(crate) fn release(&self, instance_id: &str, link: &Arc<Link>, now: UnixTime) -> Option<Fence> {
        let mut holders = locked(&self.holders);
        if let Some(holder) = holders.by_id.get_mut(instance_id)
            && holder.link.as_ref().is_some_and(|held| Arc::ptr_eq(held, link))
        {
            holder.link = None;
            holder.held_until = after(Instant::now(), self.hold);
            holder.hold.released_at = Some(now);
            self.holds.record(instance_id, &holder.hold);
            return Some(holder.fence);
        }
        None
    }
}

impl Holders {
    /// Forgets ids that nobody holds and no session can resume, and does so again only when as many have come: a storm
    /// of registrations pays for one sweep.
    fn sweep(&mut self, now: UnixTime) {
        if self.by_id.len() < self.sweep_at {
            return;
        }
        let instant = Instant::now();
        self.by_id.retain(|_, holder| {
            holder.link.is_some() || instant < holder.held_until || now < holder.hold.sessions_until
        });
        self.sweep_at = self.by_id.len().saturating_mul(2).max(REMEMBERED_IDS);
    }
}

fn after(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or(now)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use pulse_trust::keys::TrustKeys;
    use pulse_trust::session::RelayedEnd;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::client_address::AddressKey;
    use crate::config::Config;
    use crate::connection::Outbox;
    use crate::link::Origin;
    use crate::relay;

    const ID: &str = "relay_0123456789abcdef";

    /// Nodes B and C took the id over with generations 6 and 8 while a claim of this node, with 7, was on its way; C is heard first.
    #[tokio::test]
    async fn a_claim_between_two_takeovers_is_refused_in_whichever_order_they_are_heard() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config::on_loopback(TrustKeys::default(), directory.path());
        let shared = relay::prepare(&config, None).unwrap().0;
        for (number, heard) in [[6, 8], [8, 6]].into_iter().enumerate() {
            let instance_id = format!("{ID}{number}");
            for generation in heard {
                shared.registry.replace(&instance_id, generation);
            }
            let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
            let address = AddressKey::from(std::net::IpAddr::from([127, 0, 0, 1]));
            let outbox = Outbox::new(1024 * 1024, Arc::clone(&shared.memory));
            let origin = Origin { address, host: "h".into(), slot: slot.into() };
            let limits = shared.config.load().limits.of_side(RelayedEnd::Instance);
            let link = Link::new(RelayedEnd::Instance, origin, outbox, limits, shared.elapsed());
            let fence = Some(Fence { generation: 7, changes: 0 });
            let expires_at = UnixTime::from_secs(i64::MAX);
            let claim = Claim { instance_id, identity: [1; 32], is_proved: false, generation: None, fence, expires_at };
            let claimed = shared.registry.claim(&claim, &link, UnixTime::from_secs(0), |_| Some(Bytes::new()));
            assert_eq!(claimed, Err(ClaimRefused::Replaced), "{heard:?}");
        }
    }
}
