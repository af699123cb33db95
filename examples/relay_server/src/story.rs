//! The last few steps of a connection: what an operator wants to know when somebody says "it does not work".

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::sync::{Mutex, locked};

/// So many steps of each connection are kept.
const KEPT: usize = 16;

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// An instance registered, with this kind of credential.
    Registered { credential: &'static str },
    /// It renewed its registration.
    Renewed { credential: &'static str },
    /// A registration, or a renewal, was refused with this code.
    RegistrationRefused { code: &'static str },
    /// A CONNECT was refused with this code.
    ConnectRefused { code: &'static str },
    /// A channel was accepted.
    ChannelOpened { channel: u32 },
    /// A channel was closed by the other end, or by this one.
    ChannelClosed { channel: u32 },
    /// A channel was ended because its reader was too slow.
    ChannelStalled { channel: u32 },
    /// More bytes per second came than are allowed; since then the connection is read more slowly.
    SlowedDown,
}

/// A step, and when it was.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Told {
    pub(crate) seconds_ago: f64,
    #[serde(flatten)]
    pub(crate) event: Event,
}

/// The last steps of a connection, from its beginning on.
pub(crate) struct Story {
    began: Instant,
    last: Mutex<VecDeque<(Instant, Event)>>,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), last: Mutex::default() }
    }

    pub(crate) fn note(&self, event: Event) {
        let mut last = locked(&self.last);
        if last.len() >= KEPT {
            last.pop_front();
        }
        last.push_back((Instant::now(), event));
    }

    /// How long ago it began.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        let told = |(at, event): &(Instant, Event)| Told { seconds_ago: at.elapsed().as_secs_f64(), event: *event };
        locked(&self.last).iter().map(told).collect()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn the_last_steps_are_kept_and_no_more() {
        let story = Story::new();
        for channel in 0..100 {
            story.note(Event::ChannelOpened { channel });
        }
        let told = story.told();
        assert_eq!(told.len(), KEPT);
        assert_eq!(told.last().unwrap().event, Event::ChannelOpened { channel: 99 });
        let json = serde_json::to_value(told[0]).unwrap();
        assert_eq!((json["event"].as_str(), json["channel"].as_u64()), (Some("channel_opened"), Some(84)));
    }
}
