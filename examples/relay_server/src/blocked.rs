//! A frame that waits for room at its receiver. Meanwhile the relay does not read from its sender.

use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::connection::Room;
use crate::passage::Route;
use crate::routing::Passing;

/// Such a frame, from its sender's side.
pub(crate) struct Blocked {
    pub(crate) route: Route,
    /// On the sender's connection.
    pub(crate) channel: u32,
    /// When it began to wait.
    pub(crate) since: Instant,
    waiting: Pin<Box<dyn Future<Output = (Passing, Option<Room>)> + Send>>,
}

impl Blocked {
    /// Begins to wait after a pause, which its sender owes.
    pub(crate) fn after(pause: Duration, passing: Passing) -> Self {
        let (route, channel, now) = (passing.route.clone(), passing.channel, Instant::now());
        let waiting = Box::pin(async move {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            let room = passing.reserve().await;
            (passing, room)
        });
        Self { route, channel, since: now.checked_add(pause).unwrap_or(now), waiting }
    }

    /// The frame and its room, or `None` if the channel has ended in the meantime. It never returns if nothing is blocked. It
    /// may be dropped and called again.
    pub(crate) async fn wait(blocked: &mut Option<Self>) -> (Passing, Option<Room>) {
        match blocked {
            Some(blocked) => blocked.waiting.as_mut().await,
            None => pending().await,
        }
    }
}
