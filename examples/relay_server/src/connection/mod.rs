//! One WebSocket connection: frames in, frames out, and everything that it waits for.

#[cfg(all(test, not(shuttle)))]
mod fairness_tests;
mod farewell;
mod headers;
mod hold_up;
mod outbox;
mod socket;
mod unfinished;
mod wire;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use prometheus::Histogram;
use pulse_trust::session::{RelayTimeout, RelayedEnd};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use crate::blocked::Blocked;
use crate::link::{Link, Origin};
use crate::pacing;
use crate::routing::{self, Next, Passing};
use crate::shared::Shared;
use crate::turn::let_others_run;
use crate::{app, instance};
use hold_up::HoldUp;
use socket::{Incoming, Socket};
use unfinished::Unfinished;

pub(crate) use outbox::{Ending, Outbox, Room};
#[cfg(feature = "nats")]
pub(crate) use outbox::{Outgoing, Queued};

/// After this many frames a connection lets others run.
const FRAMES_PER_TURN: u32 = 16;
/// After this long without traffic, large buffers are freed.
const IDLE: Duration = Duration::from_secs(2);

/// Serves a connection whose WebSocket handshake is done; `read` is what was read after it.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    shared: &Arc<Shared>,
    end: RelayedEnd,
    origin: Origin,
    stream: S,
    read: Vec<u8>,
) {
    let link = {
        let limits = &shared.config.load().limits;
        let outbox = Outbox::new(limits.queued_bytes, Arc::clone(&shared.memory));
        Link::new(end, origin, outbox, limits.of_side(end), shared.elapsed())
    };
    let number = shared.links.add(&link);
    if shared.drain.is_cancelled() {
        link.side().drain();
    }
    let is_app = end == RelayedEnd::App;
    if is_app {
        shared.metrics.app_connections.inc();
    }
    let socket = Socket::new(stream, read).await;
    let unfinished = Unfinished::new(Arc::clone(&shared.arriving));
    let mut connection = Connection {
        link,
        socket,
        unfinished,
        sending: None,
        hold_up: HoldUp::default(),
        is_still: false,
        pace: Pace::default(),
        waited: shared.metrics.queue_seconds.clone(),
        turn: 0,
        active_at: Instant::now(),
    };
    let ending = connection.run(shared).await;
    let Connection { link, socket, .. } = connection;
    link.outbox.end(ending.clone());
    routing::leave(shared, &link, &ending);
    shared.links.remove(number);
    if is_app {
        shared.metrics.app_connections.dec();
    }
    Box::pin(farewell::say(socket, &link.outbox, ending)).await;
}

struct Connection<S> {
    link: Arc<Link>,
    socket: Socket<S>,
    unfinished: Unfinished,
    /// Since when a frame has been on its way, and the room that it takes.
    sending: Option<(Instant, Option<Room>)>,
    hold_up: HoldUp,
    /// Something is on its way, but the other end takes nothing.
    is_still: bool,
    pace: Pace,
    /// How long frames waited to be sent.
    waited: Histogram,
    /// Frames since others could run.
    turn: u32,
    active_at: Instant,
}

/// How fast this sender is read.
#[derive(Default)]
struct Pace {
    /// Nothing is read before.
    paused_until: Option<Instant>,
    was_told: bool,
}

enum Step {
    Incoming(Incoming),
    End(Ending),
    Room(Passing, Option<Room>),
    Timeout,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Runs until the connection is over; returns how it ends.
    async fn run(&mut self, shared: &Arc<Shared>) -> Ending {
        let mut blocked: Option<Blocked> = None;
        loop {
            let timeout = self.next_timeout(shared, blocked.as_ref());
            let is_blocked = blocked.is_some();
            let step = tokio::select! {
                biased;
                step = poll_fn(|context| self.poll_step(context, is_blocked)) => step,
                (passing, room) = Blocked::wait(&mut blocked) => Step::Room(passing, room),
                () = sleep_until(timeout) => Step::Timeout,
            };
            match step {
                Step::Incoming(incoming) => match self.handle(shared, incoming) {
                    Next::Continue => {}
                    Next::Pass(passing) => {
                        self.pace(shared, &passing);
                        blocked = self.pass(shared, passing);
                    }
                    Next::End(ending) => return ending,
                    Next::Fence(register) => {
                        // In a box, like what follows: otherwise a waiting connection would reserve room for it as long
                        // as it lives.
                        if let Some(cluster) = shared.cluster.get()
                            && let Some(ending) =
                                Box::pin(instance::register_fenced(shared, cluster, &self.link, &register)).await
                        {
                            return ending;
                        }
                    }
                    Next::Elsewhere(connect) => {
                        if let Some(cluster) = shared.cluster.get() {
                            Box::pin(app::connect_elsewhere(shared, cluster, &self.link, &connect)).await;
                        }
                    }
                },
                Step::Room(passing, room) => {
                    if let Some(held) = blocked.take() {
                        self.hold_up.held(held.channel, held.since.elapsed());
                    }
                    passing.deliver_if(shared, room);
                }
                Step::End(ending) => return ending,
                Step::Timeout => {
                    if let Some(ending) = self.handle_timeout(shared, &mut blocked).await {
                        return ending;
                    }
                }
            }
            if self.turn >= FRAMES_PER_TURN {
                self.turn = 0;
                let_others_run().await;
            }
        }
    }

    /// If more bytes per second came than are allowed, nothing is read for a while.
    fn pace(&mut self, shared: &Shared, passing: &Passing) {
        let wait = pacing::pace(shared, &self.link, passing);
        if wait.is_zero() {
            return;
        }
        self.pace.paused_until = Instant::now().checked_add(wait);
        if !std::mem::replace(&mut self.pace.was_told, true) {
            pacing::tell(shared, &self.link, passing.channel);
        }
    }

    /// Sends what waits, then takes what comes, unless a frame of this sender waits for room.
    fn poll_step(&mut self, context: &mut Context<'_>, is_blocked: bool) -> Poll<Step> {
        loop {
            let written = self.socket.bytes_written();
            match self.socket.poll_flush(context) {
                Poll::Ready(Ok(())) => {
                    self.sending = None;
                    if std::mem::take(&mut self.is_still) {
                        self.link.set_still_since(None);
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Step::End(Ending::gone())),
                Poll::Pending => {
                    let was_still = std::mem::replace(&mut self.is_still, true);
                    if !was_still || self.socket.bytes_written() != written {
                        self.link.set_still_since(Some(Instant::now()));
                    }
                    break;
                }
            }
            match self.link.outbox.poll_next(context) {
                Poll::Ready(outbox::Outgoing::Frame(queued)) => {
                    self.active_at = Instant::now();
                    if let Some(room) = &queued.room {
                        self.waited.observe(room.age().as_secs_f64());
                    }
                    self.sending = Some((self.active_at, queued.room));
                    if self.socket.start_send(queued.bytes).is_err() {
                        return Poll::Ready(Step::End(Ending::gone()));
                    }
                }
                Poll::Ready(outbox::Outgoing::End(ending)) => return Poll::Ready(Step::End(ending)),
                Poll::Pending => break,
            }
        }
        if self.sending.is_some()
            && let Poll::Ready(ending) = self.link.outbox.poll_ending(context)
        {
            return Poll::Ready(Step::End(ending));
        }
        if is_blocked || self.pace.paused_until.is_some() || self.link.outbox.is_backlogged() {
            return Poll::Pending;
        }
        self.poll_receive(context).map(Step::Incoming)
    }

    /// What comes. What was read of a message that is not there yet is counted, and nothing more of it is read while the
    /// memory for it is not free.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Incoming> {
        ready!(self.unfinished.poll_room(context));
        let incoming = self.socket.poll_receive(context);
        let is_changed = match &incoming {
            Poll::Ready(_) => self.unfinished.end(),
            Poll::Pending => self.unfinished.read(self.socket.unfinished(), context),
        };
        if is_changed {
            self.link.set_unfinished(self.unfinished.bytes());
        }
        incoming
    }

    fn handle(&mut self, shared: &Shared, incoming: Incoming) -> Next {
        self.turn = self.turn.saturating_add(1);
        match incoming {
            Incoming::Frame(bytes) => {
                self.active_at = Instant::now();
                routing::handle(shared, &self.link, &bytes)
            }
            Incoming::Ping => {
                let taken = self.link.side().receive_websocket_ping(shared.elapsed());
                taken.map_or_else(|fault| Next::End(fault.into()), |()| Next::Continue)
            }
            Incoming::Gone => Next::End(Ending::gone()),
            Incoming::TooManyFragments(ending) => {
                shared.metrics.rate_limited.with_label_values(&["fragments"]).inc();
                Next::End(ending)
            }
            Incoming::Fault(ending) => Next::End(ending),
        }
    }

    /// Delivers a frame, or waits for room at its receiver.
    fn pass(&mut self, shared: &Shared, passing: Passing) -> Option<Blocked> {
        if let Some(room) = passing.try_reserve() {
            if passing.route.passage.is_waiting() {
                self.hold_up.answered(passing.channel);
            }
            passing.deliver(shared, room);
            return None;
        }
        Some(Blocked::after(Duration::ZERO, passing))
    }

    fn next_timeout(&self, shared: &Shared, blocked: Option<&Blocked>) -> Instant {
        let after = |start: Instant, time: Duration| start.checked_add(time);
        let config = shared.config.load();
        let limits = &config.limits;
        let side = after(shared.started, self.link.side().next_timeout());
        let write = self.sending.as_ref().and_then(|(since, _)| after(*since, limits.write_timeout));
        let stall = blocked.and_then(|blocked| self.hold_up.end_of(&self.link, blocked, limits.stall_timeout));
        let shrink = self.socket.has_large_buffers().then(|| after(self.active_at, IDLE)).flatten();
        let first = [side, write, stall, shrink, self.pace.paused_until].into_iter().flatten().min();
        first.unwrap_or_else(|| after(Instant::now(), limits.silence_timeout).unwrap_or_else(Instant::now))
    }

    async fn handle_timeout(&mut self, shared: &Shared, blocked: &mut Option<Blocked>) -> Option<Ending> {
        let now = Instant::now();
        let (write_timeout, stall_timeout) = {
            let limits = &shared.config.load().limits;
            (limits.write_timeout, limits.stall_timeout)
        };
        let is_over = |since: Instant, time: Duration| now.saturating_duration_since(since) >= time;
        if self.sending.as_ref().is_some_and(|(since, _)| is_over(*since, write_timeout)) {
            shared.metrics.slow_connections.inc();
            let reason = "nothing could be sent for too long".to_owned();
            return Some(Ending { close_code: 1008, last_frame: None, reason, sends_rest: false });
        }
        let is_stalled = |blocked: &mut Blocked| {
            self.hold_up.end_of(&self.link, blocked, stall_timeout).is_some_and(|end| end <= now)
        };
        if let Some(stalled) = blocked.take_if(is_stalled) {
            self.hold_up.held(stalled.channel, now.saturating_duration_since(stalled.since));
            self.hold_up.ended(stalled.channel, stall_timeout);
            routing::end_stalled(shared, &self.link, stalled.channel, &stalled.route);
        }
        if self.socket.has_large_buffers() && self.sending.is_none() && is_over(self.active_at, IDLE) {
            Box::pin(self.socket.shrink()).await;
        }
        // While nothing is read from this sender, its silence is ours.
        let is_paused = self.pace.paused_until.is_some();
        self.pace.paused_until = self.pace.paused_until.filter(|until| *until > now);
        if is_paused || blocked.is_some() || self.link.outbox.is_backlogged() || self.unfinished.is_waiting() {
            self.link.side().postpone_silence(shared.elapsed());
        }
        loop {
            let up = self.link.side().handle_timeout(shared.elapsed());
            match up {
                Some(RelayTimeout::NotAccepted { channel, route }) => {
                    routing::give_up(shared, &self.link, channel, &route);
                }
                Some(RelayTimeout::Fault(fault)) => return Some(fault.into()),
                _ => return None,
            }
        }
    }
}
