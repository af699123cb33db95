//! What the host of the WebAssembly module computes for it.
#![allow(unsafe_code, reason = "imports are foreign functions; each gets pointers to whole slices and their lengths")]

use super::NONCE_LEN;

#[link(wasm_import_module = "pulse_host")]
unsafe extern "C" {
    /// 1 if the host offers the functions below; 0 if it does not: then none of them is called.
    safe fn crypto_offered() -> i32;
    /// AES-256-GCM without associated data, in place: seals all but the last 16 bytes, which take the tag. 1, or 0 if
    /// that cannot be done.
    fn aes_gcm_seal(key: *const u8, nonce: *const u8, text: *mut u8, length: usize) -> i32;
    /// The reverse: 1 if the tag, which is the last 16 bytes, is right; otherwise 0, and there is no plaintext.
    fn aes_gcm_open(key: *const u8, nonce: *const u8, text: *mut u8, length: usize) -> i32;
    /// X25519 (RFC 7748): writes the public key of `secret`, then the secret that it shares with `their_public`, which is
    /// zero if `their_public` is of small order.
    fn x25519(secret: *const u8, their_public: *const u8, out: *mut u8);
    /// HKDF-SHA256 (RFC 5869): 1, or 0 if `out` is longer than HKDF allows.
    fn hkdf_sha256(
        secret: *const u8,
        secret_len: usize,
        salt: *const u8,
        salt_len: usize,
        info: *const u8,
        info_len: usize,
        out: *mut u8,
        out_len: usize,
    ) -> i32;
    /// Whether R is, byte for byte, [S]B - [k]A (RFC 8032, section 5.1.7, without the cofactor): 1 or 0.
    fn ed25519_equation(public: *const u8, message: *const u8, length: usize, signature: *const u8) -> i32;
    /// Signs (RFC 8032) with a key pair: seed, then public key.
    fn ed25519_sign(key_pair: *const u8, message: *const u8, length: usize, out: *mut u8);
    /// Completes a key pair that has its seed with the public key.
    fn ed25519_key_pair(key_pair: *mut u8);
}

/// A host that offers the functions. The only way to get one is to ask the host.
#[derive(Clone, Copy)]
pub(crate) struct Host(());

impl Host {
    pub(crate) fn offered() -> Option<Self> {
        (crypto_offered() != 0).then_some(Self(()))
    }

    /// Seals all but the last 16 bytes, which take the tag.
    pub(super) fn seal(self, key: &[u8; 32], nonce: &[u8; NONCE_LEN], text: &mut [u8]) -> bool {
        // SAFETY: each pointer is valid for its length.
        unsafe { aes_gcm_seal(key.as_ptr(), nonce.as_ptr(), text.as_mut_ptr(), text.len()) == 1 }
    }

    /// Opens what [`Self::seal`] has sealed; if it returns `false`, there is no plaintext.
    pub(super) fn open(self, key: &[u8; 32], nonce: &[u8; NONCE_LEN], text: &mut [u8]) -> bool {
        // SAFETY: each pointer is valid for its length.
        unsafe { aes_gcm_open(key.as_ptr(), nonce.as_ptr(), text.as_mut_ptr(), text.len()) == 1 }
    }

    /// Writes the public key of `secret`, then what it shares with `their_public`.
    pub(super) fn x25519(self, secret: &[u8; 32], their_public: &[u8; 32], out: &mut [u8; 64]) {
        // SAFETY: each pointer is valid for its length.
        unsafe { x25519(secret.as_ptr(), their_public.as_ptr(), out.as_mut_ptr()) };
    }

    pub(super) fn hkdf_sha256(self, secret: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) -> bool {
        // SAFETY: each pointer is valid for its length.
        unsafe {
            hkdf_sha256(
                secret.as_ptr(),
                secret.len(),
                salt.as_ptr(),
                salt.len(),
                info.as_ptr(),
                info.len(),
                out.as_mut_ptr(),
                out.len(),
            ) == 1
        }
    }

    /// Whether R is, byte for byte, [S]B - [k]A. Nothing else is checked.
    pub(crate) fn ed25519_equation(self, public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        // SAFETY: each pointer is valid for its length.
        unsafe { ed25519_equation(public.as_ptr(), message.as_ptr(), message.len(), signature.as_ptr()) == 1 }
    }

    pub(crate) fn ed25519_sign(self, key_pair: &[u8; 64], message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        // SAFETY: each pointer is valid for its length.
        unsafe { ed25519_sign(key_pair.as_ptr(), message.as_ptr(), message.len(), signature.as_mut_ptr()) };
        signature
    }

    /// Completes a key pair that has its seed with the public key.
    pub(crate) fn ed25519_key_pair(self, key_pair: &mut [u8; 64]) {
        // SAFETY: the pointer is valid for 64 bytes.
        unsafe { ed25519_key_pair(key_pair.as_mut_ptr()) };
    }
}
