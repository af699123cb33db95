//! Any text as the signed payload of a token: what is accepted says the same of itself when it is asked again.
use std::sync::LazyLock;

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{Capability, HostBinding, LeaseChecks, VerifiedToken};
use pulse_trust::keys::{SigningKey, TableSize, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Admission, NoRevocations};
use pulse_trust::token;

const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

static SIGNER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed(&[7; 32]).expect("a seed"));
static KEYS: LazyLock<TrustKeys> = LazyLock::new(|| {
    let keys = TrustKeySet::new([SIGNER.public_key().clone()]).with_tables(TableSize::Small).expect("tables");
    TrustKeys::new(keys.clone(), keys)
});

pub(crate) fn run(input: &[u8]) {
    let Ok(payload) = std::str::from_utf8(input) else { return };
    let Ok(token) = token::sign(&SIGNER, payload) else { return };
    let checks = LeaseChecks::new(HostBinding::AnyHost);
    let admitted = Admission::new(KEYS.clone()).admit(token.expose_secret(), Some("secret"), &NoRevocations, NOW);
    match VerifiedToken::verify(token.expose_secret(), &KEYS, &checks, NOW) {
        Ok(verified) => {
            let grants_relay = verified.check_grants(&Capability::RELAY, NOW).is_ok();
            assert_eq!(verified.capabilities_at(NOW).contains(&Capability::RELAY), grants_relay);
            if admitted.is_ok() {
                assert!(grants_relay);
                assert!(verified.counts_until().is_none_or(|end| end > NOW));
            }
            assert!(verified.claims_json().starts_with('{'));
        }
        Err(error) => assert_eq!(admitted.expect_err("refused"), error),
    }
}
