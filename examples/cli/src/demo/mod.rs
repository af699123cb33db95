//! `pulse-trust demo`: a relay, a hosted tenant and a page with its pairing code, in one command.

mod page;
#[path = "../../../journey/phone.rs"]
mod phone;
#[path = "../../../journey/runtime.rs"]
mod runtime;
mod tenant;

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use pulse_relay::{Config, Relay};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};

use self::runtime::{Registered, Registration, register, serve_api};
use self::tenant::Tenant;
use crate::failure::Failure;
use crate::outcome::{Outcome, Stop};

/// Runs a relay, a hosted tenant and a page with its pairing code, to see the whole journey
///
/// Everything is made for the demonstration, in a temporary directory, and removed at its end: keys, lease, tenant, relay.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pulse-trust demo\n  \
    pulse-trust demo --listen 192.168.1.20:8090    so that a phone in the same network can scan the code")]
pub(crate) struct DemoArgs {
    /// Where the page is served; the relay takes a free port beside it
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
}

/// What the page shows. It changes when a phone has paired.
pub(super) struct Shown {
    relay_url: String,
    instance_id: String,
    fingerprint: String,
    code: String,
    qr: String,
    steps: Vec<(&'static str, String)>,
    /// What a phone asked for and got, through the relay.
    paired: Mutex<Option<String>>,
}

pub(crate) fn run(args: &DemoArgs) -> Result<Outcome, Stop> {
    if args.listen.ip().is_unspecified() {
        return Err(Stop::usage(format!(
            "--listen {}: expected an address of this machine that a phone can reach, as the pairing code names it",
            args.listen
        )));
    }
    crate::descriptors::check()?;
    let runtime = pulse_relay::runtime().map_err(|error| Stop::cannot_tell(format!("no sockets: {error}")))?;
    runtime.block_on(demonstrate(args.listen))?;
    Ok(Outcome::Accepted)
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::cannot_tell(failure.to_string())
    }
}

async fn demonstrate(listen: SocketAddr) -> Result<(), Stop> {
    // Before there is anything to remove, so that a signal always leads to its removal.
    let mut end = Ended::by_signals().map_err(Failure::from_error)?;
    // First of all, so that nothing is started where the port is taken.
    let listener = tokio::net::TcpListener::bind(listen).await;
    let listener = listener.map_err(|error| Failure::new(format!("cannot listen on {listen} (--listen): {error}")))?;
    let page_at = listener.local_addr().map_err(Failure::from_error)?;

    let control_plane = SigningKey::generate()?;
    let relay_data = private_directory()?;
    let relay = start_relay(page_at.ip(), &control_plane, relay_data.path()).await?;
    let relay_url = format!("ws://{}/ws/instance", relay.local_addr());
    let tenant = Tenant::start(&control_plane, &relay_url)?;
    let mut registered = register(registration(&tenant, &relay_url).await?).await?;
    let shown = Arc::new(tenant.shown(&relay_url, &registered.instance_id)?);

    announce(page_at, &shown)?;
    let pages = tokio::spawn(page::serve(listener, page_at, Arc::clone(&shown)));
    tokio::select! {
        ended = watch(&mut registered, &shown) => ended?,
        () = end.wait() => {}
    }
    pages.abort();
    relay.drain().await;
    Ok(())
}

async fn start_relay(ip: IpAddr, control_plane: &SigningKey, data: &std::path::Path) -> Result<Relay, Failure> {
    let lease = TrustKeySet::new([control_plane.public_key().clone()]);
    let mut config = Config::on_loopback(TrustKeys::for_leases(lease), data);
    config.addr = SocketAddr::new(ip, 0).to_string();
    Relay::start(config).await.map_err(Failure::from_error)
}

async fn registration(tenant: &Tenant, relay_url: &str) -> Result<Registration, Failure> {
    Ok(Registration {
        relay_url: relay_url.to_owned(),
        credential: tenant.started.credential.require_secret_token()?.to_owned(),
        instance_secret: tenant.started.config.instance_secret.expose_secret().to_owned(),
        identity: tenant.started.config.identity()?,
        auth_token: tenant.auth_token.clone(),
        api: serve_api(tenant.host.as_str().into()).await?,
    })
}

/// A temporary directory of mode 0700, as formats.md#encrypted-files has it.
pub(super) fn private_directory() -> Result<tempfile::TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.prefix("pulse-trust-demo-").tempdir().map_err(Failure::from_error)
}

/// The signals that end a program: Ctrl-C, `kill`, a terminal that is closed.
struct Ended {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Ended {
    #[cfg(unix)]
    fn by_signals() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let signals =
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
        Ok(Self { signals })
    }

    #[cfg(unix)]
    async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    #[cfg(not(unix))]
    fn by_signals() -> io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) {
        tokio::signal::ctrl_c().await.ok();
    }
}

fn announce(page_at: SocketAddr, shown: &Shown) -> io::Result<()> {
    let mut output = anstream::stdout().lock();
    for (step, seen) in &shown.steps {
        writeln!(output, "{step}: {seen}")?;
    }
    writeln!(output, "\nOpen http://{page_at}/ and pair. Ctrl-C ends the demonstration.")?;
    output.flush()
}

/// Notes each phone that the tenant has answered. Ends when the tenant does.
async fn watch(registered: &mut Registered, shown: &Shown) -> Result<(), Stop> {
    loop {
        let path = registered.first_request().await?;
        let seen = format!("a phone asked the tenant for {path}, through the relay, and was answered");
        // The page shows it too, so whoever has closed this output keeps the demonstration.
        writeln!(anstream::stdout(), "Paired: {seen}.").ok();
        *shown.paired.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }
}
