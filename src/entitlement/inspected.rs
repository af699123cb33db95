//! What was read without regard to its own time.

/// A [`VerifiedLease`](super::VerifiedLease), [`VerifiedLicense`](super::VerifiedLicense) or
/// [`VerifiedGrant`](super::VerifiedGrant) but for its time, which was not checked: for a screen that shows a token which
/// may have expired. It grants nothing, and no policy takes it.
///
/// ```
/// use pulse_trust::UnixTime;
/// use pulse_trust::entitlement::{GrantClaims, GrantState, Inspected, VerifiedGrant};
/// use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
///
/// let license_server = SigningKey::generate()?;
/// let claims = GrantClaims::from_json(
///     r#"{"lid":"lic_1","iid":"inst_1","st":"active","tier":"pro","exp":1774440060}"#,
/// )?;
/// let token = claims.sign(&license_server)?;
///
/// let license = TrustKeySet::new([license_server.public_key().clone()]);
/// let grant = Inspected::<VerifiedGrant>::inspect(token.expose_secret(), &TrustKeys::for_licenses(license))?;
/// assert_eq!(grant.state_at(UnixTime::from_secs(1_800_000_000)), GrantState::Expired);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Inspected<T>(pub(super) T);
