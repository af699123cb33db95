//! How a file of the data directory is mended, or the directory itself.

use std::io::ErrorKind;
use std::path::Path;

use pulse_trust::Error;

use super::context::Context;
use super::mend::{only_told, run};
use super::report::Mend;
use crate::shell;

const NEW_CONFIG: &str = "restore relay.enc from a backup; without one, remove it, and the next start makes a new one with \
    a new identity, with which every phone is paired again:";

/// `None` if the error is not about a file.
pub(super) fn mend(error: &Error, context: &Context<'_>) -> Option<Mend> {
    let directory = context.directory_text();
    Some(match error {
        Error::FileMissing { .. } | Error::File { .. } if context.is_no_directory() => {
            only_told(format!("give the tenant's data directory: {directory} is not a directory."))
        }
        Error::FileMissing { path, .. } if path.ends_with("billing.json") => only_told(
            "the control plane has not provisioned this directory, or another one is mounted: have it write billing.json \
             here, then run the doctor again.",
        ),
        Error::FileMissing { path, .. } => run(
            "the directory is not there: mount or make it, as the owner of the runtime:",
            shell::command(["mkdir", "-m", "700", "-p", &shell::path(path)]),
        ),
        Error::File { kind: ErrorKind::PermissionDenied, .. } => run(
            "run the doctor as a user who may read it:",
            shell::command(["sudo", "-E", "pulse-trust", "doctor", &shell::path(&directory)]),
        ),
        Error::KeyFileLost { path, .. } | Error::KeyFileUnreadable { path, .. } => {
            run("restore the key file from a backup; nothing makes a new one:", install(".encryption.key", path))
        }
        Error::FileNotRegular { path, .. }
        | Error::FileTooLarge { path, .. }
        | Error::FileMalformed { path, .. }
        | Error::BillingTampered { path, .. }
        | Error::BillingUnsigned { path, .. } => run(how_to_restore(path), install(file_name(path), path)),
        Error::UnsealFailed { what, .. } => unseal(what, context),
        _ => return None,
    })
}

/// The identity in relay.enc, whatever is wrong with it.
pub(super) fn identity(context: &Context<'_>) -> Mend {
    run(NEW_CONFIG, install("relay.enc", &context.path_of("relay.enc")))
}

/// The key is wrong, or the file is damaged. Where another file opens under the key, it is the file.
fn unseal(what: &str, context: &Context<'_>) -> Mend {
    let (name, key_is_right) = if what.ends_with("billing.json") {
        ("billing.json", context.key_opens.relay)
    } else if what.ends_with("relay.enc") {
        ("relay.enc", context.key_opens.billing)
    } else {
        (file_name(what), context.key_opens.relay || context.key_opens.billing)
    };
    let path = context.path_of(name);
    if key_is_right {
        let what =
            format!("the key file is right, as it opens another file, so {name} is damaged: {}", how_to_restore(&path));
        return run(&what, install(name, &path));
    }
    run(
        &format!(
            "restore the key file that the directory was sealed under. If it is the right one, {name} is damaged: restore that too."
        ),
        install(".encryption.key", &context.path_of(".encryption.key")),
    )
}

fn how_to_restore(path: &str) -> &'static str {
    match file_name(path) {
        "billing.json" => "restore the file from a backup, or have the control plane issue it anew:",
        "relay.enc" => NEW_CONFIG,
        _ => "restore the file from a backup:",
    }
}

/// A directory would take the file into itself, so whatever else than a file is there goes out of the way first.
fn install(name: &str, path: &str) -> String {
    let path = &shell::path(path);
    let install = shell::command(["install", "-m", "600", &format!("BACKUP/{name}"), path]);
    if Path::new(path).symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return format!("{} && {install}", shell::command(["mv", path, &format!("{path}.aside")]));
    }
    install
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
