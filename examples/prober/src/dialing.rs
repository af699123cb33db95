//! Connections to nodes: over TLS under the public roots, or under those of a private CA.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use pulse_trust::session::DisconnectReason;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::{Connector, connect_async_tls_with_config};

use crate::driver::{self, Dialing};
use crate::failure::Failure;
use crate::probe::Broken;

/// How nodes are dialed.
#[derive(Clone)]
pub(crate) struct Dialer {
    connector: Connector,
    /// Why the last connection could not be made: the ends of a session learn no more than that.
    why: Arc<Mutex<Option<String>>>,
}

impl Dialer {
    /// Trusts the certificates of a file, or the public ones.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        match ca_file {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let named = |what: String| Failure::new(format!("--ca-file {}: {what}", path.display()));
                let certificates = CertificateDer::pem_file_iter(path).map_err(|error| named(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| named(error.to_string()))?;
                    roots.add(certificate).map_err(|error| named(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(named("expected certificates in PEM, found none".to_owned()));
                }
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Failure::from_error)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: Connector::Rustls(Arc::new(config)), why: Arc::default() })
    }

    /// A connection that is being made. A redirect is not followed: the credential is for the node that was named.
    pub(crate) fn dial(&self, url: String) -> Dialing {
        let connector = if url.starts_with("wss://") { self.connector.clone() } else { Connector::Plain };
        let why = Arc::clone(&self.why);
        Box::pin(async move {
            let dialed =
                connect_async_tls_with_config(&url, Some(driver::socket_config()), true, Some(connector)).await;
            let failed = dialed.as_ref().err().map(|error| format!("{url}: {error}"));
            *why.lock().unwrap_or_else(PoisonError::into_inner) = failed;
            Ok(dialed?.0)
        })
    }

    /// What broke, and where it was the connection, why.
    pub(crate) fn explained(&self, mut broken: Broken) -> Broken {
        if broken.code == DisconnectReason::ConnectFailed.as_str()
            && let Some(why) = self.why.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            broken.message = why;
        }
        broken
    }
}
