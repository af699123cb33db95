//! The doctor on directories and relays that are whole or broken at one place: it names that place, shows both sides, and
//! changes nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, missing_docs)]

mod common;
#[path = "../../driver/mod.rs"]
mod driver;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use common::tenant::{Tenant, broken, command, doctor};
use common::text;
use pulse_relay::{Config, Relay};
use pulse_trust::keys::{SigningKey, TrustKeySet, TrustKeys};
use pulse_trust::session::{InstanceConfig, InstanceEnd, InstanceEvent};
use serde_json::Value;

#[test]
fn a_provisioned_tenant_is_ready_and_the_directory_stays_as_it_is() {
    let tenant = Tenant::provision();
    let report = tenant.report(&["--offline"]);
    assert_eq!(report["ready"], true, "{report:#}");
    let link =
        |name: &str| report["links"].as_array().unwrap().iter().find(|link| link["name"] == name).unwrap().clone();
    assert_eq!(link("relay config")["state"], "will_be_made");
    assert_eq!(link("identity")["state"], "will_be_made");
    let shown = tenant.doctor(&["--offline"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("ready to register. The relay was not asked"));
}

#[test]
fn another_key_than_the_control_planes_is_shown_beside_it_with_the_line_that_mends_it() {
    let mut tenant = Tenant::provision();
    let other = SigningKey::generate().unwrap().public_key().clone();
    tenant.environment.insert("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", other.to_base64());
    let own = tenant.control_plane.public_key();
    let report = tenant.report(&["--offline", "--lease-key", &own.to_base64()]);
    let link = broken(&report);
    assert_eq!(link["name"], "lease key");
    assert_eq!(link["sides"]["PULSE_TRIAL_ACTIVATION_PUBLIC_KEY"], other.log_fingerprint());
    assert_eq!(link["sides"]["--lease-key"], own.log_fingerprint());
    // The key that is there stays: what it has signed may count elsewhere.
    assert_eq!(command(link), format!("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY={other},{own}"));
    // Without the operator's key the fault is the same, and it says what to give.
    let report = tenant.report(&["--offline"]);
    assert_eq!(
        (broken(&report)["name"].as_str(), text(broken(&report), "error")),
        (Some("hosted lease"), "SIGNATURE_INVALID")
    );
}

#[test]
fn each_setting_that_is_missing_or_wrong_is_named_with_its_line() {
    let cases: [(&str, Option<&str>, &str, &str, &str); 5] = [
        ("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", None, "hosted lease", "KEY_NOT_CONFIGURED", ""),
        ("PULSE_TRIAL_ACTIVATION_PUBLIC_KEY", Some("AAAA"), "settings", "SETTING_KEY_INVALID", ""),
        (
            "PULSE_PUBLIC_URL",
            Some("https://t-other.cloud.example.test"),
            "hosted lease",
            "HOST_MISMATCH",
            "PULSE_PUBLIC_URL=https://t-doctor.cloud.example.test",
        ),
        ("PULSE_RELAY_ENABLED", Some("off"), "relay config", "RELAY_DISABLED", "PULSE_RELAY_ENABLED=true"),
        ("PULSE_HOSTED_MODE", None, "settings", "NOT_HOSTED", "PULSE_HOSTED_MODE=true"),
    ];
    for (variable, value, link, error, mend) in cases {
        let mut tenant = Tenant::provision();
        match value {
            Some(value) => tenant.environment.insert(variable, value.to_owned()),
            None => tenant.environment.remove(variable),
        };
        let report = tenant.report(&["--offline"]);
        let found = broken(&report);
        assert_eq!((text(found, "name"), text(found, "error")), (link, error), "{variable}: {report:#}");
        assert!(command(found).starts_with(mend), "{variable}: {found:#}");
        // What the doctor does not know is not a line to paste.
        assert_eq!(command(found).is_empty(), mend.is_empty(), "{variable}: {found:#}");
        assert!(found["mend"].to_string().contains(variable), "{variable}: {found:#}");
        if error.starts_with("SETTING") || error.starts_with("KEY") {
            assert!(text(found, "what").contains(variable), "{found:#}");
        }
    }
}

#[test]
fn a_directory_that_is_empty_absent_or_without_its_key_is_told_apart() {
    let mut tenant = Tenant::provision();
    std::fs::remove_file(tenant.directory.path().join(".encryption.key")).unwrap();
    assert_eq!(text(broken(&tenant.report(&["--offline"])), "error"), "KEY_FILE_LOST");

    tenant.directory = tempfile::tempdir().unwrap();
    let report = tenant.report(&["--offline"]);
    assert_eq!((text(broken(&report), "name"), text(broken(&report), "error")), ("billing state", "FILE_MISSING"));
    tenant.environment.clear();
    let report = tenant.report(&["--offline"]);
    assert!(text(broken(&report), "what").contains("there is no relay.enc"), "{report:#}");
    assert!(!report.to_string().contains("will_be_made"), "{report:#}");

    let absent = doctor(Path::new("/nonexistent"), &tenant.environment, &["--offline"]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&absent.stdout).contains("/nonexistent is missing"));
}

/// A relay on loopback that trusts this key for leases.
async fn relay(key: &SigningKey) -> (Relay, tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let lease = TrustKeySet::new([key.public_key().clone()]);
    let keys = TrustKeys::for_leases(lease);
    let relay = Relay::start(Config::on_loopback(keys, directory.path())).await.unwrap();
    let url = format!("ws://{}/ws/instance", relay.local_addr());
    (relay, directory, url)
}

async fn asked(tenant: Tenant, url: &str) -> (Tenant, Value) {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || {
        let report = tenant.report(&["--relay", &url]);
        (tenant, report)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_is_asked_for_its_key_and_for_the_instance() {
    let mut tenant = Tenant::provision();
    let stranger = SigningKey::generate().unwrap();
    let (_other, _directory, url) = relay(&stranger).await;
    tenant.environment.insert("PULSE_RELAY_SERVER", url.clone());
    let (mut tenant, report) = asked(tenant, &url).await;
    let own = tenant.control_plane.public_key().clone();
    let link = broken(&report);
    assert_eq!(link["name"], "relay's key", "{report:#}");
    assert_eq!(
        link["sides"]["PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY trusts"],
        stranger.public_key().log_fingerprint()
    );
    assert_eq!(link["sides"]["the lease is signed by"], own.log_fingerprint());
    assert_eq!(command(link), format!("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY={own}"));

    let (_relay, _directory, url) = relay(&tenant.control_plane).await;
    let (tenant_again, report) = asked(tenant, &url).await;
    tenant = tenant_again;
    assert_eq!(text(broken(&report), "name"), "relay address", "{report:#}");
    tenant.environment.insert("PULSE_RELAY_SERVER", url.clone());
    let (tenant, report) = asked(tenant, &url).await;
    assert_eq!(text(broken(&report), "name"), "instance at the relay", "{report:#}");
    assert!(text(broken(&report), "what").contains("has not started"), "{report:#}");

    let started = tenant.start(&url);
    let config = InstanceConfig::new(
        url.clone(),
        started.credential.require_secret_token().unwrap(),
        started.config.instance_secret.expose_secret().to_owned(),
        started.config.identity().unwrap(),
    );
    let (registered, when_registered) = tokio::sync::oneshot::channel();
    let mut registered = Some(registered);
    let (_acts, received) = tokio::sync::mpsc::unbounded_channel();
    let end = InstanceEnd::new(config, 1).unwrap();
    tokio::spawn(driver::drive(end, received, driver::dial, move |end: &mut InstanceEnd, event, _| match event {
        InstanceEvent::Registered { .. } => registered.take().unwrap().send(()).unwrap(),
        InstanceEvent::ChannelOffered { channel, .. } => end.refuse(channel, "invalid auth token").unwrap(),
        _ => {}
    }));
    when_registered.await.unwrap();
    let (tenant, report) = asked(tenant, &url).await;
    assert_eq!(report["ready"], true, "{report:#}");
    assert!(report.to_string().contains("is connected, and answers"));
    // The same relay and the same host, but a directory that holds no identity: whoever registered, it was not this one.
    std::fs::remove_file(tenant.directory.path().join("relay.enc")).unwrap();
    let (_tenant, report) = asked(tenant, &url).await;
    assert_eq!(text(broken(&report), "name"), "instance at the relay", "{report:#}");
    assert!(text(broken(&report), "what").contains("another process"), "{report:#}");
}

/// Answers each request with this date.
fn http_server(date: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/ws/instance", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _request_len = stream.read(&mut [0; 4096]).unwrap();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{{\"status\":\"ok\"}}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

#[test]
fn a_clock_that_is_wrong_comes_first_with_both_times() {
    let mut tenant = Tenant::provision();
    let url = http_server("Thu, 01 Jan 2026 00:00:00 GMT");
    tenant.environment.insert("PULSE_RELAY_SERVER", url);
    let report = tenant.report(&[]);
    let link = broken(&report);
    assert_eq!(link["name"], "clocks", "{report:#}");
    assert_eq!(link["sides"]["the relay"], "2026-01-01T00:00Z");
    assert!(link["sides"]["this machine"].is_string());
    assert_eq!(command(link), "timedatectl set-ntp true");
}

#[test]
fn a_relay_that_is_not_there_is_named() {
    let mut tenant = Tenant::provision();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    tenant.environment.insert("PULSE_RELAY_SERVER", format!("ws://127.0.0.1:{port}/ws/instance"));
    let report = tenant.report(&[]);
    assert_eq!(text(broken(&report), "name"), "relay", "{report:#}");
    assert_eq!(command(broken(&report)), format!("curl -v http://127.0.0.1:{port}/healthz"));
}

#[test]
fn arguments_that_mean_nothing_are_refused_with_status_2() {
    let tenant = Tenant::provision();
    for arguments in [["--relay", "https://relay.example.test"], ["--lease-key", "AAAA"]] {
        let output = tenant.doctor(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(arguments[0]), "{arguments:?}");
    }
}
