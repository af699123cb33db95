//! The unhappy ways: each must be refused, with nothing written and by name.

use std::path::Path;

use pulse_trust::UnixTime;
use pulse_trust::hosted::{BootstrapOutcome, Runtime, bootstrap};
use pulse_trust::keys::{SigningKey, TrustKeys};
use pulse_trust::pairing::Onboarding;
use pulse_trust::relay::{Identity, RelayConfig};
use pulse_trust::storage::{DataDir, IdentityChange, Revision};

use crate::failure::Failure;
use crate::record::Record;
use crate::relay::RelayInUse;
use crate::runtime::register;
use crate::tenant::{Tenant, hosted_runtime, provision_at};
use crate::{phone, registration};

pub(crate) async fn ways(record: &mut Record, tenant: &Tenant, link: &str) -> Result<(), Failure> {
    let Some(key) = &tenant.control_plane else { return Ok(()) };
    let scratch = tempfile::tempdir().map_err(Failure::from_error)?;
    let now = UnixTime::now();
    let refused_start =
        |name: &str, key: &SigningKey, at: UnixTime, runtime: &Runtime| -> Result<((), String), Failure> {
            let directory = scratch.path().join(name);
            provision_at(&directory, key, "t-JOURNEY002", at)?;
            let started = bootstrap(&DataDir::new(&directory).lock()?, runtime, now)?;
            match started.outcome {
                BootstrapOutcome::Unchanged { reason: Some(error) } if !directory.join("relay.enc").exists() => {
                    Ok(((), format!("refused, nothing written: {error}")))
                }
                other => Err(Failure::new(format!("not refused: {other:?}"))),
            }
        };
    let other_host = hosted_runtime(key, "t-another.cloud.example.test");
    record.note("unhappy: lease for another host", refused_start("host", key, now, &other_host))?;
    let own_host = hosted_runtime(key, "t-journey002.cloud.example.test");
    let long_ago = now.saturating_sub(std::time::Duration::from_secs(2 * 86_400));
    record.note("unhappy: expired lease", refused_start("expired", key, long_ago, &own_host))?;
    let stranger = SigningKey::generate()?;
    record.note("unhappy: lease signed by another key", refused_start("key", &stranger, now, &own_host))?;
    record
        .note("unhappy: config disabled by the operator", operator_disabled(&scratch.path().join("off"), key, now))?;
    record.note("unhappy: relay without its lease key", relay_without_lease_key(tenant).await)?;
    record.note("unhappy: tampered code", tampered_code(link))?;
    record.note("unhappy: another identity behind the same id", impostor(link).await)?;
    Ok(())
}

fn operator_disabled(directory: &Path, key: &SigningKey, now: UnixTime) -> Result<((), String), Failure> {
    let host = provision_at(directory, key, "t-JOURNEY003", now)?;
    let locked = DataDir::new(directory).lock()?;
    let mut config = RelayConfig::default();
    config.instance_secret = "own-secret".to_owned().into();
    locked.save_relay_config(&config, &Revision::ABSENT, IdentityChange::Keep)?;
    let before = std::fs::read(directory.join("relay.enc")).map_err(Failure::from_error)?;
    let started = bootstrap(&locked, &hosted_runtime(key, &host), now)?;
    let after = std::fs::read(directory.join("relay.enc")).map_err(Failure::from_error)?;
    if before == after && !started.config.enabled {
        Ok(((), "relay.enc is byte for byte as the operator left it".to_owned()))
    } else {
        Err(Failure::new("the operator's config was overridden"))
    }
}

async fn relay_without_lease_key(tenant: &Tenant) -> Result<((), String), Failure> {
    let relay = RelayInUse::own(TrustKeys::default()).await?;
    let started = bootstrap(&DataDir::new(&tenant.directory).lock()?, &tenant.runtime, UnixTime::now())?;
    let api = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
    let outcome = register(registration(&relay.url, &started.config, &started.credential, api)?).await;
    relay.stop().await;
    match outcome {
        Err(failure) if failure.0.contains("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY") => Ok(((), failure.0)),
        Err(failure) => Err(Failure::new(format!("refused, but the setting is not named: {failure}"))),
        Ok(_) => Err(Failure::new("a relay without a lease key took a lease")),
    }
}

fn tampered_code(link: &str) -> Result<((), String), Failure> {
    let stranger = Identity::generate()?;
    let key = |identity: &Identity| {
        identity.public_key().to_base64().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    };
    let (before, from_key) = link.split_once("identity_public_key=").ok_or(Failure::new("the link has no key"))?;
    let (_, after) = from_key.split_once('&').ok_or(Failure::new("the link ends with its key"))?;
    let tampered = format!("{before}identity_public_key={}&{after}", key(&stranger));
    match pulse_trust::pairing::PairingCode::parse(&tampered) {
        Err(error @ pulse_trust::Error::FingerprintMismatch { .. }) => Ok(((), error.to_string())),
        other => Err(Failure::new(format!("not refused: {other:?}"))),
    }
}

/// A code whose key and fingerprint are both a stranger's: the instance behind the relay cannot sign for it.
async fn impostor(link: &str) -> Result<((), String), Failure> {
    let stranger = Identity::generate()?;
    let code = pulse_trust::pairing::PairingCode::parse(link)?;
    let mut config = RelayConfig::default();
    config.enabled = true;
    config.server_url = code.relay_url().to_owned();
    config.set_identity(&stranger);
    let forged = Onboarding::new(&config, code.instance_id(), code.secret_auth_token())
        .build()
        .map_err(|not_ready| Failure::from(pulse_trust::Error::from(not_ready)))?;
    match phone::pair_and_fetch(forged.secret_deep_link(), "/api/status").await {
        Err(failure) if failure.0.contains("KEY_EXCHANGE_SIGNATURE") => Ok(((), failure.0)),
        Err(failure) => Err(failure),
        Ok(_) => Err(Failure::new("the phone spoke to an identity it was not paired with")),
    }
}
