//! One read of the feed: `GET /v1/revocations?since=SEQ` with a bearer token.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Uri;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::oneshot;
use ureq::tls::{RootCerts, TlsConfig};

use super::authority;

/// What one answer may hold.
const MAX_ANSWER_LEN: u64 = 4 * 1024 * 1024;
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where revocations are read from, and with which token.
#[derive(Clone)]
pub struct FeedConfig {
    url: String,
    secret_token: String,
    authority: Option<PathBuf>,
}

impl FeedConfig {
    /// A feed at the license server's base URL: `https`, or `http` on this machine only, because the token goes with
    /// each request.
    ///
    /// # Errors
    /// What was expected of the URL.
    pub fn new(url: &str, secret_token: &str) -> Result<Self, String> {
        // The URL is not repeated in the message, because it may contain a password.
        let expected = |but: &str| format!("expected a URL such as https://license.example.com, received one {but}");
        let uri: Uri = url.parse().map_err(|_| expected("that cannot be read"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| expected("without a host"))?;
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(expected("with a user name: the token goes into PULSE_RELAY_REVOCATION_FEED_TOKEN"));
        }
        if uri.query().is_some() {
            return Err(expected("with a query"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_this_machine(host) => {}
            Some("http") => return Err(expected("with http:// to another machine, which would show the token")),
            _ => return Err(expected("with another scheme")),
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned(), secret_token: secret_token.to_owned(), authority: None })
    }

    /// The same, trusting only the authority in this file in PEM for the license server's certificate.
    #[must_use]
    pub fn with_authority(self, file: impl Into<PathBuf>) -> Self {
        Self { authority: Some(file.into()), ..self }
    }

    /// The file of its authority.
    pub(crate) fn authority(&self) -> Option<&Path> {
        self.authority.as_deref()
    }

    /// Reads the file of its authority, if there is one.
    pub(crate) fn roots(&self) -> io::Result<RootCerts> {
        authority::roots(self.authority())
    }

    /// The license server's base URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for FeedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedConfig").field("url", &self.url).finish_non_exhaustive()
    }
}

/// One answer of the feed.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) next_seq: u64,
    #[serde(default)]
    pub(super) has_more: bool,
    /// Each is read alone, so that one that cannot be read does not hide the others.
    #[serde(default)]
    pub(super) events: Vec<Value>,
}

/// Reads what follows `since`.
///
/// The request is made on a thread of its own: at the end the runtime would wait for one of its own threads.
pub(super) async fn read(feed: &FeedConfig, roots: &RootCerts, since: u64) -> Result<Answer, String> {
    let url = format!("{}/v1/revocations?since={since}", feed.url);
    let authorization = format!("Bearer {}", feed.secret_token);
    let roots = roots.clone();
    let (sender, answer) = oneshot::channel();
    let fetching = move || {
        sender.send(fetch(&url, &authorization, roots)).ok();
    };
    std::thread::Builder::new().name("revocations".to_owned()).spawn(fetching).map_err(|error| error.to_string())?;
    answer.await.map_err(|_| "the request was given up".to_owned())?
}

fn fetch(url: &str, authorization: &str, roots: RootCerts) -> Result<Answer, String> {
    let tls = TlsConfig::builder().root_certs(roots).build();
    let config = ureq::Agent::config_builder().tls_config(tls).timeout_global(Some(TIMEOUT)).max_redirects(0).build();
    let agent = ureq::Agent::new_with_config(config);
    let answer = agent.get(url).header("Authorization", authorization).call();
    let mut answer = answer.map_err(|error| error.to_string())?;
    let status = answer.status();
    if status != 200 {
        return Err(format!("expected status 200, received {status}"));
    }
    let text = answer.body_mut().with_config().limit(MAX_ANSWER_LEN).read_to_string();
    let text = text.map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| {
        format!(
            "expected an answer with next_seq, found something else at line {} column {}",
            error.line(),
            error.column()
        )
    })
}
