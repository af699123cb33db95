//! The other nodes, known by what they say about themselves every second.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::sync::{Mutex, locked};

/// How often a node says that it is alive.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// A node that says nothing for this long is gone.
const GONE_AFTER: Duration = Duration::from_secs(4);

/// What a node says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Alive {
    pub(super) node: String,
    /// Where instances and apps reach it; empty if that is not configured.
    pub(super) url: String,
    pub(super) is_draining: bool,
}

/// The nodes that were heard.
pub(super) struct Nodes {
    own: String,
    /// Before this moment, nothing can be said about nodes that were not heard.
    listening_since: Mutex<Instant>,
    heard: Mutex<HashMap<String, (Alive, Instant)>>,
}

impl Nodes {
    pub(super) fn new(own: String) -> Self {
        Self { own, listening_since: Mutex::new(Instant::now()), heard: Mutex::default() }
    }

    pub(super) fn hear(&self, alive: Alive) {
        if alive.node == self.own {
            return;
        }
        let mut heard = locked(&self.heard);
        heard.retain(|_, (_, at)| at.elapsed() < GONE_AFTER.saturating_mul(10));
        heard.insert(alive.node.clone(), (alive, Instant::now()));
    }

    /// The connection to NATS was lost: silence during that time means nothing.
    pub(super) fn begin_again(&self) {
        *locked(&self.listening_since) = Instant::now();
        for (_, at) in locked(&self.heard).values_mut() {
            *at = Instant::now();
        }
    }

    /// Whether a node is alive, as far as is known.
    pub(super) fn is_alive(&self, node: &str) -> bool {
        let is_new = || locked(&self.listening_since).elapsed() < GONE_AFTER;
        node == self.own || locked(&self.heard).get(node).map_or_else(is_new, |(_, at)| at.elapsed() < GONE_AFTER)
    }

    /// How many others are alive.
    pub(super) fn count(&self) -> usize {
        locked(&self.heard).values().filter(|(_, at)| at.elapsed() < GONE_AFTER).count()
    }

    /// The URL of a node that stays. `hash` decides which one of several, so that a draining node's instances spread.
    pub(super) fn url(&self, hash: u64) -> Option<String> {
        let heard = locked(&self.heard);
        let mut urls: Vec<&str> = heard
            .values()
            .filter(|(alive, at)| at.elapsed() < GONE_AFTER && !alive.is_draining && !alive.url.is_empty())
            .map(|(alive, _)| alive.url.as_str())
            .collect();
        urls.sort_unstable();
        let count = u64::try_from(urls.len()).ok().filter(|count| *count > 0)?;
        let index = usize::try_from(hash.checked_rem(count)?).ok()?;
        urls.get(index).map(ToString::to_string)
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn alive(node: &str, is_draining: bool) -> Alive {
        Alive { node: node.to_owned(), url: format!("ws://{node}/ws/instance"), is_draining }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_node_is_gone_after_a_while_and_never_while_nats_was_away() {
        let nodes = Nodes::new("own".to_owned());
        assert!(nodes.is_alive("own") && nodes.is_alive("never heard"));
        nodes.hear(alive("a", false));
        tokio::time::advance(Duration::from_secs(5)).await;
        assert!(nodes.is_alive("own") && !nodes.is_alive("a") && !nodes.is_alive("never heard"));
        nodes.begin_again();
        assert!(nodes.is_alive("a") && nodes.is_alive("never heard"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_leads_to_a_node_that_goes_on() {
        let nodes = Nodes::new("own".to_owned());
        assert_eq!(nodes.url(1), None);
        nodes.hear(alive("a", true));
        nodes.hear(alive("b", false));
        nodes.hear(alive("c", false));
        let urls: Vec<_> = (0..4).map(|hash| nodes.url(hash).unwrap()).collect();
        assert_eq!(urls[..2], urls[2..]);
        assert!(urls[0] != urls[1] && !urls.iter().any(|url| url.contains("//a/")), "{urls:?}");
    }
}
