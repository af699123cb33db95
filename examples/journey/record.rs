//! The evidence of a run: what was seen of each link, and what took part in it.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;

use pulse_trust::hosted::CandidateKind;

use crate::failure::Failure;
use crate::relay::{Metrics, RelayInUse, fingerprints};
use crate::surroundings::{self, Moment};
use crate::tenant::Tenant;

/// One link of the chain, and what was seen of it.
pub(crate) struct Step {
    pub(crate) link: &'static str,
    pub(crate) passed: bool,
    pub(crate) seen: String,
}

/// Where the phone ran.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhoneRan {
    InThisProcess,
    /// Another process, on this or another machine.
    Outside,
}

/// What took part, as far as it is settled yet.
#[derive(Default)]
pub(crate) struct Exercised {
    pub(crate) relay_is_own: bool,
    pub(crate) relay_is_elsewhere: bool,
    pub(crate) relay_addresses: Vec<IpAddr>,
    pub(crate) relay_lease_keys: Option<Vec<String>>,
    pub(crate) tenant_is_given: bool,
    pub(crate) key_is_given: bool,
    pub(crate) phone: Option<PhoneRan>,
}

/// What a record holds. No secret.
pub(crate) struct Record {
    pub(crate) steps: Vec<Step>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) exercised: Exercised,
    pub(crate) supersedes: String,
    pub(crate) began: Moment,
    pub(crate) ended: Moment,
    /// There was no relay.enc, and the bootstrap made it in this run.
    pub(crate) was_fresh: bool,
    pub(crate) offered: Option<CandidateKind>,
    pub(crate) metrics_before: Option<Metrics>,
    pub(crate) metrics_registered: Option<Metrics>,
    /// While the phone was connected.
    pub(crate) metrics_paired: Option<Metrics>,
}

impl Record {
    pub(crate) fn new(supersedes: &str) -> Self {
        let now = Moment::now();
        Self {
            steps: Vec::new(),
            environment: surroundings::of_this_program(),
            exercised: Exercised::default(),
            supersedes: supersedes.to_owned(),
            began: now,
            ended: now,
            was_fresh: false,
            offered: None,
            metrics_before: None,
            metrics_registered: None,
            metrics_paired: None,
        }
    }

    /// Notes and prints a link; the failure goes on to the caller.
    pub(crate) fn note<T>(&mut self, link: &'static str, outcome: Result<(T, String), Failure>) -> Result<T, Failure> {
        let (passed, seen, value) = match outcome {
            Ok((value, seen)) => (true, seen, Ok(value)),
            Err(failure) => (false, failure.to_string(), Err(failure)),
        };
        println!("{} {link}: {seen}", if passed { "ok    " } else { "BROKEN" });
        self.steps.push(Step { link, passed, seen });
        value
    }

    pub(crate) fn describe(&mut self, tenant: &Tenant, relay: &RelayInUse) {
        let addresses: Vec<String> = relay.addresses.iter().map(IpAddr::to_string).collect();
        let place = if relay.is_elsewhere() { "another machine" } else { "this machine" };
        let key = match (&tenant.control_plane, tenant.is_key_own) {
            (None, _) => "of the directory that was given; not seen here",
            (Some(_), true) => "made in this run",
            (Some(_), false) => "given to this run",
        };
        self.environment.extend([
            ("Relay", format!("{}, which resolves to {} ({place})", relay.url, addresses.join(", "))),
            ("Tenant", tenant.host()),
            (
                "Tenant directory",
                if tenant.control_plane.is_some() { "provisioned by this run" } else { "given" }.to_owned(),
            ),
            ("Control plane's signing key", key.to_owned()),
            ("Lease keys of the runtime", fingerprints(&tenant.runtime.keys.lease)),
            ("License keys of the runtime", fingerprints(&tenant.runtime.keys.license)),
        ]);
        self.exercised = Exercised {
            relay_is_own: relay.is_own(),
            relay_is_elsewhere: relay.is_elsewhere(),
            relay_addresses: relay.addresses.clone(),
            relay_lease_keys: relay.lease_keys.clone(),
            tenant_is_given: tenant.control_plane.is_none(),
            key_is_given: !tenant.is_key_own,
            phone: None,
        };
    }

    pub(crate) fn paired_by(&mut self, phone: PhoneRan) {
        self.exercised.phone = Some(phone);
    }

    pub(crate) fn end(&mut self) {
        self.ended = Moment::now();
    }

    /// What the registration did to the metric. A relay that others use may change meanwhile, or show none.
    pub(crate) fn grown_by_registration(&self, relay_is_own: bool) -> Result<((), String), Failure> {
        const NAME: &str = "pulse_relay_instance_connections";
        match (self.metrics_before, self.metrics_registered) {
            (Some(before), Some(after)) => {
                let (before, after) = (before.instance_connections, after.instance_connections);
                let seen = format!("{NAME} went from {before} to {after}");
                let holds = if relay_is_own { after == before + 1 } else { after > 0 };
                if holds { Ok(((), seen)) } else { Err(Failure::new(seen)) }
            }
            _ if relay_is_own => Err(Failure::new("the relay shows no metrics")),
            _ => Ok(((), "not exercised: the relay shows no metrics at this address".to_owned())),
        }
    }

    pub(crate) fn first_broken(&self) -> Option<&Step> {
        self.steps.iter().find(|step| !step.passed)
    }

    pub(crate) fn step(&self, link: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.link == link)
    }

    pub(crate) fn has_passed(&self, link: &str) -> bool {
        self.step(link).is_some_and(|step| step.passed)
    }

    pub(crate) fn result(&self) -> &'static str {
        if self.first_broken().is_none() && !self.steps.is_empty() { "passed" } else { "blocked" }
    }

    /// External is a run in which nothing of the journey but the runtime was this program's own.
    pub(crate) fn tier(&self) -> &'static str {
        let exercised = &self.exercised;
        let is_external =
            exercised.relay_is_elsewhere && exercised.tenant_is_given && exercised.phone == Some(PhoneRan::Outside);
        if is_external { "real-external-e2e" } else { "managed-runtime-exercise" }
    }

    /// What nobody may conclude from this record.
    pub(crate) fn not_exercised(&self) -> Vec<&'static str> {
        let exercised = &self.exercised;
        let mut parts =
            vec!["The runtime was this program, which uses the library; the deployed Pulse runtime was not run."];
        if exercised.relay_is_own {
            parts.push("The relay was the reference relay, started by this program; the live relay was not asked.");
        } else if !exercised.relay_is_elsewhere {
            parts.push("The relay ran on this machine.");
        }
        if !exercised.tenant_is_given {
            parts.push("The tenant was provisioned by this program; the live control plane was not asked.");
        }
        if !exercised.key_is_given {
            parts.push("The lease was signed with a key of this run, not with the control plane's.");
        }
        match exercised.phone {
            Some(PhoneRan::Outside) => {
                parts.push("On which machine the phone ran, and which app it was, is not visible here.")
            }
            Some(PhoneRan::InThisProcess) => parts.push("The phone was this program; Pulse Mobile was not run."),
            None => parts.push("No phone was reached."),
        }
        if !self.was_fresh {
            parts.push("The tenant was not fresh: this run did not make its relay.enc.");
        }
        if self.metrics_before.is_none() {
            parts.push("The relay's metrics were not read.");
        }
        parts
    }

    /// Writes both forms into a directory, under a name that nothing has yet.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(directory)
            .map_err(|error| Failure::new(format!("{}: {error}", directory.display())))?;
        for (suffix, text) in [("md", self.markdown()), ("json", self.json())] {
            let name = format!("cloud-hosted-tier-runtime-readiness-{}.{suffix}", self.began.for_file_name());
            let path = directory.join(name);
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&path)
                .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
                .map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
            println!("wrote {}", path.display());
        }
        Ok(())
    }
}
