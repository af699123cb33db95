//! A hosted tenant from "provisioned" to "paired", over real sockets, with no manual step.
//!
//! `cargo run --release --example hosted_journey`
#![allow(clippy::arithmetic_side_effects, reason = "an example, not the library")]

#[path = "journey/blocked_record.rs"]
mod blocked_record;
#[path = "driver/mod.rs"]
mod driver;
#[path = "journey/failure.rs"]
mod failure;
#[path = "journey/phone.rs"]
mod phone;
#[path = "journey/record.rs"]
mod record;
#[path = "journey/record_text.rs"]
mod record_text;
#[path = "journey/relay.rs"]
mod relay;
#[path = "journey/runtime.rs"]
mod runtime;
#[path = "journey/surroundings.rs"]
mod surroundings;
#[path = "journey/tenant.rs"]
mod tenant;
#[path = "journey/unhappy.rs"]
mod unhappy;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use pulse_trust::UnixTime;
use pulse_trust::hosted::{Bootstrap, BootstrapOutcome, CandidateKind, bootstrap, readiness};
use pulse_trust::pairing::{Onboarding, qr_terminal};
use pulse_trust::relay::{Admission, NoRevocations, RelayConfig};
use pulse_trust::storage::DataDir;

use failure::Failure;
use record::{PhoneRan, Record};
use relay::RelayInUse;
use runtime::{Registered, Registration, register, serve_api};
use tenant::Tenant;

/// What the tenant's owner gives the phone; made for the journey.
const AUTH_TOKEN: &str = "journey-device-token";

/// A hosted tenant from "provisioned" to "paired".
///
/// Without arguments everything runs here: control plane, tenant, relay and phone. Each argument brings in one that is
/// real, and the record says which were.
#[derive(Parser)]
struct Args {
    /// Runs on this tenant directory; mode, public URL and keys are taken from the environment, as a container gets them
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Uses this relay (ws:// or wss://…/ws/instance) instead of one of its own
    #[arg(long)]
    relay: Option<String>,
    /// The control plane's private key (base64), for a relay that trusts it already
    #[arg(long, env = "PULSE_JOURNEY_SIGNING_KEY", hide_env_values = true, conflicts_with = "data_dir")]
    signing_key: Option<String>,
    /// A file that holds that key, as `pulse-trust lease keygen --out` writes it
    #[arg(long, conflicts_with_all = ["data_dir", "signing_key"])]
    signing_key_file: Option<PathBuf>,
    /// Waits so many seconds for a phone of yours to scan the code, instead of a phone of its own
    #[arg(long, value_name = "SECONDS")]
    wait_for_phone: Option<u64>,
    /// Writes the evidence into this directory
    #[arg(long)]
    record: Option<PathBuf>,
    /// The record that a successful one is to replace
    #[arg(long, value_name = "NAME", default_value = blocked_record::NAME)]
    supersedes: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let mut record = Record::new(&args.supersedes);
    let outcome = journey(&args, &mut record).await;
    record.end();
    if let Some(directory) = &args.record
        && let Err(failure) = record.write(directory)
    {
        eprintln!("the record could not be written: {failure}");
        return ExitCode::FAILURE;
    }
    match (outcome, record.first_broken()) {
        (Ok(()), None) => {
            let tenant = if record.was_fresh { "a fresh hosted tenant" } else { "a tenant that had started before" };
            println!("\nPASSED: {tenant} reaches a paired phone. Evidence tier: {}.", record.tier());
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

async fn journey(args: &Args, record: &mut Record) -> Result<(), Failure> {
    let tenant = record.note("control plane: billing.json", Tenant::provision(args))?;
    let relay = record.note("relay: keys", RelayInUse::start(args, &tenant).await)?;
    record.describe(&tenant, &relay);

    let started = start_runtime(record, &tenant)?;
    record.metrics_before = relay.metrics().await;
    let api = serve_api(tenant.host().into()).await?;
    let registration = registration(&relay.url, &started.config, &started.credential, api)?;
    let mut registered = record.note("relay: registration", registered(registration, &tenant).await)?;
    record.metrics_registered = relay.metrics().await;
    let grown = record.grown_by_registration(relay.is_own());
    record.note("relay: metric", grown)?;

    let link = record.note("runtime: pairing code", pairing_code(&started.config, &registered, &relay.url))?;
    match args.wait_for_phone {
        None => {
            let paired = paired(&link, &started.config, &relay, record).await;
            record.note("phone: request through the channel", paired)?;
        }
        Some(seconds) => {
            let waited = waited(&mut registered, Duration::from_secs(seconds), &relay, record).await;
            record.note("phone: request through the channel", waited)?;
        }
    }
    record.paired_by(if args.wait_for_phone.is_some() { PhoneRan::Outside } else { PhoneRan::InThisProcess });

    if tenant.control_plane.is_some() && relay.is_own() && args.wait_for_phone.is_none() {
        println!("\nThe unhappy ways, each of which must be refused:");
        unhappy::ways(record, &tenant, &link).await?;
    }
    relay.stop().await;
    Ok(())
}

/// The runtime's start: the library's one call, link by link.
fn start_runtime(record: &mut Record, tenant: &Tenant) -> Result<Bootstrap, Failure> {
    let now = UnixTime::now();
    let presence = |name: &str| if tenant.directory.join(name).exists() { "present" } else { "absent" };
    let files =
        || ["billing.json", "relay.enc", "activation.enc"].map(|name| format!("{name} {}", presence(name))).join(", ");
    let (before, had_config) = (files(), tenant.directory.join("relay.enc").exists());
    let locked = DataDir::new(&tenant.directory).lock()?;
    let report = readiness(locked.reader(), &tenant.runtime, now);
    let readiness = match report.first_broken() {
        None => Ok(((), format!("{} links hold or will be made", report.links.len()))),
        Some((link, error)) => Err(Failure::new(format!("{link}: {}", Failure::from(error.clone())))),
    };
    record.note("runtime: readiness", readiness)?;

    let started = bootstrap(&locked, &tenant.runtime, now)?;
    let fingerprint = started.config.identity_fingerprint.as_deref().unwrap_or("(none)");
    let outcome = match &started.outcome {
        BootstrapOutcome::Bootstrapped => Ok(format!("made relay.enc with identity {fingerprint}")),
        BootstrapOutcome::IdentityMade => Ok(format!("gave the enabled config its identity {fingerprint}")),
        BootstrapOutcome::Unchanged { reason: Some(error) } => Err(Failure::from(error.clone())),
        _ if started.config.enabled => Ok(format!("kept relay.enc and identity {fingerprint}")),
        _ => Err(Failure::new("the relay is disabled, and that was not overridden")),
    };
    record.was_fresh = !had_config && started.outcome == BootstrapOutcome::Bootstrapped;
    record.note("runtime: bootstrap", outcome.map(|seen| ((), seen)))?;
    record.note("runtime: directory", Ok(((), format!("before: {before}; after: {}", files()))))?;
    let again = bootstrap(&locked, &tenant.runtime, now)?;
    let unchanged = again.config.identity_fingerprint == started.config.identity_fingerprint
        && matches!(again.outcome, BootstrapOutcome::Unchanged { .. });
    let second =
        if unchanged { Ok(((), "changed nothing".to_owned())) } else { Err(Failure::new("changed something")) };
    record.note("runtime: second start", second)?;
    record.offered = started.credential.offered();
    let credential = started
        .credential
        .require_secret_token()
        .map_err(Failure::from)
        .map(|_| ((), format!("offers the {}", record.offered.map_or("", CandidateKind::as_str))));
    record.note("runtime: credential", credential)?;
    Ok(started)
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

/// An ACK, with the id that follows from the credential.
async fn registered(registration: Registration, tenant: &Tenant) -> Result<(Registered, String), Failure> {
    let admission = Admission::new(tenant.runtime.keys.clone());
    let (token, hint) = (registration.credential.clone(), registration.instance_secret.clone());
    let expected = admission.admit(&token, Some(&hint), &NoRevocations, UnixTime::now())?.instance_id;
    let registered = register(registration).await?;
    let seen = format!("ACK with instance id {}", registered.instance_id);
    if expected.as_str() != registered.instance_id {
        return Err(Failure::new(format!("{seen}, but {expected} follows from the credential")));
    }
    Ok((registered, format!("{seen}, which follows from the credential")))
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

/// A phone of this process pairs and asks; the metrics are read while it is connected.
async fn paired(
    link: &str,
    config: &RelayConfig,
    relay: &RelayInUse,
    record: &mut Record,
) -> Result<((), String), Failure> {
    let fetched = phone::pair_and_fetch(link, "/api/status").await?;
    record.metrics_paired = relay.metrics().await;
    let (fingerprint, status, body) = (fetched.fingerprint.clone(), fetched.status, fetched.body.clone());
    fetched.disconnect().await?;
    if Some(&fingerprint) != config.identity_fingerprint.as_ref() {
        return Err(Failure::new("the phone sees another identity than the runtime has"));
    }
    if status != 200 {
        return Err(Failure::new(format!("/api/status answered {status}")));
    }
    Ok(((), format!("identity signature verified; GET /api/status: {status} {body}")))
}

/// A phone outside of this process scans the code; what is known of it is that it came through the relay with the
/// code's token, and that the runtime answered its request.
async fn waited(
    registered: &mut Registered,
    timeout: Duration,
    relay: &RelayInUse,
    record: &mut Record,
) -> Result<((), String), Failure> {
    println!("Scan the code with the phone, within {} s.", timeout.as_secs());
    let path = tokio::time::timeout(timeout, registered.first_request()).await;
    let path = path.map_err(|_| Failure::new(format!("no phone came within {} s", timeout.as_secs())))??;
    record.metrics_paired = relay.metrics().await;
    Ok(((), format!("a phone with the code's token asked for {path} through its channel, and was answered")))
}
