//! The errors that other programs build: one that checks something before the library does refuses it as the library
//! would. The variants may get more fields, so that only this crate builds them otherwise.

use super::Error;
use crate::reason::RevokedKind;
use crate::token_kind::TokenKind;
use crate::unix_time::UnixTime;

impl Error {
    /// [`Error::Revoked`].
    ///
    /// ```
    /// use pulse_trust::Error;
    /// use pulse_trust::relay::RevokedKind;
    ///
    /// let refused = Error::revoked(RevokedKind::License);
    /// assert_eq!(refused.to_string(), "the license of this credential was revoked");
    /// ```
    pub const fn revoked(what: RevokedKind) -> Self {
        Self::Revoked { what }
    }

    /// [`Error::SessionInvalid`]: a relay makes and checks its session tokens by itself.
    pub const fn session_invalid(reason: &'static str) -> Self {
        Self::SessionInvalid { reason }
    }

    /// [`Error::TokenTooLarge`]: `what` is `received` bytes long, of at most `limit`.
    pub const fn token_too_large(what: &'static str, limit: usize, received: usize) -> Self {
        Self::TokenTooLarge { what, limit, received }
    }

    /// [`Error::TokenMalformed`].
    pub const fn token_malformed(reason: &'static str) -> Self {
        Self::TokenMalformed { reason }
    }

    /// [`Error::PayloadMalformed`].
    pub const fn payload_malformed(reason: String) -> Self {
        Self::PayloadMalformed { reason }
    }

    /// [`Error::ClaimValue`].
    pub const fn claim_value(claim: &'static str, expected: &'static str, received: String) -> Self {
        Self::ClaimValue { claim, expected, received }
    }

    /// [`Error::Expired`].
    pub const fn expired(kind: TokenKind, expired_at: UnixTime, now: UnixTime) -> Self {
        Self::Expired { kind, expired_at, now }
    }
}
