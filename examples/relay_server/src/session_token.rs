//! Session tokens without state: what a registration was, authenticated under a key that the relay keeps in its data
//! directory. A restart with the same directory resumes; a fresh directory knows no token.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use pulse_trust::UnixTime;
use pulse_trust::relay::RevocationSubject;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

const KEY_FILE: &str = "session.key";
/// Ours: a token holds an id, a key of at most 256 bytes and three ids.
const MAX_LEN: usize = 4096;

/// What a session token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) instance_id: String,
    /// The identity key that registered; empty for none.
    pub(crate) identity: String,
    /// Unix seconds.
    pub(crate) expires_at: i64,
    license_id: Option<String>,
    installation_id: Option<String>,
    token_id: Option<String>,
}

impl Session {
    pub(crate) fn new(instance_id: &str, identity: &str, expires_at: i64, subject: RevocationSubject) -> Self {
        Self {
            instance_id: instance_id.to_owned(),
            identity: identity.to_owned(),
            expires_at,
            license_id: subject.license_id,
            installation_id: subject.installation_id,
            token_id: subject.token_id,
        }
    }

    pub(crate) fn subject(&self) -> RevocationSubject {
        let mut subject = RevocationSubject::default();
        subject.license_id.clone_from(&self.license_id);
        subject.installation_id.clone_from(&self.installation_id);
        subject.token_id.clone_from(&self.token_id);
        subject.instance_id = Some(self.instance_id.clone());
        subject
    }
}

/// The key under which session tokens are authenticated.
pub(crate) struct SessionKey(Hmac<Sha256>);

impl SessionKey {
    /// Reads the key of a data directory, or makes it.
    pub(crate) fn load_or_make(data_dir: &Path) -> io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(data_dir)?;
        let path = data_dir.join(KEY_FILE);
        match std::fs::read(&path) {
            Ok(bytes) => Self::from_bytes(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = pulse_trust::keys::SigningKey::generate().map_err(io::Error::other)?;
                // 64 bytes of base64 text: as good a random key as any, made by the library's own generator.
                let text = key.secret_base64();
                let bytes = text.expose_secret().as_bytes();
                let mut file = tempfile::NamedTempFile::new_in(data_dir)?;
                file.write_all(bytes)?;
                file.as_file().sync_all()?;
                match file.persist_noclobber(&path) {
                    Ok(_) => Self::from_bytes(bytes),
                    // Another relay on the same directory was first.
                    Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                        Self::from_bytes(&std::fs::read(&path)?)
                    }
                    Err(error) => Err(error.error),
                }
            }
            Err(error) => Err(error),
        }
    }

    fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        if bytes.len() < 32 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "session.key holds no key"));
        }
        <Hmac<Sha256> as KeyInit>::new_from_slice(bytes).map(Self).map_err(io::Error::other)
    }

    /// The token of a session.
    pub(crate) fn issue(&self, session: &Session) -> Option<String> {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(session).ok()?);
        let mut mac = self.0.clone();
        mac.update(payload.as_bytes());
        Some(format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
    }

    /// The session of a token that this relay issued and that has not expired.
    pub(crate) fn open(&self, token: &str, now: UnixTime) -> Option<Session> {
        if token.len() > MAX_LEN {
            return None;
        }
        let (payload, tag) = token.split_once('.')?;
        let mut mac = self.0.clone();
        mac.update(payload.as_bytes());
        mac.verify_slice(&URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        let session: Session = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        (now.as_secs() < session.expires_at).then_some(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_back_whole_unexpired_and_by_the_same_directory_alone() {
        let directory = tempfile::tempdir().unwrap();
        let key = SessionKey::load_or_make(directory.path()).unwrap();
        let session = Session::new("relay_1", "key", 100, RevocationSubject::default());
        let token = key.issue(&session).unwrap();
        let at = UnixTime::from_secs;
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
}
