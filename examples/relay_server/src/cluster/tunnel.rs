//! A channel between nodes. On the app's node a link stands for the instance; on the instance's node one stands for the app.
//! What is sent to either link crosses NATS, and comes out on the other node as if the real end had sent it there.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pulse_trust::relay::{
    ChannelClose, ChannelOpen, Connect, ConnectAck, ControlPayload, ErrorMessage, Frame, FrameType, WireErrorCode,
};
use pulse_trust::session::RelayedEnd;
use tokio::sync::mpsc;
use tokio::time::interval;

use super::Cluster;
use super::packet::{Open, Packet, Received};
use crate::blocked::Blocked;
use crate::client_address::AddressKey;
use crate::connection::{Outbox, Outgoing, Queued, Room};
use crate::link::{Link, Origin};
use crate::routing::{self, Next, Passing};
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::sync::locked;
use crate::{app, pacing};

/// How often to check whether the other node is alive.
const TICK: Duration = Duration::from_millis(500);
/// After this many checks something is sent, so that a lost message is noticed even if nothing follows it.
const TICKS_OF_SILENCE: u32 = 10;

/// What arrives at a tunnel.
pub(super) enum Input {
    Packet(Received),
    /// NATS is gone.
    Lost(&'static str),
}

/// One side of a channel between nodes.
struct Tunnel {
    cluster: Arc<Cluster>,
    id: u64,
    /// The other node.
    peer: String,
    /// Stands for the end on the other node.
    stub: Arc<Link>,
    /// On the stub; 0 until the instance has accepted.
    channel: u32,
    open: Option<Open>,
    sent: u64,
    received: u64,
    /// Frames that the other node has not passed on yet. Their size here is the window of the channel.
    in_flight: VecDeque<Option<Room>>,
    taken: u32,
}

enum Step {
    Continue,
    Pass(Passing),
    /// It is over, for this reason; the flag says whether the other node is told.
    End(String, bool),
}

impl Cluster {
    /// Connects an app to an instance on another node; false if it is on none.
    pub(crate) async fn connect_app(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        app: &Arc<Link>,
        connect: &Connect,
    ) -> Result<bool, (WireErrorCode, &'static str)> {
        let Some(found) = self.locate(&connect.instance_id).await else { return Ok(false) };
        let Some(stub) = stub(self, shared, RelayedEnd::Instance, app.address) else { return Ok(false) };
        stub.set_registered(&connect.instance_id);
        stub.side().registered();
        let open = Open {
            instance_id: connect.instance_id.clone(),
            generation: found.generation,
            auth_token: connect.auth_token.expose_secret().to_owned(),
            address: app.address.ip(),
        };
        let channel = app::open_channel(shared, app, &stub, connect.auth_token.duplicate())?;
        let id = self.last_tunnel.fetch_add(1, Ordering::SeqCst);
        let inputs = self.add_tunnel(id);
        let tunnel = Tunnel::new(self, id, found.node, stub, channel, Some(open));
        shared.tasks.spawn(tunnel.run(Arc::clone(shared), inputs));
        Ok(true)
    }
}

/// Serves a channel that another node opens.
pub(super) fn serve(cluster: &Arc<Cluster>, shared: &Arc<Shared>, id: u64, received: Received) {
    let Received { from, packet: Packet::Open(open), number } = received else { return };
    let Some(stub) = stub(cluster, shared, RelayedEnd::App, AddressKey::from(open.address)) else { return };
    let inputs = cluster.add_tunnel(id);
    let is_current = shared.registry.find(&open.instance_id).is_some()
        && shared.registry.fence_of(&open.instance_id).is_some_and(|fence| fence.generation == open.generation);
    if shared.drain.is_cancelled() {
        stub.outbox.push_error(WireErrorCode::ServerDraining, "the relay node of this instance is going down");
    } else if is_current {
        let mut connect = Connect::default();
        (connect.instance_id, connect.auth_token) = (open.instance_id, open.auth_token.into());
        // On this node or on none.
        app::connect_here(shared, &stub, connect);
    } else {
        shared.metrics.cluster_stale.inc();
        let message = "this instance is not connected to the relay node that had it";
        stub.outbox.push_error(WireErrorCode::InstanceNotFound, message);
    }
    let mut tunnel = Tunnel::new(cluster, id, from, stub, 0, None);
    tunnel.received = number;
    shared.tasks.spawn(tunnel.run(Arc::clone(shared), inputs));
}

/// Sends a packet; false if NATS does not take it.
pub(super) async fn publish(cluster: &Cluster, node: &str, tunnel: u64, number: u64, packet: &Packet) -> bool {
    let Some(bytes) = packet.encode(&cluster.node, number) else { return false };
    let subject = format!("{}.n.{node}.t.{tunnel:x}", cluster.prefix);
    cluster.is_up() && cluster.client.publish(subject, bytes).await.is_ok()
}

fn stub(cluster: &Cluster, shared: &Shared, end: RelayedEnd, address: AddressKey) -> Option<Arc<Link>> {
    let config = shared.config.load();
    let outbox = Outbox::new(config.limits.queued_bytes, Arc::clone(&shared.memory));
    // There are as many places as a semaphore can have; the limits apply to the channels of the real ends.
    let slot = Arc::clone(&cluster.places).try_acquire_owned().ok()?;
    let origin = Origin { address, host: "".into(), slot: slot.into() };
    Some(Link::new(end, origin, outbox, config.limits.of_side(end), shared.elapsed()))
}

impl Tunnel {
    fn new(cluster: &Arc<Cluster>, id: u64, peer: String, stub: Arc<Link>, channel: u32, open: Option<Open>) -> Self {
        let (in_flight, taken) = (VecDeque::new(), 0);
        Self { cluster: Arc::clone(cluster), id, peer, stub, channel, open, sent: 0, received: 0, in_flight, taken }
    }

    async fn run(mut self, shared: Arc<Shared>, mut inputs: mpsc::UnboundedReceiver<Input>) {
        shared.metrics.cluster_channels.inc();
        let (reason, is_told) = self.until_over(&shared, &mut inputs).await;
        locked(&self.cluster.tunnels).remove(&self.id);
        if is_told {
            self.send(&Packet::Closed(reason.clone())).await;
        }
        routing::close_channels(&self.stub, &reason);
        shared.metrics.cluster_channels.dec();
    }

    async fn until_over(
        &mut self,
        shared: &Arc<Shared>,
        inputs: &mut mpsc::UnboundedReceiver<Input>,
    ) -> (String, bool) {
        let mut tick = interval(TICK);
        let mut silent_ticks = 0_u32;
        let mut waiting = VecDeque::new();
        let mut blocked: Option<Blocked> = None;
        loop {
            if blocked.is_none()
                && let Some(packet) = waiting.pop_front()
            {
                let is_frame = matches!(packet, Packet::Frame(..));
                match self.take(shared, packet) {
                    // A frame that goes nowhere takes no room either.
                    Step::Continue => self.taken = self.taken.saturating_add(u32::from(is_frame)),
                    Step::Pass(passing) => blocked = Some(self.pass(shared, passing)),
                    Step::End(reason, is_told) => return (reason, is_told),
                }
                continue;
            }
            if self.taken > 0 && blocked.is_none() {
                let taken = std::mem::take(&mut self.taken);
                self.send(&Packet::Taken(taken)).await;
            }
            tokio::select! {
                outgoing = poll_fn(|context| self.stub.outbox.poll_next(context)) => {
                    let step = match outgoing {
                        Outgoing::Frame(queued) => self.forward(queued).await,
                        Outgoing::End(ending) => Step::End(ending.reason, true),
                    };
                    if let Step::End(reason, is_told) = step {
                        return (reason, is_told);
                    }
                }
                input = inputs.recv() => match input {
                    // Without a number, because the other end is gone. What it sent before comes first.
                    Some(Input::Packet(Received { packet: closed @ Packet::Closed(_), number: 0, .. })) => waiting.push_back(closed),
                    Some(Input::Packet(received)) => {
                        self.received = self.received.saturating_add(1);
                        if received.number != self.received {
                            shared.metrics.cluster_gaps.inc();
                            return ("frames were lost between the relay's nodes".to_owned(), true);
                        }
                        match received.packet {
                            Packet::Taken(count) => self.given_back(count),
                            packet => waiting.push_back(packet),
                        }
                    }
                    Some(Input::Lost(reason)) => return (reason.to_owned(), false),
                    None => return ("the relay's node ends".to_owned(), true),
                },
                (passing, room) = Blocked::wait(&mut blocked) => {
                    blocked = None;
                    self.taken = self.taken.saturating_add(1);
                    passing.deliver_if(shared, room);
                }
                _ = tick.tick() => {
                    if !self.cluster.nodes.is_alive(&self.peer) {
                        return ("the relay's other node is gone: connect again".to_owned(), false);
                    }
                    silent_ticks = silent_ticks.saturating_add(1);
                    if silent_ticks >= TICKS_OF_SILENCE {
                        silent_ticks = 0;
                        self.send(&Packet::Taken(0)).await;
                    }
                    let stall_timeout = shared.config.load().limits.stall_timeout;
                    if let Some(stalled) = blocked.take_if(|blocked| blocked.since.elapsed() >= stall_timeout) {
                        routing::end_stalled(shared, &self.stub, stalled.channel, &stalled.route);
                    }
                }
            }
        }
    }

    /// What the stub was sent goes to the other node.
    async fn forward(&mut self, queued: Queued) -> Step {
        let Ok(frame) = Frame::decode(&queued.bytes) else { return Step::Continue };
        let packet = match frame.frame_type {
            FrameType::ChannelOpen => match self.open.take() {
                Some(open) => Packet::Open(open),
                None => return Step::Continue,
            },
            FrameType::ConnectAck => match ConnectAck::from_frame(&frame) {
                Ok(ack) => {
                    self.channel = ack.channel_id;
                    Packet::Accepted
                }
                Err(_) => return Step::Continue,
            },
            FrameType::Data | FrameType::KeyExchange => {
                self.in_flight.push_back(queued.room);
                Packet::Frame(frame.frame_type, Bytes::copy_from_slice(frame.payload))
            }
            FrameType::Error => {
                self.send(&Packet::Refused(Bytes::copy_from_slice(frame.payload))).await;
                return Step::End(String::new(), false);
            }
            FrameType::ChannelClose => {
                let reason = ChannelClose::from_frame(&frame).map(|close| close.reason).unwrap_or_default();
                return Step::End(reason, true);
            }
            _ => return Step::Continue,
        };
        match self.send(&packet).await {
            true => Step::Continue,
            false => Step::End("the connection between the relay's nodes was lost: connect again".to_owned(), false),
        }
    }

    /// What the other node sent comes out of the stub.
    fn take(&mut self, shared: &Arc<Shared>, packet: Packet) -> Step {
        let bytes = match packet {
            Packet::Accepted => ChannelOpen::new(self.channel, "").to_frame(self.channel).unwrap_or_default(),
            Packet::Frame(frame_type, payload) => {
                Frame::new(frame_type, self.channel, &payload).encode().unwrap_or_default()
            }
            Packet::Closed(reason) => {
                let close = ChannelClose::new(self.channel, &reason).to_frame(self.channel).unwrap_or_default();
                routing::handle(shared, &self.stub, &close);
                return Step::End(reason, false);
            }
            Packet::Refused(error) => {
                self.refuse(shared, &error);
                return Step::End(String::new(), false);
            }
            Packet::Open(_) | Packet::Taken(_) => return Step::Continue,
        };
        match routing::handle(shared, &self.stub, &bytes) {
            Next::Pass(passing) => Step::Pass(passing),
            Next::End(ending) => Step::End(ending.reason, true),
            _ => Step::Continue,
        }
    }

    /// The instance's node refused: the app gets that node's message.
    fn refuse(&self, shared: &Shared, error: &[u8]) {
        let Ok(error) = ErrorMessage::from_frame(&Frame::new(FrameType::Error, 0, error)) else { return };
        let Some(route) = self.stub.side().route(self.channel) else { return };
        self.stub.side().remove(self.channel);
        if route.passage.close() {
            route.peer.side().remove(route.peer_channel);
            let code = error.wire_code().unwrap_or(WireErrorCode::InternalError);
            app::refuse(shared, &route.peer, code, &error.message);
        }
    }

    fn pass(&self, shared: &Shared, passing: Passing) -> Blocked {
        Blocked::after(pacing::pace(shared, &self.stub, &passing), passing)
    }

    fn given_back(&mut self, count: u32) {
        for _ in 0..count {
            self.in_flight.pop_front();
        }
    }

    async fn send(&mut self, packet: &Packet) -> bool {
        self.sent = self.sent.saturating_add(1);
        publish(&self.cluster, &self.peer, self.id, self.sent, packet).await
    }
}
