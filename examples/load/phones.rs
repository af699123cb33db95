//! Phones: each pairs with an instance and sends requests at its pace, whether or not answers come.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pulse_trust::relay::InstanceId;
use pulse_trust::session::{PhoneConfig, PhoneEnd, PhoneEvent, RequestId};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::driver::{Act, dial, drive};
use crate::fleet::percentile_ms;
use crate::{Failure, tenant};

/// What the phones do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The relay's address.
    #[arg(long)]
    relay: String,
    /// How many, with the tenants of the numbers from 0.
    #[arg(long)]
    phones: usize,
    /// Requests a second of all together.
    #[arg(long)]
    rate: u32,
    /// For so long.
    #[arg(long)]
    seconds: u64,
}

/// Printed at the end.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    /// Requests that were answered.
    pub(crate) answered: usize,
    /// Requests that were not, within 5 s of the end.
    pub(crate) unanswered: usize,
    /// From the moment a request was due to its answer, opened; milliseconds.
    pub(crate) p50_ms: f64,
    /// The same.
    pub(crate) p99_ms: f64,
}

/// Runs the phones, and reports.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut phones = Vec::new();
    for number in 0..arguments.phones {
        phones.push(Phone::pair(&arguments.relay, number).await?);
    }
    let pace = Duration::from_secs(1).mul_f64(arguments.phones as f64 / f64::from(arguments.rate));
    let start = Instant::now() + Duration::from_millis(100);
    let end = start + Duration::from_secs(arguments.seconds);
    let running: Vec<_> = phones
        .into_iter()
        .enumerate()
        .map(|(index, phone)| {
            let first = start + pace.mul_f64(index as f64 / arguments.phones as f64);
            tokio::spawn(phone.ask(first, pace, end))
        })
        .collect();
    let (mut latencies, mut unanswered) = (Vec::new(), 0_usize);
    for phone in running {
        let asked = phone.await?;
        unanswered = unanswered.saturating_add(asked.open.len()).saturating_add(asked.refused);
        latencies.extend(asked.answered);
    }
    let [p50_ms, p99_ms] = [50, 99].map(|percent| percentile_ms(&mut latencies, percent));
    println!("{}", serde_json::to_string(&Report { answered: latencies.len(), unanswered, p50_ms, p99_ms })?);
    Ok(())
}

struct Phone {
    acts: mpsc::UnboundedSender<Act<PhoneEnd>>,
    asked: Arc<Mutex<Asked>>,
}

/// What became of a phone's requests.
#[derive(Default)]
struct Asked {
    /// When each request that waits was due.
    open: HashMap<RequestId, Instant>,
    /// Requests that the end did not take, as too much waited.
    refused: usize,
    answered: Vec<Duration>,
}

impl Phone {
    /// Connects and verifies the instance; the first refusal or loss is a failure here.
    async fn pair(relay: &str, number: usize) -> Result<Self, Failure> {
        let instance_id = InstanceId::of_host(&tenant::host(number)?);
        let identity = tenant::identity(number)?.public_key().clone();
        let url = format!("ws://{relay}/ws/app");
        let mut config = PhoneConfig::new(url, instance_id.as_str(), tenant::AUTH_TOKEN, identity);
        config.platform = "load".to_owned();
        config.limits.requests = usize::MAX;
        let end = PhoneEnd::new(config, number as u64)?;
        let (acts, received) = mpsc::unbounded_channel();
        let asked = Arc::new(Mutex::new(Asked::default()));
        let (paired, outcome) = oneshot::channel();
        let (mut paired, heard) = (Some(paired), Arc::clone(&asked));
        let mut report = move |outcome: Result<(), String>| {
            if let Some(paired) = paired.take() {
                paired.send(outcome).ok();
            }
        };
        tokio::spawn(drive(end, received, dial, move |_: &mut PhoneEnd, event, _| match event {
            PhoneEvent::Ready => report(Ok(())),
            PhoneEvent::Response { request, is_last: true, .. } => {
                let mut asked = heard.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(due) = asked.open.remove(&request) {
                    asked.answered.push(due.elapsed());
                }
            }
            PhoneEvent::Response { .. } => {}
            other => report(Err(format!("{other:?}"))),
        }));
        outcome.await??;
        Ok(Self { acts, asked })
    }

    /// Sends a request each time one is due until `end`, whether or not answers come, and waits 5 s more for those.
    async fn ask(self, first: Instant, pace: Duration, end: Instant) -> Asked {
        let mut due = interval_at(first, pace);
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while Instant::now() < end {
            let at = due.tick().await;
            let asked = Arc::clone(&self.asked);
            let act: Act<PhoneEnd> = Box::new(move |end, now| {
                let request = end.request("GET", "/api/status", BTreeMap::new(), Vec::new(), now);
                let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                match request {
                    Ok(request) => drop(asked.open.insert(request, at)),
                    Err(_) => asked.refused += 1,
                }
            });
            self.acts.send(act).ok();
        }
        let last_word = end + Duration::from_secs(5);
        while Instant::now() < last_word && !self.is_answered() {
            sleep_until(Instant::now() + Duration::from_millis(20)).await;
        }
        std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_answered(&self) -> bool {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).open.is_empty()
    }
}
