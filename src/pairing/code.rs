//! The phone's side: a scanned text, checked.

use core::fmt;

use zeroize::Zeroizing;

use super::scanned::Members;
use super::{ONBOARDING_SCHEMA, local_host, relay_url_normal_form};
use crate::error::{Error, Result};
use crate::keys::PublicKey;
use crate::secret::with_wiped_stack;
use crate::url::Url;

/// The longest text that is accepted, in bytes: more than a QR picture can hold (2,953), and than a payload needs.
pub const MAX_CODE_LEN: usize = 4096;

/// A scanned code that passed the checks of [`PairingCode::parse`]. The [module's documentation](super) says what they
/// prove and what they do not: the code names an instance and the identity it must prove, and nobody has signed it.
///
/// ```
/// use pulse_trust::pairing::PairingCode;
/// let scanned = "pulse://connect?auth_token=tok-1&instance_id=relay_2e1b0929e6fd7c52\
///                &relay_url=wss%3A%2F%2Frelay.example.test%2Fws%2Fapp&schema=pulse-mobile-onboarding-v1";
/// let code = PairingCode::parse(scanned)?;
/// assert_eq!(code.instance_id(), "relay_2e1b0929e6fd7c52");
/// assert!(code.require_identity().is_err()); // nothing to authenticate the instance by
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct PairingCode {
    instance_id: String,
    relay_url: String,
    auth_token: Zeroizing<String>,
    identity: Option<PublicKey>,
    instance_url: Option<String>,
    name: Option<String>,
}

impl PairingCode {
    /// Reads a scanned text: a deep link, the compact code, or the JSON form. White space around it is trimmed; unknown
    /// members are ignored.
    ///
    /// # Errors
    /// - [`Error::PairingTooLarge`] over [`MAX_CODE_LEN`], before anything is decoded;
    /// - [`Error::PairingMalformed`] for what is not a pairing code, [`Error::PairingDuplicate`],
    ///   [`Error::PairingSchema`] for an unknown schema, [`Error::PairingMissing`] without a token, an instance id or a
    ///   relay URL;
    /// - [`Error::PairingInsecureUrl`] for `ws://` to a host that is not local;
    /// - those of [`PublicKey::from_base64`], and [`Error::FingerprintMismatch`] if the fingerprint is not that of the
    ///   public key, or comes without one.
    pub fn parse(scanned: &str) -> Result<Self> {
        with_wiped_stack(|| Self::read(scanned))
    }

    fn read(scanned: &str) -> Result<Self> {
        if scanned.len() > MAX_CODE_LEN {
            return Err(Error::PairingTooLarge { limit: MAX_CODE_LEN, received: scanned.len() });
        }
        let members = Members::read(scanned)?;
        check_schema(&members)?;
        let auth_token = members.required("auth_token")?;
        let instance_id = members.required("instance_id")?;
        let relay_url = read_relay_url(members.required("relay_url")?)?;
        let identity = read_identity(&members)?;
        Ok(Self {
            instance_id: instance_id.to_owned(),
            relay_url,
            auth_token: Zeroizing::new(auth_token.to_owned()),
            identity,
            instance_url: members.optional("instance_url").filter(|url| is_https_link(url)).map(str::to_owned),
            name: members.optional("name").map(str::to_owned),
        })
    }

    /// The id under which the relay knows the instance. Not checked against anything: a relay that does not know it
    /// says so.
    pub fn instance_id(&self) -> &str {
        &self.instance_id
    }

    /// Where the app connects, in normal form: `wss://`, or `ws://` to a local host; no user info, no fragment.
    pub fn relay_url(&self) -> &str {
        &self.relay_url
    }

    /// **Secret**: the token by which the instance lets the phone in, sent in CONNECT. The relay reads it there, so it
    /// says nothing about who is at the other end: that is what the identity is for.
    pub fn secret_auth_token(&self) -> &str {
        &self.auth_token
    }

    /// The key that the instance must prove at each key exchange; `None` in codes of runtimes without an identity.
    pub fn identity(&self) -> Option<&PublicKey> {
        self.identity.as_ref()
    }

    /// The key that the instance must prove, for an app that opens a channel.
    ///
    /// # Errors
    /// [`Error::PairingNoIdentity`] if the code carries none: without it, whoever runs the relay could pass for the
    /// instance.
    pub fn require_identity(&self) -> Result<&PublicKey> {
        self.identity.as_ref().ok_or(Error::PairingNoIdentity)
    }

    /// The fingerprint of [`PairingCode::identity`], for people to compare. It is computed from the key, so it is there
    /// for the compact code too.
    pub fn fingerprint(&self) -> Option<String> {
        self.identity.as_ref().map(PublicKey::fingerprint)
    }

    /// Where a browser reaches the instance: `https`, without user info. Addresses of any other form are left out.
    pub fn instance_url(&self) -> Option<&str> {
        self.instance_url.as_deref()
    }

    /// The name that the code gives the instance. Anyone may have written it: show it as a suggestion, and base no
    /// decision on it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairingCode")
            .field("instance_id", &self.instance_id)
            .field("relay_url", &self.relay_url)
            .field("identity", &self.identity)
            .field("instance_url", &self.instance_url)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn check_schema(members: &Members) -> Result<()> {
    match members.optional("schema") {
        None | Some(ONBOARDING_SCHEMA) => Ok(()),
        Some(other) => Err(Error::PairingSchema { expected: ONBOARDING_SCHEMA, received: excerpt(other, 40) }),
    }
}

pub(crate) fn read_relay_url(text: &str) -> Result<String> {
    let refused = |reason| Error::PairingMalformed { reason };
    let url = Url::parse(text).map_err(|_| refused("relay_url is not a URL with a host"))?;
    if !url.is_websocket() {
        return Err(refused("relay_url: the scheme is neither ws nor wss"));
    }
    if url.user_info.is_some() {
        return Err(refused("relay_url holds user info, which can pass for a host"));
    }
    url.port_number().map_err(|_| refused("relay_url: the port is not between 1 and 65535"))?;
    if url.scheme.eq_ignore_ascii_case("ws") && !local_host::is_local(&url) {
        return Err(Error::PairingInsecureUrl { host: url.host.to_owned() });
    }
    relay_url_normal_form(text).ok_or(refused("relay_url is not a URL with a host"))
}

/// The public key, which agrees with the fingerprint where there is one. A fingerprint without a key is refused: it
/// cannot be checked, and may be what is left of an identity that was removed.
fn read_identity(members: &Members) -> Result<Option<PublicKey>> {
    let public_key = members.optional("identity_public_key").map(PublicKey::from_base64).transpose()?;
    if let Some(expected) = members.optional("identity_fingerprint") {
        let received =
            public_key.as_ref().map_or_else(|| "none, as there is no key".to_owned(), PublicKey::fingerprint);
        if expected != received {
            return Err(Error::FingerprintMismatch { expected: excerpt(expected, 95), received });
        }
    }
    Ok(public_key)
}

/// Older runtimes put any address into a code; the phone only offers links that are safe to follow.
fn is_https_link(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.scheme.eq_ignore_ascii_case("https") && url.user_info.is_none())
}

/// The beginning of a code's text, which may be too long for an error message.
fn excerpt(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}
