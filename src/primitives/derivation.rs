//! HKDF-SHA256 (RFC 5869).

use hkdf::Hkdf;
use sha2::Sha256;

use super::Host;

/// Derives keys from one secret: for each `info` what fills its output. `None` if an output is longer than HKDF can
/// give.
#[must_use]
pub(crate) fn hkdf_sha256<const N: usize>(secret: &[u8], salt: &[u8], derived: [(&[u8], &mut [u8]); N]) -> Option<()> {
    if let Some(host) = Host::offered() {
        return derived.into_iter().all(|(info, out)| host.hkdf_sha256(secret, salt, info, out)).then_some(());
    }
    let hkdf = Hkdf::<Sha256>::new(Some(salt), secret);
    derived.into_iter().try_for_each(|(info, out)| hkdf.expand(info, out)).ok()
}
