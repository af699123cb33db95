//! The term of the license in a provider-chained lease (formats.md#provider-chained-lease).

use crate::error::{Error, Result};
use crate::time::UnixTime;
use crate::token_kind::TokenKind;

/// How long leases that a provider signed under its license count: as long as the license itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProviderTerm {
    /// The license's expiry, and the end of its grace; `None` for a lifetime license.
    ends: Option<(UnixTime, UnixTime)>,
}

impl ProviderTerm {
    /// The term of a license with this expiry and this end of its grace; `None` for a lifetime license.
    pub(super) const fn new(ends: Option<(UnixTime, UnixTime)>) -> Self {
        Self { ends }
    }

    /// From this moment on the license no longer counts.
    pub(super) fn counts_until(&self) -> Option<UnixTime> {
        self.ends.map(|(_, ends_at)| ends_at)
    }

    /// Refuses the lease once the license has expired.
    ///
    /// # Errors
    /// [`Error::ProviderChain`].
    pub(super) fn check(&self, now: UnixTime) -> Result<()> {
        match self.ends {
            Some((expired_at, ends_at)) if now >= ends_at => {
                let source = Error::Expired { kind: TokenKind::License, expired_at, now };
                Err(Error::ProviderChain { source: Box::new(source) })
            }
            _ => Ok(()),
        }
    }
}
