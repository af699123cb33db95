//! Loading and saving billing.json (FORMATS 8).

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::billing_integrity::{self, Payload};
use super::billing_state::BillingState;
use super::data_dir::{Loaded, LockedDataDir, create_directory};
use super::file;
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
        let shown = file::shown(&path);
        let mut warnings = Vec::new();
        let Some(bytes) = file::read(&path, MAX_LEN, &mut warnings)? else {
            return Ok(Loaded { value: None, warnings });
        };
        let mut state: BillingState = serde_json::from_slice(&bytes).map_err(|error| Error::FileMalformed {
            path: shown.clone(),
            reason: format!("no billing state: refused at line {} column {}", error.line(), error.column()),
        })?;
        let was_sealed = [&state.entitlement_jwt, &state.entitlement_refresh_token]
            .into_iter()
            .all(|text| text.is_empty() || is_sealed(text));
        let Some(key) = self.key(&mut warnings)? else {
            if [&state.entitlement_jwt, &state.entitlement_refresh_token].into_iter().any(|text| is_sealed(text)) {
                self.require_key(&shown, &mut warnings)?;
            }
            return Ok(Loaded { value: Some(state), warnings });
        };
        open_secret(&mut state.entitlement_jwt, &key, &format!("entitlement_jwt in {shown}"))?;
        open_secret(&mut state.entitlement_refresh_token, &key, &format!("entitlement_refresh_token in {shown}"))?;
        let payload = if state.integrity.is_empty() {
            None
        } else {
            let recognized = billing_integrity::recognize(&key, &state);
            Some(recognized.ok_or(Error::BillingTampered { path: shown.clone() })?)
        };
        billing_integrity::clear_uncovered(&mut state, payload.unwrap_or(Payload::Current));
        if !was_sealed || payload != Some(Payload::Current) {
            let mut rewritten = state;
            if let Err(error) = self.write_billing(org, &mut rewritten, Some(&key)) {
                warnings.push(Warning::RewriteFailed { path: shown, detail: error.to_string() });
            }
            state = rewritten;
        }
        Ok(Loaded { value: Some(state), warnings })
    }

    /// Saves the billing state of an organization in its normal form: secrets sealed, signed with a new integrity code.
    /// The state is left in that form. Without secrets and without a key file it is written unsigned.
    ///
    /// # Errors
    /// [`Error::OrgIdInvalid`], [`Error::KeyFileLost`], [`Error::KeyFileUnreadable`], [`Error::File`]; the old file is
    /// as it was then.
    pub fn save_billing_state(&self, org: &str, state: &mut BillingState) -> Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        state.normalize();
        let key = if state.has_secrets() { Some(self.key_to_write(&mut warnings)?) } else { self.key(&mut warnings)? };
        self.write_billing(org, state, key.as_ref())?;
        Ok(warnings)
    }

    fn write_billing(&self, org: &str, state: &mut BillingState, key: Option<&SealingKey>) -> Result<()> {
        let path = self.billing_path(org)?;
        state.normalize();
        let (mut jwt, mut refresh_token) = (String::new(), String::new());
        state.integrity.clear();
        if let Some(key) = key {
            jwt = sealed_text(&state.entitlement_jwt, key)?;
            refresh_token = sealed_text(&state.entitlement_refresh_token, key)?;
            state.integrity = billing_integrity::code(key, state, Payload::Current);
        }
        let text = json::to_compact(&state.with_secrets(&jwt, &refresh_token))
            .map_err(|error| Error::FileMalformed { path: file::shown(&path), reason: error.to_string() })?;
        if let Some(directory) = path.parent() {
            create_directory(directory)?;
        }
        self.replace(&path, text.as_bytes())
    }

    fn billing_path(&self, org: &str) -> Result<PathBuf> {
        check_org_id(org)?;
        if org == "default" {
            return Ok(self.path().join(FILE));
        }
        Ok(self.path().join("orgs").join(org).join(FILE))
    }
}

/// An organization id becomes one part of a path.
fn check_org_id(org: &str) -> Result<()> {
    let refused = |reason| Err(Error::OrgIdInvalid { reason });
    if org.trim().is_empty() {
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
    *text = Zeroizing::new(text.trim().to_owned());
    Ok(())
}

fn sealed_text(secret: &str, key: &SealingKey) -> Result<String> {
    if secret.is_empty() {
        return Ok(String::new());
    }
    key.seal(secret.as_bytes()).map(|sealed| encoding::base64_encode(&sealed))
}
