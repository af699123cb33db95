//! Any text as a token: it is refused, in bulk for the same reason as alone.
use std::sync::LazyLock;

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{HostBinding, LeaseChecks, VerifiedToken};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};

static KEYS: LazyLock<TrustKeys> = LazyLock::new(|| {
    let key = SigningKey::from_seed(&[7; 32]).expect("a seed");
    let keys = TrustKeySet::new([key.public_key().clone()]);
    TrustKeys::new(keys.clone(), keys)
});

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let checks = LeaseChecks::new(HostBinding::AnyHost);
    let now = UnixTime::from_secs(1_795_000_000);
    let alone = VerifiedToken::verify(text, &KEYS, &checks, now);
    let in_bulk = VerifiedToken::verify_bulk(&[text, text], &KEYS, &checks, now);
    for result in &in_bulk {
        assert_eq!(result.as_ref().err(), alone.as_ref().err());
    }
    if let Err(error) = alone {
        // A message fits an ERROR frame's payload.
        assert!(error.to_string().len() <= 40_000);
    }
}
