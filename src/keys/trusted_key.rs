//! One key of a trust set, which is prepared once that pays off.

use core::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{KeyId, PreparedKey, PublicKey, TableSize};
use crate::error::{Error, Result};

/// The number of signatures after which tables are built: by then they would have saved about what building two of them
/// costs, and a key that has verified this many will verify more. A tool that verifies one token never pays for them.
const PREPARE_AFTER: usize = 64;

/// A key, its id, and its tables once they exist.
pub(super) struct TrustedKey {
    key: PublicKey,
    id: KeyId,
    size: TableSize,
    seen: AtomicUsize,
    prepared: OnceLock<PreparedKey>,
}

impl TrustedKey {
    /// A key that is prepared when it has been used often enough.
    pub(super) fn new(key: PublicKey) -> Self {
        let (id, size) = (key.key_id(), TableSize::default());
        Self { key, id, size, seen: AtomicUsize::new(0), prepared: OnceLock::new() }
    }

    /// The key with tables of this size, built now.
    pub(super) fn with_tables(key: &PublicKey, size: TableSize) -> Result<Self> {
        let prepared = OnceLock::from(PreparedKey::new(key, size)?);
        Ok(Self { key: key.clone(), id: key.key_id(), size, seen: AtomicUsize::new(0), prepared })
    }

    pub(super) fn key(&self) -> &PublicKey {
        &self.key
    }

    pub(super) fn id(&self) -> &KeyId {
        &self.id
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<bool> {
        Ok(match self.prepared_for(1)? {
            Some(prepared) => prepared.verify(message, signature),
            None => self.key.verify(message, signature),
        })
    }

    pub(super) fn verify_bulk(&self, signed: &[(&[u8], &[u8; 64])]) -> Result<Vec<bool>> {
        Ok(match self.prepared_for(signed.len())? {
            Some(prepared) => prepared.verify_bulk(signed),
            None => signed.iter().map(|(message, signature)| self.key.verify(message, signature)).collect(),
        })
    }

    /// The prepared key, which is built once `more` signatures bring their number to the point where that pays off.
    fn prepared_for(&self, more: usize) -> Result<Option<&PreparedKey>> {
        if let Some(prepared) = self.prepared.get() {
            return Ok(Some(prepared));
        }
        let seen = self.seen.fetch_add(more, Ordering::Relaxed);
        if seen.saturating_add(more) < PREPARE_AFTER {
            return Ok(None);
        }
        // Two threads may both build; one result is kept.
        match PreparedKey::new(&self.key, self.size) {
            Ok(prepared) => Ok(Some(self.prepared.get_or_init(|| prepared))),
            // The key verifies without tables too, only slower. It tries again after as many signatures.
            Err(Error::KeyTableMemory { .. }) => {
                self.seen.store(0, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.key, f)
    }
}
