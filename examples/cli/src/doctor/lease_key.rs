//! The operator's key against the runtime's. Whatever is advised, the keys that the runtime has stay: one of them may have
//! signed the lease that counts.

use pulse_trust::TokenKind;
use pulse_trust::keys::TrustKeySet;

use super::context::Context;
use super::report::{Fault, Link, Mend};
use super::{fingerprints, mend};

const NAME: &str = "lease key";

/// Whether the runtime trusts the key of `--lease-key`, where one is given.
pub(super) fn lease_key_link(trusted: &TrustKeySet, context: &Context<'_>) -> Option<Link> {
    let key = context.asked.lease_key.as_ref()?;
    if trusted.keys().any(|own| own == key) {
        return Some(Link::holds(NAME, format!("the runtime trusts {}", key.log_fingerprint())));
    }
    let setting = TokenKind::Lease.runtime_key_setting();
    let beside = || mend::set_in_runtime(setting, &mend::key_beside(trusted, key));
    let (signer, mend) = if context.lease.is_none() {
        (None, beside())
    } else if context.is_lease_signed_by(key) {
        (Some("--lease-key"), beside())
    } else if trusted.keys().any(|own| context.is_lease_signed_by(own)) {
        let what = "the tenant works with the lease it has. If the control plane signs with the key of --lease-key from now \
            on, put that key beside the others into the environment of the runtime, and restart it; else the key that was \
            given is another one's:";
        (Some("a key that the runtime trusts, not by --lease-key"), Mend { what: what.to_owned(), ..beside() })
    } else {
        let what = "neither the runtime's keys nor --lease-key signed this lease: give the key that the control plane signs \
            with, or have it issue the lease anew.";
        (Some("neither of these"), mend::only_told(what))
    };
    let mut sides =
        vec![(setting.to_owned(), fingerprints(trusted)), ("--lease-key".to_owned(), key.log_fingerprint())];
    sides.extend(signer.map(|signer| ("the tenant's lease is signed by".to_owned(), signer.to_owned())));
    let what = "the runtime does not trust the control plane's key".to_owned();
    Some(Link::broken(NAME, Fault { what, error: None, sides, mend }))
}
