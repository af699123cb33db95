//! Every WebSocket connection, for what concerns all of them.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crate::link::Link;
use crate::sync::{Mutex, locked};

#[derive(Default)]
pub(crate) struct Links(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    last: u64,
    by_number: HashMap<u64, Weak<Link>>,
}

impl Links {
    /// Adds a connection; returns its number, with which it is removed.
    pub(crate) fn add(&self, link: &Arc<Link>) -> u64 {
        let mut inner = locked(&self.0);
        inner.last = inner.last.wrapping_add(1);
        let number = inner.last;
        inner.by_number.insert(number, Arc::downgrade(link));
        number
    }

    pub(crate) fn remove(&self, number: u64) {
        locked(&self.0).by_number.remove(&number);
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Link>> {
        self.numbered().into_iter().map(|(_, link)| link).collect()
    }

    /// All of them with their numbers, the oldest first.
    pub(crate) fn numbered(&self) -> Vec<(u64, Arc<Link>)> {
        let inner = locked(&self.0);
        let mut links: Vec<_> =
            inner.by_number.iter().filter_map(|(number, link)| Some((*number, link.upgrade()?))).collect();
        drop(inner);
        links.sort_unstable_by_key(|(number, _)| *number);
        links
    }
}
