//! What values show of themselves, and what else they convert to: the names in claims, settings, frames and logs.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use pulse_trust::entitlement::{Capability, SubscriptionState};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Admission, FrameType, WireErrorCode};
use pulse_trust::session::{CloseCode, ConnectionId, DisconnectReason};
use pulse_trust::token::{UnverifiedToken, sign, sign_with_key_id};
use pulse_trust::{Error, Secret, TokenKind, UnixTime};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

#[test]
fn a_value_shows_the_name_that_others_know_it_by() {
    for (kind, name, relay_setting) in [
        (TokenKind::Lease, "lease", "PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY"),
        (TokenKind::Grant, "grant", "PULSE_RELAY_PUBLIC_KEY"),
        (TokenKind::License, "license", "PULSE_RELAY_PUBLIC_KEY"),
    ] {
        assert_eq!((kind.as_str(), kind.to_string().as_str()), (name, name));
        assert_eq!(kind.relay_key_setting(), relay_setting);
    }
    assert_eq!(WireErrorCode::LicenseExpired.to_string(), "LICENSE_EXPIRED");
    assert_eq!(FrameType::KeyExchange.to_string(), "KEY_EXCHANGE");
    assert_eq!(ConnectionId::from_u64(12).to_string(), "12");
    assert_eq!(DisconnectReason::NoAnswer.as_str(), "no_answer");
    let codes = [CloseCode::Normal, CloseCode::GoingAway, CloseCode::ProtocolError, CloseCode::PolicyViolation];
    assert_eq!(codes.map(CloseCode::as_u16), [1000, 1001, 1002, 1008]);
    let relay = Capability::new("relay");
    assert_eq!((relay.as_ref(), relay.to_string().as_str()), ("relay", "relay"));
    let state = SubscriptionState::Trial;
    assert_eq!((state.as_ref(), state.to_string().as_str()), ("trial", "trial"));
}

#[test]
fn a_key_shows_its_base64_and_hashes_by_its_bytes() {
    let (first, second) = (key(1).public_key().clone(), key(2).public_key().clone());
    assert_eq!(first.to_string(), first.to_base64());
    assert_eq!(AsRef::<[u8; 32]>::as_ref(&first), first.as_bytes());
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    assert_eq!(hasher.hash_one(&first), hasher.hash_one(first.clone()));
    assert_ne!(hasher.hash_one(&first), hasher.hash_one(&second));
    let id = first.key_id();
    assert_eq!(id.as_ref(), id.as_str());
}

#[test]
fn trusted_keys_are_written_as_the_setting_that_they_are_read_from() {
    let keys = [key(1).public_key().clone(), key(2).public_key().clone()];
    let set: TrustKeySet = keys.iter().cloned().collect();
    let setting = format!("{},{}", keys[0], keys[1]);
    assert_eq!(set.to_string(), setting);
    let read: TrustKeySet = setting.parse().unwrap();
    assert_eq!(read.keys().cloned().collect::<Vec<_>>(), keys);
    let trusted = TrustKeys::for_licenses(set);
    assert_eq!((trusted.lease.is_empty(), trusted.license.is_empty()), (true, false));
    assert_eq!(Admission::new(trusted).keys().license.to_string(), setting);
}

#[test]
fn what_a_token_says_of_itself_is_read_without_a_key() {
    let (key, license) = (key(1), r#"{"lid":"L-1"}"#);
    let (anonymous, named) = (sign(&key, license).unwrap(), sign_with_key_id(&key, license).unwrap());
    let anonymous = UnverifiedToken::parse(anonymous.expose_secret()).unwrap();
    let named = UnverifiedToken::parse(named.expose_secret()).unwrap();
    assert_eq!(anonymous.unverified_kind(), Ok(TokenKind::License));
    assert_eq!(anonymous.unverified_key_id(), None);
    assert_eq!(named.unverified_key_id(), Some(key.public_key().key_id().as_str()));
}

#[test]
fn an_empty_secret_is_none() {
    assert_eq!(Secret::from("").non_empty(), None);
    assert_eq!(Secret::from("s").non_empty(), Some(Secret::from("s")));
}

#[test]
fn an_error_says_whether_time_heals_it_and_what_the_peer_is_told() {
    let (ended_at, now) = (UnixTime::from_secs(1), UnixTime::from_secs(2));
    let time = Error::expired(TokenKind::Lease, ended_at, now);
    assert!(time.is_about_time());
    assert!(!Error::OrgMissing.is_about_time());
    for (error, code) in [
        (time, WireErrorCode::LicenseExpired),
        (Error::OrgMissing, WireErrorCode::LicenseInvalid),
        (Error::session_invalid("expected 64 hex digits"), WireErrorCode::AuthFailed),
        (Error::KeyTableCorrupt, WireErrorCode::InternalError),
    ] {
        assert_eq!(error.wire_code(), code, "{error}");
    }
}
