//! Project Wycheproof's vectors of AES-GCM, X25519 and HKDF, over what this module makes of the three: keys of 32 bytes, nonces
//! of 12, no associated data, and no shared secret of zero.

use wycheproof::{TestResult, aead, hkdf, xdh};
use zeroize::Zeroizing;

use super::{Aead, EphemeralSecret, hkdf_sha256};

#[test]
fn aes_gcm_opens_and_seals_what_it_should() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut counts = [0, 0];
    for group in set.test_groups.iter().filter(|group| (group.key_size, group.nonce_size) == (256, 96)) {
        for test in group.tests.iter().filter(|test| test.aad.is_empty()) {
            let cipher = Aead::new(test.key.as_ref().try_into().unwrap());
            let nonce = test.nonce.as_ref().try_into().unwrap();
            let mut sealed = [test.ct.as_ref(), test.tag.as_ref()].concat();
            let as_published = sealed.clone();
            let opened = cipher.open(nonce, &mut sealed).is_some();
            assert_eq!(opened, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
            counts[usize::from(opened)] += 1;
            if opened {
                assert_eq!(&sealed[..test.pt.len()], test.pt.as_ref(), "test {}", test.tc_id);
                assert_eq!(cipher.seal(nonce, &mut sealed), Some(()));
                assert_eq!(sealed, as_published, "test {}", test.tc_id);
            }
        }
    }
    let [refused, accepted] = counts;
    assert!(refused >= 20 && accepted >= 20, "{refused} refused, {accepted} accepted");
}

#[test]
fn x25519_agrees_or_refuses_a_shared_secret_of_zero() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let mut counts = [0, 0];
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let private: [u8; 32] = test.private_key.as_ref().try_into().unwrap();
        let Ok(public) = <[u8; 32]>::try_from(test.public_key.as_ref()) else {
            // A key of another length cannot be asked for.
            assert_eq!(test.result, TestResult::Invalid, "test {}", test.tc_id);
            continue;
        };
        let agreed = EphemeralSecret::new(Box::new(Zeroizing::new(private))).agree(&public);
        let is_zero = test.shared_secret.iter().all(|byte| *byte == 0);
        counts[usize::from(agreed.is_some())] += 1;
        match agreed {
            None => assert!(is_zero, "test {}: refused: {}", test.tc_id, test.comment),
            Some((_, shared)) => {
                assert!(!is_zero && test.result != TestResult::Invalid, "test {}: {}", test.tc_id, test.comment);
                assert_eq!(shared.as_slice(), test.shared_secret.as_ref(), "test {}: {}", test.tc_id, test.comment);
            }
        }
    }
    let [refused, agreed] = counts;
    assert!(refused >= 10 && agreed >= 400, "{refused} refused, {agreed} agreed");
}

#[test]
fn hkdf_derives_what_it_should_and_no_more_than_it_can() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut counts = [0, 0];
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut derived = vec![0; test.size];
        let given = hkdf_sha256(&test.ikm, &test.salt, [(test.info.as_ref(), derived.as_mut_slice())]).is_some();
        assert_eq!(given, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
        counts[usize::from(given)] += 1;
        if given {
            assert_eq!(derived, test.okm.as_ref(), "test {}: {}", test.tc_id, test.comment);
        }
    }
    let [refused, accepted] = counts;
    assert!(refused >= 1 && accepted >= 50, "{refused} refused, {accepted} accepted");
}
