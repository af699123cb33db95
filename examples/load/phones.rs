//! Phones: each pairs with an instance and sends requests at its pace, whether or not answers come.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pulse_trust::relay::InstanceId;
use pulse_trust::session::{Now, PhoneConfig, PhoneEnd, PhoneEvent, RequestId};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::driver::{Act, dial, drive};
use crate::fleet::percentile_ms;
use crate::process::Role;
use crate::spread::Meeting;
use crate::{Failure, spread, tenant};

/// What the phones do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address of the relay, or of each of its nodes.
    #[arg(long, value_delimiter = ',', required = true)]
    relay: Vec<String>,
    /// On which of the nodes a phone is, seen from its instance.
    #[arg(long, default_value = "same")]
    meeting: Meeting,
    /// How many, with the tenants of the numbers from 0.
    #[arg(long)]
    phones: usize,
    /// Requests a second of all together.
    #[arg(long, required_unless_present = "in_flight")]
    rate: Option<u32>,
    /// So many requests of each phone wait for their answer at any time, however fast that is.
    #[arg(long, conflicts_with = "rate")]
    in_flight: Option<usize>,
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

/// The report of phones that were started.
pub(crate) async fn report(mut phones: Role) -> Result<Report, Failure> {
    phones.line().await?;
    phones.report().await
}

/// Runs the phones. The first line says that all are paired; the second is the report.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut phones = Vec::new();
    for number in 0..arguments.phones {
        let relay = spread::phone_relay(number, &arguments.relay, arguments.meeting).ok_or("no relay")?;
        phones.push(Phone::pair(relay, number).await?);
    }
    println!("paired");
    let pace = arguments
        .rate
        .map_or(Duration::MAX, |rate| Duration::from_secs(1).mul_f64(arguments.phones as f64 / f64::from(rate)));
    let start = Instant::now() + Duration::from_millis(100);
    let end = start + Duration::from_secs(arguments.seconds);
    let running: Vec<_> = phones
        .into_iter()
        .enumerate()
        .map(|(index, phone)| match arguments.in_flight {
            Some(in_flight) => tokio::spawn(phone.ask_at_once(in_flight, end)),
            None => {
                let first = start + pace.mul_f64(index as f64 / arguments.phones as f64);
                tokio::spawn(phone.ask(first, pace, end))
            }
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
    /// Until when an answer is followed by the next request.
    goes_on_until: Option<Instant>,
}

impl Asked {
    fn ask(&mut self, end: &mut PhoneEnd, due: Instant, now: Now) {
        match end.request("GET", "/api/status", BTreeMap::new(), Vec::new(), now) {
            Ok(request) => drop(self.open.insert(request, due)),
            Err(_) => self.refused += 1,
        }
    }
}

impl Phone {
    /// Connects and verifies the instance; the first refusal or loss is a failure here.
    async fn pair(relay: &str, number: usize) -> Result<Self, Failure> {
        let instance_id = InstanceId::of_host(&tenant::host(number)?);
        let identity = tenant::identity(number)?.public_key().clone();
        let url = format!("ws://{relay}/ws/app");
        let mut config = PhoneConfig::new(url, instance_id.as_str(), tenant::AUTH_TOKEN, identity);
        config.platform = Some("load".to_owned());
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
        tokio::spawn(drive(end, received, dial, move |end: &mut PhoneEnd, event, now| match event {
            PhoneEvent::Ready => report(Ok(())),
            PhoneEvent::Response { request, is_last: true, .. } => {
                let mut asked = heard.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(due) = asked.open.remove(&request) {
                    asked.answered.push(due.elapsed());
                    let began = Instant::now();
                    if asked.goes_on_until.is_some_and(|until| began < until) {
                        asked.ask(end, began, now);
                    }
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
                asked.lock().unwrap_or_else(PoisonError::into_inner).ask(end, at, now);
            });
            self.acts.send(act).ok();
        }
        self.last_answers(end).await
    }

    /// Lets so many requests wait for their answer until `end`: each answer is followed by the next.
    async fn ask_at_once(self, in_flight: usize, end: Instant) -> Asked {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).goes_on_until = Some(end);
        for _ in 0..in_flight {
            let asked = Arc::clone(&self.asked);
            let act: Act<PhoneEnd> = Box::new(move |end, now| {
                asked.lock().unwrap_or_else(PoisonError::into_inner).ask(end, Instant::now(), now);
            });
            self.acts.send(act).ok();
        }
        sleep_until(end).await;
        self.last_answers(end).await
    }

    /// What was asked and answered, 5 s after the end at the latest.
    async fn last_answers(self, end: Instant) -> Asked {
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
