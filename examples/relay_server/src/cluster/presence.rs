//! Who has which instance: one key-value entry for each instance id, changed by compare-and-set, so there is one owner at any
//! time.

use std::collections::VecDeque;
use std::time::Duration;

use async_nats::jetstream::kv::{CreateErrorKind, Operation, Store, UpdateErrorKind};
use async_nats::jetstream::{Context, stream};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pulse_trust::UnixTime;
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use super::unsettled::{Unsettled, UnsettledClaim};
use crate::registry::{Claim, ClaimRefused, Fence};
use crate::sync::{Mutex, locked};

/// For each question to the store.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How often somebody else may be faster before a claim is given up.
const TRIES: u32 = 50;

/// An instance's entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Presence {
    /// Where it is, or was last.
    pub(super) node: String,
    /// Grows with each registration.
    pub(super) generation: u64,
    /// How often another identity has taken the id over.
    changes: u64,
    /// SHA-256 of the identity key, in base64.
    identity: String,
    proved: bool,
    /// When its connection ended, Unix seconds; `None` while it is connected.
    released_at: Option<i64>,
    /// Different for each claim, so that an unanswered one can be recognized.
    #[serde(default)]
    claim: u32,
}

impl Presence {
    /// The same, once its connection has ended.
    pub(super) fn released(self, at: UnixTime) -> Self {
        Self { released_at: Some(at.as_secs()), ..self }
    }
}

/// The entries.
pub(super) struct PresenceStore {
    context: Context,
    bucket: String,
    store: Store,
    /// What NATS did not answer.
    pub(super) unsettled: Mutex<VecDeque<Unsettled>>,
}

/// A claim that was granted, and who had the id before.
pub(super) struct Granted {
    pub(super) fence: Fence,
    /// The node that has to end its connection.
    pub(super) replaced: Option<String>,
}

impl PresenceStore {
    /// The bucket of this name, which is made if it is missing.
    pub(super) async fn open(context: Context, bucket: String) -> Result<Self, String> {
        let store = Self::ensure(&context, &bucket).await?;
        Ok(Self { context, bucket, store, unsettled: Mutex::default() })
    }

    /// Makes the bucket if it is missing: a NATS server that has lost its disk has lost the bucket too.
    pub(super) async fn ensure_bucket(&self) -> Result<(), String> {
        Self::ensure(&self.context, &self.bucket).await.map(drop)
    }

    async fn ensure(context: &Context, bucket: &str) -> Result<Store, String> {
        if let Ok(store) = context.get_key_value(bucket).await {
            return Ok(store);
        }
        // The same as `create_key_value` would make. That function first asks for the account, in a form that servers before
        // 2.10 do not support.
        let stream = stream::Config {
            name: format!("KV_{bucket}"),
            description: Some("Which node of pulse-relay has which instance".to_owned()),
            subjects: vec![format!("$KV.{bucket}.>")],
            max_messages_per_subject: 1,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            discard: stream::DiscardPolicy::New,
            num_replicas: 1,
            ..stream::Config::default()
        };
        context.create_stream(stream).await.map_err(|error| error.to_string())?;
        context.get_key_value(bucket).await.map_err(|error| error.to_string())
    }

    /// Where an instance is connected.
    pub(super) async fn find(&self, instance_id: &str) -> Result<Option<Presence>, ()> {
        let entry = self.entry(instance_id).await?;
        Ok(entry.map(|(presence, _)| presence).filter(|presence| presence.released_at.is_none()))
    }

    /// Makes this node the owner, or says why not. `is_alive`: whether a node is known to be alive.
    pub(super) async fn claim(
        &self,
        claim: &Claim,
        node: &str,
        hold: Duration,
        now: UnixTime,
        is_alive: impl Fn(&str) -> bool,
    ) -> Result<Granted, ClaimRefused> {
        let identity = STANDARD.encode(claim.identity);
        for _ in 0..TRIES {
            let before = self.entry(&claim.instance_id).await.map_err(|()| ClaimRefused::Unavailable)?;
            let mut next = Presence {
                node: node.to_owned(),
                generation: 1,
                changes: claim.generation.unwrap_or_default(),
                identity: identity.clone(),
                proved: claim.is_proved,
                released_at: None,
                claim: rand_below(u32::MAX),
            };
            let (mut revision, mut replaced) = (None, None);
            if let Some((held, at)) = before {
                revision = Some(at);
                next.generation = held.generation.saturating_add(1);
                next.changes = held.changes;
                let is_other = held.identity != identity;
                if claim.generation.is_some_and(|generation| generation != held.changes || is_other) {
                    return Err(ClaimRefused::Superseded);
                }
                let is_gone = held.released_at.is_none() && !is_alive(&held.node);
                let is_held = match held.released_at {
                    None => true,
                    Some(at) => now.saturating_duration_since(UnixTime::from_secs(at)) < hold,
                };
                if is_other && is_gone {
                    // Nobody was left to write when its connection ended, so the hold begins now.
                    self.write(&claim.instance_id, &held.released(now), Some(at)).await?;
                    return Err(ClaimRefused::Duplicate);
                }
                if is_other && is_held {
                    return Err(ClaimRefused::Duplicate);
                }
                if is_other {
                    next.changes = next.changes.saturating_add(1);
                } else if is_held && held.proved && !claim.is_proved {
                    return Err(ClaimRefused::ProofMissing);
                }
                let is_elsewhere = held.released_at.is_none() && held.node != node && !is_gone;
                replaced = is_elsewhere.then_some(held.node);
            }
            let fence = Fence { generation: next.generation, changes: next.changes };
            let (instance_id, replaced_node) = (claim.instance_id.clone(), replaced.clone());
            let unsettled = UnsettledClaim { instance_id, written: next, over: revision, replaced: replaced_node };
            if self.write_claim(unsettled).await? {
                return Ok(Granted { fence, replaced });
            }
            // Somebody else was faster: look again at what is there now, after a delay that differs between nodes.
            sleep(Duration::from_millis(u64::from(rand_below(20)))).await;
        }
        Err(ClaimRefused::Unavailable)
    }

    /// Notes that a connection ended, if its registration is still the last one.
    pub(super) async fn release(&self, instance_id: &str, node: &str, generation: u64, now: UnixTime) {
        if self.try_release(instance_id, node, generation, now).await.is_err() {
            let (instance_id, node) = (instance_id.to_owned(), node.to_owned());
            locked(&self.unsettled).push_back(Unsettled::Release { instance_id, node, generation, at: now });
        }
    }

    pub(super) async fn try_release(
        &self,
        instance_id: &str,
        node: &str,
        generation: u64,
        now: UnixTime,
    ) -> Result<(), ()> {
        let Some((held, revision)) = self.entry(instance_id).await? else { return Ok(()) };
        if held.node == node && held.generation == generation && held.released_at.is_none() {
            // If somebody else was faster, the instance is theirs.
            self.write(instance_id, &held.released(now), Some(revision)).await.map_err(|_| ())?;
        }
        Ok(())
    }

    /// After the store was unreachable: whether this node still has the instance. An entry that was lost is written
    /// again.
    pub(super) async fn still_has(&self, claim: &Rebuilt<'_>, node: &str) -> Result<bool, ()> {
        match self.entry(claim.instance_id).await? {
            Some((held, _)) => Ok(held.generation <= claim.fence.generation && held.node == node),
            None => {
                let presence = Presence {
                    node: node.to_owned(),
                    generation: claim.fence.generation,
                    changes: claim.fence.changes,
                    identity: STANDARD.encode(claim.identity),
                    proved: claim.is_proved,
                    released_at: None,
                    claim: rand_below(u32::MAX),
                };
                self.write(claim.instance_id, &presence, None).await.map_err(|_| ())
            }
        }
    }

    pub(super) async fn entry(&self, instance_id: &str) -> Result<Option<(Presence, u64)>, ()> {
        let entry = timeout(TIMEOUT, self.store.entry(key(instance_id))).await.map_err(|_| ())?.map_err(|_| ())?;
        let Some(entry) = entry.filter(|entry| entry.operation == Operation::Put) else { return Ok(None) };
        serde_json::from_slice(&entry.value).map(|presence| Some((presence, entry.revision))).map_err(|_| ())
    }

    /// Writes if the entry is still at this revision, or if there is none; otherwise returns false.
    pub(super) async fn write(
        &self,
        instance_id: &str,
        value: &Presence,
        revision: Option<u64>,
    ) -> Result<bool, ClaimRefused> {
        let bytes = Bytes::from(serde_json::to_vec(value).map_err(|_| ClaimRefused::Failed)?);
        let key = key(instance_id);
        let written = timeout(TIMEOUT, async {
            match revision {
                Some(revision) => self
                    .store
                    .update(key, bytes, revision)
                    .await
                    .map(drop)
                    .map_err(|error| matches!(error.kind(), UpdateErrorKind::WrongLastRevision)),
                None => self
                    .store
                    .create(key, bytes)
                    .await
                    .map(drop)
                    .map_err(|error| matches!(error.kind(), CreateErrorKind::AlreadyExists)),
            }
        });
        match written.await {
            Ok(Ok(())) => Ok(true),
            Ok(Err(true)) => Ok(false),
            _ => Err(ClaimRefused::Unavailable),
        }
    }
}

/// A registration of this node that may have to be written again.
pub(super) struct Rebuilt<'a> {
    pub(super) instance_id: &'a str,
    pub(super) fence: Fence,
    pub(super) identity: [u8; 32],
    pub(super) is_proved: bool,
}

/// An instance id as a key of the store. Ids contain only characters that keys may have; anything else is not one of
/// our ids.
fn key(instance_id: &str) -> String {
    let is_safe = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '-';
    instance_id.chars().map(|character| if is_safe(character) { character } else { '=' }).collect()
}

/// A number that differs between nodes, for waits.
pub(super) fn rand_below(limit: u32) -> u32 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let random = RandomState::new().build_hasher().finish();
    u32::try_from(random.checked_rem(u64::from(limit.max(1))).unwrap_or_default()).unwrap_or_default()
}
