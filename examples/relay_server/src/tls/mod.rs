//! TLS on the listener: a certificate and its key from files, which are read again when they change.

mod files;
mod follow;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use pulse_trust::UnixTime;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::metrics::Metrics;
use files::Loaded;

pub use files::TlsFiles;
pub(crate) use follow::follow;

/// The listener's TLS. New connections get the certificate that was read last; existing ones keep theirs.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: TlsFiles,
    /// Of the files as they were read at the start.
    digest: [u8; 32],
}

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the files; an error names the setting.
    pub(crate) fn open(files: TlsFiles, now: UnixTime, metrics: &Metrics) -> io::Result<Self> {
        let loaded = files.load()?;
        files.warn(&loaded, now.as_secs());
        let current = Arc::new(Current(ArcSwap::new(Arc::clone(&loaded.certified))));
        let resolver: Arc<dyn ResolvesServerCert> = current.clone();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        // WebSockets here use HTTP/1.1 only.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tls = Self { acceptor: TlsAcceptor::from(Arc::new(config)), current, files, digest: loaded.digest };
        tls.show(&loaded, metrics);
        Ok(tls)
    }

    /// The handshake, within a time. A failure is counted: scanners and clients that do not trust the certificate cause them.
    pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        within: Duration,
        metrics: &Metrics,
    ) -> Option<TlsStream<S>> {
        match timeout(within, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(stream),
            _ => {
                metrics.tls_handshake_failures.inc();
                None
            }
        }
    }

    fn replace(&self, loaded: &Loaded, metrics: &Metrics) {
        self.current.0.store(Arc::clone(&loaded.certified));
        self.show(loaded, metrics);
    }

    fn show(&self, loaded: &Loaded, metrics: &Metrics) {
        metrics.tls_not_before.set(loaded.not_before);
        metrics.tls_not_after.set(loaded.not_after);
    }
}
