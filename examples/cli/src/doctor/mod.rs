//! `pulse-trust doctor`: which link from "provisioned" to "a phone can reach it" is broken. Reads, asks, and changes nothing.

mod context;
mod lease_key;
mod mend;
mod mend_files;
mod relay;
mod relay_links;
mod report;
mod sides;
mod tenant;

use std::path::PathBuf;

use clap::Args;
use pulse_trust::UnixTime;
use pulse_trust::keys::{PublicKey, TrustKeySet};
use pulse_trust::relay::validate_server_url;

use self::report::Report;
use self::tenant::Tenant;
use crate::outcome::{Outcome, Stop};

/// Says which link between a provisioned tenant and its phone is broken first, and how to mend it
///
/// The runtime's settings are those of this process's environment, so run it as the tenant's container is run:
/// PULSE_HOSTED_MODE, PULSE_PUBLIC_URL, PULSE_TRIAL_ACTIVATION_PUBLIC_KEY, PULSE_LICENSE_PUBLIC_KEY,
/// PULSE_RELAY_ENABLED, PULSE_RELAY_SERVER, PULSE_LEGACY_KEY_PATH.
///
/// The directory is only read: no lock, no file, no key is made. The relay is asked for its health, its clock and its
/// keys, and whether the instance is connected; for that the instance sees one CONNECT with a token that it refuses.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pulse-trust doctor /etc/pulse\n  \
    docker exec t-abc pulse-trust doctor /etc/pulse --lease-key \"$CONTROL_PLANE_KEY\"\n  \
    pulse-trust doctor /srv/tenants/* --offline --json")]
pub(crate) struct DoctorArgs {
    /// The tenants' data directories
    #[arg(required = true, value_name = "DIR")]
    directories: Vec<PathBuf>,
    /// The relay to ask, as ws:// or wss://…/ws/instance; without it, the one that the tenant uses
    #[arg(long, value_name = "URL", conflicts_with = "offline")]
    relay: Option<String>,
    /// The control plane's public key, to hold against the keys of the runtime and of the relay
    #[arg(long, value_name = "BASE64")]
    lease_key: Option<String>,
    /// Asks no relay
    #[arg(long)]
    offline: bool,
    /// Prints one JSON object for each directory
    #[arg(long)]
    json: bool,
}

/// What the operator gave, checked.
struct Asked {
    relay: Option<String>,
    lease_key: Option<PublicKey>,
    offline: bool,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<Outcome, Stop> {
    let asked = asked(args)?;
    crate::descriptors::check()?;
    let mut output = anstream::stdout().lock();
    let mut all_hold = true;
    let mut untold = None;
    for directory in &args.directories {
        let report = examine(directory, &asked)?;
        report.write(&mut output, args.json)?;
        all_hold &= report.first_broken().is_none();
        untold = untold.or_else(|| report.cannot_tell());
    }
    match untold {
        Some(reason) => Err(Stop::cannot_tell(reason)),
        None => Ok(Outcome::accepted_if(all_hold)),
    }
}

fn asked(args: &DoctorArgs) -> Result<Asked, Stop> {
    if let Some(url) = &args.relay {
        validate_server_url(url).map_err(|error| Stop::bad_argument("--relay", &error))?;
    }
    let lease_key = args.lease_key.as_deref().map(PublicKey::from_base64).transpose();
    let lease_key = lease_key.map_err(|error| Stop::bad_argument("--lease-key", &error))?;
    Ok(Asked { relay: args.relay.clone(), lease_key, offline: args.offline })
}

fn examine(directory: &std::path::Path, asked: &Asked) -> Result<Report, Stop> {
    let mut report = Report::new(directory);
    let now = UnixTime::now();
    let Some(tenant) = Tenant::open(directory, asked, now, &mut report) else {
        report.relay_not_asked(asked.offline);
        return Ok(report);
    };
    let url = asked.relay.clone().or_else(|| tenant.relay_url());
    let answer = match &url {
        Some(url) if !asked.offline => Some(relay::ask(url, tenant.registration())?),
        _ => None,
    };
    // A wrong clock makes a good lease look expired, so it comes first where it is wrong.
    let clock = answer.as_ref().and_then(|answer| answer.clock_link(now));
    let (wrong_clock, right_clock) = match clock {
        Some(link) if link.is_broken() => (Some(link), None),
        other => (None, other),
    };
    report.links.extend(wrong_clock);
    tenant.add_links(asked, now, answer.as_ref().and_then(|answer| answer.clock), &mut report);
    match (answer, url) {
        (Some(answer), Some(url)) => {
            report.links.extend(tenant.relay_address_link(asked));
            answer.add_links(&url, tenant.registration(), right_clock, &mut report);
        }
        _ => report.relay_not_asked(asked.offline),
    }
    Ok(report)
}

/// Keys by fingerprint, for people to compare.
fn fingerprints(keys: &TrustKeySet) -> String {
    let fingerprints: Vec<String> = keys.keys().map(PublicKey::log_fingerprint).collect();
    if fingerprints.is_empty() { "none".to_owned() } else { fingerprints.join(", ") }
}
