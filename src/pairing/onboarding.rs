//! The runtime's side: the payload of a pairing code, or the reason why there is none yet.

use core::fmt;

use super::code::PairingCode;
use super::deep_link;
use super::diagnostic::{Diagnostic, DiagnosticCode};
use super::relay_url::relay_url_for_app;
use crate::error::{Error, Result};
use crate::json::{self, Json, json_struct};
use crate::relay::{DEFAULT_SERVER_URL, RelayConfig};
use crate::secret::{Secret, with_wiped_stack};
use crate::url::Url;

/// The schema of every pairing code.
pub const ONBOARDING_SCHEMA: &str = "pulse-mobile-onboarding-v1";

/// What a pairing code is built from.
///
/// ```
/// use pulse_trust::pairing::{Onboarding, PairingCode};
/// use pulse_trust::relay::{Identity, RelayConfig};
/// let identity = Identity::generate()?;
/// let mut config = RelayConfig::default();
/// config.enabled = true;
/// config.set_identity(&identity);
/// let payload = Onboarding::new(&config, "relay_2e1b0929e6fd7c52", "token").build()?;
/// let scanned = PairingCode::parse(payload.secret_compact_code().expose_secret())?;
/// assert_eq!(scanned.require_identity()?, identity.public_key());
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Onboarding<'a> {
    config: &'a RelayConfig,
    instance_id: &'a str,
    auth_token: &'a str,
    instance_url: &'a str,
}

impl<'a> Onboarding<'a> {
    /// From the relay config in effect, the instance id of the last ACK (empty if there was none) and the auth token
    /// that the phone will present.
    pub fn new(config: &'a RelayConfig, instance_id: &'a str, secret_auth_token: &'a str) -> Self {
        Self { config, instance_id, auth_token: secret_auth_token, instance_url: "" }
    }

    /// With the instance's own URL, which is passed on only if it is an `https` URL.
    #[must_use]
    pub fn with_instance_url(self, instance_url: &'a str) -> Self {
        Self { instance_url, ..self }
    }

    /// Builds the payload, with warnings among its diagnostics. The config's identity and server URL are passed on
    /// unchanged, as by the deployed runtime; if an app would refuse the code because of them, a warning says why.
    ///
    /// # Errors
    /// [`NotReady`] with every diagnostic, where one of them is an error: the relay is off, has given no instance id
    /// yet, or there is no token.
    pub fn build(&self) -> Result<OnboardingPayload, NotReady> {
        with_wiped_stack(|| self.payload())
    }

    fn payload(&self) -> Result<OnboardingPayload, NotReady> {
        let (instance_url, mut diagnostics) = self.instance_url();
        let mut missing = |is_missing: bool, code, field, message| {
            if is_missing {
                diagnostics.push(Diagnostic::error(code, message).about(field));
            }
        };
        let instance_id = self.instance_id.trim();
        let auth_token = self.auth_token.trim();
        missing(
            !self.config.enabled,
            DiagnosticCode::RelayDisabled,
            "relay.enabled",
            "The relay is off: turn it on in the settings, or with PULSE_RELAY_ENABLED.",
        );
        missing(
            instance_id.is_empty(),
            DiagnosticCode::RelayRegistrationUnavailable,
            "instance_id",
            "This instance is not registered at the relay yet: wait for the connection, or find out why it was refused.",
        );
        missing(
            auth_token.is_empty(),
            DiagnosticCode::AuthTokenMissing,
            "auth_token",
            "There is no token for the phone: create one in the settings.",
        );
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(NotReady { diagnostics });
        }
        let server_url = match self.config.server_url.trim() {
            "" => DEFAULT_SERVER_URL,
            url => url,
        };
        let relay = RelaySection {
            enabled: true,
            url: relay_url_for_app(server_url),
            identity_fingerprint: self.config.identity_fingerprint.as_deref().unwrap_or_default().trim().to_owned(),
            identity_public_key: self.config.identity_public_key.as_deref().unwrap_or_default().trim().to_owned(),
        };
        let mut payload = OnboardingPayload {
            schema: ONBOARDING_SCHEMA,
            instance_url,
            instance_id: instance_id.to_owned(),
            relay,
            auth_token: auth_token.into(),
            deep_link: Secret::default(),
            diagnostics,
        };
        payload.deep_link = payload.link(&payload.relay.identity_fingerprint, &payload.instance_url);
        payload.diagnostics.extend(refusal_by_an_app(payload.deep_link.expose_secret()));
        Ok(payload)
    }

    fn instance_url(&self) -> (String, Vec<Diagnostic>) {
        let url = self.instance_url.trim();
        if url.is_empty() {
            return (String::new(), Vec::new());
        }
        if Url::parse(url).is_ok_and(|parts| parts.scheme.eq_ignore_ascii_case("https")) {
            return (url.to_owned(), Vec::new());
        }
        let warning = Diagnostic::warning(
            DiagnosticCode::InstanceUrlNotHttps,
            "The instance's own URL is not https, so the phone gets no link to its pages: set a public https:// URL.",
        );
        (String::new(), vec![warning.about("instance_url").compared("https://...", url)])
    }
}

/// What an app that reads the code with [`PairingCode::parse`] says against it.
fn refusal_by_an_app(code: &str) -> Option<Diagnostic> {
    let error = PairingCode::parse(code).err()?;
    let message = format!("An app that checks the code refuses it: {error}.");
    Some(Diagnostic::warning(DiagnosticCode::PairingCodeRefused, &message).about("deep_link"))
}

impl fmt::Debug for Onboarding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onboarding")
            .field("config", &self.config)
            .field("instance_id", &self.instance_id)
            .finish_non_exhaustive()
    }
}

json_struct! {
    /// What a pairing code holds ([formats: pairing](crate::_documentation::formats#pairing)). It holds a secret, the
    /// auth token, which Debug does not show.
    ///
    /// See the example of [`Onboarding`].
    #[form(Serialize in OnboardingPayloadJson of "OnboardingPayload")]
    pub struct OnboardingPayload {
        /// Always [`ONBOARDING_SCHEMA`].
        pub schema: &'static str,
        /// The instance's own URL; empty if none is passed on.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub instance_url: String,
        /// The instance.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub instance_id: String,
        /// The relay, and the identity that the instance must prove.
        #[serde(with = "crate::json::form")]
        pub relay: RelaySection,
        #[serde(serialize_with = "crate::secret::text::serialize")]
        auth_token: Secret,
        #[serde(serialize_with = "crate::secret::text::serialize")]
        deep_link: Secret,
        /// Warnings.
        #[serde(with = "crate::json::form")]
        pub diagnostics: Vec<Diagnostic>,
    }
}

json_struct! {
    /// The relay's part of a payload.
    ///
    /// See the example of [`Onboarding`].
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[form(Serialize in RelaySectionJson of "RelaySection")]
    pub struct RelaySection {
        /// Always true in a payload that was built.
        pub enabled: bool,
        /// The relay's URL for apps.
        pub url: String,
        /// The identity's fingerprint; may be empty.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub identity_fingerprint: String,
        /// The identity's public key, base64; may be empty.
        #[serde(skip_serializing_if = "String::is_empty")]
        pub identity_public_key: String,
    }
}

impl OnboardingPayload {
    /// **Secret**: the deep link.
    pub fn secret_deep_link(&self) -> &str {
        self.deep_link.expose_secret()
    }

    /// **Secret**: the deep link without what can be derived or omitted (fingerprint, instance URL), for a QR code with
    /// fewer modules. Deployed apps read it.
    pub fn secret_compact_code(&self) -> Secret {
        with_wiped_stack(|| self.link("", ""))
    }

    /// **Secret**: the payload as compact JSON.
    pub fn secret_json(&self) -> Secret {
        with_wiped_stack(|| json::text_of(&Json(self)).into())
    }

    fn link(&self, fingerprint: &str, instance_url: &str) -> Secret {
        deep_link::write(&[
            ("auth_token", self.auth_token.expose_secret()),
            ("identity_fingerprint", fingerprint),
            ("identity_public_key", &self.relay.identity_public_key),
            ("instance_id", &self.instance_id),
            ("instance_url", instance_url),
            ("relay_url", &self.relay.url),
            ("schema", self.schema),
        ])
        .into()
    }
}

impl fmt::Debug for OnboardingPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnboardingPayload")
            .field("instance_id", &self.instance_id)
            .field("relay", &self.relay)
            .field("diagnostics", &self.diagnostics)
            .finish_non_exhaustive()
    }
}

/// Why there is no pairing code yet.
///
/// See the example of [`Onboarding`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotReady {
    /// Every diagnostic, in the order of the contract.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::from(self.clone()).fmt(f)
    }
}

impl core::error::Error for NotReady {}

impl From<NotReady> for Error {
    fn from(not_ready: NotReady) -> Self {
        let errors = not_ready.diagnostics.iter().filter(|diagnostic| diagnostic.is_error());
        let codes: Vec<&str> = errors.map(|diagnostic| diagnostic.code.as_str()).collect();
        Self::PairingNotReady { codes: codes.join(", ") }
    }
}
