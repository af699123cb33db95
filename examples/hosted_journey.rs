//! A hosted tenant from "provisioned" to "paired", over real sockets, with no manual step.
//!
//! `cargo run --release --example hosted_journey`
#![allow(clippy::arithmetic_side_effects, reason = "an example, not the library")]

#[path = "driver/mod.rs"]
mod driver;
#[path = "journey/phone.rs"]
mod phone;
#[path = "journey/record.rs"]
mod record;
#[path = "journey/runtime.rs"]
mod runtime;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use pulse_relay::{Config, Relay};
use pulse_trust::UnixTime;
use pulse_trust::hosted::{
    BootstrapOutcome, Runtime, RuntimeMode, TenantOrder, bootstrap, issue_billing_state, readiness,
};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::pairing::{Onboarding, qr_terminal, relay_url_normal_form};
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::{BillingState, DataDir, IdentityChange, Revision};

use record::Record;
use runtime::{Registered, Registration, register, serve_api};

const BASE_URL: &str = "https://cloud.example.test";
/// What the tenant's owner gives the phone; made for the journey.
const AUTH_TOKEN: &str = "journey-device-token";

/// A hosted tenant from "provisioned" to "paired".
#[derive(Parser)]
struct Args {
    /// Runs on this tenant directory; mode, public URL and keys are taken from the environment, as a container gets them
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Uses this relay (ws:// or wss://…/ws/instance) instead of one of its own
    #[arg(long)]
    relay: Option<String>,
    /// The control plane's private key (base64), for a relay that trusts it already
    #[arg(long, env = "PULSE_JOURNEY_SIGNING_KEY", hide_env_values = true)]
    signing_key: Option<String>,
    /// Writes the evidence into this directory
    #[arg(long)]
    record: Option<PathBuf>,
}

/// What broke a link, in words.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn from_error(error: impl std::error::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<pulse_trust::Error> for Failure {
    fn from(error: pulse_trust::Error) -> Self {
        Self(format!("{} ({} {})", error, error.code(), error.name()))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let mut record = Record::default();
    let outcome = journey(&args, &mut record).await;
    if let Some(directory) = &args.record
        && let Err(failure) = record.write(directory)
    {
        eprintln!("the record could not be written: {failure}");
        return ExitCode::FAILURE;
    }
    match (outcome, record.first_broken()) {
        (Ok(()), None) => {
            println!("\nPASSED: a fresh hosted tenant reaches a paired phone.");
            ExitCode::SUCCESS
        }
        (_, Some(step)) => {
            println!("\nBLOCKED at the first broken link: {}: {}", step.link, step.seen);
            ExitCode::FAILURE
        }
        (Err(failure), None) => {
            println!("\nBLOCKED: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The tenant and what its container would be given.
struct Tenant {
    directory: PathBuf,
    runtime: Runtime,
    /// The control plane's key, where the tenant was provisioned here.
    control_plane: Option<SigningKey>,
    _temporary: tempfile::TempDir,
}

async fn journey(args: &Args, record: &mut Record) -> Result<(), Failure> {
    let tenant = record.note("control plane: billing.json", provision(args))?;
    let relay = record.note("relay: keys", start_relay(args, &tenant).await)?;
    describe(args, record, &tenant, &relay.url);

    let started = start_runtime(record, &tenant)?;
    let before = relay.instance_connections().await;
    let api = serve_api(tenant.runtime.public_url.clone().unwrap_or_default().into()).await?;
    let registration = registration(&relay.url, &started.config, &started.credential, api)?;
    let registered = record.note("relay: registration", registered(registration).await)?;
    record.note("relay: metric", grown(before, &relay).await)?;

    let link = record.note("runtime: pairing code", pairing_code(&started.config, &registered, &relay.url))?;
    record.note("phone: request through the channel", fetched(&link, &started.config).await)?;

    if tenant.control_plane.is_some() && args.relay.is_none() {
        println!("\nThe unhappy ways, each of which must be refused:");
        unhappy_ways(record, &tenant, &link).await?;
    }
    relay.stop().await;
    Ok(())
}

fn provision(args: &Args) -> Result<(Tenant, String), Failure> {
    let temporary = tempfile::tempdir().map_err(Failure::from_error)?;
    if let Some(directory) = &args.data_dir {
        let (runtime, _) = Runtime::from_process()?;
        let seen = format!("took {}, as it is", directory.display());
        return Ok((
            Tenant { directory: directory.clone(), runtime, control_plane: None, _temporary: temporary },
            seen,
        ));
    }
    let key = match &args.signing_key {
        Some(key) => SigningKey::from_base64(key)?,
        None => SigningKey::generate()?,
    };
    let directory = temporary.path().join("tenant");
    let host = provision_at(&directory, &key, "t-JOURNEY001", UnixTime::now())?;
    let runtime = hosted_runtime(&key, &host);
    let seen = format!("signed a lease for {host} and wrote the tenant's directory");
    Ok((Tenant { directory, runtime, control_plane: Some(key), _temporary: temporary }, seen))
}

/// Writes a tenant's directory; the host its lease is for.
fn provision_at(directory: &Path, key: &SigningKey, tenant_id: &str, now: UnixTime) -> Result<String, Failure> {
    let order = {
        let mut tenant_order = TenantOrder::new(tenant_id, BASE_URL);
        tenant_order.email = "owner@example.test".to_owned();
        tenant_order
    };
    let mut issued = issue_billing_state(&order, BillingState::default(), key, now)?;
    let data_dir = DataDir::create(directory)?.lock()?;
    data_dir.save_billing_state("default", &mut issued.billing, &Revision::ABSENT)?;
    Ok(issued.instance_host.to_string())
}

fn hosted_runtime(key: &SigningKey, host: &str) -> Runtime {
    let lease = TrustKeySet::new([key.public_key().clone()]);
    let mut runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::for_leases(lease));
    runtime.public_url = Some(format!("https://{host}"));
    runtime
}

/// The relay in use, and the one that was started here.
struct RelayInUse {
    url: String,
    own: Option<(Relay, tempfile::TempDir)>,
}

impl RelayInUse {
    /// The metric, read over HTTP; `None` where the relay shows none.
    async fn instance_connections(&self) -> Option<i64> {
        let url = relay_url_normal_form(&self.url)?.replacen("ws", "http", 1);
        let metrics = url.strip_suffix("/ws/instance").unwrap_or(&url).to_owned() + "/metrics";
        let text =
            tokio::task::spawn_blocking(move || ureq::get(&metrics).call().ok()?.body_mut().read_to_string().ok());
        let text = text.await.ok()??;
        let line = text.lines().find(|line| line.starts_with("pulse_relay_instance_connections "))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    async fn stop(self) {
        if let Some((relay, _)) = self.own {
            relay.drain().await;
        }
    }
}

async fn start_relay(args: &Args, tenant: &Tenant) -> Result<(RelayInUse, String), Failure> {
    if let Some(url) = &args.relay {
        pulse_trust::relay::validate_server_url(url)?;
        return Ok((RelayInUse { url: url.clone(), own: None }, format!("uses the relay at {url}")));
    }
    let keys = tenant.runtime.keys.clone();
    let fingerprints: Vec<String> = keys.lease.keys().map(|key| key.log_fingerprint()).collect();
    let seen = format!("started with lease keys [{}]", fingerprints.join(", "));
    Ok((own_relay(keys).await?, seen))
}

async fn own_relay(keys: TrustKeys) -> Result<RelayInUse, Failure> {
    let directory = tempfile::tempdir().map_err(Failure::from_error)?;
    let relay = Relay::start(Config::on_loopback(keys, directory.path())).await.map_err(Failure::from_error)?;
    let url = format!("ws://{}/ws/instance", relay.local_addr());
    Ok(RelayInUse { url, own: Some((relay, directory)) })
}

fn describe(args: &Args, record: &mut Record, tenant: &Tenant, relay_url: &str) {
    let keys =
        |set: &TrustKeySet| -> String { set.keys().map(|key| key.log_fingerprint()).collect::<Vec<_>>().join(", ") };
    record.is_external = args.relay.as_deref().is_some_and(|url| !is_this_machine(url));
    record.environment = vec![
        ("pulse-trust", env!("CARGO_PKG_VERSION").to_owned()),
        ("Lease keys", keys(&tenant.runtime.keys.lease)),
        ("License keys", keys(&tenant.runtime.keys.license)),
        ("Relay", relay_url.to_owned()),
        ("Tenant", tenant.runtime.public_url.clone().unwrap_or_else(|| "the lease's own host".to_owned())),
    ];
}

fn is_this_machine(url: &str) -> bool {
    let host = pulse_trust::entitlement::InstanceHost::normalize(url);
    host.is_ok_and(|host| {
        host.as_str() == "localhost"
            || host.as_str().parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// The runtime's start: the library's one call, link by link.
fn start_runtime(record: &mut Record, tenant: &Tenant) -> Result<pulse_trust::hosted::Bootstrap, Failure> {
    let now = UnixTime::now();
    let locked = DataDir::new(&tenant.directory).lock()?;
    let had_config = tenant.directory.join("relay.enc").exists();
    let report = readiness(&locked, &tenant.runtime, now);
    let readiness = match report.first_broken() {
        None => Ok(((), format!("{} links hold or will be made", report.links.len()))),
        Some((link, error)) => Err(Failure::new(format!("{link}: {}", Failure::from(error.clone())))),
    };
    record.note("runtime: readiness", readiness)?;

    let started = bootstrap(&locked, &tenant.runtime, now)?;
    let fingerprint = &started.config.identity_fingerprint;
    let outcome = match &started.outcome {
        BootstrapOutcome::Bootstrapped => Ok(format!("made relay.enc with identity {fingerprint}")),
        BootstrapOutcome::IdentityMade => Ok(format!("gave the enabled config its identity {fingerprint}")),
        BootstrapOutcome::Unchanged { reason: Some(error) } => Err(Failure::from(error.clone())),
        _ if started.config.enabled => Ok(format!("kept relay.enc and identity {fingerprint}")),
        _ => Err(Failure::new("the relay is disabled, and that was not overridden")),
    };
    record.note("runtime: bootstrap", outcome.map(|seen| ((), seen)))?;
    let seen = format!(
        "relay.enc {}, billing.json {}, activation.enc {}",
        if had_config { "was present" } else { "was absent and is present" },
        presence(&tenant.directory.join("billing.json")),
        presence(&tenant.directory.join("activation.enc")),
    );
    record.note("runtime: directory", Ok(((), seen)))?;
    let again = bootstrap(&locked, &tenant.runtime, now)?;
    let unchanged = again.config.identity_fingerprint == *fingerprint
        && matches!(again.outcome, BootstrapOutcome::Unchanged { .. });
    let second =
        if unchanged { Ok(((), "changed nothing".to_owned())) } else { Err(Failure::new("changed something")) };
    record.note("runtime: second start", second)?;
    let credential = started
        .credential
        .require_secret_token()
        .map_err(Failure::from)
        .map(|_| ((), format!("offers the {}", started.credential.offered().map_or("", |kind| kind.as_str()))));
    record.note("runtime: credential", credential)?;
    Ok(started)
}

fn presence(path: &Path) -> &'static str {
    if path.exists() { "present" } else { "absent" }
}

fn registration(
    relay_url: &str,
    config: &RelayConfig,
    credential: &pulse_trust::hosted::CredentialChoice,
    api: std::net::SocketAddr,
) -> Result<Registration, Failure> {
    Ok(Registration {
        relay_url: relay_url.to_owned(),
        credential: credential.require_secret_token()?.to_owned(),
        instance_secret: config.instance_secret.expose_secret().to_owned(),
        identity: config.identity()?,
        auth_token: AUTH_TOKEN.to_owned(),
        api,
    })
}

async fn registered(registration: Registration) -> Result<(Registered, String), Failure> {
    let registered = register(registration).await?;
    let seen = format!("ACK with instance id {}", registered.instance_id);
    Ok((registered, seen))
}

async fn grown(before: Option<i64>, relay: &RelayInUse) -> Result<((), String), Failure> {
    match (before, relay.instance_connections().await) {
        (Some(before), Some(after)) if after > before => {
            Ok(((), format!("pulse_relay_instance_connections went from {before} to {after}")))
        }
        (before, after) => Err(Failure::new(format!("pulse_relay_instance_connections: {before:?}, then {after:?}"))),
    }
}

fn pairing_code(config: &RelayConfig, registered: &Registered, relay_url: &str) -> Result<(String, String), Failure> {
    // The phone is to use the relay of this run, whatever the tenant's own config says.
    let mut config = RelayConfig::from_json(config.secret_json().expose_secret())?;
    config.server_url = relay_url.to_owned();
    let payload = Onboarding::new(&config, &registered.instance_id, AUTH_TOKEN)
        .build()
        .map_err(|not_ready| Failure::from(pulse_trust::Error::from(not_ready)))?;
    let compact = payload.secret_compact_code();
    let compact = compact.expose_secret();
    println!("{}\n{compact}\n", qr_terminal(compact)?);
    let seen = format!("QR and deep link with {} and the identity's key", registered.instance_id);
    Ok((payload.secret_deep_link().to_owned(), seen))
}

async fn fetched(link: &str, config: &RelayConfig) -> Result<((), String), Failure> {
    let fetched = phone::pair_and_fetch(link, "/api/status").await?;
    if fetched.fingerprint != config.identity_fingerprint {
        return Err(Failure::new("the phone sees another identity than the runtime has"));
    }
    if fetched.status != 200 {
        return Err(Failure::new(format!("/api/status answered {}", fetched.status)));
    }
    Ok(((), format!("identity signature verified; GET /api/status: {} {}", fetched.status, fetched.body)))
}

async fn unhappy_ways(record: &mut Record, tenant: &Tenant, link: &str) -> Result<(), Failure> {
    let Some(key) = &tenant.control_plane else { return Ok(()) };
    let scratch = tempfile::tempdir().map_err(Failure::from_error)?;
    let now = UnixTime::now();
    let refused_start =
        |name: &str, key: &SigningKey, at: UnixTime, runtime: &Runtime| -> Result<((), String), Failure> {
            let directory = scratch.path().join(name);
            provision_at(&directory, key, "t-JOURNEY002", at)?;
            let started = bootstrap(&DataDir::new(&directory).lock()?, runtime, now)?;
            match started.outcome {
                BootstrapOutcome::Unchanged { reason: Some(error) } if !directory.join("relay.enc").exists() => {
                    Ok(((), format!("refused, nothing written: {error}")))
                }
                other => Err(Failure::new(format!("not refused: {other:?}"))),
            }
        };
    let other_host = hosted_runtime(key, "t-another.cloud.example.test");
    record.note("unhappy: lease for another host", refused_start("host", key, now, &other_host))?;
    let own_host = hosted_runtime(key, "t-journey002.cloud.example.test");
    let long_ago = now.saturating_sub(std::time::Duration::from_secs(2 * 86_400));
    record.note("unhappy: expired lease", refused_start("expired", key, long_ago, &own_host))?;
    let stranger = SigningKey::generate()?;
    record.note("unhappy: lease signed by another key", refused_start("key", &stranger, now, &own_host))?;
    record
        .note("unhappy: config disabled by the operator", operator_disabled(&scratch.path().join("off"), key, now))?;
    record.note("unhappy: relay without its lease key", relay_without_lease_key(tenant).await)?;
    record.note("unhappy: tampered code", tampered_code(link))?;
    record.note("unhappy: another identity behind the same id", impostor(link).await)?;
    Ok(())
}

fn operator_disabled(directory: &Path, key: &SigningKey, now: UnixTime) -> Result<((), String), Failure> {
    let host = provision_at(directory, key, "t-JOURNEY003", now)?;
    let locked = DataDir::new(directory).lock()?;
    let mut config = RelayConfig::default();
    config.instance_secret = "own-secret".to_owned().into();
    locked.save_relay_config(&config, &Revision::ABSENT, IdentityChange::Keep)?;
    let before = std::fs::read(directory.join("relay.enc")).map_err(Failure::from_error)?;
    let started = bootstrap(&locked, &hosted_runtime(key, &host), now)?;
    let after = std::fs::read(directory.join("relay.enc")).map_err(Failure::from_error)?;
    if before == after && !started.config.enabled {
        Ok(((), "relay.enc is byte for byte as the operator left it".to_owned()))
    } else {
        Err(Failure::new("the operator's config was overridden"))
    }
}

async fn relay_without_lease_key(tenant: &Tenant) -> Result<((), String), Failure> {
    let relay = own_relay(TrustKeys::default()).await?;
    let started = bootstrap(&DataDir::new(&tenant.directory).lock()?, &tenant.runtime, UnixTime::now())?;
    let api = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let outcome = register(registration(&relay.url, &started.config, &started.credential, api)?).await;
    relay.stop().await;
    match outcome {
        Err(failure) if failure.0.contains("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY") => Ok(((), failure.0)),
        Err(failure) => Err(Failure::new(format!("refused, but the setting is not named: {failure}"))),
        Ok(_) => Err(Failure::new("a relay without a lease key took a lease")),
    }
}

fn tampered_code(link: &str) -> Result<((), String), Failure> {
    let stranger = Identity::generate()?;
    let key = |identity: &Identity| {
        identity.public_key().to_base64().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    };
    let (before, from_key) = link.split_once("identity_public_key=").ok_or(Failure::new("the link has no key"))?;
    let (_, after) = from_key.split_once('&').ok_or(Failure::new("the link ends with its key"))?;
    let tampered = format!("{before}identity_public_key={}&{after}", key(&stranger));
    match pulse_trust::pairing::PairingCode::parse(&tampered) {
        Err(error @ pulse_trust::Error::FingerprintMismatch { .. }) => Ok(((), error.to_string())),
        other => Err(Failure::new(format!("not refused: {other:?}"))),
    }
}

/// A code whose key and fingerprint are both a stranger's: the instance behind the relay cannot sign for it.
async fn impostor(link: &str) -> Result<((), String), Failure> {
    let stranger = Identity::generate()?;
    let code = pulse_trust::pairing::PairingCode::parse(link)?;
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.server_url = code.relay_url().to_owned();
    config.set_identity(&stranger);
    let forged = Onboarding::new(&config, code.instance_id(), code.secret_auth_token())
        .build()
        .map_err(|not_ready| Failure::from(pulse_trust::Error::from(not_ready)))?;
    match phone::pair_and_fetch(forged.secret_deep_link(), "/api/status").await {
        Err(failure) if failure.0.contains("KEY_EXCHANGE_SIGNATURE") => Ok(((), failure.0)),
        Err(failure) => Err(failure),
        Ok(_) => Err(Failure::new("the phone spoke to an identity it was not paired with")),
    }
}
