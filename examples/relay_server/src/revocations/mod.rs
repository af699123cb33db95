//! What was revoked: read from the feed, kept across a restart, and in force at once.

mod authority;
mod events;
mod feed;
mod fetch;

use std::sync::Arc;

use pulse_trust::relay::RevocationList;

use crate::sync::{Mutex, locked};

pub(crate) use authority::SETTING as AUTHORITY_SETTING;
pub(crate) use feed::Feed;
pub use fetch::FeedConfig;

/// The list in force; replaced whole when the feed has news.
#[derive(Default)]
pub(crate) struct InForce(Mutex<Arc<RevocationList>>);

impl InForce {
    pub(crate) fn current(&self) -> Arc<RevocationList> {
        Arc::clone(&locked(&self.0))
    }

    fn replace(&self, list: RevocationList) {
        *locked(&self.0) = Arc::new(list);
    }
}
