//! The tenant's end: it registers, lets its own phone in and nobody else, and answers with what it was asked.

use std::time::{Duration, Instant};

use pulse_trust::UnixTime;
use pulse_trust::relay::ProxyResponse;
use pulse_trust::session::{InstanceConfig, InstanceEnd, InstanceEvent, is_auth_token_known};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::dialing::Dialer;
use crate::driver::{Act, drive};
use crate::node::Node;
use crate::probe::{Broken, Step};
use crate::tenant::{Credential, Tenant};

/// An instance that is registered, until it is told to leave.
pub(crate) struct Registered {
    pub(crate) instance_id: String,
    pub(crate) took: Duration,
    /// When the registration ends, and with it the credential; `None` for a lifetime license.
    pub(crate) expires_at: Option<UnixTime>,
    acts: mpsc::UnboundedSender<Act<InstanceEnd>>,
    driving: JoinHandle<()>,
}

impl Registered {
    /// Closes the connection, and waits until that is done.
    pub(crate) async fn leave(self, within: Duration) {
        drop(self.acts);
        timeout(within, self.driving).await.ok();
    }
}

/// Registers at a node; the first refusal or loss is a failure here.
pub(crate) async fn register(
    node: &Node,
    tenant: &Tenant,
    credential: Credential,
    dialer: &Dialer,
    within: Duration,
) -> Result<Registered, Broken> {
    let Credential { token, instance_secret, identity } = credential;
    let mut config = InstanceConfig::new(node.instance_url(), token, instance_secret, identity);
    config.client_version = Some(concat!("prober ", env!("CARGO_PKG_VERSION")).to_owned());
    let end = InstanceEnd::new(config, u64::from(std::process::id()))
        .map_err(|error| Broken::new(Step::Register, error.name(), error.to_string()))?;
    let began = Instant::now();
    let (acts, received) = mpsc::unbounded_channel();
    let (first, outcome) = oneshot::channel();
    let mut first = Some(first);
    let mut report = move |outcome: Result<(String, Option<UnixTime>), Broken>| {
        if let Some(first) = first.take() {
            first.send(outcome).ok();
        }
    };
    let (auth_token, dialer) = (tenant.auth_token.duplicate(), dialer.clone());
    let broken = |code: &str, message: String| Broken::new(Step::Register, code, message);
    let dial = move |url| dialer.dial(url);
    let driving = tokio::spawn(drive(end, received, dial, move |end: &mut InstanceEnd, event, now| match event {
        InstanceEvent::Registered { instance_id, expires_at, .. } => report(Ok((instance_id, expires_at))),
        InstanceEvent::Refused { error, .. } => report(Err(broken(&error.code, error.message))),
        InstanceEvent::Disconnected { reason, .. } => {
            report(Err(broken(reason.as_str(), "the connection to the relay ended".to_owned())));
        }
        InstanceEvent::ChannelOffered { channel, auth_token: offered } => {
            let judged = if is_auth_token_known(&offered, [auth_token.expose_secret()]) {
                end.accept(channel)
            } else {
                end.refuse(channel, "invalid auth token")
            };
            // A phone that has gone meanwhile needs no answer.
            judged.ok();
        }
        InstanceEvent::Request { channel, request } => {
            let mut response = ProxyResponse::new(request.id, 200);
            response.body = request.body;
            end.respond(channel, &response, now).ok();
        }
        _ => {}
    }));
    let outcome = timeout(within, outcome).await;
    let outcome = outcome.unwrap_or_else(|_| Ok(Err(Broken::timed_out(Step::Register, within))));
    match outcome.unwrap_or_else(|_| Err(Broken::new(Step::Register, "stopped", "the instance's end has stopped"))) {
        Ok((instance_id, expires_at)) => {
            Ok(Registered { instance_id, took: began.elapsed(), expires_at, acts, driving })
        }
        Err(broken) => {
            drop(acts);
            timeout(within, driving).await.ok();
            Err(broken)
        }
    }
}
