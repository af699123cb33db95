//! The certificate's files are read again when they change.

use std::io;
use std::sync::Arc;

use tokio::time::sleep;
use tracing::{info, warn};

use super::Tls;
use super::files::Loaded;
use crate::shared::Shared;

/// Refuses what has changed and would be refused by every client.
fn usable(loaded: Loaded, digest: [u8; 32], now: i64) -> io::Result<Loaded> {
    if loaded.digest != digest && loaded.has_expired(now) {
        return Err(io::Error::other("the certificate in the file has expired"));
    }
    Ok(loaded)
}

/// Looks at the files at intervals until the relay drains. While only one of certificate and key has been replaced, they
/// do not belong together: the previous ones stay in use, and the next look finds both.
pub(crate) async fn follow(tls: Arc<Tls>, shared: Arc<Shared>) {
    let (mut digest, mut told) = (tls.digest, String::new());
    loop {
        let interval = shared.config.load().limits.certificate_interval;
        tokio::select! {
            () = shared.drain.cancelled() => return,
            () = sleep(interval) => {}
        }
        let files = tls.files.clone();
        let Ok(loaded) = tokio::task::spawn_blocking(move || files.load()).await else { continue };
        let now = shared.clock.now().as_secs();
        match loaded.and_then(|loaded| usable(loaded, digest, now)) {
            Ok(loaded) if loaded.digest == digest => told.clear(),
            Ok(loaded) => {
                tls.replace(&loaded, &shared.metrics);
                digest = loaded.digest;
                shared.metrics.tls_reloads.inc();
                told.clear();
                info!(not_after = loaded.not_after, "the certificate was replaced");
            }
            Err(error) => {
                shared.metrics.tls_reload_failures.inc();
                let error = error.to_string();
                if error != told {
                    warn!(error, "the certificate cannot be replaced: the previous one stays in use");
                    told = error;
                }
            }
        }
    }
}
