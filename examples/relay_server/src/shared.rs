//! What every connection works with.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use pulse_trust::relay::Admission;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::directory_lock::DirectoryLock;
use crate::links::Links;
use crate::logging::{LogHandle, RefusalLog};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::rates::Rates;
use crate::registry::Registry;
use crate::revocations::InForce;
use crate::session_token::SessionKey;
use crate::slots::Slots;
use crate::throttle::Paces;
use crate::tls::Tls;

pub(crate) struct Shared {
    /// The settings as they were read last.
    pub(crate) config: ArcSwap<Config>,
    /// The settings that the relay started with; they are in effect if only a restart changes them.
    pub(crate) at_start: Config,
    pub(crate) admission: ArcSwap<Admission>,
    pub(crate) clock: Clock,
    /// The other nodes, if there can be any.
    pub(crate) cluster: OnceLock<Arc<Cluster>>,
    /// Held until the relay has drained, or is dropped.
    pub(crate) directory: DirectoryLock,
    pub(crate) links: Links,
    /// For what waits to be sent.
    pub(crate) memory: Arc<Memory>,
    /// For messages that have not arrived whole.
    pub(crate) arriving: Arc<Memory>,
    pub(crate) metrics: Metrics,
    pub(crate) rates: ArcSwap<Rates>,
    pub(crate) paces: Paces,
    /// The program's log; `None` if another program, with its own log, runs the relay.
    pub(crate) log: Option<LogHandle>,
    pub(crate) refusal_log: RefusalLog,
    pub(crate) registry: Registry,
    pub(crate) revocations: InForce,
    pub(crate) session_key: SessionKey,
    pub(crate) started: Instant,
    /// The listener's TLS, where it has one.
    pub(crate) tls: Option<Arc<Tls>>,
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
