//! Where the private key to sign with comes from.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use pulse_trust::keys::{PublicKey, SigningKey};

use crate::outcome::Stop;
use crate::setting::given;
use crate::shell;
use crate::shown::shown;
use crate::style::{WARN, styled};

/// The longest text that can be a key, with room for line ends.
const MAX_KEY_FILE_LEN: u64 = 1024;

#[derive(Args)]
pub(crate) struct PrivateKeyArgs {
    /// The private key, base64. Other processes can see arguments: prefer --key-file, or the variable PULSE_SIGNING_KEY,
    /// which counts where neither flag is given
    #[arg(long, value_name = "BASE64")]
    key: Option<String>,
    /// A file that holds the private key
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    key_file: Option<PathBuf>,
}

impl PrivateKeyArgs {
    /// Reads the key, as [`key_of_file`] does.
    pub(crate) fn read(&self, as_is: bool) -> Result<SigningKey, Stop> {
        if let Some(path) = &self.key_file {
            return key_of_file(path, as_is);
        }
        match given("--key", self.key.as_deref(), "PULSE_SIGNING_KEY")? {
            Some(given) => private_key(given.by, &given.value, as_is),
            None => Err(Stop::usage("--key-file, --key or the variable PULSE_SIGNING_KEY is required")),
        }
    }
}

/// The private key in a file. A file that others may read is used, with a warning.
pub(super) fn key_of_file(path: &Path, as_is: bool) -> Result<SigningKey, Stop> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| {
            warn_of_wide_mode(path, &file)?;
            file.take(MAX_KEY_FILE_LEN.saturating_add(1)).read_to_string(&mut text)
        })
        .map_err(|error| Stop::cannot_tell(format!("{}: {error}", path.display())))?;
    refuse_longer(&path.display().to_string(), &text, MAX_KEY_FILE_LEN)?;
    private_key(&path.display().to_string(), &text, as_is)
}

/// Refuses what was read to one byte over its limit: its length is not known.
pub(super) fn refuse_longer(source: &str, text: &str, limit: u64) -> Result<(), Stop> {
    if u64::try_from(text.len()).is_ok_and(|length| length <= limit) {
        return Ok(());
    }
    Err(Stop::usage(format!("{source}: it is more than {limit} bytes long, at most {limit} are allowed")))
}

/// 32 bytes that are a public key are refused: a seed looks the same, but one of sixteen seeds at the most is a point of
/// the curve's main group, and signing with a public key is the commoner mistake.
fn private_key(source: &str, text: &str, as_is: bool) -> Result<SigningKey, Stop> {
    if !as_is && PublicKey::from_base64(text).is_ok() {
        return Err(Stop::usage(format!(
            "{source}: this is a public key, expected the private key of 64 bytes. If it is a 32-byte seed, add --as-is"
        )));
    }
    SigningKey::from_base64(text).map_err(|error| Stop::bad_argument(source, &error))
}

#[cfg(unix)]
fn warn_of_wide_mode(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata()?;
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 {
        let path = path.display().to_string();
        let command = shell::command(["chmod", "600", &shell::path(&path)]);
        let warning = pulse_trust::Warning::WideMode { path, mode };
        let told = shown(&format!("{warning}, so others can sign with this key: {command}"));
        writeln!(anstream::stderr(), "{}: {told}", styled(WARN, "warning")).ok();
    }
    Ok(())
}

#[cfg(not(unix))]
fn warn_of_wide_mode(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}
