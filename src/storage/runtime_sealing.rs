//! Sealing for the other files that a runtime keeps under the directory's key, such as its nodes and mail settings
//! ([formats: encrypted files](crate::_documentation::formats#encrypted-files)). The runtime reads and writes those
//! files itself.

use zeroize::Zeroizing;

use super::data_dir::LockedDataDir;
use super::files::shown;
use super::master_key::{HasMasterKey, MASTER_KEY};
use super::reader::DataDirReader;
use super::seal::SealingKey;
use crate::error::{Error, Result};
use crate::primitives::hkdf_sha256;
use crate::secret::{SecretBytes, with_wiped_stack};

impl LockedDataDir {
    /// Seals bytes under the directory's key, in the form of every `*.enc` file of the directory: a nonce, then
    /// AES-256-GCM ciphertext and tag. The key is made if there is none and nothing is sealed under a lost one.
    ///
    /// ```
    /// use pulse_trust::storage::DataDir;
    ///
    /// # let parent = tempfile::tempdir()?;
    /// # let path = parent.path().join("pulse");
    /// let data_dir = DataDir::create(path)?.lock()?;
    /// let sealed = data_dir.seal(b"[]")?;
    /// assert_eq!(data_dir.unseal("nodes.enc", &sealed)?.expose_secret(), b"[]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::KeyFileLost`], [`Error::KeyFileUnreadable`], [`Error::RandomUnavailable`]; [`Error::File`] if a key has
    /// to be made and cannot be written.
    pub fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        with_wiped_stack(|| self.key_in_use()?.seal(plaintext))
    }

    /// Opens what was sealed under the directory's key. `name` is the file's, for errors.
    ///
    /// # Errors
    /// [`Error::UnsealFailed`], [`Error::KeyFileLost`], [`Error::KeyFileUnreadable`].
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> Result<SecretBytes> {
        with_wiped_stack(|| unseal(self, name, sealed))
    }

    /// **Secret**: a key of 32 bytes for one purpose, so that the directory's key itself serves sealing alone:
    /// HKDF-SHA256 without a salt, the purpose being the info. A shorter key is the beginning of this one. The
    /// directory's key is made as for [`LockedDataDir::seal`].
    ///
    /// # Errors
    /// As [`LockedDataDir::seal`].
    pub fn derive_key(&self, purpose: &str) -> Result<SecretBytes> {
        with_wiped_stack(|| self.derive(purpose))
    }

    fn derive(&self, purpose: &str) -> Result<SecretBytes> {
        let key = self.key_in_use()?;
        let derived = SealingKey::derived(|out| hkdf_sha256(key.secret_bytes(), &[], [(purpose.as_bytes(), out)]));
        let unreadable = || Error::KeyFileUnreadable {
            path: shown(&self.path_of(MASTER_KEY.name)),
            reason: "key derivation failed".to_owned(),
        };
        let derived = derived.ok_or_else(unreadable)?;
        Ok(SecretBytes::from(derived.secret_bytes().to_vec()))
    }

    /// The existing key, even in a directory that can only be read, or a new one if there is none.
    fn key_in_use(&self) -> Result<SealingKey> {
        match self.key(&mut Vec::new())? {
            Some(key) => Ok(key),
            None => self.key_to_write(&mut Vec::new()),
        }
    }
}

impl DataDirReader {
    /// Opens what was sealed under the directory's key. `name` is the file's, for errors.
    ///
    /// # Errors
    /// As [`LockedDataDir::unseal`].
    pub fn unseal(&self, name: &str, sealed: &[u8]) -> Result<SecretBytes> {
        with_wiped_stack(|| unseal(self, name, sealed))
    }
}

fn unseal(holder: &impl HasMasterKey, name: &str, sealed: &[u8]) -> Result<SecretBytes> {
    let path = holder.directory().path_of(name);
    let key = holder.require_key(&path, &mut Vec::new())?;
    key.open(sealed, &shown(&path)).map(secret)
}

/// The same bytes, moved.
fn secret(mut bytes: Zeroizing<Vec<u8>>) -> SecretBytes {
    SecretBytes::from(core::mem::take(&mut *bytes))
}
