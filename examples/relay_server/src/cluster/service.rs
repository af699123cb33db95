//! What a node hears: packets of channels, which connections were replaced, which nodes are alive, and the state of
//! NATS.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Event, Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{interval, sleep};
use tracing::{debug, info, warn};

use super::nodes::{Alive, EVERY};
use super::packet::Packet;
use super::presence::Rebuilt;
use super::tunnel::{self, Input};
use super::{Cluster, Replaced};
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::sync::locked;

const NATS_GONE: &str = "the connection between the relay's nodes was lost: connect again";

/// Listens until the process ends.
pub(crate) async fn run(cluster: Arc<Cluster>, mut happened: mpsc::UnboundedReceiver<Event>, shared: Arc<Shared>) {
    let (mut packets, mut alive) = loop {
        let packets = cluster.client.subscribe(format!("{}.n.{}.>", cluster.prefix, cluster.node)).await;
        let alive = cluster.client.subscribe(format!("{}.alive", cluster.prefix)).await;
        match (packets, alive) {
            (Ok(packets), Ok(alive)) => break (packets, alive),
            _ => sleep(Duration::from_millis(100)).await,
        }
    };
    tokio::spawn(settle(Arc::clone(&cluster), Arc::clone(&shared)));
    let mut tick = interval(EVERY);
    loop {
        tokio::select! {
            biased;
            Some(event) = happened.recv() => handle_event(&cluster, &shared, &event),
            message = next(&mut packets) => take(&cluster, &shared, message).await,
            message = next(&mut alive) => {
                if let Ok(alive) = serde_json::from_slice::<Alive>(&message.payload) {
                    cluster.nodes.hear(alive);
                }
            }
            _ = tick.tick() => {
                cluster.say_alive().await;
                shared.metrics.cluster_peers.set(i64::try_from(cluster.nodes.count()).unwrap_or(i64::MAX));
            }
        }
    }
}

/// The next message. A subscription ends only with its client, which ends with the process.
async fn next(subscriber: &mut Subscriber) -> Message {
    match subscriber.next().await {
        Some(message) => message,
        None => std::future::pending().await,
    }
}

fn handle_event(cluster: &Arc<Cluster>, shared: &Arc<Shared>, event: &Event) {
    match event {
        Event::Disconnected => {
            if cluster.is_up.swap(false, Ordering::SeqCst) {
                warn!(
                    "NATS cannot be reached: local sessions go on, sessions across nodes end, and no instance can register"
                );
            }
            shared.metrics.cluster_up.set(0);
            cluster.end_tunnels(NATS_GONE);
        }
        Event::Connected => {
            cluster.nodes.begin_again();
            shared.metrics.cluster_up.set(1);
            if !cluster.is_up.swap(true, Ordering::SeqCst) {
                info!("NATS is back");
                tokio::spawn(rebuild(Arc::clone(cluster), Arc::clone(shared)));
            }
        }
        Event::SlowConsumer(_) => {
            // What was dropped shows as a gap in the numbers of its channel, which ends it.
            shared.metrics.cluster_slow_consumer.inc();
        }
        // Every failed attempt to reconnect is reported, but it was already logged that NATS is gone.
        Event::ClientError(_) if !cluster.is_up() => debug!(event = %event, "NATS"),
        other => warn!(event = %other, "NATS"),
    }
}

/// Keeps looking at writes that NATS did not answer: if one came through, the previous owner has lost the instance.
async fn settle(cluster: Arc<Cluster>, shared: Arc<Shared>) {
    loop {
        sleep(EVERY).await;
        if !cluster.is_up() {
            continue;
        }
        for lost in cluster.presence.settle(shared.clock.now()).await {
            shared.registry.replace(&lost.instance_id, lost.generation);
            if let Some(node) = lost.node {
                cluster.tell_replaced(&node, &lost.instance_id, lost.generation).await;
            }
        }
    }
}

/// Compares what this node has with the store: connections that were replaced in the meantime end, and entries that the store
/// has lost are written again.
async fn rebuild(cluster: Arc<Cluster>, shared: Arc<Shared>) {
    let mut was_told = false;
    while let Err(error) = cluster.presence.ensure_bucket().await {
        if !std::mem::replace(&mut was_told, true) {
            warn!(error, "the nodes' common store is not there yet");
        }
        sleep(Duration::from_millis(500)).await;
        if !cluster.is_up() {
            return;
        }
    }
    for (instance_id, hold, fence) in shared.registry.fenced() {
        let rebuilt = Rebuilt { instance_id: &instance_id, fence, identity: hold.identity, is_proved: hold.is_proved };
        match cluster.presence.still_has(&rebuilt, &cluster.node).await {
            Ok(true) => {}
            Ok(false) => shared.registry.replace(&instance_id, fence.generation.saturating_add(1)),
            // NATS is gone again; when it is back, this starts over.
            Err(()) => return,
        }
    }
}

async fn take(cluster: &Arc<Cluster>, shared: &Arc<Shared>, message: Message) {
    let subject = message.subject.as_str();
    let own = format!("{}.n.{}.", cluster.prefix, cluster.node);
    let Some(what) = subject.strip_prefix(&own) else { return };
    if what == "replace" {
        if let Ok(Replaced { instance_id, generation }) = serde_json::from_slice(&message.payload) {
            shared.registry.replace(&instance_id, generation);
        }
        if let Some(reply) = message.reply {
            cluster.client.publish(reply, Bytes::new()).await.ok();
        }
        return;
    }
    let Some(tunnel) = what.strip_prefix("t.").and_then(|id| u64::from_str_radix(id, 16).ok()) else { return };
    let Some(received) = Packet::decode(&message.payload) else { return };
    let known = locked(&cluster.tunnels).get(&tunnel).cloned();
    match (known, &received.packet) {
        (Some(inputs), _) => drop(inputs.send(Input::Packet(received))),
        (None, Packet::Open(_)) => tunnel::serve(cluster, shared, tunnel, received),
        (None, Packet::Closed(_) | Packet::Refused(_)) => {}
        // For a channel that ended here: its other end does not know yet, or NATS had kept the message while it was
        // unreachable.
        (None, _) => {
            shared.metrics.cluster_stale.inc();
            let closed = Packet::Closed("the channel has ended".to_owned());
            tunnel::publish(cluster, &received.from, tunnel, 0, &closed).await;
        }
    }
}
