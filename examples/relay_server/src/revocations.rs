//! The revocation feed: `GET /v1/revocations?since=SEQ` with a bearer token (FORMATS 14).
//!
//! The shape of an event is not published. Read here: `{"license_id"?, "installation_id"?, "token_id"?}`, also under the
//! claims' names `lid`, `iid`, `jti`; other members are ignored.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pulse_trust::relay::RevocationList;
use serde::Deserialize;
use tracing::warn;

use crate::registry::locked;
use crate::server::Shared;

/// Ours: what one answer may hold.
const MAX_ANSWER_LEN: u64 = 4 * 1024 * 1024;

/// The list in force; replaced whole when the feed has news.
#[derive(Default)]
pub(crate) struct InForce(Mutex<Arc<RevocationList>>);

impl InForce {
    pub(crate) fn current(&self) -> Arc<RevocationList> {
        Arc::clone(&locked(&self.0))
    }
}

#[derive(Deserialize)]
struct Answer {
    next_seq: u64,
    #[serde(default)]
    has_more: bool,
    #[serde(default)]
    events: Vec<RevocationEvent>,
}

#[derive(Deserialize)]
struct RevocationEvent {
    #[serde(default, alias = "lid")]
    license_id: Option<String>,
    #[serde(default, alias = "iid")]
    installation_id: Option<String>,
    #[serde(default, alias = "jti")]
    token_id: Option<String>,
}

/// Reads the feed until the relay drains. A feed that fails leaves the list as it is.
pub(crate) async fn follow(shared: Arc<Shared>, url: String, token: String) {
    let mut since = 0;
    loop {
        let read = {
            let (url, token) = (format!("{url}/v1/revocations?since={since}"), token.clone());
            tokio::task::spawn_blocking(move || fetch(&url, &token)).await
        };
        match read {
            Ok(Ok(answer)) => {
                since = answer.next_seq;
                if !answer.events.is_empty() {
                    add(&shared.revocations, answer.events);
                }
                if answer.has_more {
                    continue;
                }
            }
            Ok(Err(error)) => {
                shared.metrics.revocation_failures.inc();
                warn!(%error, "the revocation feed could not be read");
            }
            Err(_) => return,
        }
        tokio::select! {
            () = shared.drain.cancelled() => return,
            () = tokio::time::sleep(shared.limits.revocation_interval) => {}
        }
    }
}

fn fetch(url: &str, token: &str) -> Result<Answer, String> {
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build(),
    );
    let mut answer =
        agent.get(url).header("Authorization", format!("Bearer {token}")).call().map_err(|error| error.to_string())?;
    let text =
        answer.body_mut().with_config().limit(MAX_ANSWER_LEN).read_to_string().map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| format!("line {} column {}", error.line(), error.column()))
}

fn add(in_force: &InForce, events: Vec<RevocationEvent>) {
    let mut current = locked(&in_force.0);
    let mut list = RevocationList::clone(&current);
    for event in events {
        if let Some(id) = event.license_id {
            list.revoke_license(&id);
        }
        if let Some(id) = event.installation_id {
            list.revoke_installation(&id);
        }
        if let Some(id) = event.token_id {
            list.revoke_token(&id);
        }
    }
    *current = Arc::new(list);
}
