//! The tenant's own half: its directory and its settings.

use std::path::{Path, PathBuf};

use pulse_trust::entitlement::InstanceHost;
use pulse_trust::hosted::{
    CandidateKind, DEFAULT_ORG, LinkState, Runtime, RuntimeMode, legacy_key_path_from_process, readiness,
    registration_credential,
};
use pulse_trust::keys::PublicKey;
use pulse_trust::pairing::relay_url_normal_form;
use pulse_trust::relay::{Admission, DEFAULT_SERVER_URL, NoRevocations, RelayConfig, validate_server_url};
use pulse_trust::storage::{DataDir, DataDirReader, Revision};
use pulse_trust::{Error, TokenKind, UnixTime};

use super::Asked;
use super::context::{Context, KeyOpens};
use super::lease_key::lease_key_link;
use super::mend::{self, Place, fault_of};
use super::report::{Fault, Link, Report, State};

const DIRECTORY: &str = "data directory";
const SETTINGS: &str = "settings";

/// What the doctor looks at.
pub(super) struct Tenant {
    directory: PathBuf,
    data_dir: DataDirReader,
    runtime: Runtime,
    config: Option<RelayConfig>,
    key_opens: KeyOpens,
    lease: Option<String>,
    registration: Option<Expected>,
}

/// What the tenant would register as.
pub(super) struct Expected {
    pub(super) instance_id: String,
    pub(super) kind: TokenKind,
    /// The key that signed the credential, where it is one of the runtime's.
    pub(super) signer: Option<PublicKey>,
    /// Whether the tenant has started before: its relay config is made.
    pub(super) has_started: bool,
}

impl Tenant {
    /// Opens the directory and reads the settings; a link says why not.
    pub(super) fn open(directory: &Path, asked: &Asked, now: UnixTime, report: &mut Report) -> Option<Self> {
        let context = Context::new(directory, asked, now);
        let opened = legacy_key_path_from_process()
            .and_then(|legacy| DataDir::new(directory).with_legacy_key(legacy).open_read_only());
        let data_dir = match opened {
            Ok(data_dir) => data_dir,
            Err(error) => {
                report.links.push(Link::broken(DIRECTORY, fault_of(Place::DataDirectory, error, &context)));
                return None;
            }
        };
        let (runtime, warnings) = match Runtime::from_process() {
            Ok(read) => read,
            Err(error) => {
                report.links.push(Link::broken(SETTINGS, fault_of(Place::Settings, error, &context)));
                return None;
            }
        };
        report.warnings.extend(warnings.iter().map(ToString::to_string));
        let config = data_dir.relay_config().ok();
        let billing = data_dir.billing_state(DEFAULT_ORG).ok().and_then(|loaded| loaded.value);
        let key_opens = KeyOpens {
            // The code is made with the key.
            billing: billing.as_ref().is_some_and(|state| state.integrity().is_some()),
            relay: config.as_ref().is_some_and(|loaded| loaded.revision != Revision::ABSENT) && is_sealed(directory),
        };
        let config = config.map(|loaded| loaded.value);
        let lease = billing.and_then(|state| state.entitlement_jwt).map(|lease| lease.expose_secret().to_owned());
        let registration = expected(&data_dir, &runtime, config.as_ref(), now);
        Some(Self { directory: directory.to_owned(), data_dir, runtime, config, key_opens, lease, registration })
    }

    pub(super) fn registration(&self) -> Option<&Expected> {
        self.registration.as_ref()
    }

    /// The relay that the tenant uses, or would use if its lease counted: that relay's clock says whether it is this
    /// machine's that keeps it from counting. `None` where it is to use none.
    pub(super) fn relay_url(&self) -> Option<String> {
        let config = self.config.as_ref()?;
        let environment = &self.runtime.relay_environment;
        let is_switched_on = environment.enabled_over(config.enabled)
            || self.runtime.mode == RuntimeMode::Hosted && config.is_untouched() && !environment.says_disabled();
        if self.registration.is_none() && !(self.lease.is_some() && is_switched_on) {
            return None;
        }
        let url = environment.server_url_over(&config.server_url);
        let url = if url.trim().is_empty() { DEFAULT_SERVER_URL } else { url };
        validate_server_url(url).is_ok().then(|| url.to_owned())
    }

    /// The links of the directory, in the order of the journey.
    pub(super) fn add_links(&self, asked: &Asked, now: UnixTime, relay_clock: Option<UnixTime>, report: &mut Report) {
        let context = self.context(asked, now, relay_clock);
        report.links.push(Link::holds(DIRECTORY, "read, and left as it is"));
        report.links.extend(self.mode_link(&context));
        report.links.extend(public_url_link(&context));
        report.links.extend(lease_key_link(&self.runtime.keys.lease, &context));
        let found = readiness(&self.data_dir, &self.runtime, now);
        for link in found.links {
            let state = match link.state {
                LinkState::Holds(seen) => State::Holds(seen),
                LinkState::WillBeMade(seen) => State::WillBeMade(seen),
                LinkState::Broken(error) => State::Broken(Box::new(fault_of(Place::Link(link.name), error, &context))),
                other => State::Holds(format!("{other:?}")),
            };
            report.links.push(Link { name: link.name.as_str(), state });
        }
        report.warnings.extend(found.warnings.iter().map(ToString::to_string));
    }

    /// A lease that nothing but the runtime's mode keeps from counting.
    fn mode_link(&self, context: &Context<'_>) -> Option<Link> {
        let is_kept = self.runtime.mode != RuntimeMode::Hosted && self.lease.is_some() && self.registration.is_none();
        is_kept.then(|| Link::broken(SETTINGS, fault_of(Place::Settings, Error::NotHosted, context)))
    }

    fn context<'a>(&'a self, asked: &'a Asked, now: UnixTime, relay_clock: Option<UnixTime>) -> Context<'a> {
        let secret = self.config.as_ref().map(|config| config.instance_secret.expose_secret());
        // The secret of a self-hosted instance is not a host, and is not shown.
        let is_host = self.runtime.mode == RuntimeMode::Hosted;
        Context {
            lease: self.lease.as_deref(),
            public_url: self.runtime.public_url.as_deref(),
            keys: Some(&self.runtime.keys),
            server_url: self.config.as_ref().map(|config| config.server_url.as_str()),
            host_of_config: secret
                .filter(|secret| is_host && secret.contains('.'))
                .and_then(|secret| InstanceHost::normalize(secret).ok())
                .map(|host| host.to_string()),
            key_opens: self.key_opens,
            relay_clock,
            ..Context::new(&self.directory, asked, now)
        }
    }

    /// The relay that was asked about against the one that the tenant uses.
    pub(super) fn relay_address_link(&self, asked: &Asked) -> Option<Link> {
        const NAME: &str = "relay address";
        let (given, own) = (asked.relay.as_deref()?, self.relay_url()?);
        if relay_url_normal_form(given) == relay_url_normal_form(&own) {
            return Some(Link::holds(NAME, "the tenant uses the relay of --relay"));
        }
        Some(Link::broken(
            NAME,
            Fault {
                what: "the tenant uses another relay than the one that is asked".to_owned(),
                error: None,
                sides: vec![("the tenant".to_owned(), own), ("--relay".to_owned(), given.to_owned())],
                mend: mend::set_in_runtime("PULSE_RELAY_SERVER", given),
            },
        ))
    }
}

/// The library's message says what is wrong with a host, and this one whose it is.
fn public_url_link(context: &Context<'_>) -> Option<Link> {
    let error = InstanceHost::normalize(context.public_url?).err()?;
    let mut fault = fault_of(Place::Settings, error, context);
    fault.what = format!("PULSE_PUBLIC_URL: {}", fault.what);
    Some(Link::broken(SETTINGS, fault))
}

/// Whether relay.enc holds more than the plain JSON of older installations, which opens under any key.
fn is_sealed(directory: &Path) -> bool {
    std::fs::read(directory.join("relay.enc"))
        .is_ok_and(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).is_err())
}

/// What the relay would make of the tenant's credential, were its keys the runtime's.
fn expected(
    data_dir: &DataDirReader,
    runtime: &Runtime,
    config: Option<&RelayConfig>,
    now: UnixTime,
) -> Option<Expected> {
    let credential = registration_credential(data_dir, runtime, now);
    let hint = config.map(|config| config.instance_secret.expose_secret());
    let admission = Admission::new(runtime.keys.clone());
    let admitted = admission.admit(credential.secret_token()?, hint, &NoRevocations, now).ok()?;
    let keys = match credential.offered()? {
        CandidateKind::HostedLease => &runtime.keys.lease,
        _ => &runtime.keys.license,
    };
    let signer_id = admitted.subject.signing_key_id.as_deref();
    Some(Expected {
        instance_id: admitted.instance_id.to_string(),
        kind: admitted.kind,
        signer: keys.keys().find(|key| Some(key.key_id().as_str()) == signer_id).cloned(),
        has_started: config.is_some_and(|config| !config.lacks_identity()),
    })
}
