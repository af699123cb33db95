//! Makes a key pair, and derives the public key of one that was made.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use pulse_trust::keys::SigningKey;
use serde_json::json;

use super::private_key::key_of_file;
use crate::outcome::{Outcome, Stop};
use crate::shown::{json_text, shown};
use crate::style::{NAME, styled};

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    pulse-trust lease keygen --out control-plane.key\n  \
    pulse-trust lease keygen --public-of control-plane.key\n  \
    pulse-trust lease keygen --json")]
pub(crate) struct KeygenArgs {
    /// Writes the private key into this new file (mode 0600) instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Makes no key, and shows the public key of the private key in this file
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    public_of: Option<PathBuf>,
    /// With --public-of: takes a 32-byte seed that is also a public key
    #[arg(long, requires = "public_of")]
    as_is: bool,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &KeygenArgs) -> Result<Outcome, Stop> {
    if args.file().is_none() && goes_nowhere(&io::stdout()) {
        return Err(Stop::cannot_tell(
            "standard output is closed or the null device, so the private key would be lost: no key is made. --out FILE \
             writes it into a file",
        ));
    }
    let key = match &args.public_of {
        Some(path) => key_of_file(path, args.as_is)?,
        None => SigningKey::generate()?,
    };
    if let Some(path) = &args.out {
        write_new(path, key.secret_base64().expose_secret()).map_err(|error| not_written(path, &error))?;
    }
    let mut output = anstream::stdout().lock();
    let written = if args.json { write_json(args, &key, &mut output) } else { write_rows(args, &key, &mut output) };
    match written {
        Err(error) if args.file().is_none() => Err(Stop::cannot_tell(format!(
            "the output cannot be written: {error}. The private key may be lost, so make another; --out FILE writes it into \
             a file"
        ))),
        written => Ok(written.map(|()| Outcome::Accepted)?),
    }
}

/// Whether an output is the null device. It is where it was closed, too: the standard library opens that in its place.
#[cfg(unix)]
fn goes_nowhere(output: &impl std::os::fd::AsFd) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let metadata = output.as_fd().try_clone_to_owned().and_then(|owned| std::fs::File::from(owned).metadata());
    let null = std::fs::metadata("/dev/null");
    metadata.is_ok_and(|metadata| {
        metadata.file_type().is_char_device() && null.is_ok_and(|null| null.rdev() == metadata.rdev())
    })
}

#[cfg(not(unix))]
fn goes_nowhere(_: &io::Stdout) -> bool {
    false
}

fn write_json(args: &KeygenArgs, key: &SigningKey, output: &mut impl Write) -> io::Result<()> {
    let public = key.public_key();
    let mut object = json!({
        "public_key": public.to_base64(), "key_id": public.key_id().as_str(), "fingerprint": public.log_fingerprint(),
    });
    if let (None, Some(object)) = (args.file(), object.as_object_mut()) {
        object.insert("private_key".to_owned(), key.secret_base64().expose_secret().into());
    }
    writeln!(output, "{}", json_text(&object))
}

fn write_rows(args: &KeygenArgs, key: &SigningKey, output: &mut impl Write) -> io::Result<()> {
    let public = key.public_key();
    let mut row = |name: &str, value: &str| writeln!(output, "{} {value}", styled(NAME, &format!("{name:<12}")));
    match args.file() {
        Some(path) => row("private key", &format!("in {}", shown(&path.display().to_string())))?,
        None => row("private key", key.secret_base64().expose_secret())?,
    }
    row("public key", &public.to_base64())?;
    row("key id", public.key_id().as_str())?;
    row("fingerprint", &public.log_fingerprint())
}

impl KeygenArgs {
    /// Where the private key is, if not on the screen.
    fn file(&self) -> Option<&Path> {
        self.out.as_deref().or(self.public_of.as_deref())
    }
}

/// A key file is never overwritten, never readable by others, and there either with its whole content or not at all.
fn write_new(path: &Path, secret: &str) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Where the directory holds the name already, nothing is written at all.
    if path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // Of mode 0600 less what the umask takes, and removed when it is dropped.
    let mut file = tempfile::Builder::new().prefix(".pulse-trust-keygen-").tempfile_in(directory)?;
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    writeln!(file, "{secret}")?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

fn not_written(path: &Path, error: &io::Error) -> Stop {
    let path = path.display();
    Stop::cannot_tell(match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{path} is there already, and a key is never overwritten: --public-of shows its public key")
        }
        _ => format!("{path}: {error}"),
    })
}
