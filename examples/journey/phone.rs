//! The phone: reads the code and, over the relay, asks the instance it means.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_trust::pairing::PairingCode;
use pulse_trust::session::{PhoneConfig, PhoneEnd, PhoneEvent};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::driver::{Act, dial, drive};
use crate::failure::Failure;

/// What a phone got. It stays connected until it is asked to disconnect.
pub(crate) struct Fetched {
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    pub(crate) body: String,
    acts: mpsc::UnboundedSender<Act<PhoneEnd>>,
    driving: JoinHandle<()>,
}

impl Fetched {
    pub(crate) async fn disconnect(self) -> Result<(), Failure> {
        drop(self.acts);
        self.driving.await.map_err(Failure::from_error)
    }
}

/// Scans a code, connects, verifies the identity, and asks for one path. The first refusal or loss is a failure here.
pub(crate) async fn pair_and_fetch(scanned: &str, path: &str) -> Result<Fetched, Failure> {
    let code = PairingCode::parse(scanned)?;
    let fingerprint = code.require_identity()?.fingerprint();
    let end = PhoneEnd::new(PhoneConfig::from_pairing_code(&code)?, u64::from(std::process::id()))?;
    let (acts, received) = mpsc::unbounded_channel();
    let (first, outcome) = oneshot::channel();
    let (mut first, path) = (Some(first), path.to_owned());
    let mut report = move |outcome: Result<(u16, String), Failure>| {
        if let Some(first) = first.take() {
            first.send(outcome).ok();
        }
    };
    let driving = tokio::spawn(drive(end, received, dial, move |end: &mut PhoneEnd, event, now| match event {
        PhoneEvent::Ready => {
            if let Err(error) = end.request("GET", &path, BTreeMap::new(), Vec::new(), now) {
                report(Err(error.into()));
            }
        }
        PhoneEvent::Response { response, .. } => {
            let body = String::from_utf8_lossy(response.body.as_bytes()).into_owned();
            report(Ok((response.status, body)));
        }
        PhoneEvent::Refused { error, .. } => report(Err(Failure::new(format!("{}: {}", error.code, error.message)))),
        PhoneEvent::IdentityRefused { error } => report(Err(error.into())),
        PhoneEvent::RequestFailed { reason, .. } => report(Err(Failure::new(format!("no answer: {reason:?}")))),
        PhoneEvent::Disconnected { reason, message, .. } => {
            report(Err(Failure::new(format!("the connection ended: {reason:?} {message}"))));
        }
        _ => {}
    }));
    let answered = tokio::time::timeout(Duration::from_secs(30), outcome).await;
    let answered = answered.map_err(|_| Failure::new("no answer within 30 s"))?;
    let (status, body) = answered.map_err(Failure::from_error)??;
    Ok(Fetched { fingerprint, status, body, acts, driving })
}
