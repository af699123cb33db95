//! Credentials that were revoked before they expire.

use core::net::Ipv6Addr;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::instance_id::InstanceId;
use crate::entitlement::{InstanceHost, VerifiedToken};
use crate::keys::KeyId;
use crate::reason::RevokedKind;

/// What a revocation can name of a registration: of its credential, of the key that signed it, and of the instance. A
/// relay keeps this with each session, and checks it again whenever the revocations change.
///
/// See the example of [`RevocationList`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RevocationSubject {
    /// `lid` of a license or grant.
    pub license_id: Option<String>,
    /// `lv` of a grant: the version of its license.
    pub license_version: Option<i64>,
    /// `iid` of a grant.
    pub installation_id: Option<String>,
    /// `jti` of a lease or grant.
    pub token_id: Option<String>,
    /// The host of a lease, normalized.
    pub host: Option<String>,
    /// The id under which the instance is registered.
    pub instance_id: Option<String>,
    /// The id of the key that signed the credential.
    pub signing_key_id: Option<String>,
}

impl RevocationSubject {
    /// What a verified token says by itself: everything except the instance id and the id of the signing key.
    pub fn of(token: &VerifiedToken) -> Self {
        let given = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
        match token {
            VerifiedToken::Lease(lease) => Self {
                token_id: lease.claims().jti.clone(),
                host: Some(lease.instance_host().as_str().to_owned()),
                ..Self::default()
            },
            VerifiedToken::License(license) => Self { license_id: given(&license.claims().lid), ..Self::default() },
            VerifiedToken::Grant(grant) => {
                let claims = grant.claims();
                Self {
                    license_id: given(&claims.lid),
                    license_version: Some(claims.lv),
                    installation_id: claims.iid.clone(),
                    token_id: claims.jti.clone(),
                    ..Self::default()
                }
            }
        }
    }
}

/// Decides whether a registration was revoked.
///
/// See the example of [`RevocationList`].
pub trait Revocations {
    /// What was revoked, or `None`.
    fn revoked(&self, subject: &RevocationSubject) -> Option<RevokedKind>;
}

/// Nothing is revoked: a relay without a revocation feed.
///
/// See the example of [`Admission`](super::Admission).
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRevocations;

impl Revocations for NoRevocations {
    fn revoked(&self, _: &RevocationSubject) -> Option<RevokedKind> {
        None
    }
}

/// What was revoked.
///
/// ```
/// use pulse_trust::relay::{RevocationList, RevocationSubject, Revocations, RevokedKind};
///
/// let mut list = RevocationList::default();
/// list.revoke_license_below("lic_1", 3);
/// let mut grant = RevocationSubject::default();
/// grant.license_id = Some("lic_1".to_owned());
/// grant.license_version = Some(2);
/// assert_eq!(list.revoked(&grant), Some(RevokedKind::LicenseVersion));
/// grant.license_version = Some(3);
/// assert_eq!(list.revoked(&grant), None);
/// ```
#[derive(Debug, Clone, Default)]
pub struct RevocationList {
    license_ids: BTreeSet<String>,
    /// The lowest version of a license that still counts.
    license_floors: BTreeMap<String, i64>,
    installation_ids: BTreeSet<String>,
    token_ids: BTreeSet<String>,
    hosts: BTreeSet<String>,
    instance_ids: BTreeSet<String>,
    signing_key_ids: BTreeSet<String>,
}

impl RevocationList {
    /// Revokes every credential of a license.
    pub fn revoke_license(&mut self, license_id: &str) {
        self.license_ids.insert(license_id.to_owned());
    }

    /// Revokes every grant of a license whose version (`lv`) is below `lowest_version`. A floor is only ever raised.
    pub fn revoke_license_below(&mut self, license_id: &str, lowest_version: i64) {
        let floor = self.license_floors.entry(license_id.to_owned()).or_insert(lowest_version);
        *floor = lowest_version.max(*floor);
    }

    /// Revokes every grant of an installation.
    pub fn revoke_installation(&mut self, installation_id: &str) {
        self.installation_ids.insert(installation_id.to_owned());
    }

    /// Revokes one token.
    pub fn revoke_token(&mut self, token_id: &str) {
        self.token_ids.insert(token_id.to_owned());
    }

    /// Revokes every lease for a host; where that is an IPv6 address, in each of its spellings, which are different hosts
    /// everywhere else.
    pub fn revoke_host(&mut self, host: &InstanceHost) {
        self.hosts.insert(address_form(host.as_str()).into_owned());
    }

    /// Revokes every registration under an instance id.
    pub fn revoke_instance(&mut self, instance_id: &InstanceId) {
        self.instance_ids.insert(instance_id.as_str().to_owned());
    }

    /// Revokes every credential that the key with this id has signed.
    pub fn revoke_signing_key(&mut self, key_id: &KeyId) {
        self.signing_key_ids.insert(key_id.as_str().to_owned());
    }

    fn is_below_floor(&self, subject: &RevocationSubject) -> bool {
        let floor = subject.license_id.as_ref().and_then(|id| self.license_floors.get(id));
        floor.zip(subject.license_version).is_some_and(|(floor, version)| version < *floor)
    }
}

impl Revocations for RevocationList {
    fn revoked(&self, subject: &RevocationSubject) -> Option<RevokedKind> {
        if self.is_below_floor(subject) {
            return Some(RevokedKind::LicenseVersion);
        }
        let host = subject.host.as_deref().map(|host| address_form(host).into_owned());
        [
            (&self.license_ids, &subject.license_id, RevokedKind::License),
            (&self.installation_ids, &subject.installation_id, RevokedKind::Installation),
            (&self.token_ids, &subject.token_id, RevokedKind::Token),
            (&self.hosts, &host, RevokedKind::Host),
            (&self.instance_ids, &subject.instance_id, RevokedKind::Instance),
            (&self.signing_key_ids, &subject.signing_key_id, RevokedKind::SigningKey),
        ]
        .into_iter()
        .find_map(|(ids, id, what)| id.as_ref().is_some_and(|id| ids.contains(id)).then_some(what))
    }
}

/// The one spelling of an IPv6 address; any other host as it is. A revocation must not be escaped by a zero more.
fn address_form(host: &str) -> Cow<'_, str> {
    match host.parse::<Ipv6Addr>() {
        Ok(address) => Cow::Owned(address.to_string()),
        Err(_) => Cow::Borrowed(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> RevocationSubject {
        let some = |text: &str| Some(text.to_owned());
        RevocationSubject {
            license_id: some("l"),
            license_version: Some(2),
            installation_id: some("i"),
            token_id: some("t"),
            host: some("h.example.test"),
            instance_id: some("relay_0123456789abcdef"),
            signing_key_id: some("0123456789abcdef"),
        }
    }

    #[test]
    fn each_name_revokes_what_carries_it_and_nothing_else() {
        let host = InstanceHost::normalize("h.example.test").unwrap();
        let id = InstanceId::parse("relay_0123456789abcdef").unwrap();
        type Revoke<'a> = &'a dyn Fn(&mut RevocationList);
        let cases: [(RevokedKind, Revoke<'_>); 7] = [
            (RevokedKind::License, &|list| list.revoke_license("l")),
            (RevokedKind::LicenseVersion, &|list| list.revoke_license_below("l", 3)),
            (RevokedKind::Installation, &|list| list.revoke_installation("i")),
            (RevokedKind::Token, &|list| list.revoke_token("t")),
            (RevokedKind::Host, &|list| list.revoke_host(&host)),
            (RevokedKind::Instance, &|list| list.revoke_instance(&id)),
            (RevokedKind::SigningKey, &|list| list.revoke_signing_key(&KeyId::parse("0123456789abcdef").unwrap())),
        ];
        for (what, revoke) in cases {
            let mut list = RevocationList::default();
            revoke(&mut list);
            assert_eq!(list.revoked(&subject()), Some(what));
            assert_eq!(list.revoked(&RevocationSubject::default()), None, "{what}");
        }
    }

    #[test]
    fn a_floor_is_never_lowered() {
        let mut list = RevocationList::default();
        list.revoke_license_below("l", 3);
        list.revoke_license_below("l", 1);
        assert_eq!(list.revoked(&subject()), Some(RevokedKind::LicenseVersion));
        let newer = RevocationSubject { license_version: Some(3), ..subject() };
        assert_eq!(list.revoked(&newer), None);
        let license = RevocationSubject { license_version: None, ..subject() };
        assert_eq!(list.revoked(&license), None, "a license has no version");
    }
}
