//! Libraries that are loaded before the C library's, and fail in its place.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles one of the C files beside this package.
pub(crate) fn compile(name: &str, folder: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{name}.c"));
    let library = folder.join(format!("{name}.so"));
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .arg(source)
        .status()
        .map_err(|error| format!("cc: {error}"))?;
    if status.success() { Ok(library) } else { Err(format!("{name}.c does not compile")) }
}
