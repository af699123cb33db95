//! The phone: it pairs, asks, and checks that the answer is to its own question.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pulse_trust::Secret;
use pulse_trust::keys::PublicKey;
use pulse_trust::session::{PhoneConfig, PhoneEnd, PhoneEvent};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::dialing::Dialer;
use crate::driver::{Act, drive};
use crate::node::Node;
use crate::probe::{Broken, Step};

/// What a phone asks with, in bytes: close to the most that one request holds, so that a small limit on the way is noticed.
const BODY_LEN: usize = 40_000;

/// Whom a phone looks for, and what it shows.
pub(crate) struct Pairing<'a> {
    pub(crate) instance_id: &'a str,
    pub(crate) identity: &'a PublicKey,
    pub(crate) auth_token: Secret,
}

enum Heard {
    Ready,
    Answer(u16, Vec<u8>),
    Broken(String, String),
}

/// Pairs and asks; how long each step took, and where it broke.
pub(crate) async fn ask(
    node: &Node,
    pairing: Pairing<'_>,
    nonce: &str,
    dialer: &Dialer,
    within: Duration,
) -> (Vec<(Step, Duration)>, Option<Broken>) {
    let body = nonce.bytes().cycle().take(BODY_LEN).collect::<Vec<u8>>();
    let (mut steps, mut began) = (Vec::new(), Instant::now());
    let mut talk = match Talk::start(node, pairing, body.clone(), dialer) {
        Ok(talk) => talk,
        Err(broken) => return (steps, Some(broken)),
    };
    let mut broken = None;
    for step in [Step::Pair, Step::Request] {
        broken = match (step, timeout(within, talk.heard.recv()).await) {
            (_, Err(_)) => Some(Broken::timed_out(step, within)),
            (_, Ok(None)) => Some(Broken::new(step, "stopped", "the phone's end has stopped")),
            (Step::Pair, Ok(Some(Heard::Ready))) => None,
            (Step::Request, Ok(Some(Heard::Answer(200, answer)))) if answer == body => None,
            (_, Ok(Some(Heard::Answer(status, answer)))) => {
                let message =
                    format!("status {status} with {} bytes, which are not those that were sent", answer.len());
                Some(Broken::new(step, "wrong_answer", message))
            }
            (_, Ok(Some(Heard::Ready))) => Some(Broken::new(step, "paired_again", "the channel was opened anew")),
            (_, Ok(Some(Heard::Broken(code, message)))) => Some(Broken::new(step, code, message)),
        };
        if broken.is_some() {
            break;
        }
        steps.push((step, began.elapsed()));
        began = Instant::now();
    }
    talk.end(within).await;
    (steps, broken)
}

/// Shows a token that nobody gave out, which must be refused as such.
pub(crate) async fn is_refused(
    node: &Node,
    pairing: Pairing<'_>,
    dialer: &Dialer,
    within: Duration,
) -> Result<Duration, Broken> {
    let began = Instant::now();
    let mut talk = Talk::start(node, pairing, Vec::new(), dialer)?;
    let outcome = match timeout(within, talk.heard.recv()).await {
        Ok(Some(Heard::Broken(code, _))) if code == "AUTH_FAILED" => Ok(began.elapsed()),
        Ok(Some(Heard::Broken(code, message))) => Err(Broken::new(Step::Refusal, code, message)),
        Ok(Some(_)) => {
            Err(Broken::new(Step::Refusal, "let_in", "a phone with a token that nobody gave out was let in"))
        }
        Ok(None) => Err(Broken::new(Step::Refusal, "stopped", "the phone's end has stopped")),
        Err(_) => Err(Broken::timed_out(Step::Refusal, within)),
    };
    talk.end(within).await;
    outcome
}

/// A phone's end that runs.
struct Talk {
    heard: mpsc::UnboundedReceiver<Heard>,
    acts: mpsc::UnboundedSender<Act<PhoneEnd>>,
    driving: tokio::task::JoinHandle<()>,
}

impl Talk {
    fn start(node: &Node, pairing: Pairing<'_>, body: Vec<u8>, dialer: &Dialer) -> Result<Self, Broken> {
        let Pairing { instance_id, identity, auth_token } = pairing;
        let config = PhoneConfig::new(node.app_url(), instance_id, auth_token, identity.clone());
        let end = PhoneEnd::new(config, u64::from(std::process::id()))
            .map_err(|error| Broken::new(Step::Pair, error.name(), error.to_string()))?;
        let (acts, received) = mpsc::unbounded_channel();
        let (say, heard) = mpsc::unbounded_channel();
        let (mut body, mut answer, dialer) = (Some(body), Vec::new(), dialer.clone());
        let broken = |code: &str, message: String| Heard::Broken(code.to_owned(), message);
        let dial = move |url| dialer.dial(url);
        let driving = tokio::spawn(drive(end, received, dial, move |end: &mut PhoneEnd, event, now| {
            let heard = match event {
                PhoneEvent::Ready => {
                    let body = body.take().unwrap_or_default();
                    match end.request("POST", "/prober", BTreeMap::new(), body, now) {
                        Ok(_) => Heard::Ready,
                        Err(error) => broken(error.name(), error.to_string()),
                    }
                }
                PhoneEvent::Response { response, is_last, .. } => {
                    answer.extend_from_slice(response.body.as_bytes());
                    if !is_last {
                        return;
                    }
                    Heard::Answer(response.status, std::mem::take(&mut answer))
                }
                PhoneEvent::Refused { error, .. } => broken(&error.code, error.message),
                PhoneEvent::IdentityRefused { error } => broken(error.name(), error.to_string()),
                PhoneEvent::RequestFailed { reason, .. } => broken("request_failed", format!("no answer: {reason:?}")),
                PhoneEvent::Disconnected { reason, message, .. } => broken(reason.as_str(), message),
                _ => return,
            };
            say.send(heard).ok();
        }));
        Ok(Self { heard, acts, driving })
    }

    async fn end(self, within: Duration) {
        drop(self.acts);
        timeout(within, self.driving).await.ok();
    }
}
