//! Writes that NATS did not answer: they may be in the store, or may still arrive there. The node looks at each entry until
//! that is known.

use pulse_trust::UnixTime;

use super::presence::{Presence, PresenceStore};
use crate::registry::ClaimRefused;
use crate::sync::locked;

/// How often somebody else may be faster before this is left for the next time.
const TRIES: u32 = 5;

/// What was to be written.
#[derive(Clone)]
pub(super) enum Unsettled {
    Claim(UnsettledClaim),
    /// A connection ended, which was not written.
    Release {
        instance_id: String,
        node: String,
        generation: u64,
        at: UnixTime,
    },
}

/// A claim. Whoever asked for it was refused.
#[derive(Clone)]
pub(super) struct UnsettledClaim {
    pub(super) instance_id: String,
    pub(super) written: Presence,
    /// The revision of the entry that it replaces; `None` if there was none.
    pub(super) over: Option<u64>,
    /// The node that had the instance, and was not told.
    pub(super) replaced: Option<String>,
}

/// Connections of an instance with an earlier generation have lost their id.
pub(super) struct Overtaken {
    pub(super) instance_id: String,
    pub(super) generation: u64,
    /// A node that may have one.
    pub(super) node: Option<String>,
}

impl PresenceStore {
    /// Writes a claim, as [`PresenceStore::write`] does. If there is no answer, what is in the store counts.
    pub(super) async fn write_claim(&self, claim: UnsettledClaim) -> Result<bool, ClaimRefused> {
        let is_same =
            |other: &Unsettled| matches!(other, Unsettled::Claim(other) if other.instance_id == claim.instance_id);
        // Only one for each instance: otherwise, repeated requests while NATS writes nothing would leave more and more of
        // them.
        if locked(&self.unsettled).iter().any(is_same) {
            return Err(ClaimRefused::Unavailable);
        }
        match self.write(&claim.instance_id, &claim.written, claim.over).await {
            Err(ClaimRefused::Unavailable) => {}
            known => return known,
        }
        if let Ok(Some((held, _))) = self.entry(&claim.instance_id).await
            && held == claim.written
        {
            return Ok(true);
        }
        locked(&self.unsettled).push_back(Unsettled::Claim(claim));
        Err(ClaimRefused::Unavailable)
    }

    /// Looks at everything that is not settled, until the store is unreachable. Returns whose connections have to end.
    pub(super) async fn settle(&self, now: UnixTime) -> Vec<Overtaken> {
        let mut overtaken = Vec::new();
        loop {
            // Meanwhile it stays in the list, and nobody else removes it.
            let Some(first) = locked(&self.unsettled).front().cloned() else { return overtaken };
            let settled = match &first {
                Unsettled::Claim(claim) => self.settle_claim(claim, now).await,
                Unsettled::Release { instance_id, node, generation, at } => {
                    self.try_release(instance_id, node, *generation, *at).await.map(|()| None)
                }
            };
            let Ok(overtaken_by) = settled else {
                // Next time another one comes first, so that one that cannot be settled keeps no other waiting.
                locked(&self.unsettled).rotate_left(1);
                return overtaken;
            };
            locked(&self.unsettled).pop_front();
            if let (Some(generation), Unsettled::Claim(claim)) = (overtaken_by, first) {
                overtaken.push(Overtaken { instance_id: claim.instance_id, generation, node: claim.replaced });
            }
        }
    }

    /// Looks until the claim is known to be in the store, or never to arrive there. Returns the generation that has replaced
    /// the previous one.
    async fn settle_claim(&self, claim: &UnsettledClaim, now: UnixTime) -> Result<Option<u64>, ()> {
        let UnsettledClaim { instance_id, written, over, .. } = claim;
        for _ in 0..TRIES {
            let entry = self.entry(instance_id).await?;
            let is_settled = match (entry, over) {
                // It is in the store, but nobody has the instance because of it.
                (Some((held, revision)), _) if held == *written => {
                    let generation = held.generation;
                    let is_released = self.write(instance_id, &held.released(now), Some(revision)).await;
                    is_released.map(|is_so| is_so.then_some(Some(generation)))
                }
                // The claim may still arrive. Once the current entry has another revision, it cannot.
                (Some((held, revision)), Some(over)) if revision == *over => {
                    self.write(instance_id, &held, Some(revision)).await.map(|is_so| is_so.then_some(None))
                }
                (None, None) => {
                    let is_barred = self.write(instance_id, &written.clone().released(now), None).await;
                    is_barred.map(|is_so| is_so.then_some(None))
                }
                // Others came after it, and may have told this node instead of the previous owner.
                (Some((held, _)), _) => {
                    return Ok(Some(held.generation).filter(|generation| *generation >= written.generation));
                }
                (None, Some(_)) => return Ok(None),
            };
            if let Some(settled) = is_settled.map_err(|_| ())? {
                return Ok(settled);
            }
        }
        Err(())
    }
}
