//! Trust key sets prepare their keys by themselves; nothing but the time may show it.

use pulse_trust::entitlement::{
    HostBinding, InstanceHost, LeaseChecks, LeaseClaims, LicenseClaims, VerifiedLease, VerifiedToken,
};
use pulse_trust::keys::{PreparedKey, PublicKey, SigningKey, TableSize, TrustKeySet, TrustKeys};
use pulse_trust::token::{sign, sign_with_key_id};
use pulse_trust::{Error, Result, UnixTime};

use super::reference::SIZES;

const NOW: UnixTime = UnixTime::from_secs(1_774_440_000);
const CHECKS: LeaseChecks<'static> = LeaseChecks::new(HostBinding::AnyHost);

fn lease_payload(number: i64) -> String {
    let host = InstanceHost::normalize(&format!("t-{number}.cloud.example.test")).unwrap();
    // Every seventh has expired.
    let expires_at = if number % 7 == 6 { NOW.as_secs() - number } else { NOW.as_secs() + 86_400 };
    LeaseClaims::new(&host, UnixTime::from_secs(expires_at)).display_json()
}

/// Tokens that are right, and tokens that are wrong in every way that the signature step tells apart.
fn tokens(keys: &[SigningKey; 3]) -> Vec<String> {
    let [first, second, foreign] = keys;
    let mut tokens = Vec::new();
    for number in 0..120 {
        let payload = lease_payload(number);
        tokens.push(match number % 12 {
            0..4 => sign(first, &payload).unwrap().expose_secret().to_owned(),
            4..6 => sign(second, &payload).unwrap().expose_secret().to_owned(),
            6 => sign_with_key_id(first, &payload).unwrap().expose_secret().to_owned(),
            7 => sign_with_key_id(second, &payload).unwrap().expose_secret().to_owned(),
            8 => sign_with_key_id(foreign, &payload).unwrap().expose_secret().to_owned(),
            9 => sign(foreign, &payload).unwrap().expose_secret().to_owned(),
            10 => sign(first, &payload).unwrap().expose_secret().to_owned().replace("eyJhbGci", "eyJhbGcJ"),
            _ => sign(first, &format!("{payload} ")).unwrap().expose_secret().to_owned() + "A",
        });
    }
    tokens.push(sign(first, &license_payload()).unwrap().expose_secret().to_owned());
    tokens.push(sign(second, r#"{"sub":"neither lease nor grant nor license"}"#).unwrap().expose_secret().to_owned());
    tokens.push(String::new());
    tokens
}

fn license_payload() -> String {
    let claims = r#"{"lid":"L-1","email":"owner@example.test","tier":"pro","exp":1774526400}"#;
    LicenseClaims::from_json(claims).unwrap().to_json()
}

fn signers() -> [SigningKey; 3] {
    [[1; 32], [2; 32], [3; 32]].map(|seed| SigningKey::from_seed(&seed).unwrap())
}

fn trusted(signers: &[SigningKey; 3]) -> TrustKeySet {
    TrustKeySet::new(signers[..2].iter().map(|signer| signer.public_key().clone()))
}

/// What of a result can be compared: the claims, or the error.
fn seen(result: Result<VerifiedLease>) -> Result<String> {
    result.map(|lease| lease.claims().display_json())
}

#[test]
fn a_lease_gets_the_same_answer_alone_and_in_bulk_before_and_after_preparation() {
    let signers = signers();
    let tokens = tokens(&signers);
    let texts: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let unprepared = trusted(&signers).with_tables(TableSize::None).unwrap();
    let reference = TrustKeys::new(unprepared.clone(), unprepared);
    let expected: Vec<Result<String>> =
        texts.iter().map(|token| seen(VerifiedLease::verify(token, &reference, &CHECKS, NOW))).collect();
    assert!(expected.iter().filter(|result| result.is_ok()).count() > 40);
    for error in [
        |error: &Error| matches!(error, Error::SignatureInvalid { .. }),
        |error: &Error| matches!(error, Error::KeyUnknown { .. }),
        |error: &Error| matches!(error, Error::Expired { .. }),
        |error: &Error| matches!(error, Error::TokenMalformed { .. }),
        |error: &Error| matches!(error, Error::TokenHeader { .. }),
    ] {
        assert!(expected.iter().any(|result| result.as_ref().is_err_and(error)), "a class of errors is missing");
    }
    let mut sets: Vec<TrustKeySet> = SIZES.iter().map(|size| trusted(&signers).with_tables(*size).unwrap()).collect();
    // This one prepares its keys on the way.
    sets.push(trusted(&signers));
    for set in sets {
        let keys = TrustKeys::new(set.clone(), set);
        for round in 0..3 {
            let alone: Vec<_> =
                texts.iter().map(|token| seen(VerifiedLease::verify(token, &keys, &CHECKS, NOW))).collect();
            assert_eq!(alone, expected, "round {round}, {keys:?}");
            let in_bulk = VerifiedLease::verify_bulk(&texts, &keys, &CHECKS, NOW);
            assert_eq!(in_bulk.into_iter().map(seen).collect::<Vec<_>>(), expected, "round {round}, {keys:?}");
        }
    }
}

#[test]
fn a_token_of_any_kind_gets_the_same_answer_alone_and_in_bulk() {
    let signers = signers();
    let tokens = tokens(&signers);
    let texts: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let seen = |result: Result<VerifiedToken>| result.map(|token| (token.kind(), token.claims_json()));
    for keys in [
        TrustKeys::new(trusted(&signers), trusted(&signers)),
        TrustKeys::new(trusted(&signers), TrustKeySet::default()),
        TrustKeys::new(TrustKeySet::default(), trusted(&signers)),
    ] {
        let alone: Vec<_> = texts.iter().map(|token| seen(VerifiedToken::verify(token, &keys, &CHECKS, NOW))).collect();
        let in_bulk: Vec<_> = VerifiedToken::verify_bulk(&texts, &keys, &CHECKS, NOW).into_iter().map(seen).collect();
        assert_eq!(in_bulk, alone);
        let configured = !keys.lease.is_empty();
        let missing = |result: &Result<_>| matches!(result, Err(Error::KeyNotConfigured { .. }));
        assert_eq!(in_bulk.iter().filter(|result| missing(result)).count() > 50, !configured);
    }
    assert!(VerifiedToken::verify_bulk(&[], &TrustKeys::default(), &CHECKS, NOW).is_empty());
}

#[test]
fn a_provider_chained_lease_gets_the_same_answer_in_bulk() {
    let [license_signer, provider, other] = signers();
    let key = provider.public_key().to_base64();
    let license = format!(
        r#"{{"lid":"L","email":"e@example.test","tier":"msp","exp":1774526400,"entitlement_signing_public_key":"{key}"}}"#
    );
    let license = sign(&license_signer, &license).unwrap().expose_secret().to_owned();
    let with_license = lease_payload(1).replacen('{', &format!(r#"{{"provider_license":"{license}","#), 1);
    let tokens = [
        sign(&provider, &with_license).unwrap().expose_secret().to_owned(),
        sign(&other, &with_license).unwrap().expose_secret().to_owned(),
        sign(&other, &lease_payload(1)).unwrap().expose_secret().to_owned(),
        sign(&provider, &lease_payload(1)).unwrap().expose_secret().to_owned(),
    ];
    let texts: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let set = |signer: &SigningKey| TrustKeySet::new([signer.public_key().clone()]);
    let keys = TrustKeys::new(set(&other), set(&license_signer));
    let alone: Vec<_> = texts.iter().map(|token| seen(VerifiedLease::verify(token, &keys, &CHECKS, NOW))).collect();
    let in_bulk: Vec<_> = VerifiedLease::verify_bulk(&texts, &keys, &CHECKS, NOW).into_iter().map(seen).collect();
    assert_eq!(in_bulk, alone);
    assert_eq!(alone.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
}

#[test]
fn tables_are_as_large_as_documented() {
    let kib = |size: TableSize| size.table_bytes().div_ceil(1024);
    assert_eq!(SIZES.map(kib), [0, 101, 172, 498, 5632]);
    let key = PublicKey::from_base64("kirJ+GGrL1oDgMcXHqvdzikVGoYAdgyxXTcQtErwrl4=").unwrap();
    for size in SIZES {
        assert_eq!(PreparedKey::new(&key, size).unwrap().table_size(), size);
    }
}
