//! What every connection works with.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use pulse_trust::relay::Admission;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::Limits;
use crate::links::Links;
use crate::logging::{LogLosses, RefusalLog};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::rates::Rates;
use crate::registry::Registry;
use crate::revocations::InForce;
use crate::session_token::SessionKey;
use crate::slots::Slots;
use crate::tls::Tls;

pub(crate) struct Shared {
    pub(crate) admission: Admission,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) links: Links,
    /// For what waits to be sent.
    pub(crate) memory: Arc<Memory>,
    /// For messages that have not arrived whole.
    pub(crate) arriving: Arc<Memory>,
    pub(crate) metrics: Metrics,
    pub(crate) public_hosts: Vec<String>,
    pub(crate) rates: Rates,
    pub(crate) log_losses: Option<LogLosses>,
    pub(crate) refusal_log: RefusalLog,
    pub(crate) registry: Registry,
    pub(crate) revocations: InForce,
    pub(crate) session_key: SessionKey,
    pub(crate) started: Instant,
    /// The listener's TLS, where it has one.
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Nothing new is taken.
    pub(crate) drain: CancellationToken,
    /// The connections' tasks.
    pub(crate) tasks: TaskTracker,
    pub(crate) slots: Slots,
}

impl Shared {
    /// Since the relay started, on a clock that never goes back.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
