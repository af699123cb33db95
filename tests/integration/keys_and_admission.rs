//! Keys, trust key sets, tokens' strict form, instance ids and admission (formats.md#keys, formats.md#compact-tokens,
//! formats.md#admission).

use std::time::Duration;

use crate::common::bytes_of_hex;
use pulse_trust::entitlement::{Capability, GrantClaims, LeaseClaims, LicenseClaims, tenant_host};
use pulse_trust::keys::{KeyId, PublicKey, SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{
    Admission, InstanceId, InstanceIdRule, NoRevocations, RevocationList, RevocationSubject, Revocations, RevokedKind,
    WireErrorCode,
};
use pulse_trust::token::{MAX_SEGMENT_LEN, MAX_TOKEN_LEN, UnverifiedToken, sign, sign_with_key_id};
use pulse_trust::{ClockLeeway, Error, TokenKind, UnixTime};

#[test]
fn mismatched_halves_and_weak_points_are_refused() {
    let (key, another) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let decode = |text: &str| base64_decode(text);
    let mut bytes = decode(key.secret_base64().expose_secret());
    bytes[32..].copy_from_slice(another.public_key().as_bytes());
    assert_eq!(SigningKey::from_base64(&base64_encode(&bytes)).map(|_| ()), Err(Error::KeyMismatchedHalves));
    // The eight points of small order, an encoding above p, and a point of mixed order.
    for weak in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0200000000000000000000000000000000000000000000000000000000000000",
    ] {
        let bytes: [u8; 32] = bytes_of_hex(weak).try_into().unwrap();
        assert!(matches!(PublicKey::from_bytes(&bytes), Err(Error::KeyWeak { .. })), "{weak}");
    }
}

fn base64_encode(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

fn base64_decode(text: &str) -> Vec<u8> {
    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap()
}

const PAYLOAD: &str = r#"{"lid":"lic_1","email":"a@example.test","tier":"pro"}"#;

#[test]
fn a_token_names_its_key_or_every_configured_key_is_tried() {
    let (current, next, stranger) =
        (SigningKey::generate().unwrap(), SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
    let setting = format!(" {} ,{}", current.public_key().to_base64(), next.public_key().to_base64());
    let set = TrustKeySet::from_setting(&setting).unwrap();
    assert_eq!(set.keys().count(), 2);
    assert!(TrustKeySet::from_setting(" ").unwrap().is_empty());
    let verify =
        |token: &str, set: &TrustKeySet| UnverifiedToken::parse(token).unwrap().verify(set, TokenKind::License);
    for key in [&current, &next] {
        assert_eq!(verify(sign(key, PAYLOAD).unwrap().expose_secret(), &set), Ok(()));
        assert_eq!(verify(sign_with_key_id(key, PAYLOAD).unwrap().expose_secret(), &set), Ok(()));
    }
    let refused = verify(sign(&stranger, PAYLOAD).unwrap().expose_secret(), &set);
    assert_error!(refused.unwrap_err(), SignatureInvalid { kind: TokenKind::License });
    let unknown = verify(sign_with_key_id(&stranger, PAYLOAD).unwrap().expose_secret(), &set);
    assert_error!(unknown.unwrap_err(), KeyUnknown { kid: stranger.public_key().key_id().to_string() });
    let unset = verify(sign(&current, PAYLOAD).unwrap().expose_secret(), &TrustKeySet::default());
    assert_error!(
        unset.unwrap_err(),
        KeyNotConfigured { kind: TokenKind::License, setting: "PULSE_LICENSE_PUBLIC_KEY" }
    );
}

#[test]
fn a_token_has_one_spelling() {
    let key = SigningKey::generate().unwrap();
    let token = sign(&key, PAYLOAD).unwrap().expose_secret().to_owned();
    let set = TrustKeySet::new([key.public_key().clone()]);
    let accepted = |text: &str| UnverifiedToken::parse(text).and_then(|token| token.verify(&set, TokenKind::License));
    assert_eq!(accepted(&token), Ok(()));
    let mut spellings = vec![
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}="),
        format!("{token}."),
        format!(".{token}"),
        token.replace('.', ".."),
        token.replacen('.', "", 1),
        token.replace('-', "+").replace('_', "/") + "/",
        String::new(),
        "..".to_owned(),
    ];
    for index in 0..token.len() {
        for replacement in ["A", "Q", ".", "=", "\n", "é"] {
            let mut changed = token.clone();
            changed.replace_range(index..=index, replacement);
            spellings.push(changed);
        }
    }
    for spelling in spellings {
        assert!(spelling == token || accepted(&spelling).is_err(), "{spelling}");
    }
    let (long, segment) = ("a".repeat(MAX_TOKEN_LEN + 1), "a".repeat(MAX_SEGMENT_LEN + 1));
    for (text, what) in [
        (long.clone(), "token"),
        (format!("{segment}.a.a"), "header segment"),
        (format!("a.{segment}.a"), "payload segment"),
        (format!("a.a.{segment}"), "signature segment"),
    ] {
        assert!(
            matches!(UnverifiedToken::parse(&text), Err(Error::TokenTooLarge { what: named, .. }) if named == what)
        );
    }
    assert!(matches!(sign(&key, &long), Err(Error::TokenTooLarge { .. })));
}

#[test]
fn the_published_production_ids_are_derived() {
    for (tenant, id) in [
        ("t-J4HTS14PNC", "relay_2e1b0929e6fd7c52"),
        ("t-AEFSEYXRBV", "relay_4e7a9c8524bfdd4d"),
        ("t-TTM8JXWSNP", "relay_80060260c4e6fe64"),
    ] {
        let host = tenant_host(tenant, "https://cloud.pulserelay.pro").unwrap();
        assert_eq!(InstanceId::of_host(&host).as_str(), id);
        assert_eq!(InstanceId::parse(id).unwrap().as_str(), id);
    }
    let id = InstanceId::of_license("lic:1", "s").unwrap();
    assert_eq!(id.as_str().len(), "relay_".len() + 32);
    assert_ne!(id, InstanceId::of_license("lic", "1:s").unwrap());
    assert_eq!(InstanceId::of_license("lic", ""), Err(Error::InstanceHintMissing));
    for bad in
        ["", "relay_", "relay_2E1B0929E6FD7C52", "relay_2e1b0929e6fd7c5", "2e1b0929e6fd7c52", "relay_2e1b0929e6fd7c5g"]
    {
        assert_eq!(InstanceId::parse(bad), Err(Error::InstanceIdInvalid));
    }
}

struct Setup {
    lease: SigningKey,
    license: SigningKey,
    now: UnixTime,
}

impl Setup {
    fn new() -> Self {
        let key = || SigningKey::generate().unwrap();
        Self { lease: key(), license: key(), now: UnixTime::from_secs(1_800_000_000) }
    }

    fn admission(&self) -> Admission {
        let set = |key: &SigningKey| TrustKeySet::new([key.public_key().clone()]);
        Admission::new(TrustKeys::new(set(&self.lease), set(&self.license)))
    }

    fn lease(&self) -> LeaseClaims {
        let host = tenant_host("t-1", "https://cloud.example.test").unwrap();
        let mut claims = LeaseClaims::new(&host, self.now.saturating_add(Duration::from_secs(60)));
        claims.capabilities = vec![Capability::RELAY];
        claims.jti = Some("jti_1".to_owned());
        claims
    }
}

#[test]
fn admission_maps_every_refusal_to_one_wire_code() {
    let setup = Setup::new();
    let admission = setup.admission();
    let lease = setup.lease();
    let admit = |token: &str| admission.admit(token, Some("whatever"), &NoRevocations, setup.now);
    let admitted = admit(lease.sign(&setup.lease).unwrap().expose_secret()).unwrap();
    assert_eq!((admitted.kind, admitted.expires_at), (TokenKind::Lease, Some(lease.exp)));
    let refusal = |change: &dyn Fn(&mut LeaseClaims)| {
        let mut changed = LeaseClaims::from_json(lease.secret_json().expose_secret()).unwrap();
        change(&mut changed);
        let error = admit(changed.sign(&setup.lease).unwrap().expose_secret()).unwrap_err();
        (error.wire_code(), error.name())
    };
    let now = setup.now;
    let state = |name: &'static str| {
        move |claims: &mut LeaseClaims| {
            claims.subscription_state = pulse_trust::entitlement::SubscriptionState::from_name(name);
        }
    };
    use WireErrorCode::{LicenseExpired, LicenseInvalid};
    assert_eq!(refusal(&|claims| claims.exp = now), (LicenseExpired, "EXPIRED"));
    assert_eq!(
        refusal(&|claims| claims.nbf = Some(now.saturating_add(Duration::from_secs(1)))),
        (LicenseInvalid, "NOT_YET_VALID")
    );
    assert_eq!(refusal(&|claims| claims.capabilities.clear()), (LicenseInvalid, "CAPABILITY_MISSING"));
    assert_eq!(refusal(&state("suspended")), (LicenseInvalid, "SUBSCRIPTION_INACTIVE"));
    assert_eq!(refusal(&state("brand-new")), (LicenseInvalid, "SUBSCRIPTION_INACTIVE"));
    assert_eq!(refusal(&state("trial")), (LicenseInvalid, "TRIAL_WITHOUT_END"));
    assert_eq!(
        refusal(&|claims| {
            state("trial")(claims);
            claims.trial_ends_at = Some(now);
        }),
        (LicenseExpired, "TRIAL_ENDED")
    );
    let other_key = admit(lease.sign(&setup.license).unwrap().expose_secret()).unwrap_err();
    assert_eq!((other_key.wire_code(), other_key.name()), (LicenseInvalid, "SIGNATURE_INVALID"));
    let mut revoked = RevocationList::default();
    revoked.revoke_token("jti_1");
    let token = lease.sign(&setup.lease).unwrap().expose_secret().to_owned();
    let refusal = admission.admit(&token, None, &revoked, setup.now).unwrap_err();
    assert_eq!(refusal.wire_code(), LicenseInvalid);
    assert_error!(refusal, Revoked { what: RevokedKind::Token });
}

#[test]
fn leeway_is_bounded_and_counts_on_both_ends() {
    let setup = Setup::new();
    let too_large = ClockLeeway::new(Duration::from_millis(300_001));
    assert!(matches!(too_large, Err(Error::LeewayTooLarge { .. })));
    assert!(ClockLeeway::try_from(Duration::from_millis(300_001)).is_err());
    assert_eq!(ClockLeeway::try_from(Duration::from_secs(7)).unwrap().as_duration(), Duration::from_secs(7));
    assert_eq!(ClockLeeway::new(Duration::from_millis(1_999)), ClockLeeway::new(Duration::from_secs(1)));
    let admission = setup.admission().with_leeway(ClockLeeway::new(Duration::from_secs(300)).unwrap());
    let mut lease = setup.lease();
    let now = setup.now.as_secs();
    let mut admitted = |exp: i64, nbf: i64| {
        (lease.exp, lease.nbf) = (UnixTime::from_secs(exp), Some(UnixTime::from_secs(nbf)));
        admission.admit(lease.sign(&setup.lease).unwrap().expose_secret(), None, &NoRevocations, setup.now).is_ok()
    };
    assert!(admitted(now - 299, now + 300));
    assert!(!admitted(now - 300, now));
    assert!(!admitted(now + 9, now + 301));
}

#[test]
fn one_key_for_two_kinds_never_makes_one_pass_as_the_other() {
    let key = SigningKey::generate().unwrap();
    let set = || TrustKeySet::new([key.public_key().clone()]);
    let keys = TrustKeys::new(set(), set());
    let now = UnixTime::from_secs(1_800_000_000);
    let setup = Setup::new();
    let lease = setup.lease().sign(&key).unwrap().expose_secret().to_owned();
    let license = LicenseClaims::from_json(PAYLOAD).unwrap().sign(&key).unwrap().expose_secret().to_owned();
    use pulse_trust::entitlement::{HostBinding, LeaseChecks, VerifiedGrant, VerifiedLease, VerifiedLicense};
    assert!(matches!(VerifiedLicense::verify(&lease, &keys, now), Err(Error::TokenKind { .. })));
    assert!(matches!(VerifiedGrant::verify(&lease, &keys, now), Err(Error::TokenKind { .. })));
    assert!(VerifiedGrant::verify(&license, &keys, now).is_err());
    assert!(VerifiedLease::verify(&license, &keys, &LeaseChecks::new(HostBinding::AnyHost), now).is_err());
}

#[test]
fn a_relay_may_keep_the_ids_of_existing_pairings() {
    struct Kept;
    impl InstanceIdRule for Kept {
        fn instance_id(&self, _: &str, _: &str) -> pulse_trust::Result<InstanceId> {
            InstanceId::parse("relay_0123456789abcdef")
        }
    }
    let setup = Setup::new();
    let license = LicenseClaims::from_json(PAYLOAD).unwrap().sign(&setup.license).unwrap().expose_secret().to_owned();
    let admission = setup.admission().with_instance_id_rule(Kept);
    let admitted = admission.admit(&license, Some("secret"), &NoRevocations, setup.now).unwrap();
    assert_eq!(admitted.instance_id.as_str(), "relay_0123456789abcdef");
    let hintless = admission.admit(&license, Some(""), &NoRevocations, setup.now).unwrap_err();
    assert_eq!(hintless, Error::InstanceHintMissing);
}

#[test]
fn a_registration_ends_with_its_credential_or_its_trial_and_the_leeway() {
    let setup = Setup::new();
    let leeway = Duration::from_secs(30);
    let admission = setup.admission().with_leeway(ClockLeeway::new(leeway).unwrap());
    let mut lease = setup.lease();
    let ends_at = |lease: &LeaseClaims, now: UnixTime| {
        admission
            .admit(lease.sign(&setup.lease).unwrap().expose_secret(), None, &NoRevocations, now)
            .map(|it| it.expires_at)
    };
    assert_eq!(ends_at(&lease, setup.now), Ok(Some(lease.exp.saturating_add(leeway))));
    lease.subscription_state = pulse_trust::entitlement::SubscriptionState::Trial;
    let trial_ends_at = setup.now.saturating_add(Duration::from_secs(60));
    lease.exp = trial_ends_at.saturating_add(Duration::from_secs(3600));
    lease.trial_ends_at = Some(trial_ends_at);
    let end = trial_ends_at.saturating_add(leeway);
    let last = end.saturating_sub(Duration::from_secs(1));
    for now in [setup.now, trial_ends_at, last] {
        assert_eq!(ends_at(&lease, now), Ok(Some(end)), "{now}");
    }
    assert!(matches!(ends_at(&lease, end), Err(Error::TrialEnded { .. })));
    lease.trial_ends_at = Some(lease.exp.saturating_add(Duration::from_secs(1)));
    assert_eq!(ends_at(&lease, setup.now), Ok(Some(lease.exp.saturating_add(leeway))));
}

/// A license and a grant counted without the leeway: a relay whose clock is ahead ended their sessions too early.
#[test]
fn the_leeway_lengthens_a_license_and_a_grant_too() {
    let setup = Setup::new();
    let (leeway, second) = (Duration::from_secs(30), Duration::from_secs(1));
    let exp = setup.now.as_secs();
    let grace = Duration::from_secs(7 * 86_400);
    let license = LicenseClaims::from_json(&format!(r#"{{"lid":"l","email":"e","tier":"pro","exp":{exp}}}"#)).unwrap();
    let grant = |grace_until: &str| {
        let claims = format!(r#"{{"lid":"l","iid":"i","st":"active","tier":"pro","exp":{exp}{grace_until}}}"#);
        GrantClaims::from_json(&claims).unwrap().sign(&setup.license).unwrap()
    };
    for (token, without) in [
        (license.sign(&setup.license).unwrap(), setup.now.saturating_add(grace)),
        (grant(""), setup.now.saturating_add(grace)),
        (grant(&format!(r#","grace_until":{}"#, exp + 60)), setup.now.saturating_add(Duration::from_secs(60))),
        (grant(&format!(r#","grace_until":{}"#, exp - 60)), setup.now.saturating_add(second)),
    ] {
        for leeway in [Duration::ZERO, leeway] {
            let admission = setup.admission().with_leeway(ClockLeeway::new(leeway).unwrap());
            let admit = |now: UnixTime| {
                admission
                    .admit(token.expose_secret(), Some("secret"), &NoRevocations, now)
                    .map(|registration| registration.expires_at)
            };
            let end = without.saturating_add(leeway);
            assert_eq!(admit(setup.now), Ok(Some(end)));
            assert_eq!(admit(end.saturating_sub(second)), Ok(Some(end)), "a second before its end");
            assert!(matches!(admit(end), Err(Error::Expired { .. })), "{:?}", admit(end));
        }
    }
}

/// An operator who revoked a key in another spelling was told that it was revoked, and nothing was.
#[test]
fn a_key_id_has_one_spelling() {
    let key = SigningKey::from_seed(&[3; 32]).unwrap().public_key().clone();
    let id = key.key_id();
    assert_eq!(KeyId::parse(id.as_str()), Ok(id));
    let upper = id.as_str().to_uppercase();
    for wrong in ["", "zz", &upper, &format!("{id}\n"), &key.to_base64(), &key.log_fingerprint(), "0123456789abcdeg"] {
        let refused = KeyId::parse(wrong).unwrap_err();
        assert!(matches!(refused, Error::KeyEncoding { what: "key id", .. }), "{wrong}: {refused:?}");
    }
}

#[test]
fn a_revocation_can_name_the_host_the_instance_or_the_key_that_signed() {
    let setup = Setup::new();
    let (old, new) = (&setup.lease, SigningKey::generate().unwrap());
    let lease = TrustKeySet::new([old.public_key().clone(), new.public_key().clone()]);
    let admission = Admission::new(TrustKeys::for_leases(lease));
    let tokens = [old, &new].map(|key| setup.lease().sign(key).unwrap().expose_secret().to_owned());
    let admit = |token: &str, list: &RevocationList| admission.admit(token, None, list, setup.now);
    let subject = admit(&tokens[1], &RevocationList::default()).unwrap().subject;
    assert_eq!(subject.signing_key_id.as_deref(), Some(new.public_key().key_id().as_str()));

    let mut list = RevocationList::default();
    list.revoke_signing_key(&old.public_key().key_id());
    assert_error!(admit(&tokens[0], &list).map(|_| ()).unwrap_err(), Revoked { what: RevokedKind::SigningKey });
    assert!(admit(&tokens[1], &list).is_ok(), "the other key's leases still count");

    let registration = admit(&tokens[1], &list).unwrap();
    let mut list = RevocationList::default();
    list.revoke_instance(&registration.instance_id);
    assert_error!(admit(&tokens[1], &list).map(|_| ()).unwrap_err(), Revoked { what: RevokedKind::Instance });
    let mut list = RevocationList::default();
    let host = pulse_trust::entitlement::InstanceHost::normalize(&setup.lease().instance_host).unwrap();
    list.revoke_host(&host);
    assert_error!(admit(&tokens[1], &list).map(|_| ()).unwrap_err(), Revoked { what: RevokedKind::Host });
}

#[test]
fn a_revoked_ipv6_host_is_revoked_in_every_spelling() {
    let spellings = ["2001:db8::1", "2001:db8:0:0::1", "[2001:0DB8::0.0.0.1]:443", "https://[2001:db8:0:0:0:0:0:1]/"];
    let normalize = |text| pulse_trust::entitlement::InstanceHost::normalize(text).unwrap();
    for revoked in spellings {
        let mut list = RevocationList::default();
        list.revoke_host(&normalize(revoked));
        let mut subject = RevocationSubject::default();
        for spelling in spellings {
            subject.host = Some(normalize(spelling).as_str().to_owned());
            assert_eq!(list.revoked(&subject), Some(RevokedKind::Host), "{revoked} revokes {spelling}");
        }
        subject.host = Some("2001:db8::2".to_owned());
        assert_eq!(list.revoked(&subject), None);
    }
}

/// What a verified token says of itself is what a list of revocations is asked for.
#[test]
fn a_registration_tells_what_a_revocation_could_name() {
    let setup = Setup::new();
    let admission = setup.admission();
    let exp = setup.now.as_secs() + 60;
    let registered = |token: &str| admission.admit(token, Some("secret"), &NoRevocations, setup.now).unwrap();
    let license = format!(r#"{{"lid":"lic","email":"e","tier":"pro","exp":{exp}}}"#);
    let license = LicenseClaims::from_json(&license).unwrap().sign(&setup.license).unwrap();
    let said = registered(license.expose_secret()).subject;
    assert_eq!((said.license_id.as_deref(), said.license_version), (Some("lic"), None));
    let grant = format!(r#"{{"lid":"lic","iid":"inst","lv":3,"jti":"tok","st":"active","tier":"pro","exp":{exp}}}"#);
    let grant = GrantClaims::from_json(&grant).unwrap().sign(&setup.license).unwrap();
    let registration = registered(grant.expose_secret());
    let said = registration.subject.clone();
    assert_eq!((said.license_id.as_deref(), said.license_version), (Some("lic"), Some(3)));
    assert_eq!((said.installation_id.as_deref(), said.token_id.as_deref()), (Some("inst"), Some("tok")));
    assert!(registration.capabilities_at(setup.now).contains(&Capability::RELAY));
    let mut lists = [(); 4].map(|()| RevocationList::default());
    lists[0].revoke_license("lic");
    lists[1].revoke_license_below("lic", 4);
    lists[2].revoke_installation("inst");
    lists[3].revoke_token("tok");
    for list in lists {
        let answer = admission.admit(grant.expose_secret(), Some("secret"), &list, setup.now);
        assert!(matches!(answer, Err(Error::Revoked { .. })), "{answer:?}");
    }
}

#[test]
fn a_payload_may_fill_its_segment_and_many_tokens_are_verified_at_once() {
    let key = SigningKey::from_seed(&[7; 32]).unwrap();
    // Three quarters, as base64 has it.
    let payload = |length: usize| format!(r#"{{"lid":"{}"}}"#, "x".repeat(length - r#"{"lid":""}"#.len()));
    let longest = MAX_SEGMENT_LEN / 4 * 3;
    let token = sign(&key, &payload(longest)).unwrap();
    let refused = sign(&key, &payload(longest + 1)).unwrap_err();
    let received = MAX_SEGMENT_LEN + 2;
    assert_error!(refused, TokenTooLarge { what: "payload segment", limit: MAX_SEGMENT_LEN, received: received });
    let other = sign(&SigningKey::from_seed(&[8; 32]).unwrap(), &payload(20)).unwrap();
    let tokens = [&token, &other].map(|token| UnverifiedToken::parse(token.expose_secret()).unwrap());
    let keys = TrustKeySet::new([key.public_key().clone()]);
    let verdicts = UnverifiedToken::verify_bulk(&[&tokens[0], &tokens[1]], &keys, TokenKind::License);
    assert_eq!(verdicts[0], Ok(()));
    assert_error!(verdicts[1].clone().unwrap_err(), SignatureInvalid { kind: TokenKind::License });
}
