//! The relay as a program: its settings, its signals, its end.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{error, info, warn};

use crate::config::{Config, ConfigError, Sources, settings_page};
use crate::logging::{Log, LogHandle};
use crate::metrics::metrics_page;
use crate::relay::Relay;
use crate::runtime::runtime;
use crate::session_token::SessionKey;

/// How long threads that are still working may delay the end of the process.
const LAST_THREADS: Duration = Duration::from_millis(100);

/// The exit status if the settings file cannot be read: the tool `pulse-trust` uses it for every file.
const CANNOT_READ: u8 = 3;

/// What the program is told.
#[derive(clap::Args, Debug, Clone, Default)]
pub struct Arguments {
    /// Reads settings from this file (TOML) too; the environment wins
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Reads every setting, prints them with where they come from, and ends
    #[arg(long)]
    check_config: bool,
    /// Prints the page of every setting, in Markdown
    #[arg(long, conflicts_with_all = ["config", "check_config"])]
    settings: bool,
    /// Prints the page of every metric, in Markdown
    #[arg(long, conflicts_with_all = ["config", "check_config", "settings"])]
    metrics: bool,
}

/// Runs a relay until a signal ends it: the whole of the binary `pulse-relay`.
pub fn program(arguments: &Arguments) -> ExitCode {
    if arguments.settings {
        return print(&settings_page());
    }
    if arguments.metrics {
        return print(&metrics_page());
    }
    if arguments.check_config {
        return match read(arguments) {
            Ok((sources, config)) => {
                check(&sources, &config).map_or_else(|message| failed(&message), |()| ExitCode::SUCCESS)
            }
            Err(error) => not_read(&error),
        };
    }
    let prepared = runtime().and_then(|runtime| {
        // Before the settings, whose keys take a moment: without a handler, SIGHUP would end the process. The other signals
        // still do.
        let hang_up = runtime.block_on(async { signal(SignalKind::hangup()) })?;
        Ok((runtime, hang_up))
    });
    let (runtime, hang_up) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return failed(&format!("the relay could not run: {error}")),
    };
    let config = match read(arguments) {
        Ok((_, config)) => config,
        Err(error) => return not_read(&error),
    };
    let log = Log::to_stderr(config.log_format, &config.log);
    let ended = runtime.block_on(run(arguments, config, log.handle(), hang_up));
    runtime.shutdown_timeout(LAST_THREADS);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, "the relay could not run");
            ExitCode::FAILURE
        }
    }
}

/// Prints a page, which is all that was requested.
fn print(page: &str) -> ExitCode {
    match say(page) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("standard output: {error}")),
    }
}

/// Writes to standard output. `print!` would panic if nobody reads it, or if the disk behind it is full.
fn say(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn failed(message: &str) -> ExitCode {
    writeln!(io::stderr(), "{message}").ok();
    ExitCode::FAILURE
}

/// The settings cannot be used, or their file cannot be read.
fn not_read(error: &ConfigError) -> ExitCode {
    let failed = failed(&error.to_string());
    if Sources::cannot_read_file(error) { ExitCode::from(CANNOT_READ) } else { failed }
}

fn read(arguments: &Arguments) -> Result<(Sources, Config), ConfigError> {
    let sources = Sources::of_process(arguments.config.as_deref())?;
    let config = sources.config()?;
    Ok((sources, config))
}

/// What a start would also read: the certificate and its key, the license server's authority, and the session key.
fn check(sources: &Sources, config: &Config) -> Result<(), String> {
    SessionKey::check(&config.data_dir).map_err(|error| error.to_string())?;
    if let Some(files) = &config.tls {
        files.load().map_err(|error| error.to_string())?;
    }
    if let Some(feed) = &config.revocation_feed {
        feed.roots().map_err(|error| error.to_string())?;
    }
    let mut page = String::new();
    for (setting, value) in config.settings() {
        writeln!(page, "{setting} = {value} ({})", sources.origin(setting)).ok();
    }
    page.push_str("ok\n");
    say(&page).map_err(|error| format!("standard output: {error}"))
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn run(arguments: &Arguments, config: Config, log: LogHandle, hang_up: Signal) -> Result<(), Failure> {
    let mut signals = Signals::new(hang_up)?;
    allow_many_connections();
    for (setting, value) in config.settings() {
        info!(setting, value);
    }
    let mut relay = tokio::select! {
        relay = Relay::start_logged(config, Some(log)) => relay?,
        () = signals.end() => return Ok(()),
    };
    // The only line on standard output: for a program that started this one on port 0.
    if let Err(error) = say(&format!("listening on {}\n", relay.local_addr())) {
        warn!(%error, "standard output takes nothing: the address that the relay listens on is in this log alone");
    }
    loop {
        tokio::select! {
            is_end = signals.next() => match is_end {
                true => break,
                false if reload_until_ended(arguments, &relay, &mut signals).await => break,
                false => {}
            },
            () = relay.failed() => return Err("the listener ended".into()),
        }
    }
    tokio::select! {
        () = relay.drain() => {}
        () = signals.end() => warn!("a second signal: connections are dropped"),
    }
    Ok(())
}

/// Reads the settings again, and once more where SIGHUP came meanwhile. Whether a signal ended the relay first: a file on a disk that
/// hangs must not keep it.
async fn reload_until_ended(arguments: &Arguments, relay: &Relay, signals: &mut Signals) -> bool {
    let mut is_wanted = true;
    while std::mem::take(&mut is_wanted) {
        let mut reading = std::pin::pin!(reload(arguments, relay));
        loop {
            tokio::select! {
                () = &mut reading => break,
                is_end = signals.next() => match is_end {
                    true => return true,
                    false => is_wanted = true,
                },
            }
        }
    }
    false
}

/// Reads the settings again. What cannot be used changes nothing.
async fn reload(arguments: &Arguments, relay: &Relay) {
    let arguments = arguments.clone();
    // Off the sockets' threads: a lease key's tables take a moment.
    let config = tokio::task::spawn_blocking(move || read(&arguments).map_err(|error| error.to_string())).await;
    match config.unwrap_or_else(|error| Err(error.to_string())) {
        Ok((_, config)) => {
            relay.reload(config);
            info!("SIGHUP: the settings were read again");
        }
        Err(error) => {
            relay.could_not_reload();
            error!(error, "SIGHUP: the settings cannot be used, so the previous ones stay in effect");
        }
    }
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
    fn new(hang_up: Signal) -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hang_up })
    }

    /// Waits for the next signal; returns whether it ends the relay.
    async fn next(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => true,
            _ = self.hang_up.recv() => false,
        }
    }

    /// The next signal that ends the relay. Before it serves and while it drains, SIGHUP changes nothing.
    async fn end(&mut self) {
        while !self.next().await {}
    }
}
