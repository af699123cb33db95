//! A running relay: what it is made of, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use pulse_trust::relay::Admission;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

#[cfg(feature = "nats")]
use crate::cluster::Cluster;
use crate::config::Config;
use crate::directory_lock::DirectoryLock;
use crate::holds::Holds;
use crate::links::Links;
use crate::listener::{self, Listener, Tcp};
use crate::logging::{LogHandle, RefusalLog};
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::rates::Rates;
use crate::registry::Registry;
use crate::revocations::{Feed, InForce};
use crate::session_token::SessionKey;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::throttle::Paces;
use crate::tls::{self, Tls};
use crate::{admin, drain, enforcement, reload, state_file};

/// Each connection takes a descriptor, and some are kept for files, the admin address and refusals: with fewer, hardly any is
/// left for a phone.
const ENOUGH_DESCRIPTORS: u64 = 256;

/// A running relay. Dropping it leaves it running; [`Relay::drain`] ends it.
pub struct Relay {
    addr: SocketAddr,
    admin_addr: Option<SocketAddr>,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Starts a relay: from its return on, it takes connections. With a revocation feed, it returns when the feed was read
    /// to its end.
    ///
    /// # Errors
    /// Where the address cannot be bound, or the data directory holds something that is not this relay's, or cannot be
    /// written.
    pub async fn start(config: Config) -> io::Result<Self> {
        Self::start_logged(config, None).await
    }

    /// Starts a relay whose metrics show what the log has lost.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub async fn start_logged(config: Config, log: Option<LogHandle>) -> io::Result<Self> {
        let (shared, feed) = prepare(&config, log)?;
        let feed = match feed {
            Some(mut feed) => {
                feed.catch_up(&shared).await;
                Some(feed)
            }
            None => None,
        };
        let listener = Tcp::bind(&config.addr)
            .await
            .map_err(|error| named(&error, "listen on", &config.addr, "PULSE_RELAY_ADDR"))?;
        Self::serve(listener, shared, feed).await
    }

    /// Starts a relay on a listener of the caller's, which may be a simulated one. `config.addr` is not used.
    ///
    /// # Errors
    /// As [`Relay::start`].
    pub async fn start_on<L: Listener>(listener: L, config: Config) -> io::Result<Self> {
        let (shared, feed) = prepare(&config, None)?;
        let feed = match feed {
            Some(mut feed) => {
                feed.catch_up(&shared).await;
                Some(feed)
            }
            None => None,
        };
        Self::serve(listener, shared, feed).await
    }

    async fn serve<L: Listener>(listener: L, shared: Arc<Shared>, feed: Option<Feed>) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        join(&shared).await?;
        let wanted = shared.config.load().admin_addr;
        let admin_addr = match wanted {
            None => None,
            Some(wanted) => {
                let named = |error| named(&error, "listen on", &wanted.to_string(), "PULSE_RELAY_ADMIN_ADDR");
                let listener = TcpListener::bind(wanted).await.map_err(named)?;
                let addr = listener.local_addr()?;
                tokio::spawn(admin::serve(listener, Arc::clone(&shared)));
                info!(%addr, "the admin address listens");
                Some(addr)
            }
        };
        if let Some(feed) = feed {
            tokio::spawn(feed.follow(Arc::clone(&shared)));
        }
        if let Some(tls) = &shared.tls {
            tokio::spawn(tls::follow(Arc::clone(tls), Arc::clone(&shared)));
        }
        tokio::spawn(enforcement::run(Arc::clone(&shared)));
        let accepting = tokio::spawn(listener::accept(listener, Arc::clone(&shared)));
        info!(%addr, "listening");
        Ok(Self { addr, admin_addr, shared, accepting })
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address for the operator, if there is one.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin_addr
    }

    /// Returns when the relay takes no more connections although it does not drain: it is then of no use.
    pub async fn failed(&mut self) {
        (&mut self.accepting).await.ok();
    }

    /// Takes no more connections, sends DRAIN to every one there is, lets requests that are under way be answered, and
    /// closes, all within the drain timeout.
    pub async fn drain(self) {
        let time = self.shared.config.load().drain_timeout;
        drain::run(&self.shared, time).await;
    }

    /// Brings other settings into effect, as far as they can change while the relay runs; the log says which of them wait for
    /// the next start.
    pub fn reload(&self, config: Config) {
        reload::apply(&self.shared, config);
    }

    /// Counts failures to read the settings again, so that an operator who only looks at metrics sees them.
    pub(crate) fn could_not_reload(&self) {
        self.shared.metrics.config_reload_failures.inc();
    }
}

/// Joins the other nodes, if that is configured.
#[cfg(feature = "nats")]
async fn join(shared: &Arc<Shared>) -> io::Result<()> {
    let nats = shared.config.load().nats.clone();
    let Some(nats) = nats else { return Ok(()) };
    let (cluster, happened) = Cluster::connect(&nats).await?;
    shared.metrics.cluster_configured.set(1);
    shared.metrics.cluster_up.set(1);
    shared.cluster.set(Arc::clone(&cluster)).ok();
    tokio::spawn(crate::cluster::run(cluster, happened, Arc::clone(shared)));
    Ok(())
}

#[cfg(not(feature = "nats"))]
async fn join(shared: &Arc<Shared>) -> io::Result<()> {
    match shared.config.load().nats {
        None => Ok(()),
        Some(_) => Err(io::Error::other("PULSE_RELAY_NATS_URL: this relay was built without the feature nats")),
    }
}

pub(crate) fn prepare(config: &Config, log: Option<LogHandle>) -> io::Result<(Arc<Shared>, Option<Feed>)> {
    let limits = config.limits.clone();
    let metrics = Metrics::new().map_err(io::Error::other)?;
    let data_dir = config.data_dir.display().to_string();
    state_file::make_directory(&config.data_dir)
        .map_err(|error| named(&error, "make or open the directory", &data_dir, "PULSE_RELAY_DATA_DIR"))?;
    let unusable = |error| named(&error, "use the directory", &data_dir, "PULSE_RELAY_DATA_DIR");
    let directory = DirectoryLock::take(&config.data_dir).map_err(unusable)?;
    let session_key = SessionKey::load_or_make(&config.data_dir).map_err(unusable)?;
    let now = config.clock.now();
    let failures = metrics.state_write_failures.clone();
    let (holds, remembered) = Holds::open(&config.data_dir, limits.identity_hold, now, failures).map_err(unusable)?;
    // A quarter, so senders that stop half way keep nothing from being sent.
    let arriving = limits.process_queued_bytes.div_euclid(4);
    let tls = config.tls.clone().map(|files| Tls::open(files, config.clock.now(), &metrics)).transpose()?.map(Arc::new);
    let descriptors = rlimit::Resource::NOFILE.get().map_or(1024, |(soft, _)| soft);
    if descriptors < ENOUGH_DESCRIPTORS {
        warn!(
            descriptors,
            enough = ENOUGH_DESCRIPTORS,
            "few file descriptors: phones and instances will be answered 503; raise LimitNOFILE= of the unit, or ulimit -n"
        );
    }
    let shared = Arc::new(Shared {
        config: ArcSwap::from_pointee(config.clone()),
        at_start: config.clone(),
        admission: ArcSwap::from_pointee(Admission::new(config.keys.clone())),
        clock: config.clock.clone(),
        cluster: OnceLock::new(),
        directory,
        links: Links::default(),
        memory: Arc::new(Memory::new(limits.process_queued_bytes.saturating_sub(arriving))),
        arriving: Arc::new(Memory::new(arriving)),
        metrics,
        rates: ArcSwap::from_pointee(Rates::new(&limits)),
        paces: Paces::default(),
        log,
        refusal_log: RefusalLog::new(limits.logged_refusals),
        registry: Registry::new(limits.identity_hold, holds, remembered, now),
        revocations: InForce::default(),
        session_key,
        started: Instant::now(),
        tls,
        drain: CancellationToken::new(),
        tasks: TaskTracker::new(),
        slots: Slots::new(&limits, usize::try_from(descriptors).unwrap_or(usize::MAX)),
    });
    shared.metrics.show_keys(reload::key_ids(&config.keys));
    let limit = i64::try_from(config.limits.process_queued_bytes).unwrap_or(i64::MAX);
    shared.metrics.queue_limit.set(limit);
    if config.keys.lease.is_empty() {
        warn!("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY is not set: hosted instances will be refused");
    }
    let feed = config.revocation_feed.clone().map(|feed| Feed::open(feed, &config.data_dir, &shared)).transpose()?;
    Ok((shared, feed))
}

/// An error with what was tried, and the setting behind it.
fn named(error: &io::Error, tried: &str, value: &str, setting: &str) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {tried} {value} ({setting}): {error}"))
}
