//! What a frame of one connection does to another: channels open and close, and frames pass through them.

use std::sync::Arc;

use bytes::Bytes;
use pulse_trust::relay::{ChannelClose, Connect, ConnectAck, Frame, FrameType, Register, WireErrorCode};
use pulse_trust::session::{RelayEvent, RelayedEnd};

use crate::connection::{Ending, Room};
use crate::link::Link;
use crate::passage::Route;
use crate::shared::Shared;
use crate::story::Event;
use crate::{app, instance};

/// A frame on its way to the other end of its channel.
pub(crate) struct Passing {
    pub(crate) route: Route,
    /// The channel on the sender's connection.
    pub(crate) channel: u32,
    pub(crate) bytes: Bytes,
    is_data: bool,
}

/// What a connection does after a frame.
pub(crate) enum Next {
    Continue,
    Pass(Passing),
    End(Ending),
    /// A registration that the nodes' common store has to grant first.
    Fence(Register),
    /// A CONNECT to an instance that is not on this node.
    Elsewhere(Connect),
}

/// Does what a frame asks for.
pub(crate) fn handle(shared: &Shared, link: &Arc<Link>, bytes: &[u8]) -> Next {
    let event = link.side().receive(bytes, shared.elapsed());
    let is_app = link.end == RelayedEnd::App;
    match event {
        // Requests in progress are answered, but nothing new is accepted from a peer, or for an instance, that was told to go.
        Ok(RelayEvent::Forward { route, .. }) if is_app && (link.outbox.is_told() || route.peer.outbox.is_told()) => {
            dropped(shared, "draining", 1);
        }
        Ok(RelayEvent::Connect(_)) if is_app && link.outbox.is_told() => return Next::End(Ending::draining()),
        Ok(RelayEvent::Forward { frame, route }) => return Next::Pass(Passing::new(&frame, route)),
        Ok(RelayEvent::Register(register)) if shared.cluster.get().is_some() => return Next::Fence(register),
        Ok(RelayEvent::Register(register)) => {
            return instance::register(shared, link, &register).map_or(Next::Continue, Next::End);
        }
        Ok(RelayEvent::UnreadableRegister(fault)) => {
            return instance::refuse(shared, link, fault).map_or(Next::Continue, Next::End);
        }
        Ok(RelayEvent::Leftover { .. }) => dropped(shared, "channel_closed", 1),
        Ok(RelayEvent::Connect(connect)) => {
            if let Some(elsewhere) = app::connect(shared, link, connect) {
                return Next::Elsewhere(elsewhere);
            }
        }
        Ok(RelayEvent::Accepted { channel, route }) => accept(shared, link, channel, &route),
        Ok(RelayEvent::Closed { route, was_accepted, reason, .. }) => {
            closed_by(shared, link, &route, was_accepted, &reason);
        }
        // This reference relay knows no push provider.
        Ok(RelayEvent::Notification(_)) => shared.metrics.push_notifications.inc(),
        Ok(RelayEvent::Answer(answer)) => {
            // A PONG has no payload; any other answer is for a frame on no accepted channel.
            if Frame::decode(&answer).is_ok_and(|frame| frame.frame_type == FrameType::ChannelClose) {
                shared.metrics.unaccepted_frames.inc();
            }
            link.outbox.push_own(answer);
        }
        Ok(_) => {}
        // Something other than a REGISTER, as the first frame.
        Err(fault) if fault.code == WireErrorCode::AuthFailed => {
            return instance::refuse(shared, link, fault).map_or(Next::Continue, Next::End);
        }
        Err(fault) => return Next::End(fault.into()),
    }
    Next::Continue
}

fn accept(shared: &Shared, instance: &Arc<Link>, channel: u32, route: &Route) {
    let app = &route.peer;
    if route.passage.open() && app.side().accepted(route.peer_channel) {
        let instance_id = instance.instance_id().map(|id| id.to_string()).unwrap_or_default();
        app.outbox.push_control(&ConnectAck::new(route.peer_channel, instance_id), 0);
        instance.knows(app.address);
        instance.story.note(Event::ChannelOpened { channel });
        app.story.note(Event::ChannelOpened { channel: route.peer_channel });
    } else if route.passage.close() {
        instance.side().remove(channel);
        close_notice(instance, channel, "the app is gone");
        app.side().remove(route.peer_channel);
        app::refuse(shared, app, WireErrorCode::InternalError, "the channel could not be opened");
    }
}

/// One end closed a channel: the other is told.
fn closed_by(shared: &Shared, link: &Link, route: &Route, was_accepted: bool, reason: &str) {
    if !route.passage.close() {
        return;
    }
    let peer = &route.peer;
    peer.side().remove(route.peer_channel);
    if was_accepted || link.end == RelayedEnd::App {
        peer.story.note(Event::ChannelClosed { channel: route.peer_channel });
        close_notice(peer, route.peer_channel, reason);
        return;
    }
    let reason = if reason.is_empty() { "the instance refused the connection" } else { reason };
    app::refuse(shared, peer, WireErrorCode::AuthFailed, reason);
    let Some(instance_id) = link.instance_id() else { return };
    let rates = shared.rates.load();
    if link.is_known(peer.address) {
        rates.neighbors.take(&(peer.address, Arc::clone(instance_id)));
    } else {
        rates.guesses.take(instance_id);
    }
}

/// The instance did not answer in time; `link` is the end that noticed.
pub(crate) fn give_up(shared: &Shared, link: &Link, channel: u32, route: &Route) {
    if !route.passage.close() {
        return;
    }
    route.peer.side().remove(route.peer_channel);
    let ends = [(link, channel), (&route.peer, route.peer_channel)];
    for (end, channel) in ends {
        match end.end {
            RelayedEnd::Instance => close_notice(end, channel, "not accepted in time"),
            RelayedEnd::App => {
                app::refuse(shared, end, WireErrorCode::InstanceNotFound, "the instance did not answer in time");
            }
        }
    }
}

/// Ends a channel whose receiver reads too slowly, on both sides. What waits in it is thrown away.
pub(crate) fn end_stalled(shared: &Shared, sender: &Link, channel: u32, route: &Route) {
    sender.side().remove(channel);
    route.peer.side().remove(route.peer_channel);
    let discarded = route.peer.outbox.discard(route.peer_channel);
    dropped(shared, "stalled", discarded);
    for (link, channel) in [(sender, channel), (&*route.peer, route.peer_channel)] {
        link.story.note(Event::ChannelStalled { channel });
    }
    if route.passage.close() {
        shared.metrics.slow_channels.inc();
        close_notice(sender, channel, "the other end reads too slowly");
        close_notice(&route.peer, route.peer_channel, "this end reads too slowly");
    }
}

/// A connection is over: its channels close, and their other ends are told.
pub(crate) fn leave(shared: &Arc<Shared>, link: &Arc<Link>, ending: &Ending) {
    instance::leave(shared, link, ending);
    let reason = match link.end {
        RelayedEnd::Instance if ending.reason.is_empty() => "the instance is gone",
        RelayedEnd::Instance => &ending.reason,
        RelayedEnd::App => "the app is gone",
    };
    close_channels(link, reason);
}

/// The channels of a connection close, and their other ends are told.
pub(crate) fn close_channels(link: &Link, reason: &str) {
    let channels = link.side().end();
    for (_, route) in channels {
        let was_open = route.passage.is_open();
        if !route.passage.close() {
            continue;
        }
        route.peer.side().remove(route.peer_channel);
        if was_open || link.end == RelayedEnd::App {
            close_notice(&route.peer, route.peer_channel, reason);
        } else {
            route.peer.outbox.push_error(WireErrorCode::InstanceNotFound, "the instance is gone");
        }
    }
}

/// Counts frames of accepted channels that nobody will get.
pub(crate) fn dropped(shared: &Shared, reason: &str, frames: usize) {
    let frames = u64::try_from(frames).unwrap_or(u64::MAX);
    shared.metrics.dropped_frames.with_label_values(&[reason]).inc_by(frames);
}

fn close_notice(link: &Link, channel: u32, reason: &str) {
    link.outbox.push_control(&ChannelClose::new(channel, reason), channel);
}

impl Passing {
    /// The frame with the channel's id on the other connection.
    fn new(frame: &Frame<'_>, route: Route) -> Self {
        let bytes = Frame::new(frame.frame_type, route.peer_channel, frame.payload).encode().unwrap_or_default();
        Self { route, channel: frame.channel, bytes: bytes.into(), is_data: frame.frame_type == FrameType::Data }
    }

    /// Room at the receiver, if there is some now.
    pub(crate) fn try_reserve(&self) -> Option<Room> {
        let peer = &self.route.peer;
        peer.outbox.try_reserve(&self.route.passage, peer.end, self.bytes.len())
    }

    /// Waits for room at the receiver; `None` if the channel ends in the meantime.
    pub(crate) async fn reserve(&self) -> Option<Room> {
        let peer = &self.route.peer;
        peer.outbox.reserve(&self.route.passage, peer.end, self.bytes.len()).await
    }

    /// As [`Passing::deliver`], if there is room. Without room the channel has ended, and the frame is dropped.
    pub(crate) fn deliver_if(self, shared: &Shared, room: Option<Room>) {
        match room {
            Some(room) => self.deliver(shared, room),
            None => dropped(shared, "channel_closed", 1),
        }
    }

    /// Leaves the frame with the receiver, unless the channel was closed.
    pub(crate) fn deliver(self, shared: &Shared, room: Room) {
        let Route { peer, passage, .. } = &self.route;
        let length = self.bytes.len().saturating_sub(pulse_trust::relay::HEADER_LEN);
        if passage.is_open() && peer.outbox.push(self.bytes, room, peer.end) {
            if self.is_data {
                passage.passed(peer.end);
            }
            shared.metrics.forwarded_frames.inc();
            shared.metrics.forwarded_bytes.inc_by(u64::try_from(length).unwrap_or_default());
        } else {
            let reason = if passage.is_open() && peer.outbox.is_told() { "draining" } else { "channel_closed" };
            dropped(shared, reason, 1);
        }
    }
}
