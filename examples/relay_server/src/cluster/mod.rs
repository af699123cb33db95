//! Several nodes over NATS: an instance on one node can talk to a phone on another, and each instance has one owner.
//!
//! A node has one wildcard subscription, for all its channels with other nodes. Who has an instance is asked of a JetStream key-value
//! bucket ([`presence`]), and written there by compare-and-set before a registration is answered. A channel between nodes is a
//! [`tunnel`]: on each side a link that stands for the other end, so that all rules of a conversation are those of one node.

mod nodes;
mod packet;
mod presence;
mod service;
mod tunnel;
mod unsettled;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, jetstream};
use bytes::Bytes;
use pulse_trust::UnixTime;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::config::NatsConfig;
use crate::registry::{Claim, ClaimRefused, Fence};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Mutex, locked};
use nodes::{Alive, Nodes};
use presence::{Presence, PresenceStore, rand_below};
use tunnel::Input;

pub(crate) use service::run;

/// For connecting at startup, and for a node that has to end a connection.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long the last messages of a node may take.
const FLUSHED_WITHIN: Duration = Duration::from_millis(200);
/// A node that does not answer in this time is gone, or will notice by itself that it was replaced.
const REPLACED_WITHIN: Duration = Duration::from_secs(1);

/// This node among the others.
pub(crate) struct Cluster {
    /// Of this process: messages for an earlier process reach nobody.
    node: String,
    prefix: String,
    url: String,
    client: Client,
    presence: PresenceStore,
    nodes: Nodes,
    tunnels: Mutex<HashMap<u64, mpsc::UnboundedSender<Input>>>,
    last_tunnel: AtomicU64,
    is_up: AtomicBool,
    is_draining: AtomicBool,
    /// Places of the links that stand for ends on other nodes.
    places: Arc<Semaphore>,
}

/// A connection elsewhere lost its instance id.
#[derive(Serialize, Deserialize)]
struct Replaced {
    instance_id: String,
    generation: u64,
}

impl Cluster {
    /// Connects; returns also what NATS reports about the connection from then on.
    pub(crate) async fn connect(config: &NatsConfig) -> io::Result<(Arc<Self>, mpsc::UnboundedReceiver<Event>)> {
        let failed = |what: String| {
            io::Error::other(format!("cannot use NATS at {} (PULSE_RELAY_NATS_URL): {what}", config.shown()))
        };
        let (events, happened) = mpsc::unbounded_channel();
        let options = ConnectOptions::new()
            .name("pulse-relay")
            .connection_timeout(TIMEOUT)
            .ping_interval(Duration::from_secs(5))
            .request_timeout(Some(TIMEOUT))
            // All nodes lose their connection at the same moment, but need not all come back at the same moment.
            .reconnect_delay_callback(|attempt| {
                let most = u32::try_from(attempt).unwrap_or(u32::MAX).saturating_mul(100).clamp(100, 2000);
                Duration::from_millis(u64::from(rand_below(most)))
            })
            .event_callback(move |event| {
                events.send(event).ok();
                async {}
            });
        let connecting = timeout(TIMEOUT, options.connect(config.url()));
        let client = connecting.await.map_err(|_| failed("no answer within 5 s".to_owned()))?;
        let client = client.map_err(|error| failed(error.to_string()))?;
        let bucket = format!("{}_instances", config.prefix);
        let presence = PresenceStore::open(jetstream::new(client.clone()), bucket.clone()).await;
        let presence = presence.map_err(|error| failed(format!("the bucket {bucket}: {error} (is JetStream on?)")))?;
        let node = format!("{:016x}", u64::from(rand_below(u32::MAX)) << 32 | u64::from(rand_below(u32::MAX)));
        let cluster = Arc::new(Self {
            nodes: Nodes::new(node.clone()),
            node,
            prefix: config.prefix.clone(),
            url: config.node_url.clone(),
            client,
            presence,
            tunnels: Mutex::default(),
            last_tunnel: AtomicU64::new(u64::from(rand_below(u32::MAX)) << 32),
            is_up: AtomicBool::new(true),
            is_draining: AtomicBool::new(false),
            places: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        });
        info!(node = cluster.node, nats = config.shown(), "this node knows of the others");
        Ok((cluster, happened))
    }

    /// Whether NATS is there.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::SeqCst)
    }

    /// Where a draining node's instance or app should go: to a node that stays.
    pub(crate) fn living_url(&self, hash: u64) -> Option<String> {
        self.nodes.url(hash)
    }

    /// From now on no other node sends anybody here.
    pub(crate) async fn drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
        self.say_alive().await;
    }

    /// Waits until NATS has what was published, or does not take it.
    pub(crate) async fn flush(&self) {
        if self.is_up() {
            timeout(FLUSHED_WITHIN, self.client.flush()).await.ok();
        }
    }

    /// Makes this node the owner of an instance id, and ends the connection that another node has.
    pub(crate) async fn claim(&self, claim: &Claim, hold: Duration, now: UnixTime) -> Result<Fence, ClaimRefused> {
        if !self.is_up() {
            return Err(ClaimRefused::Unavailable);
        }
        let is_alive = |node: &str| self.nodes.is_alive(node);
        let granted = self.presence.claim(claim, &self.node, hold, now, is_alive).await?;
        if let Some(node) = granted.replaced {
            self.tell_replaced(&node, &claim.instance_id, granted.fence.generation).await;
        }
        Ok(granted.fence)
    }

    /// Ends the connection that a node has with an instance from an earlier registration.
    async fn tell_replaced(&self, node: &str, instance_id: &str, generation: u64) {
        let replaced = Replaced { instance_id: instance_id.to_owned(), generation };
        let payload = Bytes::from(serde_json::to_vec(&replaced).unwrap_or_default());
        let told = timeout(REPLACED_WITHIN, self.client.request(format!("{}.n.{node}.replace", self.prefix), payload));
        if !matches!(told.await, Ok(Ok(_))) {
            warn!(instance_id, node, "the node that had the instance does not answer");
        }
    }

    /// Notes that a connection ended.
    pub(crate) async fn release(&self, instance_id: &str, generation: u64, now: UnixTime) {
        self.presence.release(instance_id, &self.node, generation, now).await;
    }

    /// Where an instance is, if it is on another node that is alive.
    async fn locate(&self, instance_id: &str) -> Option<Presence> {
        if !self.is_up() {
            return None;
        }
        let found = self.presence.find(instance_id).await.ok()??;
        (found.node != self.node && self.nodes.is_alive(&found.node)).then_some(found)
    }

    async fn say_alive(&self) {
        let is_draining = self.is_draining.load(Ordering::SeqCst);
        let alive = Alive { node: self.node.clone(), url: self.url.clone(), is_draining };
        if let Ok(payload) = serde_json::to_vec(&alive)
            && self.is_up()
        {
            self.client.publish(format!("{}.alive", self.prefix), payload.into()).await.ok();
        }
    }

    /// A place in the table of tunnels, and what comes in through it.
    fn add_tunnel(&self, id: u64) -> mpsc::UnboundedReceiver<Input> {
        let (sender, inputs) = mpsc::unbounded_channel();
        locked(&self.tunnels).insert(id, sender);
        inputs
    }

    /// Ends every channel with another node.
    fn end_tunnels(&self, reason: &'static str) {
        for sender in std::mem::take(&mut *locked(&self.tunnels)).into_values() {
            sender.send(Input::Lost(reason)).ok();
        }
    }
}
