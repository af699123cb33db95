//! Any bytes as every file of a data directory: loading refuses or reads, and leaves each file as it was.
use std::fs;
use std::os::unix::fs::PermissionsExt;

use pulse_trust::storage::DataDir;

const FILES: [&str; 4] = ["relay.enc", "billing.json", "license.enc", ".encryption.key"];

pub(crate) fn run(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("its mode");
    let Some((first, bytes)) = bytes.split_first() else { return };
    let index = usize::from(*first) % FILES.len();
    let place = folder.path().join(FILES[index]);
    fs::write(&place, bytes).expect("a file");
    let locked = DataDir::new(folder.path()).lock().expect("the lock");
    let refused = locked.relay_config().is_err() | locked.billing_state("default").is_err();
    // A legacy plain file is migrated when it is read; what was refused is never touched.
    if refused || index == 1 {
        assert_eq!(fs::read(&place).expect("still there"), bytes);
    }
}
