//! The relay as a program: its settings come from the environment, SIGINT and SIGTERM drain it.

use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use crate::config::Config;
use crate::logging::{Log, LogFormat, LogLosses};
use crate::relay::Relay;
use crate::runtime::runtime;

/// How long threads that still work may hold up the end of the process.
const LAST_THREADS: Duration = Duration::from_millis(100);

/// Runs a relay until a signal ends it: the whole of the binary `pulse-relay` but for its arguments.
pub fn program() -> ExitCode {
    let format = match LogFormat::from_env() {
        Ok(format) => format,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    let log = Log::to_stderr(format);
    let ended = runtime().map_err(Into::into).and_then(|runtime| {
        let ended = runtime.block_on(run(log.dropped_lines()));
        runtime.shutdown_timeout(LAST_THREADS);
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, "the relay could not run");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn run(log_losses: LogLosses) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    allow_many_connections();
    let config = Config::from_env()?;
    for (setting, value) in config.settings() {
        info!(setting, value);
    }
    let mut relay = tokio::select! {
        relay = Relay::start_logged(config, Some(log_losses)) => relay?,
        () = signals.end() => return Ok(()),
    };
    // The one line on standard output: for a program that started this one on port 0.
    println!("listening on {}", relay.local_addr());
    tokio::select! {
        () = signals.end() => {}
        () = relay.failed() => return Err("the listener ended".into()),
    }
    tokio::select! {
        () = relay.drain() => {}
        () = signals.end() => warn!("a second signal: connections are dropped"),
    }
    Ok(())
}

/// Every connection is a file descriptor.
fn allow_many_connections() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => info!(limit, "file descriptors"),
        Err(error) => warn!(%error, "the limit of file descriptors could not be raised"),
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal that ends the relay. A terminal that hangs up does not.
    async fn end(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => info!("SIGHUP changes nothing: settings are read at the start"),
            }
        }
    }
}
