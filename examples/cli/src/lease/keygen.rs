//! Makes a key pair.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use pulse_trust::keys::SigningKey;
use serde_json::json;

use crate::outcome::{Outcome, Stop};
use crate::style::{NAME, styled};

#[derive(Args)]
#[command(
    after_help = "Examples:\n  pulse-trust lease keygen --out control-plane.key\n  pulse-trust lease keygen --json"
)]
pub(crate) struct KeygenArgs {
    /// Writes the private key into this new file (mode 0600) instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &KeygenArgs) -> Result<Outcome, Stop> {
    let key = SigningKey::generate()?;
    let private = key.secret_base64();
    let public = key.public_key();
    if let Some(path) = &args.out {
        write_new(path, private.expose_secret())?;
    }
    let shown_private = if args.out.is_none() { Some(private.expose_secret()) } else { None };
    let mut output = anstream::stdout().lock();
    if args.json {
        let mut object = json!({
            "public_key": public.to_base64(), "key_id": public.key_id().as_str(), "fingerprint": public.log_fingerprint(),
        });
        if let (Some(private), Some(object)) = (shown_private, object.as_object_mut()) {
            object.insert("private_key".to_owned(), private.into());
        }
        writeln!(output, "{object}")?;
        return Ok(Outcome::Accepted);
    }
    let mut row = |name: &str, value: &str| writeln!(output, "{} {value}", styled(NAME, &format!("{name:<12}")));
    match (&args.out, shown_private) {
        (Some(path), _) => row("private key", &format!("in {}", path.display()))?,
        (None, private) => row("private key", private.unwrap_or_default())?,
    }
    row("public key", &public.to_base64())?;
    row("key id", public.key_id().as_str())?;
    row("fingerprint", &public.log_fingerprint())?;
    Ok(Outcome::Accepted)
}

/// A key file is never overwritten, and never readable by others.
fn write_new(path: &Path, secret: &str) -> Result<(), Stop> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| writeln!(file, "{secret}").and_then(|()| file.sync_all()))
        .map_err(|error| Stop::cannot_tell(format!("{}: {error}", path.display())))
}
