//! Connections, as an operator sees them.

use std::sync::Arc;

use pulse_trust::session::RelayedEnd;
use serde::Serialize;
use tracing::info;

use crate::connection::Ending;
use crate::link::Link;
use crate::shared::Shared;
use crate::story::Told;

/// Which connections a request asks for.
#[derive(Default)]
pub(super) struct Wanted {
    instance: Option<String>,
    end: Option<RelayedEnd>,
}

impl Wanted {
    /// From a query; an error says what was expected.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut wanted = Self::default();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=') {
                Some(("instance", id)) => wanted.instance = Some(id.to_owned()),
                Some(("end", "instance")) => wanted.end = Some(RelayedEnd::Instance),
                Some(("end", "app")) => wanted.end = Some(RelayedEnd::App),
                _ => return Err(format!("expected instance=ID, end=instance or end=app, received {part:?}\n")),
            }
        }
        Ok(wanted)
    }

    fn has(&self, link: &Link) -> bool {
        let concerns = |id: &String| {
            link.instance_id().is_some_and(|own| **own == **id) || peers(link).iter().any(|peer| **peer == **id)
        };
        self.end.is_none_or(|end| end == link.end) && self.instance.as_ref().is_none_or(concerns)
    }
}

/// One line of the list.
#[derive(Serialize)]
pub(super) struct Connection {
    number: u64,
    end: &'static str,
    /// Of an instance, once it is registered.
    instance_id: Option<String>,
    /// IPv6: its /64.
    address: String,
    connected_seconds: u64,
    channels: usize,
    queued_bytes: usize,
    /// Of an instance's registration, Unix seconds.
    expires_at: Option<i64>,
    key_id: Option<String>,
    is_ending: bool,
}

/// One connection with all that is known.
#[derive(Serialize)]
pub(super) struct Detailed {
    #[serde(flatten)]
    connection: Connection,
    host: String,
    /// The instances at the other ends of an app's channels.
    connected_to: Vec<String>,
    /// The last steps, the oldest first.
    story: Vec<Told>,
}

pub(super) fn list(shared: &Shared, wanted: &Wanted) -> Vec<Connection> {
    let links = shared.links.numbered();
    links.iter().filter(|(_, link)| wanted.has(link)).map(|(number, link)| connection(*number, link)).collect()
}

pub(super) fn one(shared: &Shared, number: u64) -> Option<Detailed> {
    let link = find(shared, number)?;
    let connected_to = peers(&link).iter().map(ToString::to_string).collect();
    let story = link.story.told();
    Some(Detailed { connection: connection(number, &link), host: link.host.to_string(), connected_to, story })
}

/// Closes a connection; false if there is none. Its other end treats that as a loss, and connects again.
pub(super) fn close(shared: &Shared, number: u64) -> bool {
    let Some(link) = find(shared, number) else { return false };
    let instance_id = link.instance_id().map(|id| &**id);
    info!(number, instance_id, "an operator closes the connection");
    shared.metrics.ended_by_operator.inc();
    let reason = "closed by the relay's operator".to_owned();
    link.outbox.end(Ending { close_code: 1001, last_frame: None, reason, sends_rest: true });
    true
}

fn find(shared: &Shared, number: u64) -> Option<Arc<Link>> {
    shared.links.numbered().into_iter().find(|(other, _)| *other == number).map(|(_, link)| link)
}

fn connection(number: u64, link: &Link) -> Connection {
    let live = link.live();
    Connection {
        number,
        end: match link.end {
            RelayedEnd::Instance => "instance",
            RelayedEnd::App => "app",
        },
        instance_id: link.instance_id().map(ToString::to_string),
        address: link.address.to_string(),
        connected_seconds: link.story.age().as_secs(),
        channels: link.side().routes().count(),
        queued_bytes: link.outbox.waiting_by_channel().values().sum(),
        expires_at: live.as_ref().map(|live| live.expires_at.as_secs()),
        key_id: live.and_then(|live| live.subject.signing_key_id),
        is_ending: link.outbox.is_ending(),
    }
}

/// The instances that an app has channels to.
fn peers(link: &Link) -> Vec<Arc<str>> {
    match link.end {
        RelayedEnd::Instance => Vec::new(),
        RelayedEnd::App => link.side().routes().filter_map(|route| route.peer.instance_id().cloned()).collect(),
    }
}
