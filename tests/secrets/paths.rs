//! The ways that a secret takes through the library. Each is prepared first, unwatched; then its job runs.

use std::fs;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use pulse_trust::UnixTime;
use pulse_trust::entitlement::RefreshRequest;
use pulse_trust::hosted::{
    DEFAULT_ORG, Runtime, RuntimeMode, bootstrap, lease_refresh, readiness, registration_credential,
};
use pulse_trust::keys::{SigningKey, TrustKeys};
use pulse_trust::pairing::{Onboarding, PairingCode};
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::{DataDir, IdentityChange, LicenseFile, LockedDataDir, Revision};
use tempfile::TempDir;

#[cfg(feature = "capi")]
use crate::c_calls::{
    a_frame_in_c, a_phone_in_c, acts_in_c_that_are_refused, an_instance_in_c, settings_in_c_that_are_refused,
};
use crate::common::sealing::{license_key, seal, seal_text};
use crate::messages::{
    control_messages_are_written_and_read, control_messages_that_are_refused, frames_that_are_never_sent,
};
use crate::scanner::{MARK, mark_text};

pub(crate) type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Path {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn() -> Job,
}

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
/// Another master key, which is not secret here.
const OTHER_KEY: [u8; 32] = [9; 32];

pub(crate) fn all() -> Vec<Path> {
    macro_rules! paths {
        ($($name:ident),* $(,)?) => { vec![$(Path { name: stringify!($name), prepare: $name }),*] };
    }
    #[cfg_attr(not(feature = "capi"), allow(unused_mut, reason = "only the C functions add to them"))]
    let mut paths = paths![
        key_of_a_seed,
        keys_in_base64,
        keys_that_are_refused,
        identity_of_parts,
        master_key_opens_and_seals,
        master_key_that_is_refused,
        relay_enc_is_loaded,
        relay_enc_is_saved,
        relay_enc_in_plain_is_taken_over,
        relay_enc_that_is_refused,
        billing_is_loaded_and_saved,
        billing_in_plain_is_taken_over,
        billing_in_plain_is_looked_into_before_a_key_is_made,
        billing_that_is_refused,
        license_files_are_loaded,
        license_files_are_saved,
        license_files_that_are_refused,
        other_files_are_sealed_and_opened,
        a_tenant_starts,
        a_lease_is_refreshed,
        a_pairing_code_is_built,
        a_pairing_code_is_scanned,
        pairing_codes_that_are_refused,
        control_messages_are_written_and_read,
        control_messages_that_are_refused,
        frames_that_are_never_sent,
    ];
    #[cfg(feature = "capi")]
    paths.extend(paths![an_instance_in_c, a_phone_in_c, settings_in_c_that_are_refused, acts_in_c_that_are_refused,]);
    paths
}

/// Ways whose stack is not looked at. They copy what the caller passes, through registers, and the dynamic linker saves
/// these on the stack when it looks up a function for the first time.
pub(crate) fn of_the_heap_alone() -> Vec<Path> {
    #[cfg(feature = "capi")]
    return vec![Path { name: "a_frame_in_c", prepare: a_frame_in_c }];
    #[cfg(not(feature = "capi"))]
    return Vec::new();
}

fn marked_key() -> SigningKey {
    SigningKey::from_seed(MARK).unwrap()
}

/// The mark as a private key in base64: seed and public half.
fn marked_pair(engine: &base64::engine::GeneralPurpose) -> String {
    engine.encode([MARK.as_slice(), marked_key().public_key().as_bytes()].concat())
}

fn key_of_a_seed() -> Job {
    Box::new(|| {
        let key = SigningKey::from_seed(MARK).unwrap();
        std::hint::black_box(key.sign(b"message"));
        drop(key.secret_base64());
    })
}

fn keys_in_base64() -> Job {
    let mut texts = vec![];
    for engine in [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
        texts.extend([marked_pair(&engine), engine.encode(MARK), format!(" {}\n", engine.encode(MARK))]);
    }
    kept(texts, |texts| {
        for text in texts {
            std::hint::black_box(SigningKey::from_base64(text).unwrap().sign(b"message"));
        }
    })
}

fn keys_that_are_refused() -> Job {
    let foreign_half = BASE64_STANDARD.encode([MARK.as_slice(), &[2; 32]].concat());
    let longer = BASE64_STANDARD.encode([MARK.as_slice(), &[2; 33]].concat());
    let whole = marked_pair(&BASE64_STANDARD);
    let texts =
        vec![foreign_half, longer, format!("{whole}!"), whole.replacen("==", "=!", 1), format!("{whole}{whole}")];
    kept(texts, |texts| texts.iter().for_each(|text| assert!(SigningKey::from_base64(text).is_err(), "a bad key")))
}

fn identity_of_parts() -> Job {
    let parts = vec![
        marked_pair(&BASE64_STANDARD),
        marked_key().public_key().to_base64(),
        marked_key().public_key().fingerprint(),
    ];
    kept(parts, |parts| {
        let identity = Identity::from_parts(&parts[0], &parts[1], &parts[2]).unwrap();
        std::hint::black_box(identity.sign_key_exchange(&[7; 32]));
        drop(identity.secret_private_key_base64());
        assert!(Identity::from_parts(&parts[0], &parts[1], "00").is_err());
    })
}

/// A directory with this master key, and files in it.
fn directory(key: &[u8; 32], files: &[(&str, Vec<u8>)]) -> (TempDir, LockedDataDir) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(".encryption.key"), BASE64_STANDARD.encode(key)).unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let locked = DataDir::new(directory.path()).lock().unwrap();
    (directory, locked)
}

/// A job over what is kept alive until the scanner no longer watches: it is the caller's.
pub(crate) fn kept<T: Send + 'static>(given: T, job: impl FnOnce(&T) + Send + 'static) -> Job {
    let given = std::mem::ManuallyDrop::new(given);
    Box::new(move || job(&given))
}

fn master_key_opens_and_seals() -> Job {
    let relay_enc = seal(*MARK, b"{}");
    kept(directory(MARK, &[("relay.enc", relay_enc)]), |(_, locked)| {
        let loaded = locked.relay_config().unwrap();
        locked.save_relay_config(&loaded.value, &loaded.revision, IdentityChange::Keep).unwrap();
        let mut billing = Default::default();
        locked.save_billing_state(DEFAULT_ORG, &mut billing, &Revision::ABSENT).unwrap();
        drop(locked.billing_state(DEFAULT_ORG).unwrap());
    })
}

fn master_key_that_is_refused() -> Job {
    let whole = BASE64_STANDARD.encode(MARK);
    let long = BASE64_STANDARD.encode([MARK.as_slice(), b"x"].concat());
    let texts =
        [whole.replace('=', ""), whole.replace('=', "!"), long, format!("{whole}{whole}"), format!("{whole} x")];
    let directories: Vec<_> = texts
        .map(|text| {
            let (directory, locked) = directory(&OTHER_KEY, &[("relay.enc", seal(*MARK, b"{}"))]);
            fs::write(directory.path().join(".encryption.key"), text).unwrap();
            (directory, locked)
        })
        .into();
    kept(directories, |directories| directories.iter().for_each(|(_, locked)| assert!(locked.relay_config().is_err())))
}

fn marked_config() -> String {
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.instance_secret = mark_text().into();
    config.set_identity(&Identity::from_private_base64(&marked_pair(&BASE64_STANDARD)).unwrap());
    config.secret_json().expose_secret().to_owned()
}

fn relay_enc_is_loaded() -> Job {
    let sealed = seal(OTHER_KEY, marked_config().as_bytes());
    kept(directory(&OTHER_KEY, &[("relay.enc", sealed)]), |(_, locked)| {
        let loaded = locked.relay_config().unwrap();
        drop(loaded.value.identity().unwrap());
        drop(loaded.value.secret_json());
    })
}

fn relay_enc_is_saved() -> Job {
    let sealed = seal(OTHER_KEY, marked_config().as_bytes());
    kept(directory(&OTHER_KEY, &[("relay.enc", sealed)]), |(_, locked)| {
        let mut loaded = locked.relay_config().unwrap();
        loaded.value.enabled = false;
        let saved = locked.save_relay_config(&loaded.value, &loaded.revision, IdentityChange::Keep).unwrap();
        let none = RelayConfig::default();
        assert!(locked.save_relay_config(&none, &saved.revision, IdentityChange::Keep).is_err());
        assert!(locked.save_relay_config(&none, &Revision::ABSENT, IdentityChange::Replace).is_err());
    })
}

fn relay_enc_in_plain_is_taken_over() -> Job {
    kept(directory(&OTHER_KEY, &[("relay.enc", marked_config().into_bytes())]), |(_, locked)| {
        drop(locked.relay_config().unwrap());
    })
}

fn relay_enc_that_is_refused() -> Job {
    let whole = marked_config();
    let texts = [
        whole.replacen("\"instance_secret\": ", "\"instance_secret\": 1, \"x\": ", 1),
        whole.replacen("true", "\"true\"", 1),
        format!("{whole} x"),
        whole[..whole.len() - 3].to_owned(),
        format!(r#"{{"instance_secret":"{}","instance_secret":"x"}}"#, mark_text()),
        format!(r#"{{"instance_secret":"a\n{}","enabled":7}}"#, mark_text()),
        format!(r#"{{"unknown":"{}\u00e9","enabled":7}}"#, mark_text()),
        format!(r#"["{}"]"#, mark_text()),
        mark_text().to_owned(),
    ];
    let directories: Vec<_> =
        texts.iter().map(|text| directory(&OTHER_KEY, &[("relay.enc", seal(OTHER_KEY, text.as_bytes()))])).collect();
    let damaged = directory(MARK, &[("relay.enc", seal(OTHER_KEY, whole.as_bytes()))]);
    kept((directories, damaged), |(directories, (_, damaged))| {
        directories.iter().for_each(|(_, locked)| assert!(locked.relay_config().is_err()));
        assert!(damaged.relay_config().is_err());
    })
}

fn billing_file(key: [u8; 32]) -> Vec<u8> {
    let (_directory, locked) = directory(&key, &[]);
    let mut billing = pulse_trust::storage::BillingState::default();
    billing.entitlement_jwt = Some(format!("a.{}.c", mark_text()).into());
    billing.entitlement_refresh_token = Some(format!("etr_hosted_{}", mark_text()).into());
    locked.save_billing_state(DEFAULT_ORG, &mut billing, &Revision::ABSENT).unwrap();
    fs::read(_directory.path().join("billing.json")).unwrap()
}

fn billing_is_loaded_and_saved() -> Job {
    kept(directory(&OTHER_KEY, &[("billing.json", billing_file(OTHER_KEY))]), |(_, locked)| {
        let loaded = locked.billing_state(DEFAULT_ORG).unwrap();
        let mut billing = loaded.value.unwrap();
        billing.plan_version = "cloud_starter".to_owned();
        locked.save_billing_state(DEFAULT_ORG, &mut billing, &loaded.revision).unwrap();
        assert!(locked.save_billing_state(DEFAULT_ORG, &mut billing, &Revision::ABSENT).is_err());
    })
}

fn billing_in_plain_is_taken_over() -> Job {
    let plain = format!(r#"{{"entitlement_jwt":" a.{0}.c","entitlement_refresh_token":"\u0065tr_{0}"}}"#, mark_text());
    kept(directory(&OTHER_KEY, &[("billing.json", plain.into_bytes())]), |(_, locked)| {
        drop(locked.billing_state(DEFAULT_ORG).unwrap());
    })
}

/// Whether it was sealed under a key that is lost.
fn billing_in_plain_is_looked_into_before_a_key_is_made() -> Job {
    let plain = format!(r#"{{"entitlement_jwt":"\u0065yJ.{0}.c","entitlement_refresh_token":"etr_{0}"}}"#, mark_text());
    let (directory, locked) = directory(&OTHER_KEY, &[("billing.json", plain.into_bytes())]);
    fs::remove_file(directory.path().join(".encryption.key")).unwrap();
    kept((directory, locked), |(_, locked)| {
        locked.save_relay_config(&RelayConfig::default(), &Revision::ABSENT, IdentityChange::Keep).unwrap();
    })
}

fn billing_that_is_refused() -> Job {
    let whole = String::from_utf8(billing_file(OTHER_KEY)).unwrap();
    let plain = format!(r#"{{"entitlement_jwt":"a.{}.c","integrity":"00"}}"#, mark_text());
    let mistyped =
        format!(r#"{{"entitlement_jwt":"a.{0}.c","entitlement_refresh_token":"\n{0}","plan_version":7}}"#, mark_text());
    let texts = [whole.replacen("\"plan_version\":\"\"", "\"plan_version\":\"x\"", 1), plain, mistyped];
    let directories: Vec<_> =
        texts.iter().map(|text| directory(&OTHER_KEY, &[("billing.json", text.clone().into_bytes())])).collect();
    let of_another_key = directory(MARK, &[("billing.json", whole.into_bytes())]);
    kept((directories, of_another_key), |(directories, (_, other))| {
        directories.iter().for_each(|(_, locked)| assert!(locked.billing_state(DEFAULT_ORG).is_err()));
        assert!(other.billing_state(DEFAULT_ORG).is_err());
    })
}

fn license_directory(activation: &str, license: &str) -> (TempDir, LockedDataDir) {
    let key_text = mark_text().repeat(2);
    let sealed = |plain: &str| seal_text(license_key(&key_text), plain).into_bytes();
    directory(
        &OTHER_KEY,
        &[
            ("activation.enc", sealed(activation)),
            ("license.enc", sealed(license)),
            (".license-key", key_text.clone().into_bytes()),
        ],
    )
}

fn license_files_are_loaded() -> Job {
    let activation = format!(r#"{{"grant_jwt":" a.{0}.c","installation_id":"x"}}"#, mark_text());
    let license = format!(r#"{{"license_key":"\u0061.{0}.c","grace_period_end":5}}"#, mark_text());
    kept(license_directory(&activation, &license), |(_, locked)| {
        drop(locked.activation().unwrap());
        drop(locked.license().unwrap());
        drop(locked.license_file(LicenseFile::Activation).unwrap());
    })
}

fn license_files_are_saved() -> Job {
    let activation = format!(r#"{{"grant_jwt":"a.{0}.c","installation_id":"x"}}"#, mark_text());
    let mistyped = format!(r#"{{"grant_jwt":"a\n.{0}.c","paid_access_suspended":"x"}}"#, mark_text());
    let (directory, locked) = license_directory("{}", "{}");
    kept((directory, locked, activation, mistyped), |(_, locked, activation, mistyped)| {
        let seen = locked.license_file(LicenseFile::Activation).unwrap().revision;
        locked.save_license_file(LicenseFile::Activation, activation, &seen).unwrap();
        assert!(locked.save_license_file(LicenseFile::Activation, mistyped, &seen).is_err());
        assert!(locked.save_license_file(LicenseFile::Activation, activation, &seen).is_err());
    })
}

/// Under a key that is secret, and of content that is.
fn other_files_are_sealed_and_opened() -> Job {
    kept([directory(MARK, &[]), directory(&OTHER_KEY, &[])], |directories| {
        for (_, locked) in directories {
            let sealed = locked.seal(mark_text().as_bytes()).unwrap();
            drop(locked.unseal("nodes.enc", &sealed).unwrap());
            assert!(locked.unseal("nodes.enc", &sealed[1..]).is_err());
            drop(locked.derive_key("sessions").unwrap());
        }
    })
}

fn license_files_that_are_refused() -> Job {
    let mistyped = format!(r#"{{"grant_jwt":"a\n.{0}.c","paid_access_suspended":"x"}}"#, mark_text());
    let twice = format!(r#"{{"license_key":"a.{0}.c","license_key":"a.{0}.c"}}"#, mark_text());
    let refused = license_directory(&mistyped, &twice);
    let damaged = license_directory("{}", "{}");
    fs::write(damaged.0.path().join("activation.enc"), seal_text([1; 32], "{}")).unwrap();
    kept((refused, damaged), |((_, refused), (_, damaged))| {
        assert!(refused.activation().is_err() && refused.license().is_err());
        assert!(damaged.activation().is_err());
    })
}

fn a_tenant_starts() -> Job {
    let activation = format!(r#"{{"grant_jwt":"a.{0}.c"}}"#, mark_text());
    let license = format!(r#"{{"license_key":"a.{0}.c"}}"#, mark_text());
    let (directory, locked) = license_directory(&activation, &license);
    fs::write(directory.path().join("billing.json"), billing_file(OTHER_KEY)).unwrap();
    fs::write(directory.path().join("relay.enc"), seal(OTHER_KEY, marked_config().as_bytes())).unwrap();
    let runtime = Runtime::new(RuntimeMode::Hosted, TrustKeys::default());
    kept((directory, locked, runtime), |(_, locked, runtime)| {
        drop(bootstrap(locked, runtime, NOW));
        drop(registration_credential(locked.reader(), runtime, NOW));
        drop(readiness(locked.reader(), runtime, NOW));
        let billing = locked.billing_state(DEFAULT_ORG).unwrap().value.unwrap();
        drop(lease_refresh(&billing, runtime, pulse_trust::hosted::DEFAULT_ORG, NOW));
    })
}

fn a_lease_is_refreshed() -> Job {
    let answers = vec![
        format!(r#"{{"entitlement_jwt":"a.{0}.c"}}"#, mark_text()),
        format!(r#"{{"entitlement_jwt":" \u0061.{0}.c"}}"#, mark_text()),
        format!(r#"{{"entitlement_jwt":"a.{0}.c","entitlement_jwt":"x"}}"#, mark_text()),
        format!(r#"{{"entitlement_jwt":"\n{0}"#, mark_text()),
    ];
    kept(answers, |answers| {
        let request = RefreshRequest::new("default", "t-1.cloud.example.test", mark_text());
        drop(request.secret_json());
        for answer in answers {
            assert!(request.accept(answer.as_bytes(), &TrustKeys::default(), NOW).is_err());
        }
    })
}

fn pairing_config() -> RelayConfig {
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.server_url = "wss://relay.example.test/ws/instance".to_owned();
    config.set_identity(&Identity::from_private_base64(&BASE64_STANDARD.encode([5; 32])).unwrap());
    config
}

fn a_pairing_code_is_built() -> Job {
    kept(pairing_config(), |config| {
        let offer =
            Onboarding::new(config, "relay_0000000000000000", mark_text()).with_instance_url("https://t.example.test");
        let payload = offer.build().unwrap();
        drop(payload.secret_compact_code());
        drop(payload.secret_json());
        #[cfg(feature = "qr")]
        std::hint::black_box(pulse_trust::pairing::qr_svg(payload.secret_deep_link()).unwrap().len());
        assert!(Onboarding::new(config, "", mark_text()).build().is_err());
    })
}

/// The deep link and the JSON of a pairing code.
fn pairing_texts() -> Vec<String> {
    let config = pairing_config();
    let payload = Onboarding::new(&config, "relay_0000000000000000", mark_text()).build().unwrap();
    vec![payload.secret_deep_link().to_owned(), payload.secret_json().expose_secret().to_owned()]
}

fn a_pairing_code_is_scanned() -> Job {
    kept(pairing_texts(), |texts| texts.iter().for_each(|text| drop(PairingCode::parse(text).unwrap())))
}

fn pairing_codes_that_are_refused() -> Job {
    let mut texts = vec![];
    for whole in pairing_texts() {
        texts.push(whole.replace("wss", "ws"));
        texts.push(whole[..whole.len() - 5].to_owned());
        texts.push(format!("{whole}%zz"));
        texts.push(whole.replace("relay_0", "\\n%0A"));
        texts.push(format!("{whole}&auth_token={}", mark_text()));
        texts.push(whole.replace(mark_text(), &format!("%4D{}", &mark_text()[1..])).replace("wss", "ws"));
    }
    kept(texts, |texts| texts.iter().for_each(|text| drop(PairingCode::parse(text))))
}
