//! The certificate authority of a license server that has no certificate from a public one.

use std::io;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use ureq::tls::{Certificate, RootCerts};

use crate::regular_file;

pub(crate) const SETTING: &str = "PULSE_RELAY_LICENSE_SERVER_CA";

/// The roots that a license server's certificate is checked against: only those of a file in PEM or, without one, the public
/// ones that are built in.
///
/// # Errors
/// If the file cannot be read, or holds no certificate, or one that is not a root.
pub(super) fn roots(file: Option<&Path>) -> io::Result<RootCerts> {
    let Some(path) = file else { return Ok(RootCerts::WebPki) };
    let named = |kind, what: &str| io::Error::new(kind, format!("{} ({SETTING}): {what}", path.display()));
    let pem = regular_file::read(path).map_err(|error| named(error.kind(), &error.to_string()))?;
    let invalid = |what: &str| named(io::ErrorKind::InvalidData, what);
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| invalid(&error.to_string()))?;
    if certificates.is_empty() {
        return Err(invalid("expected a certificate in PEM, found none"));
    }
    let mut store = RootCertStore::empty();
    for certificate in &certificates {
        store.add(certificate.clone()).map_err(|error| invalid(&error.to_string()))?;
    }
    Ok(certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).into())
}
