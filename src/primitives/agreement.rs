//! X25519 with an ephemeral key.

use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::Host;

/// The u-coordinate of the base point (RFC 7748, section 4.1).
const BASE_POINT: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 9;
    point
};

/// The private half of an ephemeral key.
pub(crate) struct EphemeralSecret(Box<Zeroizing<[u8; 32]>>);

impl EphemeralSecret {
    pub(crate) fn new(secret: Box<Zeroizing<[u8; 32]>>) -> Self {
        Self(secret)
    }

    /// The public half.
    pub(crate) fn public_key(&self) -> [u8; 32] {
        match Host::offered() {
            None => PublicKey::from(&self.own()).to_bytes(),
            Some(host) => self.by_host(host, &BASE_POINT).0,
        }
    }

    /// The public half, and the secret shared with another key; `None` if that secret is zero, as it is with a key of
    /// small order.
    pub(crate) fn agree(&self, their_public: &[u8; 32]) -> Option<([u8; 32], Zeroizing<[u8; 32]>)> {
        let (public, shared) = match Host::offered() {
            None => {
                let own = self.own();
                let shared = own.diffie_hellman(&PublicKey::from(*their_public));
                (PublicKey::from(&own).to_bytes(), Zeroizing::new(shared.to_bytes()))
            }
            Some(host) => self.by_host(host, their_public),
        };
        let is_zero: bool = shared.as_slice().ct_eq(&[0; 32]).into();
        (!is_zero).then_some((public, shared))
    }

    fn own(&self) -> StaticSecret {
        StaticSecret::from(**self.0)
    }

    fn by_host(&self, host: Host, their_public: &[u8; 32]) -> ([u8; 32], Zeroizing<[u8; 32]>) {
        let mut both = Zeroizing::new([0; 64]);
        host.x25519(&self.0, their_public, &mut both);
        let (mut public, mut shared) = ([0; 32], Zeroizing::new([0; 32]));
        for (byte, value) in public.iter_mut().chain(shared.iter_mut()).zip(both.iter()) {
            *byte = *value;
        }
        (public, shared)
    }
}
