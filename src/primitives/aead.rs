//! AES-256-GCM without associated data.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{Aes256Gcm, KeyInit};
use zeroize::Zeroizing;

use super::Host;

pub(crate) const NONCE_LEN: usize = 12;
pub(crate) const TAG_LEN: usize = 16;

/// A key that seals and opens. What a nonce may be, its callers know.
pub(crate) struct Aead(Computed);

enum Computed {
    Own(Box<Aes256Gcm>),
    ByHost(Host, Box<Zeroizing<[u8; 32]>>),
}

impl Aead {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(match Host::offered() {
            None => Computed::Own(Box::new(Aes256Gcm::new(key.into()))),
            Some(host) => {
                let mut kept = Box::new(Zeroizing::new([0; 32]));
                kept.copy_from_slice(key);
                Computed::ByHost(host, kept)
            }
        })
    }

    /// Seals in place all but the last 16 bytes, which take the tag. `None` if the text is longer than AES-GCM can
    /// seal; it must then be thrown away.
    #[must_use]
    pub(crate) fn seal(&self, nonce: &[u8; NONCE_LEN], text: &mut [u8]) -> Option<()> {
        match &self.0 {
            Computed::Own(cipher) => {
                let (body, tag) = text.split_last_chunk_mut::<TAG_LEN>()?;
                let computed = cipher.encrypt_inout_detached(nonce.into(), &[], InOutBuf::from(body)).ok()?;
                *tag = computed.into();
                Some(())
            }
            Computed::ByHost(host, key) => host.seal(key, nonce, text).then_some(()),
        }
    }

    /// Opens in place what [`Self::seal`] has sealed. `None` if the tag is wrong; then there is no plaintext.
    #[must_use]
    pub(crate) fn open(&self, nonce: &[u8; NONCE_LEN], text: &mut [u8]) -> Option<()> {
        match &self.0 {
            Computed::Own(cipher) => {
                let (body, tag) = text.split_last_chunk_mut::<TAG_LEN>()?;
                cipher.decrypt_inout_detached(nonce.into(), &[], InOutBuf::from(body), (&*tag).into()).ok()
            }
            Computed::ByHost(host, key) => host.open(key, nonce, text).then_some(()),
        }
    }
}
