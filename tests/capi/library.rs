//! The library as C programs link it, and the C compiler.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder with `libpulse_trust.so` and `.a`, of the profile that `PULSE_TRUST_CAPI_PROFILE` names (`dev`). Cargo has a
/// folder of its own for each target that is named to it.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let profile = std::env::var("PULSE_TRUST_CAPI_PROFILE").unwrap_or_else(|_| "dev".to_owned());
        let triple = std::env::var("CARGO_BUILD_TARGET").unwrap_or_default();
        let mut target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned();
        if !triple.is_empty() {
            assert!(target.ends_with(&triple), "built for another target: {}", target.display());
            target.pop();
        }
        let built = Command::new(env!("CARGO"))
            .current_dir(root())
            .args(["rustc", "--lib", "--features", "capi", "--crate-type", "cdylib,staticlib"])
            .args(["--profile", &profile, "--target-dir"])
            .arg(&target)
            .args(["--", "--cfg", "pulse_panic_probe"])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        target.join(triple).join(if profile == "dev" { "debug" } else { &profile })
    })
}

/// Runs a tool, which must succeed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}\n{}{}", text(&output.stdout), text(&output.stderr));
    output
}

/// Compiles a C program against the static library, with the flags of `CFLAGS` too: a sanitizer's.
pub(crate) fn compile(source: &Path, program: &Path) {
    run(Command::new("cc")
        .args(std::env::var("CFLAGS").unwrap_or_default().split_whitespace())
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-g", "-I"])
        .arg(root().join("include"))
        .arg(source)
        .arg(folder().join("libpulse_trust.a"))
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(program));
}
