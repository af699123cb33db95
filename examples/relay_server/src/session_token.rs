//! Session tokens without state: what a registration was, authenticated under a key that the relay keeps in its data
//! directory. A restart with the same directory resumes; a fresh directory knows no token.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use pulse_trust::keys::SigningKey;
use pulse_trust::relay::RevocationSubject;
use pulse_trust::{Secret, UnixTime};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tracing::warn;

use crate::state_file;

const KEY_FILE: &str = "session.key";
/// A token holds an id, a hash and what a revocation can name.
const MAX_LEN: usize = 4096;

/// What a session token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) instance_id: String,
    /// SHA-256 of the identity key that registered.
    pub(crate) identity: [u8; 32],
    /// How often the instance id had changed its identity.
    pub(crate) generation: u64,
    /// Unix seconds.
    pub(crate) expires_at: i64,
    /// The credential itself has no end.
    pub(crate) is_lifetime: bool,
    license_id: Option<String>,
    license_version: Option<i64>,
    installation_id: Option<String>,
    token_id: Option<String>,
    host: Option<String>,
    signing_key_id: Option<String>,
}

impl Session {
    pub(crate) fn new(
        instance_id: &str,
        identity: [u8; 32],
        expires_at: UnixTime,
        is_lifetime: bool,
        subject: &RevocationSubject,
    ) -> Self {
        let subject = subject.clone();
        Self {
            instance_id: instance_id.to_owned(),
            identity,
            generation: 0,
            expires_at: expires_at.as_secs(),
            is_lifetime,
            license_id: subject.license_id,
            license_version: subject.license_version,
            installation_id: subject.installation_id,
            token_id: subject.token_id,
            host: subject.host,
            signing_key_id: subject.signing_key_id,
        }
    }

    /// What a revocation can name.
    pub(crate) fn subject(&self) -> RevocationSubject {
        let mut subject = RevocationSubject::default();
        subject.license_id.clone_from(&self.license_id);
        subject.license_version = self.license_version;
        subject.installation_id.clone_from(&self.installation_id);
        subject.token_id.clone_from(&self.token_id);
        subject.host.clone_from(&self.host);
        subject.instance_id = Some(self.instance_id.clone());
        subject.signing_key_id.clone_from(&self.signing_key_id);
        subject
    }
}

/// The key under which session tokens are authenticated.
pub(crate) struct SessionKey {
    mac: Hmac<Sha256>,
    /// As the file has it.
    secret_text: Secret,
}

impl SessionKey {
    /// Reads the key of a data directory, or makes it.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] if the file is not a regular one of mode 0600 that holds a key.
    pub(crate) fn load_or_make(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(KEY_FILE);
        if let Some(text) = state_file::read(&path)? {
            return Self::from_text(&path, &text);
        }
        // 64 bytes of base64 text: as good a random key as any, made by the library's own generator.
        let key = SigningKey::generate().map_err(io::Error::other)?.secret_base64();
        write(&path, &key)?;
        let text = state_file::read(&path)?.unwrap_or_default();
        Self::from_text(&path, &text)
    }

    /// Writes the key again if its file was deleted: without it, no instance could resume after a restart.
    pub(crate) fn keep(&self, data_dir: &Path) -> io::Result<()> {
        let path = data_dir.join(KEY_FILE);
        if let Err(error) = std::fs::symlink_metadata(&path) {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            write(&path, &self.secret_text)?;
            warn!("{KEY_FILE} was not in the data directory, and is there again");
        }
        Ok(())
    }

    /// Whether the key of a data directory can be used, or has yet to be made.
    pub(crate) fn check(data_dir: &Path) -> io::Result<()> {
        let path = data_dir.join(KEY_FILE);
        state_file::read(&path)?.map_or(Ok(()), |text| Self::from_text(&path, &text).map(drop))
    }

    fn from_text(path: &Path, text: &str) -> io::Result<Self> {
        // An Ed25519 key contains its public half too, so other bytes of the same length are detected.
        let key = SigningKey::from_base64(text).ok().map(|key| key.secret_base64());
        let Some(secret_text) = key.filter(|key| key.expose_secret() == text) else {
            let length = text.len();
            let message = format!(
                "expected the key as a relay writes it, 88 characters of base64, found {length} bytes of something else: \
                 restore the file, or move it away (a new key is made, and instances register afresh)"
            );
            return Err(state_file::invalid(path, &message));
        };
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(text.as_bytes()).map_err(io::Error::other)?;
        Ok(Self { mac, secret_text })
    }

    /// The token of a session.
    pub(crate) fn issue(&self, session: &Session) -> Option<String> {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(session).ok()?);
        let mut mac = self.mac.clone();
        mac.update(payload.as_bytes());
        Some(format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }

    /// The session of a token that this relay issued and that has not expired.
    pub(crate) fn open(&self, token: &str, now: UnixTime) -> Option<Session> {
        if token.len() > MAX_LEN {
            return None;
        }
        let (payload, tag) = token.split_once('.')?;
        let mut mac = self.mac.clone();
        mac.update(payload.as_bytes());
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        let session: Session = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        (now.as_secs() < session.expires_at).then_some(session)
    }
}

/// Writes a key whole or not at all.
fn write(path: &Path, key: &Secret) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(key.expose_secret().as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => std::fs::File::open(directory)?.sync_all(),
        // Another relay on the same directory was first.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_back_whole_unexpired_and_by_the_same_directory_alone() {
        let directory = tempfile::tempdir().unwrap();
        let key = SessionKey::load_or_make(directory.path()).unwrap();
        let at = UnixTime::from_secs;
        let mut subject = RevocationSubject::default();
        subject.instance_id = Some("relay_1".to_owned());
        subject.license_version = Some(3);
        subject.signing_key_id = Some("k".to_owned());
        let session = Session::new("relay_1", [7; 32], at(100), false, &subject);
        assert_eq!(session.subject(), subject);
        let token = key.issue(&session).unwrap();
        assert_eq!(key.open(&token, at(99)), Some(session.clone()));
        assert_eq!(key.open(&token, at(100)), None);
        assert_eq!(SessionKey::load_or_make(directory.path()).unwrap().open(&token, at(99)), Some(session));
        let fresh = tempfile::tempdir().unwrap();
        assert_eq!(SessionKey::load_or_make(fresh.path()).unwrap().open(&token, at(99)), None);
        for index in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.open(&String::from_utf8(forged).unwrap(), at(99)), None, "byte {index}");
        }
    }

    #[test]
    fn a_key_file_that_others_can_read_or_that_is_no_file_is_refused() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        SessionKey::load_or_make(directory.path()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let message = SessionKey::load_or_make(directory.path()).err().unwrap().to_string();
        assert!(message.contains("0600") && message.contains("0644"), "{message}");
        let elsewhere = directory.path().join("elsewhere");
        std::fs::rename(&path, &elsewhere).unwrap();
        std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(SessionKey::load_or_make(directory.path()).is_err(), "a symbolic link was followed");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(SessionKey::load_or_make(directory.path()).is_err());
    }
}
