//! Loading and saving billing.json (FORMATS 8).

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::billing_integrity::{self, Payload};
use super::billing_state::{BillingState, trim_secret};
use super::data_dir::{Loaded, LockedDataDir};
use super::files::shown;
use super::key_loss::{is_sealed, sealed_bytes};
use super::seal::SealingKey;
use crate::encoding;
use crate::error::{Error, Result};
use crate::json;
use crate::warning::Warning;

const FILE: &str = "billing.json";
/// Ours: a deployed file is under 2 KB and holds one lease of at most 16 KiB.
const MAX_LEN: u64 = 256 * 1024;

impl LockedDataDir {
    /// Loads the billing state of an organization, secrets in plain; `None` where there is no file. With a key file
    /// present, a plain secret, an empty or an older code is written back sealed and signed; where that fails, a
    /// warning says so and the state still counts.
    ///
    /// # Errors
    /// [`Error::BillingTampered`], [`Error::UnsealFailed`], [`Error::FileMalformed`], [`Error::KeyFileLost`],
    /// [`Error::OrgIdInvalid`], and those of reading a file. The file is as it was then.
    pub fn billing_state(&self, org: &str) -> Result<Loaded<Option<BillingState>>> {
        let path = self.billing_path(org)?;
        let mut warnings = Vec::new();
        let Some(read) = self.read_billing(&path, &mut warnings)? else {
            return Ok(Loaded { value: None, warnings });
        };
        let mut state = read.state;
        if let Some(key) = read.rewrite_under {
            let code = state.integrity.clone();
            if let Err(error) = self.write_billing(&path, &mut state, Some(&key)) {
                warnings.push(Warning::RewriteFailed { path: shown(&path), detail: error.to_string() });
                state.integrity = code;
            }
        }
        Ok(Loaded { value: Some(state), warnings })
    }

    /// Saves the billing state of an organization in its normal form: secrets sealed, signed with a new integrity code.
    /// The state is left in that form. Without secrets and without a key file it is written unsigned. A file that
    /// cannot be read, or was tampered with, is not replaced.
    ///
    /// # Errors
    /// As [`LockedDataDir::billing_state`], and [`Error::KeyFileLost`] where anything in the directory was sealed under
    /// a key that is not there; the old file is as it was then.
    pub fn save_billing_state(&self, org: &str, state: &mut BillingState) -> Result<Vec<Warning>> {
        let path = self.billing_path(org)?;
        self.read_billing(&path, &mut Vec::new())?;
        let mut warnings = Vec::new();
        state.normalize();
        let key = if state.has_secrets() { Some(self.key_to_write(&mut warnings)?) } else { self.key(&mut warnings)? };
        self.write_billing(&path, state, key.as_ref())?;
        Ok(warnings)
    }

    /// The state of a file as it is; `None` where there is none.
    fn read_billing(&self, path: &Path, warnings: &mut Vec<Warning>) -> Result<Option<ReadBilling>> {
        let shown = shown(path);
        let Some(bytes) = self.files().read(path, MAX_LEN, warnings)? else {
            return Ok(None);
        };
        let mut state: BillingState = crate::json::from_bytes(&bytes).map_err(|error| Error::FileMalformed {
            path: shown.clone(),
            reason: format!("no billing state: refused at line {} column {}", error.line(), error.column()),
        })?;
        let Some(key) = self.key(warnings)? else {
            if state.secrets_mut().into_iter().any(|text| is_sealed(text)) {
                self.require_key(&shown, warnings)?;
            }
            state.secrets_mut().into_iter().for_each(trim_secret);
            return Ok(Some(ReadBilling { state, rewrite_under: None }));
        };
        let was_sealed = state.secrets_mut().into_iter().all(|text| text.is_empty() || is_sealed(text));
        let names = ["entitlement_jwt", "entitlement_refresh_token"];
        for (text, name) in state.secrets_mut().into_iter().zip(names) {
            open_secret(text, &key, &format!("{name} in {shown}"))?;
        }
        let mut is_current = was_sealed;
        if state.integrity.is_empty() {
            is_current = false;
        } else {
            let payload = billing_integrity::recognize(&key, &state).ok_or(Error::BillingTampered { path: shown })?;
            billing_integrity::clear_uncovered(&mut state, payload);
            is_current &= payload == Payload::Current;
        }
        Ok(Some(ReadBilling { state, rewrite_under: (!is_current).then_some(key) }))
    }

    fn write_billing(&self, path: &Path, state: &mut BillingState, key: Option<&SealingKey>) -> Result<()> {
        state.normalize();
        let (mut jwt, mut refresh_token) = (String::new(), String::new());
        state.integrity.clear();
        if let Some(key) = key {
            jwt = sealed_text(&state.entitlement_jwt, key)?;
            refresh_token = sealed_text(&state.entitlement_refresh_token, key)?;
            state.integrity = billing_integrity::code(key, state, Payload::Current);
        }
        let text = json::to_compact(&state.with_secrets(&jwt, &refresh_token))
            .map_err(|error| Error::FileMalformed { path: shown(path), reason: error.to_string() })?;
        if let Some(directory) = path.parent() {
            self.files().create_directory(directory)?;
        }
        self.replace(path, text.as_bytes())
    }

    fn billing_path(&self, org: &str) -> Result<PathBuf> {
        let org = org.trim();
        check_org_id(org)?;
        if org == "default" {
            return Ok(self.path().join(FILE));
        }
        Ok(self.path().join("orgs").join(org).join(FILE))
    }
}

/// What was read of a file.
struct ReadBilling {
    state: BillingState,
    /// The key to write it back under, where it is not in its current form.
    rewrite_under: Option<SealingKey>,
}

/// An organization id becomes one part of a path.
fn check_org_id(org: &str) -> Result<()> {
    let refused = |reason| Err(Error::OrgIdInvalid { reason });
    if org.is_empty() {
        return refused("empty");
    }
    if org.len() > 255 {
        return refused("longer than 255 bytes");
    }
    if org.contains(['/', '\\']) || org.chars().any(char::is_control) {
        return refused("holds a separator or a control character");
    }
    if org == "." || org.contains("..") {
        return refused("holds a dot path");
    }
    Ok(())
}

fn open_secret(text: &mut Zeroizing<String>, key: &SealingKey, what: &str) -> Result<()> {
    if let Some(sealed) = sealed_bytes(text) {
        *text = key.open_text(&sealed, what)?;
    }
    trim_secret(text);
    Ok(())
}

fn sealed_text(secret: &str, key: &SealingKey) -> Result<String> {
    if secret.is_empty() {
        return Ok(String::new());
    }
    key.seal(secret.as_bytes()).map(|sealed| encoding::base64_encode(&sealed))
}
