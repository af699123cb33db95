//! REGISTER, and what each refusal means for the next try.

use core::time::Duration;

use crate::error::Result;
use crate::relay::{ControlPayload, Identity, IdentityProof, Register, WireErrorCode, relay_host};
use crate::secret::Secret;
use crate::time::UnixTime;

/// What a registration can be resumed with.
pub(super) struct Resumable {
    pub(super) session_token: Secret,
    pub(super) instance_id: String,
}

/// The parts of a REGISTER.
pub(super) struct RegisterParts<'a> {
    pub(super) url: &'a str,
    pub(super) credential: &'a Secret,
    pub(super) instance_secret: &'a Secret,
    pub(super) identity: &'a Identity,
    pub(super) client_version: Option<&'a str>,
    pub(super) resumed: Option<&'a Resumable>,
    pub(super) now: UnixTime,
}

impl RegisterParts<'_> {
    /// The frame. The proof is over the token that the relay decides on: the session's, where one is presented.
    pub(super) fn to_frame(&self) -> Result<Vec<u8>> {
        let token = self.resumed.map_or(self.credential, |resumed| &resumed.session_token);
        let host = relay_host(self.url)?;
        let proof = IdentityProof::sign(self.identity, &host, token.expose_secret(), self.now);
        let hint = self.resumed.map_or_else(|| self.instance_secret.duplicate(), |it| it.instance_id.as_str().into());
        let register = Register {
            license_token: self.credential.duplicate(),
            session_token: self.resumed.map(|resumed| resumed.session_token.duplicate()),
            instance_hint: Some(hint),
            client_version: self.client_version.map(str::to_owned),
            identity_pub_key: Some(self.identity.public_key().to_base64()),
            identity_proof: Some(proof),
        };
        register.to_frame(0)
    }
}

/// The state of a REGISTER on a connection that is already registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    NotAsked,
    Asked,
    /// The relay refused it, so it is not tried again on this connection.
    Refused,
}

impl Renewal {
    pub(super) const fn is_asked(self) -> bool {
        matches!(self, Self::Asked)
    }
}

/// When to try again after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// At once, with the current credential, as it was not what was refused.
    Afresh,
    /// After the back-off.
    Backoff,
    /// After [`crate::session::Times::refused`], or with another credential.
    Later(Duration),
}

/// What a refusal means. `current` says whether REGISTER was made with the current credential: not with a session, which
/// may have been revoked, nor with a credential that was replaced since.
pub(super) fn retry_after(code: Option<WireErrorCode>, current: bool, refused: Duration) -> Retry {
    match code {
        Some(
            WireErrorCode::AuthFailed
            | WireErrorCode::InstanceNotFound
            | WireErrorCode::LicenseInvalid
            | WireErrorCode::LicenseExpired,
        ) if !current => Retry::Afresh,
        Some(
            WireErrorCode::AuthFailed
            | WireErrorCode::LicenseInvalid
            | WireErrorCode::LicenseExpired
            | WireErrorCode::DuplicateInstance,
        ) => Retry::Later(refused),
        _ => Retry::Backoff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_outcome() {
        let refused = Duration::from_secs(300);
        for code in WireErrorCode::ALL {
            let [fresh, resumed] = [true, false].map(|current| retry_after(Some(*code), current, refused));
            assert_ne!(fresh, Retry::Afresh, "{code}: a refused credential is not presented again at once");
            let expected = match code {
                WireErrorCode::AuthFailed
                | WireErrorCode::InstanceNotFound
                | WireErrorCode::LicenseInvalid
                | WireErrorCode::LicenseExpired => Retry::Afresh,
                WireErrorCode::DuplicateInstance => Retry::Later(refused),
                _ => Retry::Backoff,
            };
            assert_eq!(resumed, expected, "{code}");
        }
        assert_eq!(retry_after(None, false, refused), Retry::Backoff, "an unknown code");
    }
}
