//! An established end-to-end channel: two keys and two counters ([formats:
//! channel-encryption](crate::_documentation::formats#channel-encryption)). `key_exchange.rs` makes it.

use core::fmt;

use crate::error::{Error, Result};
use crate::primitives::{Aead, NONCE_LEN, TAG_LEN};

/// How much longer a sealed message is than what it carries.
pub const SEALED_OVERHEAD: usize = NONCE_LEN + TAG_LEN;

/// One side of an established channel: two keys and two counters.
///
/// See the example of [`AppHandshake`](super::AppHandshake).
pub struct Channel {
    sealing: Aead,
    opening: Aead,
    /// The counter of the next message; `None` once the last one was used.
    next_sealed: Option<u64>,
    next_opened: Option<u64>,
}

impl Channel {
    pub(super) fn new(sealing: &[u8; 32], opening: &[u8; 32]) -> Self {
        Self { sealing: Aead::new(sealing), opening: Aead::new(opening), next_sealed: Some(0), next_opened: Some(0) }
    }

    /// Seals a message.
    ///
    /// # Errors
    /// [`Error::ChannelExhausted`] after 2^64 messages.
    pub fn seal(&mut self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = Vec::with_capacity(plaintext.len().saturating_add(SEALED_OVERHEAD));
        self.seal_into(plaintext, &mut sealed)?;
        Ok(sealed)
    }

    /// Seals a message and appends it to `out`, which may be reused.
    ///
    /// # Errors
    /// As [`Channel::seal`]; `out` is then unchanged.
    pub fn seal_into(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let counter = self.next_sealed.ok_or(Error::ChannelExhausted)?;
        let nonce = nonce_of(counter);
        let start = out.len();
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plaintext);
        out.extend_from_slice(&[0; TAG_LEN]);
        let body = out.get_mut(start.saturating_add(NONCE_LEN)..).unwrap_or_default();
        if self.sealing.seal(&nonce, body).is_none() {
            out.truncate(start);
            return Err(Error::MessageMalformed { reason: "longer than AES-GCM can seal" });
        }
        self.next_sealed = counter.checked_add(1);
        Ok(())
    }

    /// Opens a message. Counters may skip but never go back; a message that is refused changes nothing.
    ///
    /// # Errors
    /// [`Error::MessageMalformed`], [`Error::MessageReplayed`], [`Error::MessageForged`].
    pub fn open(&mut self, sealed: &[u8]) -> Result<Vec<u8>> {
        let mut plaintext = Vec::with_capacity(sealed.len().saturating_sub(NONCE_LEN));
        self.open_into(sealed, &mut plaintext)?;
        Ok(plaintext)
    }

    /// Opens a message and appends what it carries to `out`, which may be reused.
    ///
    /// # Errors
    /// As [`Channel::open`]; `out` is then unchanged.
    pub fn open_into(&mut self, sealed: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let too_short = Error::MessageMalformed { reason: "shorter than nonce and tag" };
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(too_short.clone())?;
        let text_len = rest.len().checked_sub(TAG_LEN).ok_or(too_short)?;
        let counter = counter_of(nonce)?;
        let expected = self.next_opened.ok_or(Error::ChannelExhausted)?;
        if counter < expected {
            return Err(Error::MessageReplayed { expected, received: counter });
        }
        let start = out.len();
        out.extend_from_slice(rest);
        let body = out.get_mut(start..).unwrap_or_default();
        if self.opening.open(nonce, body).is_none() {
            out.truncate(start);
            return Err(Error::MessageForged);
        }
        out.truncate(start.saturating_add(text_len));
        self.next_opened = counter.checked_add(1);
        Ok(())
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("next_sealed", &self.next_sealed)
            .field("next_opened", &self.next_opened)
            .finish_non_exhaustive()
    }
}

/// The counter, little-endian, then four zero bytes.
fn nonce_of(counter: u64) -> [u8; NONCE_LEN] {
    let mut nonce = [0_u8; NONCE_LEN];
    for (byte, value) in nonce.iter_mut().zip(counter.to_le_bytes()) {
        *byte = value;
    }
    nonce
}

fn counter_of(nonce: &[u8; NONCE_LEN]) -> Result<u64> {
    match nonce.split_first_chunk::<8>() {
        Some((counter, [0, 0, 0, 0])) => Ok(u64::from_le_bytes(*counter)),
        _ => Err(Error::MessageMalformed { reason: "the last four bytes of the nonce are not zero" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_ends_with_its_last_counter_and_never_wraps() {
        let mut sender = Channel::new(&[1; 32], &[2; 32]);
        let mut receiver = Channel::new(&[2; 32], &[1; 32]);
        sender.next_sealed = Some(u64::MAX);
        let last = sender.seal(b"last").unwrap();
        assert_eq!(sender.seal(b"one more"), Err(Error::ChannelExhausted));
        assert_eq!(receiver.open(&last).unwrap(), b"last");
        assert_eq!(receiver.open(&last), Err(Error::ChannelExhausted));
    }

    #[test]
    fn debug_shows_no_key() {
        let channel = Channel::new(&[1; 32], &[2; 32]);
        assert_eq!(format!("{channel:?}"), "Channel { next_sealed: Some(0), next_opened: Some(0), .. }");
    }
}
