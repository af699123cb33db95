//! The proof of an identity in REGISTER, against signatures that another implementation made.

use pulse_trust::UnixTime;
use pulse_trust::relay::{Identity, IdentityProof, relay_host};

#[test]
fn a_proof_is_what_openssl_signs() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/identity_proof.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |value: &serde_json::Value, name: &str| value[name].as_str().unwrap().to_owned();
    let identity = Identity::from_private_base64(&text(&file, "private_key")).unwrap();
    assert_eq!(identity.public_key().to_base64(), text(&file, "public_key"));
    let now = UnixTime::from_secs(file["at"].as_i64().unwrap());
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (host, token) = (relay_host(&text(case, "server_url")).unwrap(), text(case, "token"));
        assert_eq!(host, text(case, "host"));
        let proof = IdentityProof::sign(&identity, &host, &token, now);
        assert_eq!((proof.at, proof.signature.as_str()), (now, text(case, "signature").as_str()), "{host}");
        assert_eq!(proof.check(identity.public_key(), [host.as_str()], &token, now), Ok(()));
    }
}
