//! The certificate and its key, as files.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use tracing::warn;

use crate::regular_file;

const CERTIFICATE: &str = "PULSE_RELAY_TLS_CERTIFICATE";
const KEY: &str = "PULSE_RELAY_TLS_KEY";

/// Where the listener's certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate in PEM, followed by those of the authorities between it and a root.
    pub certificate: PathBuf,
    /// Its private key in PEM.
    pub key: PathBuf,
}

/// What the files held.
pub(crate) struct Loaded {
    pub(crate) certified: Arc<CertifiedKey>,
    /// Unix seconds.
    pub(crate) not_before: i64,
    /// Unix seconds.
    pub(crate) not_after: i64,
    /// The state of both files, to notice changes.
    pub(crate) digest: [u8; 32],
}

impl Loaded {
    /// Whether the certificate has expired at a time in Unix seconds.
    pub(crate) fn has_expired(&self, now: i64) -> bool {
        self.not_after < now
    }
}

impl TlsFiles {
    /// Reads both, and checks that they belong together.
    pub(crate) fn load(&self) -> io::Result<Loaded> {
        let (certificate_pem, key_pem) = (read(&self.certificate, CERTIFICATE)?, read(&self.key, KEY)?);
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&certificate_pem)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(&self.certificate, CERTIFICATE, &error.to_string()))?;
        let first = chain
            .first()
            .ok_or_else(|| unusable(&self.certificate, CERTIFICATE, "expected a certificate in PEM, found none"))?;
        let (not_before, not_after) = validity(first).ok_or_else(|| {
            unusable(&self.certificate, CERTIFICATE, "the first certificate is not an X.509 certificate")
        })?;
        // The reason is not shown, because it could contain a piece of the key.
        let key = PrivateKeyDer::from_pem_slice(&key_pem)
            .map_err(|_| unusable(&self.key, KEY, "expected one private key in PEM"))?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| {
            let files = format!("{} ({CERTIFICATE}) and {} ({KEY})", self.certificate.display(), self.key.display());
            io::Error::new(io::ErrorKind::InvalidData, format!("{files} do not belong together: {error}"))
        })?;
        let digest = Sha256::new_with_prefix(&certificate_pem).chain_update(&key_pem).finalize().into();
        Ok(Loaded { certified: Arc::new(certified), not_before, not_after, digest })
    }

    /// Says what an operator should know about files that can be used.
    pub(crate) fn warn(&self, loaded: &Loaded, now: i64) {
        self.warn_of_readers();
        if loaded.has_expired(now) {
            let path = self.certificate.display();
            warn!(%path, setting = CERTIFICATE, not_after = loaded.not_after, "the certificate has expired: clients refuse it");
        }
    }

    /// Warns if others may read the key.
    fn warn_of_readers(&self) {
        let mode = fs::metadata(&self.key).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o007 != 0 {
            let path = self.key.display();
            warn!(%path, setting = KEY, "every user of this machine may use the private key: chmod o= would end that");
        }
    }
}

/// From when until when a certificate counts, in Unix seconds.
fn validity(certificate: &CertificateDer<'_>) -> Option<(i64, i64)> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = certificate.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

fn read(path: &Path, setting: &str) -> io::Result<Vec<u8>> {
    regular_file::read(path)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot read {} ({setting}): {error}", path.display())))
}

fn unusable(path: &Path, setting: &str, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{} ({setting}): {what}", path.display()))
}
