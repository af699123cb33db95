//! Values that many threads use at the same time. `.ci/checks/sanitizers` runs these tests under ThreadSanitizer too.

use std::thread;

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{HostBinding, InstanceHost, LeaseChecks, LeaseClaims, VerifiedLease};
use pulse_trust::keys::{PreparedKey, SigningKey, TableSize, TrustKeySet, TrustKeys};

#[cfg(all(unix, feature = "storage"))]
use pulse_trust::storage::{BillingState, DataDir};

const THREADS: usize = 8;
const NOW: UnixTime = UnixTime::from_secs(1_774_440_000);

fn on_threads<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || work(number))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn signer() -> SigningKey {
    SigningKey::from_seed(&[5; 32]).unwrap()
}

#[test]
fn all_verify_under_one_set_which_prepares_its_keys_meanwhile() {
    let signer = signer();
    let leases: Vec<_> = (0..THREADS)
        .map(|number| {
            let host = InstanceHost::normalize(&format!("t-{number}.cloud.example.test")).unwrap();
            let claims = LeaseClaims::new(&host, UnixTime::from_secs(NOW.as_secs() + 60));
            claims.sign(&signer).unwrap()
        })
        .collect();
    let keys = TrustKeys::new(TrustKeySet::new([signer.public_key().clone()]), TrustKeySet::default());
    let accepted = on_threads(|number| {
        let lease = leases[number].expose_secret();
        let mut forged = lease.to_owned();
        forged.replace_range(forged.len() - 20..forged.len() - 16, "AAAA");
        let checks = LeaseChecks::new(HostBinding::AnyHost);
        let verdict = |token: &str| VerifiedLease::verify(token, &keys, &checks, NOW).is_ok();
        (0..40).filter(|_| verdict(lease) && !verdict(&forged)).count()
    });
    assert_eq!(accepted, [40; THREADS]);
}

#[test]
fn all_prepare_keys_while_the_base_points_table_is_built() {
    let signature = signer().sign(b"message");
    let verdicts = on_threads(|_| {
        let key = PreparedKey::new(signer().public_key(), TableSize::Small).unwrap();
        (key.verify(b"message", &signature), key.verify(b"another", &signature))
    });
    assert_eq!(verdicts, [(true, false); THREADS]);
}

#[cfg(all(unix, feature = "storage"))]
#[test]
fn what_each_changes_under_the_lock_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = DataDir::new(directory.path());
    on_threads(|_| {
        for _ in 0..5 {
            let locked = data_dir.lock().unwrap();
            let loaded = locked.billing_state("default").unwrap();
            let mut state = loaded.value.unwrap_or_default();
            state.quickstart_credits_used += 1;
            locked.save_billing_state("default", &mut state, &loaded.revision).unwrap();
        }
    });
    let state: Option<BillingState> = data_dir.lock().unwrap().billing_state("default").unwrap().value;
    assert_eq!(state.unwrap().quickstart_credits_used, 40);
}
