//! What is known around an error.

use std::path::Path;

use pulse_trust::entitlement::InstanceHost;
use pulse_trust::keys::{PublicKey, TrustKeys};
use pulse_trust::token::UnverifiedToken;
use pulse_trust::{TokenKind, UnixTime};
use serde_json::Value;

use super::Asked;

pub(super) struct Context<'a> {
    pub(super) directory: &'a Path,
    pub(super) asked: &'a Asked,
    pub(super) lease: Option<&'a str>,
    pub(super) public_url: Option<&'a str>,
    pub(super) keys: Option<&'a TrustKeys>,
    /// The relay's URL in relay.enc.
    pub(super) server_url: Option<&'a str>,
    /// The host that a hosted tenant's relay.enc holds for its secret.
    pub(super) host_of_config: Option<String>,
    pub(super) key_opens: KeyOpens,
    pub(super) now: UnixTime,
    pub(super) relay_clock: Option<UnixTime>,
}

/// What was sealed, and opens under the key that is there.
#[derive(Clone, Copy, Default)]
pub(super) struct KeyOpens {
    pub(super) billing: bool,
    pub(super) relay: bool,
}

impl<'a> Context<'a> {
    pub(super) fn new(directory: &'a Path, asked: &'a Asked, now: UnixTime) -> Self {
        Self {
            directory,
            asked,
            lease: None,
            public_url: None,
            keys: None,
            server_url: None,
            host_of_config: None,
            key_opens: KeyOpens::default(),
            now,
            relay_clock: None,
        }
    }

    pub(super) fn directory_text(&self) -> String {
        self.directory.display().to_string()
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// Whether something else is at the directory's path.
    pub(super) fn is_no_directory(&self) -> bool {
        self.directory.metadata().is_ok_and(|metadata| !metadata.is_dir())
    }

    pub(super) fn is_lease_signed_by(&self, key: &PublicKey) -> bool {
        let token = self.lease.and_then(|lease| UnverifiedToken::parse(lease).ok());
        token.is_some_and(|token| token.verify_under(key, TokenKind::Lease).is_ok())
    }

    /// The host that the lease names, whoever signed it.
    pub(super) fn host_of_lease(&self) -> Option<InstanceHost> {
        let token = UnverifiedToken::parse(self.lease?).ok()?;
        let claims: Value = serde_json::from_str(token.unverified_payload()).ok()?;
        InstanceHost::normalize(claims.get("instance_host")?.as_str()?).ok()
    }

    /// The host of `PULSE_PUBLIC_URL`.
    pub(super) fn host_of_url(&self) -> Option<String> {
        InstanceHost::normalize(self.public_url?).ok().map(|host| host.to_string())
    }
}
