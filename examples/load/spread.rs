//! Which node an instance and its phone go to, as a balancer that knows of neither would send them.

use std::hash::{DefaultHasher, Hash, Hasher};

use clap::ValueEnum;

/// On which node a phone is, seen from its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Meeting {
    /// On the same.
    Same,
    /// On another.
    Other,
    /// On any.
    Random,
}

/// The index of an instance's node, of so many. It is made of the tenant's number, so that no process has to tell another.
pub(crate) fn instance_node(number: usize, nodes: usize) -> usize {
    spread("instance", number, nodes)
}

/// The URLs of all nodes for an instance, its own first. The next ones are in an order of its own: the instances of a node that died do not
/// all go to the same one.
pub(crate) fn instance_urls(number: usize, relays: &[String]) -> Vec<String> {
    let (before, from_own) = relays.split_at(instance_node(number, relays.len()));
    let mut ordered: Vec<&String> = from_own.iter().chain(before).collect();
    if let Some((_, others)) = ordered.split_first_mut() {
        others.rotate_left(spread("next", number, others.len()));
    }
    ordered.into_iter().map(|relay| format!("ws://{relay}/ws/instance")).collect()
}

/// The address of the node of a phone.
pub(crate) fn phone_relay(number: usize, relays: &[String], meeting: Meeting) -> Option<&str> {
    let own = instance_node(number, relays.len());
    let index = match meeting {
        Meeting::Same => own,
        Meeting::Other => (own + 1).checked_rem(relays.len())?,
        Meeting::Random => spread("phone", number, relays.len()),
    };
    relays.get(index).map(String::as_str)
}

fn spread(what: &str, number: usize, count: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    (what, number).hash(&mut hasher);
    let share = hasher.finish().checked_rem(count as u64).unwrap_or_default();
    usize::try_from(share).unwrap_or_default()
}
