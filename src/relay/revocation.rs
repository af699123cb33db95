//! Credentials that were revoked before they expire.

use std::collections::BTreeSet;

use crate::entitlement::VerifiedToken;

/// What a revocation can name of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RevocationSubject {
    /// `lid` of a license or grant.
    pub license_id: Option<String>,
    /// `iid` of a grant.
    pub installation_id: Option<String>,
    /// `jti` of a lease or grant.
    pub token_id: Option<String>,
}

impl RevocationSubject {
    /// A subject with these ids.
    pub fn new(license_id: Option<String>, installation_id: Option<String>, token_id: Option<String>) -> Self {
        Self { license_id, installation_id, token_id }
    }

    /// The subject of a verified token.
    pub fn of(token: &VerifiedToken) -> Self {
        let given = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
        match token {
            VerifiedToken::Lease(lease) => Self::new(None, None, lease.claims().jti.clone()),
            VerifiedToken::License(license) => Self::new(given(&license.claims().lid), None, None),
            VerifiedToken::Grant(grant) => {
                let claims = grant.claims();
                Self::new(given(&claims.lid), claims.iid.clone(), claims.jti.clone())
            }
        }
    }
}

/// Says of a credential whether it was revoked.
pub trait Revocations {
    /// What of the credential was revoked (`license`, `installation` or `token`), or `None`.
    fn revoked(&self, subject: &RevocationSubject) -> Option<&'static str>;
}

/// Nothing is revoked: a relay without a revocation feed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRevocations;

impl Revocations for NoRevocations {
    fn revoked(&self, _: &RevocationSubject) -> Option<&'static str> {
        None
    }
}

/// The ids that were revoked.
#[derive(Debug, Clone, Default)]
pub struct RevocationList {
    license_ids: BTreeSet<String>,
    installation_ids: BTreeSet<String>,
    token_ids: BTreeSet<String>,
}

impl RevocationList {
    /// Revokes every credential of a license.
    pub fn revoke_license(&mut self, license_id: &str) {
        self.license_ids.insert(license_id.to_owned());
    }

    /// Revokes every grant of an installation.
    pub fn revoke_installation(&mut self, installation_id: &str) {
        self.installation_ids.insert(installation_id.to_owned());
    }

    /// Revokes one token.
    pub fn revoke_token(&mut self, token_id: &str) {
        self.token_ids.insert(token_id.to_owned());
    }
}

impl Revocations for RevocationList {
    fn revoked(&self, subject: &RevocationSubject) -> Option<&'static str> {
        let is_in = |ids: &BTreeSet<String>, id: &Option<String>| id.as_ref().is_some_and(|id| ids.contains(id));
        if is_in(&self.license_ids, &subject.license_id) {
            Some("license")
        } else if is_in(&self.installation_ids, &subject.installation_id) {
            Some("installation")
        } else if is_in(&self.token_ids, &subject.token_id) {
            Some("token")
        } else {
            None
        }
    }
}
