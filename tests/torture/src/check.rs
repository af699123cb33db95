//! What must hold of a directory, whatever has happened to it.

use std::fs;
use std::path::Path;

use pulse_trust::storage::DataDir;

use crate::jobs::Job;
use crate::victim::End;

/// What a directory holds, as the library reads it.
#[derive(Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) config: serde_json::Value,
    pub(crate) billing: Option<serde_json::Value>,
    pub(crate) organization: Option<serde_json::Value>,
}

/// What tells states apart, without a secret.
impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("has_key", &self.key.is_some())
            .field("server_url", &self.config["server_url"])
            .field("identity_fingerprint", &self.config["identity_fingerprint"])
            .field("billing", &self.billing)
            .field("organization", &self.organization)
            .finish()
    }
}

impl State {
    /// Reads a directory; what cannot be read is lost.
    pub(crate) fn read(directory: &Path) -> Result<Self, String> {
        let locked = DataDir::new(directory).lock().map_err(|error| error.to_string())?;
        let config = locked.relay_config().map_err(|error| error.to_string())?.value;
        let config = config.secret_json().expose_secret().to_owned();
        let billing = |org: &str, path: &str| -> Result<Option<serde_json::Value>, String> {
            let loaded = locked.billing_state(org).map_err(|error| error.to_string())?;
            // The members that are compared are not sealed, so the file itself shows them.
            loaded.value.map(|_| read_json(&directory.join(path))).transpose()
        };
        Ok(Self {
            key: fs::read(directory.join(".encryption.key")).ok(),
            config: serde_json::from_str(&config).map_err(|error| error.to_string())?,
            billing: billing("default", "billing.json")?,
            organization: billing("acme", "orgs/acme/billing.json")?,
        })
    }
}

fn read_json(path: &Path) -> Result<serde_json::Value, String> {
    let text = fs::read(path).map_err(|error| error.to_string())?;
    let mut value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    // Sealed anew at each write.
    for name in ["entitlement_jwt", "entitlement_refresh_token"] {
        if let Some(members) = value.as_object_mut() {
            members.remove(name);
        }
    }
    Ok(value)
}

/// Nothing is lost, what was said is so, and the same job then succeeds.
pub(crate) fn check(job: Job, before: &State, directory: &Path, end: End) -> Result<(), String> {
    let now = State::read(directory)?;
    if before.key.is_some() && now.key != before.key {
        return Err("the master key was replaced".to_owned());
    }
    let is_done = job.is_done(before, &now);
    let is_old =
        now.config == before.config && now.billing == before.billing && now.organization == before.organization;
    match end {
        End::Done if !is_done => return Err(format!("done, but the files are not: {now:?}")),
        End::Refused if !is_old => return Err(format!("refused, but the files have changed: {now:?}")),
        // What is not durable may be the key file, which is made before the file that is saved.
        End::Killed | End::NotDurable if !is_done && !is_old => {
            return Err(format!("{end:?}: neither the old state nor the new one: {now:?}"));
        }
        _ => {}
    }
    let keeps_identity = job != Job::Replace;
    let identity = |state: &State| state.config["identity_private_key"].clone();
    if keeps_identity && !identity(before).is_null() && identity(&now) != identity(before) {
        return Err("the identity was lost".to_owned());
    }
    if let Some(left) = temporary_file(directory) {
        return Err(format!("{left} was left behind"));
    }
    job.run(directory).map_err(|error| format!("the same job fails afterwards: {error}"))?;
    let after = State::read(directory)?;
    match job.is_done(before, &after) {
        true => Ok(()),
        false => Err(format!("the same job does not succeed afterwards: {after:?}")),
    }
}

fn temporary_file(directory: &Path) -> Option<String> {
    let names = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.into_iter().find(|name| name.ends_with(".tmp"))
}
