//! The key exchange that opens an end-to-end channel ([formats:
//! channel-encryption](crate::_documentation::formats#channel-encryption)). There is no I/O: messages go in, and
//! messages come out.
//!
//! This is the order of calls:
//!
//! 1. The app calls [`AppHandshake::start`], and sends [`AppHandshake::message`] as KEY_EXCHANGE.
//! 2. The instance calls [`accept_key_exchange`], sends the message that it returns, and has its [`Channel`].
//! 3. The app calls [`AppHandshake::finish`] with that message and the identity of the paired instance, and has its
//!    own.
//! 4. Both call [`Channel::seal`] and [`Channel::open`].
//!
//! **Who is authenticated.** The instance is authenticated to the app: its identity key signs its ephemeral key, and
//! `finish` returns no channel without that signature. The app is not authenticated to the instance: anyone who can
//! send a KEY_EXCHANGE gets a channel. The instance relies on the `auth_token` of CHANNEL_OPEN, which the relay sees.
//! The signature covers the instance's ephemeral key alone, so a recorded one can be replayed, but without the private
//! half of that key nobody can read or write a message. The relay sees lengths and times.

use core::fmt;

use zeroize::Zeroizing;

use super::channel::Channel;
use super::identity::Identity;
use crate::encoding;
use crate::error::{Error, Result};
use crate::keys::PublicKey;
use crate::primitives::{EphemeralSecret, hkdf_sha256};

const SALT: &[u8] = b"pulse-relay-e2e-channel-v1";
const APP_TO_INSTANCE: &[u8] = b"relay-e2e-app-to-instance";
const INSTANCE_TO_APP: &[u8] = b"relay-e2e-instance-to-app";
const PUBLIC_KEY_LEN: u8 = 32;

/// The app's side, between its KEY_EXCHANGE and the instance's.
///
/// ```
/// use pulse_trust::relay::{AppHandshake, Identity, accept_key_exchange};
///
/// let identity = Identity::generate()?;
/// let handshake = AppHandshake::start()?;
/// // The relay carries the two messages.
/// let (mut instance, answer) = accept_key_exchange(handshake.message(), &identity)?;
/// let mut app = handshake.finish(&answer, identity.public_key())?;
/// assert_eq!(instance.open(&app.seal(b"GET /api/status")?)?, b"GET /api/status");
///
/// // An instance with another identity gets no channel.
/// let (handshake, other) = (AppHandshake::start()?, Identity::generate()?);
/// let (_, answer) = accept_key_exchange(handshake.message(), &other)?;
/// assert!(handshake.finish(&answer, identity.public_key()).is_err());
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub struct AppHandshake {
    secret: EphemeralSecret,
    message: [u8; 33],
}

impl AppHandshake {
    /// Makes an ephemeral key.
    ///
    /// # Errors
    /// [`Error::RandomUnavailable`].
    pub fn start() -> Result<Self> {
        Ok(Self::with_ephemeral_secret(encoding::random_secret()?))
    }

    /// A handshake with a given ephemeral key: for tests with known keys. Using an ephemeral key twice breaks the
    /// secrecy of both channels. Needs the feature `hazmat`.
    #[cfg(feature = "hazmat")]
    pub fn danger_with_ephemeral_secret(secret: [u8; 32]) -> Self {
        Self::with_ephemeral_secret(Box::new(Zeroizing::new(secret)))
    }

    fn with_ephemeral_secret(secret: Box<Zeroizing<[u8; 32]>>) -> Self {
        let secret = EphemeralSecret::new(secret);
        let mut message = [PUBLIC_KEY_LEN; 33];
        let [_, key @ ..] = &mut message;
        *key = secret.public_key();
        Self { secret, message }
    }

    /// The payload of the app's KEY_EXCHANGE frame.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Takes the payload of the instance's KEY_EXCHANGE frame. It returns a channel only if `paired_identity`, from the
    /// pairing code, signed it.
    ///
    /// # Errors
    /// [`Error::KeyExchangeMalformed`], [`Error::KeyExchangeSignature`], [`Error::KeyExchangeWeak`].
    pub fn finish(self, instance_message: &[u8], paired_identity: &PublicKey) -> Result<Channel> {
        let (ephemeral, signature) = split_message(instance_message)?;
        let signature: &[u8; 64] = signature.try_into().map_err(|_| Error::KeyExchangeMalformed {
            reason: "the instance's message has no signature of 64 bytes",
        })?;
        if !paired_identity.verify(ephemeral, signature) {
            return Err(Error::KeyExchangeSignature { expected: paired_identity.fingerprint() });
        }
        let (_, keys) = derive_keys(&self.secret, ephemeral)?;
        Ok(Channel::new(&keys.app_to_instance, &keys.instance_to_app))
    }
}

impl fmt::Debug for AppHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppHandshake").finish_non_exhaustive()
    }
}

/// The instance's side: takes the payload of the app's KEY_EXCHANGE frame, and returns the channel and the payload to
/// answer with. This does not authenticate the app.
///
/// # Errors
/// [`Error::KeyExchangeMalformed`], [`Error::KeyExchangeWeak`], [`Error::RandomUnavailable`].
pub fn accept_key_exchange(app_message: &[u8], identity: &Identity) -> Result<(Channel, Vec<u8>)> {
    accept_with_ephemeral_secret(app_message, identity, encoding::random_secret()?)
}

/// [`accept_key_exchange`] with a given ephemeral key: for tests with known keys. Using an ephemeral key twice breaks
/// the secrecy of both channels. Needs the feature `hazmat`.
///
/// # Errors
/// As [`accept_key_exchange`].
#[cfg(feature = "hazmat")]
pub fn danger_accept_with_ephemeral_secret(
    app_message: &[u8],
    identity: &Identity,
    secret: [u8; 32],
) -> Result<(Channel, Vec<u8>)> {
    accept_with_ephemeral_secret(app_message, identity, Box::new(Zeroizing::new(secret)))
}

fn accept_with_ephemeral_secret(
    app_message: &[u8],
    identity: &Identity,
    secret: Box<Zeroizing<[u8; 32]>>,
) -> Result<(Channel, Vec<u8>)> {
    let (app_ephemeral, rest) = split_message(app_message)?;
    if !rest.is_empty() {
        return Err(Error::KeyExchangeMalformed { reason: "the app's message continues after its key" });
    }
    let (ephemeral, keys) = derive_keys(&EphemeralSecret::new(secret), app_ephemeral)?;
    let mut message = vec![PUBLIC_KEY_LEN];
    message.extend_from_slice(&ephemeral);
    message.extend_from_slice(&identity.sign_key_exchange(&ephemeral));
    Ok((Channel::new(&keys.instance_to_app, &keys.app_to_instance), message))
}

struct ChannelKeys {
    app_to_instance: Zeroizing<[u8; 32]>,
    instance_to_app: Zeroizing<[u8; 32]>,
}

/// Our ephemeral public key, and the keys of the channel with another one.
fn derive_keys(secret: &EphemeralSecret, their_ephemeral: &[u8; 32]) -> Result<([u8; 32], ChannelKeys)> {
    let (ephemeral, shared) = secret.agree(their_ephemeral).ok_or(Error::KeyExchangeWeak)?;
    let mut keys = ChannelKeys { app_to_instance: Zeroizing::new([0; 32]), instance_to_app: Zeroizing::new([0; 32]) };
    let derived: [(&[u8], &mut [u8]); 2] = [
        (APP_TO_INSTANCE, keys.app_to_instance.as_mut_slice()),
        (INSTANCE_TO_APP, keys.instance_to_app.as_mut_slice()),
    ];
    // 32 bytes are within what HKDF-SHA256 can give (RFC 5869, section 2.3).
    hkdf_sha256(shared.as_slice(), SALT, derived).ok_or(Error::KeyExchangeMalformed { reason: "key derivation" })?;
    Ok((ephemeral, keys))
}

/// The ephemeral key of a KEY_EXCHANGE payload, and what follows it.
fn split_message(message: &[u8]) -> Result<(&[u8; 32], &[u8])> {
    match message.split_first() {
        Some((&PUBLIC_KEY_LEN, rest)) => {
            rest.split_first_chunk::<32>().ok_or(Error::KeyExchangeMalformed { reason: "shorter than its public key" })
        }
        _ => Err(Error::KeyExchangeMalformed { reason: "the public key is not 32 bytes long" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_key() {
        let handshake = AppHandshake::with_ephemeral_secret(Box::new(Zeroizing::new([3; 32])));
        assert_eq!(format!("{handshake:?}"), "AppHandshake { .. }");
    }
}
