//! Loading and saving billing.json ([formats: billing state](crate::_documentation::formats#billing-state)).

use std::borrow::Cow;
use std::path::Path;

use serde::Deserialize;

use super::billing_integrity::{self, Payload};
use super::billing_state::{BillingState, trim_secret};
use super::data_dir::{Loaded, LockedDataDir, Saved};
use super::files::shown;
use super::master_key::HasMasterKey;
use super::reader::DataDirReader;
use super::revision::Revision;
use super::seal::{MIN_SEALED_LEN, SealingKey};
use crate::encoding;
use crate::error::{Error, Result};
use crate::json;
use crate::secret::{Secret, with_wiped_stack};
use crate::warning::Warning;

/// The file of an organization, in the directory for `default` and in a folder below [`ORGS`] for any other.
pub(super) const BILLING_FILE: &str = "billing.json";
pub(super) const ORGS: &str = "orgs";
const SECRET_NAMES: [&str; 2] = ["entitlement_jwt", "entitlement_refresh_token"];
/// Stricter than the deployed runtime: a deployed file is under 2 KB and holds one lease of at most 16 KiB.
const MAX_LEN: u64 = 256 * 1024;
const MAX_ORG_ID_LEN: usize = 64;

impl DataDirReader {
    /// Loads the billing state of an organization, with unsealed secrets; `None` if there is no file. The file stays as
    /// it is.
    ///
    /// # Errors
    /// As [`LockedDataDir::billing_state`].
    pub fn billing_state(&self, org: &str) -> Result<Loaded<Option<BillingState>>> {
        with_wiped_stack(|| {
            let mut warnings = Vec::new();
            let read = read_billing(self, &billing_name(org)?, &mut warnings)?;
            let revision = read.as_ref().map_or(Revision::ABSENT, |read| read.revision.clone());
            Ok(Loaded { value: read.map(|read| read.state), revision, warnings })
        })
    }
}

impl LockedDataDir {
    /// Loads the billing state of an organization, with unsealed secrets; `None` if there is no file. With a key file
    /// present, a file with a plain secret, without a code or with an older one is written back sealed and signed;
    /// where that fails, a warning says so and the state still counts. A file without a code may have been written by
    /// anyone, which a warning says too.
    ///
    /// # Errors
    /// [`Error::BillingTampered`], [`Error::BillingUnsigned`], [`Error::UnsealFailed`], [`Error::FileMalformed`],
    /// [`Error::KeyFileLost`], [`Error::OrgIdInvalid`], and those of reading a file. The file is then unchanged.
    pub fn billing_state(&self, org: &str) -> Result<Loaded<Option<BillingState>>> {
        with_wiped_stack(|| self.load_billing_state(org))
    }

    fn load_billing_state(&self, org: &str) -> Result<Loaded<Option<BillingState>>> {
        let name = billing_name(org)?;
        let mut warnings = Vec::new();
        let Some(read) = read_billing(self, &name, &mut warnings)? else {
            return Ok(Loaded { value: None, revision: Revision::ABSENT, warnings });
        };
        let (mut state, mut revision) = (read.state, read.revision);
        if let Some(key) = read.rewrite_under {
            let code = state.integrity.clone();
            match self.write_billing(&name, &mut state, Some(&key)) {
                Ok(written) => revision = written,
                Err(error) => {
                    let path = shown(&self.path_of(&name));
                    warnings.push(Warning::RewriteFailed { path, detail: error.to_string() });
                    state.integrity = code;
                }
            }
        }
        Ok(Loaded { value: Some(state), revision, warnings })
    }

    /// Saves the billing state of an organization in its normal form: secrets sealed, signed with a new integrity code.
    /// The state is left in that form. Without secrets and without a key file it is written unsigned. `revision` names
    /// the state of the file that is replaced: that of [`Loaded`] or [`Saved`], or [`Revision::ABSENT`] if there is no
    /// file yet. A file that cannot be read, or was modified outside Pulse, is not replaced.
    ///
    /// # Errors
    /// [`Error::RevisionMismatch`] if the file was changed meanwhile; as [`LockedDataDir::billing_state`];
    /// [`Error::KeyFileLost`] if anything in the directory was sealed under a key that is missing. The old file is then
    /// unchanged, except for [`Error::FileNotDurable`].
    pub fn save_billing_state(&self, org: &str, state: &mut BillingState, revision: &Revision) -> Result<Saved> {
        with_wiped_stack(|| self.replace_billing_state(org, state, revision))
    }

    fn replace_billing_state(&self, org: &str, state: &mut BillingState, revision: &Revision) -> Result<Saved> {
        let name = billing_name(org)?;
        let path = self.path_of(&name);
        let found = read_billing(self, &name, &mut Vec::new())?;
        let found_revision = found.as_ref().map_or(Revision::ABSENT, |read| read.revision.clone());
        found_revision.check(&path, revision)?;
        let mut warnings = Vec::new();
        state.normalize();
        let key = if state.has_secrets() { Some(self.key_to_write(&mut warnings)?) } else { self.key(&mut warnings)? };
        if key.is_none() && found.is_some_and(|read| read.state.integrity.is_some()) {
            // An unsigned file would hide that there was a key.
            self.require_key(&path, &mut warnings)?;
        }
        let revision = self.write_billing(&name, state, key.as_ref())?;
        Ok(Saved { revision, warnings })
    }

    fn write_billing(&self, name: &str, state: &mut BillingState, key: Option<&SealingKey>) -> Result<Revision> {
        state.normalize();
        let (mut jwt, mut refresh_token) = (String::new(), String::new());
        state.integrity = None;
        if let Some(key) = key {
            jwt = sealed_text(state.entitlement_jwt.as_ref(), key)?;
            refresh_token = sealed_text(state.entitlement_refresh_token.as_ref(), key)?;
            state.integrity = Some(billing_integrity::code(key, state, Payload::Current));
        }
        let text = json::to_compact(&state.with_secrets(&jwt, &refresh_token))
            .map_err(|error| Error::FileMalformed { path: shown(&self.path_of(name)), reason: error.to_string() })?;
        if let Some((folder, _)) = name.rsplit_once('/') {
            self.check_writable()?;
            self.files().create_directory(folder)?;
        }
        self.replace(name, text.as_bytes(), MAX_LEN)
    }
}

/// The state of a file as it is; `None` if there is none.
fn read_billing(holder: &impl HasMasterKey, name: &str, warnings: &mut Vec<Warning>) -> Result<Option<ReadBilling>> {
    let directory = holder.directory();
    let path = directory.path_of(name);
    let Some(bytes) = directory.files().read(name, MAX_LEN, warnings)? else {
        return Ok(None);
    };
    let revision = Revision::of(Some(bytes.expose_secret()));
    let mut state: BillingState =
        json::value_from_bytes(bytes.expose_secret()).map_err(|error| Error::FileMalformed {
            path: shown(&path),
            reason: format!("not a billing state: refused at line {} column {}", error.line(), error.column()),
        })?;
    let holds_sealed = state.secrets_mut().into_iter().flatten().any(|text| is_sealed(text.expose_secret()));
    let Some(key) = holder.key(warnings)? else {
        if holds_sealed {
            holder.require_key(&path, warnings)?;
        }
        state.secrets_mut().into_iter().for_each(trim_secret);
        return Ok(Some(ReadBilling { state, revision, rewrite_under: None }));
    };
    let was_sealed = state.secrets_mut().into_iter().flatten().all(|text| is_sealed(text.expose_secret()));
    for (text, name) in state.secrets_mut().into_iter().zip(SECRET_NAMES) {
        open_secret(text, &key, &format!("{name} in {}", shown(&path)))?;
    }
    let payload = check_integrity(&key, &mut state, holds_sealed, &path, warnings)?;
    let is_current = was_sealed && payload == Some(Payload::Current);
    Ok(Some(ReadBilling { state, revision, rewrite_under: (!is_current).then_some(key) }))
}

/// What was read of a file.
struct ReadBilling {
    state: BillingState,
    revision: Revision,
    /// The key to write it back under, where it is not in its current form.
    rewrite_under: Option<SealingKey>,
}

/// The payload that the state's code covers; `None` if it has no code, which is only allowed for a file without sealed
/// fields, as sealing implies signing.
fn check_integrity(
    key: &SealingKey,
    state: &mut BillingState,
    holds_sealed: bool,
    path: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Payload>> {
    if state.integrity.is_none() {
        if holds_sealed {
            return Err(Error::BillingUnsigned { path: shown(path) });
        }
        warnings.push(Warning::BillingUnsigned { path: shown(path) });
        return Ok(None);
    }
    let payload =
        billing_integrity::recognize(key, state).ok_or_else(|| Error::BillingTampered { path: shown(path) })?;
    billing_integrity::clear_uncovered(state, payload);
    Ok(Some(payload))
}

fn billing_name(org: &str) -> Result<Cow<'static, str>> {
    let org = org.trim();
    check_org_id(org)?;
    if org == "default" {
        return Ok(Cow::Borrowed(BILLING_FILE));
    }
    Ok(Cow::Owned(format!("{ORGS}/{org}/{BILLING_FILE}")))
}

/// An organization id becomes one part of a path.
fn check_org_id(org: &str) -> Result<()> {
    let refused = |reason| Err(Error::OrgIdInvalid { reason });
    if org.is_empty() {
        return refused("empty");
    }
    if org.len() > MAX_ORG_ID_LEN {
        return refused("longer than 64 bytes");
    }
    if !org.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        return refused("expected only letters A-Z and a-z, digits, dots, underscores and hyphens");
    }
    if matches!(org, "." | "..") {
        return refused("expected an id that is not `.` or `..`");
    }
    Ok(())
}

/// Whether a file's content may be useless without the key it was written under: it is signed, a secret in it is not
/// plain, or it cannot be read as a billing state. An empty file holds nothing.
pub(super) fn needs_key(content: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct KeyedFields {
        #[serde(default, deserialize_with = "crate::secret::text::deserialize")]
        entitlement_jwt: Secret,
        #[serde(default, deserialize_with = "crate::secret::text::deserialize")]
        entitlement_refresh_token: Secret,
        #[serde(default)]
        integrity: Option<String>,
    }
    if content.is_empty() {
        return false;
    }
    let is_object = content.trim_ascii_start().starts_with(b"{");
    let Some(fields) = is_object.then(|| json::from_bytes::<KeyedFields>(content).ok()).flatten() else {
        return true;
    };
    let is_kept = |text: Secret, is_plain: fn(&str) -> bool| {
        let text = text.trimmed();
        !text.is_empty() && !is_plain(text.expose_secret())
    };
    fields.integrity.is_some_and(|code| !code.is_empty())
        || is_kept(fields.entitlement_jwt, is_plain_token)
        || is_kept(fields.entitlement_refresh_token, is_plain_refresh_token)
}

/// A compact token: three segments, the first a JSON object. A damaged sealed text never looks like one.
fn is_plain_token(text: &str) -> bool {
    text.starts_with("eyJ") && text.split('.').count() == 3
}

fn is_plain_refresh_token(text: &str) -> bool {
    text.starts_with("etr_")
}

/// Whether a text in billing.json is sealed: standard base64 of 28 bytes or more.
fn is_sealed(text: &str) -> bool {
    sealed_bytes(text).is_some()
}

/// The sealed bytes that a text in billing.json stands for.
fn sealed_bytes(text: &str) -> Option<Vec<u8>> {
    encoding::base64_decode(text.trim()).filter(|bytes| bytes.len() >= MIN_SEALED_LEN)
}

fn open_secret(secret: &mut Option<Secret>, key: &SealingKey, what: &str) -> Result<()> {
    if let Some(sealed) = secret.as_ref().and_then(|text| sealed_bytes(text.expose_secret())) {
        *secret = Some(key.open_text(&sealed, what)?);
    }
    trim_secret(secret);
    Ok(())
}

/// Empty if there is none.
fn sealed_text(secret: Option<&Secret>, key: &SealingKey) -> Result<String> {
    let Some(secret) = secret else { return Ok(String::new()) };
    key.seal(secret.expose_secret().as_bytes()).map(|sealed| encoding::base64_encode(&sealed))
}
