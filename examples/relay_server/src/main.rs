//! The relay as a program: settings from the environment, SIGINT and SIGTERM drain.

use std::process::ExitCode;

use pulse_relay::{Config, Relay};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

/// Reference relay for Pulse: phones reach instances through it.
#[derive(clap::Parser)]
#[command(version, after_help = SETTINGS)]
struct Arguments {}

const SETTINGS: &str = "\
Settings, from the environment:
  PULSE_RELAY_ADDR                              host:port to listen on; port 0 takes a free one [127.0.0.1:8080]
  PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY     keys that hosted leases verify under, base64, separated by commas;
                                                else PULSE_TRIAL_ACTIVATION_PUBLIC_KEY
  PULSE_RELAY_PUBLIC_KEY                        keys that licenses and grants verify under, the same way
  PULSE_RELAY_DATA_DIR                          where the key of session tokens is kept [/var/lib/pulse-relay]
  PULSE_RELAY_DRAIN_TIMEOUT                     how long a drain may take, such as 2s [2s]
  PULSE_RELAY_LICENSE_SERVER_URL                where revocations are read from; with
  PULSE_RELAY_REVOCATION_FEED_TOKEN
  RUST_LOG                                      what is logged, to standard error [info]";

#[tokio::main]
async fn main() -> ExitCode {
    <Arguments as clap::Parser>::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(%error, "the relay could not run");
            ExitCode::FAILURE
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

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    allow_many_connections();
    let relay = Relay::start(Config::from_env()?).await?;
    // The one line on standard output: for a program that started this one on port 0.
    println!("listening on {}", relay.local_addr());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    relay.drain().await;
    Ok(())
}
