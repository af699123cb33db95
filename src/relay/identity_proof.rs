//! The proof that the registrant holds the identity key that it names.

use core::fmt;
use core::time::Duration;

use serde::Deserializer;
use sha2::{Digest, Sha256};

use super::identity::Identity;
use crate::encoding;
use crate::error::{Error, Result};
use crate::json::{json_struct, or_default};
use crate::keys::PublicKey;
use crate::time::{UnixTime, serialize_secs};
use crate::url::Url;

/// How far the time in a proof may be from the relay's clock, in either direction: 300 s.
pub const MAX_PROOF_AGE: Duration = Duration::from_secs(300);

/// The first line of what is signed. No other text that an identity signs begins with it.
const DOMAIN: &str = "pulse-relay-register-v1";

json_struct! {
    /// The member `identity_proof` of REGISTER: a signature by the identity key over the relay's host, the time, the
    /// token that is presented and, through them, this one registration.
    ///
    /// The identity's public key is not secret: every pairing code shows it. Without a proof, a stolen credential and a
    /// pairing code are enough to take over the instance id. Deployed runtimes send no proof.
    ///
    /// The signed text is ASCII: `pulse-relay-register-v1`, a line feed, the relay's host, a line feed, the time in Unix
    /// seconds, a line feed, and the lower-case hex SHA-256 of the token.
    ///
    /// **What it does not say.** For [`MAX_PROOF_AGE`], a relay at which a runtime has registered can present the same
    /// proof to another relay of the same host name, but nowhere else and not later.
    ///
    /// ```
    /// use pulse_trust::UnixTime;
    /// use pulse_trust::relay::{Identity, IdentityProof, relay_host};
    ///
    /// let (identity, now) = (Identity::generate()?, UnixTime::from_secs(1_774_440_000));
    /// let host = relay_host("wss://Relay.Example.Test:8443/ws/instance")?;
    /// assert_eq!(host, "relay.example.test:8443");
    ///
    /// let proof = IdentityProof::sign(&identity, &host, "the token", now);
    /// proof.check(identity.public_key(), [host.as_str()], "the token", now)?;
    /// assert!(proof.check(identity.public_key(), ["another.example.test"], "the token", now).is_err());
    /// # Ok::<(), pulse_trust::Error>(())
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    #[form(Serialize, Deserialize in IdentityProofJson of "IdentityProof")]
    pub struct IdentityProof {
        /// When it was made; 1970 if it does not say.
        #[serde(default = "epoch", deserialize_with = "time_or_epoch", serialize_with = "serialize_secs")]
        pub at: UnixTime,
        /// Standard base64 of the 64 bytes of the Ed25519 signature.
        #[serde(default, deserialize_with = "or_default")]
        pub signature: String,
    }
}

impl IdentityProof {
    /// Proves the identity to the relay at `relay_host` ([`relay_host`]) for a registration with `secret_token`: the
    /// session token if one is presented, otherwise the license token.
    pub fn sign(identity: &Identity, relay_host: &str, secret_token: &str, now: UnixTime) -> Self {
        let signature = identity.sign_registration(signed_text(relay_host, now, secret_token).as_bytes());
        Self { at: now, signature: encoding::base64_encode(&signature) }
    }

    /// Checks the proof: its time against `now`, and its signature for one of the host names under which this relay is
    /// reached.
    ///
    /// # Errors
    /// [`Error::IdentityProofTime`] beyond [`MAX_PROOF_AGE`]; [`Error::IdentityProofInvalid`].
    pub fn check<'a>(
        &self,
        identity: &PublicKey,
        relay_hosts: impl IntoIterator<Item = &'a str>,
        secret_token: &str,
        now: UnixTime,
    ) -> Result<()> {
        if now.as_secs().abs_diff(self.at.as_secs()) > MAX_PROOF_AGE.as_secs() {
            return Err(Error::IdentityProofTime { limit: MAX_PROOF_AGE, at: self.at, now });
        }
        let refused = |reason| Error::IdentityProofInvalid { reason };
        let signature: [u8; 64] = encoding::base64_decode(&self.signature)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(refused("the signature is not standard base64 of 64 bytes"))?;
        let is_signed = |host: &str| identity.verify(signed_text(host, self.at, secret_token).as_bytes(), &signature);
        if relay_hosts.into_iter().any(is_signed) {
            return Ok(());
        }
        Err(refused("the signature is not the identity's for this relay, this time and this token"))
    }
}

/// The signature is not a secret, but a log has no use for it.
impl fmt::Debug for IdentityProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityProof").field("at", &self.at).finish_non_exhaustive()
    }
}

/// The host of a relay as its URL names it: in lower case, with the port if one is written.
///
/// # Errors
/// [`Error::ServerUrlInvalid`].
pub fn relay_host(server_url: &str) -> Result<String> {
    let url = Url::parse(server_url.trim()).map_err(|reason| Error::ServerUrlInvalid { reason })?;
    let host = url.host.to_ascii_lowercase();
    let host = if url.bracketed { format!("[{host}]") } else { host };
    Ok(match url.port.filter(|port| !port.is_empty()) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

const fn epoch() -> UnixTime {
    UnixTime::from_secs(0)
}

fn time_or_epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixTime, D::Error> {
    or_default(deserializer).map(UnixTime::from_secs)
}

fn signed_text(relay_host: &str, at: UnixTime, token: &str) -> String {
    format!("{DOMAIN}\n{relay_host}\n{}\n{}", at.as_secs(), encoding::hex_encode(&Sha256::digest(token.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_774_440_000);

    #[test]
    fn signs_what_the_formats_say() {
        let text = signed_text("relay.example.test:8443", NOW, "abc");
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(text, format!("pulse-relay-register-v1\nrelay.example.test:8443\n1774440000\n{digest}"));
    }

    #[test]
    fn another_key_host_token_or_signature_is_refused() {
        let (identity, another) = (Identity::generate().unwrap(), Identity::generate().unwrap());
        let proof = IdentityProof::sign(&identity, "h", "t", NOW);
        let key = identity.public_key();
        assert_eq!(proof.check(key, ["x", "h"], "t", NOW), Ok(()));
        let refused = "the signature is not the identity's for this relay, this time and this token";
        let refused = Err(Error::IdentityProofInvalid { reason: refused });
        assert_eq!(proof.check(another.public_key(), ["h"], "t", NOW), refused);
        assert_eq!(proof.check(key, ["x"], "t", NOW), refused);
        assert_eq!(proof.check(key, [], "t", NOW), refused);
        assert_eq!(proof.check(key, ["h"], "u", NOW), refused);
        for signature in ["", "AAAA", "no base64", proof.signature.trim_end_matches('=')] {
            let damaged = IdentityProof { signature: signature.to_owned(), ..proof.clone() };
            assert!(matches!(damaged.check(key, ["h"], "t", NOW), Err(Error::IdentityProofInvalid { .. })));
        }
        // Whoever has seen a proof could give it another time, and present it for ever.
        let rewritten = IdentityProof { at: UnixTime::from_secs(NOW.as_secs() + 1), ..proof };
        assert_eq!(rewritten.check(key, ["h"], "t", NOW), refused);
    }

    #[test]
    fn a_proof_is_taken_for_300_seconds_to_either_side() {
        let identity = Identity::generate().unwrap();
        let proof = IdentityProof::sign(&identity, "h", "t", NOW);
        for (seconds, is_taken) in [(-301, false), (-300, true), (300, true), (301, false)] {
            let now = UnixTime::from_secs(NOW.as_secs() + seconds);
            let checked = proof.check(identity.public_key(), ["h"], "t", now);
            assert_eq!(checked.is_ok(), is_taken, "{seconds}");
        }
        let extreme = IdentityProof { at: UnixTime::from_secs(i64::MIN), ..proof };
        assert!(matches!(extreme.check(identity.public_key(), ["h"], "t", NOW), Err(Error::IdentityProofTime { .. })));
    }

    /// What is signed for a key exchange is 32 bytes, and a proof's text is longer: neither can pass as the other.
    #[test]
    fn a_proof_is_not_a_key_exchange() {
        assert!(signed_text("", UnixTime::from_secs(0), "").len() > 32);
    }

    #[test]
    fn a_host_is_as_the_url_writes_it() {
        for (url, host) in [
            ("wss://Relay.Example.Test/ws/instance", "relay.example.test"),
            ("ws://H:80", "h:80"),
            ("ws://h:/", "h"),
            ("ws://[2001:DB8::1]:443/", "[2001:db8::1]:443"),
        ] {
            assert_eq!(relay_host(url).as_deref(), Ok(host), "{url}");
        }
        assert!(relay_host("nothing").is_err());
    }
}
