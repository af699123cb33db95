//! Instances: each registers, pings, answers requests through channels, and comes back when the relay is gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pulse_trust::keys::SigningKey;
use pulse_trust::relay::{Body, ProxyResponse};
use pulse_trust::session::{BackoffLimits, InstanceConfig, InstanceEnd, InstanceEvent};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};

use crate::driver::{Act, Dialing, dial, drive};
use crate::{Failure, spread, tenant};

/// A response of about the size of `/api/status`.
const STATUS: &[u8] = &[b' '; 1024];

/// What a fleet is.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address of the relay, or of each of its nodes: an instance that one does not take goes to another.
    #[arg(long, value_delimiter = ',', required = true)]
    relay: Vec<String>,
    /// Number of the first tenant.
    #[arg(long)]
    first: usize,
    /// How many.
    #[arg(long)]
    count: usize,
    /// How many connect at the same time.
    #[arg(long)]
    in_flight: usize,
}

/// Printed when all instances are registered: at first, and again whenever all are back after a loss.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    /// From the start, or from the first loss.
    pub(crate) seconds: f64,
    /// Connect and register, milliseconds.
    pub(crate) p50_ms: f64,
    /// The same.
    pub(crate) p99_ms: f64,
    /// Attempts that failed before one succeeded.
    pub(crate) failed_attempts: usize,
}

enum Event {
    Registered(Duration),
    Lost,
    Failed,
}

/// Runs a fleet for good.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let key = tenant::control_plane()?;
    let tenants = arguments.first..arguments.first.saturating_add(arguments.count);
    let ends = tenants
        .map(|number| {
            let urls = spread::instance_urls(number, &arguments.relay);
            let end = end(urls.first().ok_or("no relay")?, number, &key)?;
            Ok((end, urls))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let (events, mut happened) = mpsc::unbounded_channel();
    let in_flight = Arc::new(Semaphore::new(arguments.in_flight));
    let mut start = Instant::now();
    let acts: Vec<_> =
        ends.into_iter().map(|(end, urls)| live(end, urls, Arc::clone(&in_flight), events.clone())).collect();
    let (mut registered, mut failed_attempts, mut latencies) = (0_usize, 0, Vec::new());
    while let Some(event) = happened.recv().await {
        match event {
            Event::Registered(latency) => {
                registered = registered.saturating_add(1);
                latencies.push(latency);
                if registered == arguments.count {
                    let [p50_ms, p99_ms] = [50, 99].map(|percent| percentile_ms(&mut latencies, percent));
                    let seconds = start.elapsed().as_secs_f64();
                    println!("{}", serde_json::to_string(&Report { seconds, p50_ms, p99_ms, failed_attempts })?);
                    (failed_attempts, latencies) = (0, Vec::new());
                }
            }
            Event::Lost => {
                if registered == arguments.count {
                    start = Instant::now();
                }
                registered = registered.saturating_sub(1);
            }
            Event::Failed => failed_attempts = failed_attempts.saturating_add(1),
        }
    }
    drop(acts);
    Ok(())
}

/// The time below which so many percent are, in milliseconds.
pub(crate) fn percentile_ms(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let index = times.len().saturating_sub(1).saturating_mul(percent).checked_div(100).unwrap_or_default();
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// An instance that comes back sooner than a real one would: the storm is to be one.
fn end(url: &str, number: usize, key: &SigningKey) -> Result<InstanceEnd, Failure> {
    let mut config = InstanceConfig::new(url, tenant::lease(number, key)?, "", tenant::identity(number)?);
    config.client_version = Some("load".to_owned());
    config.backoff = BackoffLimits::new(Duration::from_millis(100), Duration::from_secs(1));
    // It waits for its turn to connect, too.
    config.times.connect = Duration::from_secs(60);
    Ok(InstanceEnd::new(config, number as u64)?)
}

/// Drives an instance as long as what is returned is kept.
fn live(
    end: InstanceEnd,
    urls: Vec<String>,
    in_flight: Arc<Semaphore>,
    events: mpsc::UnboundedSender<Event>,
) -> mpsc::UnboundedSender<Act<InstanceEnd>> {
    let (acts, received) = mpsc::unbounded_channel();
    // When the connection that there is was begun; it began when its turn had come.
    let begun = Arc::new(Mutex::new(Instant::now()));
    let dialed = Arc::clone(&begun);
    let dial_in_turn = move |url: String| -> Dialing {
        let (in_flight, dialed) = (Arc::clone(&in_flight), Arc::clone(&dialed));
        let others: Vec<_> = urls.iter().filter(|other| **other != url).cloned().collect();
        Box::pin(async move {
            let _permit = in_flight.acquire_owned().await;
            *dialed.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            let mut dialed = dial(url).await;
            // As a balancer does it: who cannot be reached is passed over.
            for other in others {
                if dialed.is_ok() {
                    break;
                }
                dialed = dial(other).await;
            }
            dialed
        })
    };
    let mut is_registered = false;
    tokio::spawn(drive(end, received, dial_in_turn, move |end: &mut InstanceEnd, event, now| match event {
        InstanceEvent::Registered { .. } => {
            is_registered = true;
            let took = begun.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            events.send(Event::Registered(took)).ok();
        }
        InstanceEvent::Disconnected { .. } => {
            let event = if is_registered { Event::Lost } else { Event::Failed };
            is_registered = false;
            events.send(event).ok();
        }
        InstanceEvent::ChannelOffered { channel, .. } => {
            end.accept(channel).ok();
        }
        InstanceEvent::Request { channel, request } => {
            let body = Body::new(STATUS.to_vec()).unwrap_or_default();
            let response = {
                let mut proxy_response = ProxyResponse::new(request.id, 200);
                proxy_response.body = body;
                proxy_response
            };
            end.respond(channel, &response, now).ok();
        }
        _ => {}
    }));
    acts
}
