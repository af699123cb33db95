//! Writes that NATS did not answer: what they said may be in the store, or may come there yet. It is looked at until that is known.

use pulse_trust::UnixTime;

use super::presence::{Presence, PresenceStore};
use crate::registry::ClaimRefused;
use crate::sync::locked;

/// So often somebody else may have been faster before it is left for the next time.
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
    /// Over this revision of the entry; `None` where there was none.
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
    /// Writes a claim; as [`PresenceStore::write`], and where there is no answer, what is there counts.
    pub(super) async fn write_claim(&self, claim: UnsettledClaim) -> Result<bool, ClaimRefused> {
        let is_same =
            |other: &Unsettled| matches!(other, Unsettled::Claim(other) if other.instance_id == claim.instance_id);
        // One of an instance at a time: whoever asks again and again while NATS writes nothing would leave ever more of them.
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

    /// Looks at all that is not settled, until the store is away; whose connections have to end.
    pub(super) async fn settle(&self, now: UnixTime) -> Vec<Overtaken> {
        let mut overtaken = Vec::new();
        loop {
            // It stays there meanwhile, and nobody else takes it away.
            let Some(first) = locked(&self.unsettled).front().cloned() else { return overtaken };
            let settled = match &first {
                Unsettled::Claim(claim) => self.settle_claim(claim, now).await,
                Unsettled::Release { instance_id, node, generation, at } => {
                    self.try_release(instance_id, node, *generation, *at).await.map(|()| None)
                }
            };
            let Ok(overtaken_by) = settled else {
                // Next time another is the first: one that cannot be settled keeps no other waiting.
                locked(&self.unsettled).rotate_left(1);
                return overtaken;
            };
            locked(&self.unsettled).pop_front();
            if let (Some(generation), Unsettled::Claim(claim)) = (overtaken_by, first) {
                overtaken.push(Overtaken { instance_id: claim.instance_id, generation, node: claim.replaced });
            }
        }
    }

    /// Until the claim is known to be in the store, or never to come there; the generation that is there instead of the one before it.
    async fn settle_claim(&self, claim: &UnsettledClaim, now: UnixTime) -> Result<Option<u64>, ()> {
        let UnsettledClaim { instance_id, written, over, .. } = claim;
        for _ in 0..TRIES {
            let entry = self.entry(instance_id).await?;
            let is_settled = match (entry, over) {
                // It is there, and nobody has the instance by it.
                (Some((held, revision)), _) if held == *written => {
                    let generation = held.generation;
                    let is_released = self.write(instance_id, &held.released(now), Some(revision)).await;
                    is_released.map(|is_so| is_so.then_some(Some(generation)))
                }
                // It may come yet. With another revision of what is there, it cannot.
                (Some((held, revision)), Some(over)) if revision == *over => {
                    self.write(instance_id, &held, Some(revision)).await.map(|is_so| is_so.then_some(None))
                }
                (None, None) => {
                    let is_barred = self.write(instance_id, &written.clone().released(now), None).await;
                    is_barred.map(|is_so| is_so.then_some(None))
                }
                // Others came after it, who may have told this node in place of the one before.
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
