//! Where the private key to sign with comes from.

use std::path::PathBuf;

use clap::Args;
use pulse_trust::keys::{PublicKey, SigningKey};

use crate::outcome::Stop;

/// The longest text that can be a key, with room for line ends.
const MAX_KEY_FILE_LEN: u64 = 1024;

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct PrivateKeyArgs {
    /// The private key, base64. Other processes can see arguments: prefer --key-file or the variable
    #[arg(long, value_name = "BASE64", env = "PULSE_SIGNING_KEY", hide_env_values = true)]
    key: Option<String>,
    /// A file that holds the private key
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl PrivateKeyArgs {
    /// Reads the key. 32 bytes that are a public key are refused: a seed looks the same, but one of sixteen seeds at the
    /// most is a point of the curve's main group, and signing with a public key is the commoner mistake.
    pub(crate) fn read(&self, as_is: bool) -> Result<SigningKey, Stop> {
        let (argument, text) = match (&self.key_file, &self.key) {
            (Some(path), _) => (path.display().to_string(), read_key_file(path)?),
            (None, Some(key)) => ("--key".to_owned(), key.clone()),
            (None, None) => return Err(Stop::usage("--key-file or --key is required")),
        };
        if !as_is && PublicKey::from_base64(&text).is_ok() {
            return Err(Stop::usage(format!(
                "{argument}: this is a public key, expected the private key of 64 bytes. If it is a 32-byte seed, add --as-is"
            )));
        }
        SigningKey::from_base64(&text).map_err(|error| Stop::bad_argument(&argument, &error))
    }
}

fn read_key_file(path: &std::path::Path) -> Result<String, Stop> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_KEY_FILE_LEN).read_to_string(&mut text))
        .map_err(|error| Stop::cannot_tell(format!("{}: {error}", path.display())))?;
    Ok(text)
}
