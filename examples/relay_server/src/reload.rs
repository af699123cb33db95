//! Settings that change while the relay runs.

use std::sync::Arc;

use pulse_trust::keys::{PublicKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Admission, WireErrorCode};
use tracing::{info, warn};

use crate::config::Config;
use crate::connection::Ending;
use crate::rates::Rates;
use crate::shared::Shared;

/// Brings new settings into effect, and logs what waits for a restart.
///
/// Sessions that were admitted under a key that is no longer configured are ended, as a restart would do.
pub(crate) fn apply(shared: &Shared, config: Config) {
    let before = shared.config.load_full();
    for variable in shared.at_start.needing_restart(&config) {
        warn!(
            setting = variable,
            "the setting is not the one that the relay started with, and counts from the next start on"
        );
    }
    for ((setting, old), (_, new)) in before.settings().into_iter().zip(config.settings()) {
        if old != new {
            info!(setting, old, new, "the setting has changed");
        }
    }
    if Rates::differ(&before.limits, &config.limits) {
        shared.rates.store(Arc::new(Rates::new(&config.limits)));
    }
    if let Some(log) = &shared.log {
        log.set_filter(&config.log);
    }
    let has_other_keys = !key_ids(&before.keys).eq(key_ids(&config.keys));
    if has_other_keys {
        shared.admission.store(Arc::new(Admission::new(config.keys.clone())));
        shared.metrics.show_keys(key_ids(&config.keys));
    }
    shared.config.store(Arc::new(config));
    if has_other_keys {
        end_untrusted(shared);
    }
    shared.metrics.config_reloads.inc();
}

/// The kinds and ids of the keys.
pub(crate) fn key_ids(keys: &TrustKeys) -> impl Iterator<Item = (&'static str, String)> {
    let ids = |kind, keys: &TrustKeySet| {
        let ids: Vec<_> = keys.keys().map(|key| (kind, key.key_id().as_str().to_owned())).collect();
        ids
    };
    ids("lease", &keys.lease).into_iter().chain(ids("license", &keys.license))
}

/// Whether a key of this id is configured.
pub(crate) fn is_configured(keys: &TrustKeys, id: &str) -> bool {
    keys.lease.keys().chain(keys.license.keys()).map(PublicKey::key_id).any(|key_id| key_id.as_str() == id)
}

fn end_untrusted(shared: &Shared) {
    let admission = shared.admission.load();
    for link in shared.registry.links() {
        let signer = link.live().and_then(|live| live.subject.signing_key_id);
        if !signer.is_some_and(|id| is_configured(admission.keys(), &id)) {
            shared.metrics.ended_key_removed.inc();
            let message =
                "the key that signed the credential is no longer configured: register with another credential";
            let ending = Ending::error(1008, WireErrorCode::AuthFailed, message);
            link.outbox.end(Ending { sends_rest: false, ..ending });
        }
    }
}
