//! The hot paths whose instructions are counted: each a closure that runs once.

use pulse_trust::UnixTime;
use pulse_trust::entitlement::{Capability, VerifiedLease};
use pulse_trust::keys::{PreparedKey, TableSize};
use pulse_trust::pairing::PairingCode;
use pulse_trust::relay::{
    Admission, AppHandshake, Frame, FrameType, NoRevocations, danger_accept_with_ephemeral_secret,
};

use crate::fixtures::{Fixture, identity, pairing_code};

/// The fixed time of counted runs: the same lease, byte for byte.
const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

/// Every path that is counted.
pub const PATHS: [&str; 12] = [
    "lease_verify",
    "lease_verify_plain",
    "lease_verify_huge",
    "lease_verify_bulk_64",
    "lease_verify_bulk_64_huge",
    "lease_asked_again",
    "lease_refused_signature",
    "admit",
    "frame_decode",
    "channel_seal_open_1k",
    "pairing_parse",
    "tables_large",
];

/// The path of this name, ready to run.
pub fn path(name: &str) -> Option<Box<dyn FnMut() -> bool>> {
    let fixture = Fixture::at(NOW);
    let (keys, checks, lease) = (fixture.keys(TableSize::Large), fixture.checks(), fixture.lease.clone());
    Some(match name {
        "lease_verify" => Box::new(move || VerifiedLease::verify(&lease, &keys, &checks, NOW).is_ok()),
        "lease_verify_plain" => {
            let keys = fixture.keys(TableSize::None);
            Box::new(move || VerifiedLease::verify(&lease, &keys, &checks, NOW).is_ok())
        }
        "lease_verify_huge" => {
            let keys = fixture.keys(TableSize::Huge);
            Box::new(move || VerifiedLease::verify(&lease, &keys, &checks, NOW).is_ok())
        }
        "lease_verify_bulk_64" | "lease_verify_bulk_64_huge" => {
            let keys = if name == "lease_verify_bulk_64" { keys } else { fixture.keys(TableSize::Huge) };
            let leases = fixture.leases(64);
            Box::new(move || {
                let leases: Vec<&str> = leases.iter().map(String::as_str).collect();
                VerifiedLease::verify_bulk(&leases, &keys, &checks, NOW).iter().all(Result::is_ok)
            })
        }
        "lease_asked_again" => {
            let lease = VerifiedLease::verify(&lease, &keys, &checks, NOW).ok()?;
            Box::new(move || lease.check_grants(&Capability::RELAY, NOW).is_ok())
        }
        "lease_refused_signature" => {
            let lease = fixture.with_wrong_signature();
            Box::new(move || VerifiedLease::verify(&lease, &keys, &checks, NOW).is_err())
        }
        "admit" => {
            let admission = Admission::new(keys);
            Box::new(move || admission.admit(&lease, None, &NoRevocations, NOW).is_ok())
        }
        "frame_decode" => {
            let bytes = Frame::new(FrameType::Data, 7, &[0; 1024]).encode().ok()?;
            Box::new(move || Frame::decode(&bytes).is_ok())
        }
        "channel_seal_open_1k" => {
            // Fixed secrets: what is random would take another number of instructions in each run.
            let (identity, app) = (identity(), AppHandshake::danger_with_ephemeral_secret([1; 32]));
            let (mut instance, answer) = danger_accept_with_ephemeral_secret(app.message(), &identity, [2; 32]).ok()?;
            let mut app = app.finish(&answer, identity.public_key()).ok()?;
            Box::new(move || app.seal(&[0; 1024]).and_then(|sealed| instance.open(&sealed)).is_ok())
        }
        "pairing_parse" => {
            let code = pairing_code();
            Box::new(move || PairingCode::parse(&code).is_ok())
        }
        "tables_large" => {
            let key = fixture.signer.public_key().clone();
            Box::new(move || PreparedKey::new(&key, TableSize::Large).is_ok())
        }
        _ => return None,
    })
}
