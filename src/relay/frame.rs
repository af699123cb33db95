//! Frames on the wire ([formats: frames](crate::_documentation::formats#frames)): `version, type, channel, payload`,
//! one in each binary WebSocket message.

use core::fmt;

use crate::error::{Error, Result};

/// Bytes before the payload.
pub const HEADER_LEN: usize = 6;
/// The longest payload, in bytes.
pub const MAX_PAYLOAD_LEN: usize = 65_536;
const VERSION: u8 = 1;

macro_rules! frame_types {
    ($($(#[$doc:meta])* $code:literal $variant:ident $name:literal;)*) => {
        /// The type of a frame.
        ///
        /// See the example of [`Frame`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FrameType {
            $($(#[$doc])* $variant,)*
        }

        impl FrameType {
            /// Every type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its number on the wire.
            pub const fn code(self) -> u8 {
                match self { $(Self::$variant => $code,)* }
            }

            /// Its name in the contract, such as `REGISTER_ACK`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The type with this number.
            ///
            /// # Errors
            /// [`Error::FrameType`] for a number we do not know.
            pub const fn from_code(code: u8) -> Result<Self> {
                match code {
                    $($code => Ok(Self::$variant),)*
                    received => Err(Error::FrameType { received }),
                }
            }
        }
    };
}

frame_types! {
    /// An instance asks to be registered.
    0x01 Register "REGISTER";
    /// The instance is registered.
    0x02 RegisterAck "REGISTER_ACK";
    /// An app asks for an instance.
    0x03 Connect "CONNECT";
    /// The app is connected.
    0x04 ConnectAck "CONNECT_ACK";
    /// The relay offers the instance a channel; the instance echoes it to accept.
    0x05 ChannelOpen "CHANNEL_OPEN";
    /// A channel is closed.
    0x06 ChannelClose "CHANNEL_CLOSE";
    /// A sealed message.
    0x07 Data "DATA";
    /// Asks whether the other side is alive.
    0x08 Ping "PING";
    /// Answers a PING.
    0x09 Pong "PONG";
    /// Something was refused.
    0x0a Error "ERROR";
    /// The relay is going down.
    0x0b Drain "DRAIN";
    /// One side's half of the key exchange.
    0x0c KeyExchange "KEY_EXCHANGE";
    /// A notification to the instance's phones.
    0x0d PushNotification "PUSH_NOTIFICATION";
}

impl fmt::Display for FrameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One frame, its payload borrowed.
///
/// ```
/// use pulse_trust::relay::{Frame, FrameType};
/// let bytes = Frame::new(FrameType::Ping, 0, b"").encode()?;
/// assert_eq!(bytes, [1, 8, 0, 0, 0, 0]);
/// assert_eq!(Frame::decode(&bytes)?.frame_type, FrameType::Ping);
/// # Ok::<(), pulse_trust::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its type.
    pub frame_type: FrameType,
    /// Its channel; 0 unless it belongs to a channel. Readers ignore it for a type that belongs to none.
    pub channel: u32,
    /// What it carries.
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// A frame of these parts.
    pub const fn new(frame_type: FrameType, channel: u32, payload: &'a [u8]) -> Self {
        Self { frame_type, channel, payload }
    }

    /// Reads a frame. Its payload is not inspected.
    ///
    /// # Errors
    /// [`Error::FrameTooShort`], [`Error::FrameVersion`], [`Error::FrameType`], [`Error::FrameTooLarge`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self> {
        let too_short = Error::FrameTooShort { received: bytes.len() };
        let Some(([version, frame_type, channel @ ..], payload)) = bytes.split_first_chunk::<HEADER_LEN>() else {
            return Err(too_short);
        };
        if *version != VERSION {
            return Err(Error::FrameVersion { received: *version });
        }
        let frame_type = FrameType::from_code(*frame_type)?;
        check_payload(payload)?;
        Ok(Self { frame_type, channel: u32::from_be_bytes(*channel), payload })
    }

    /// The frame's bytes.
    ///
    /// # Errors
    /// [`Error::FrameTooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>> {
        check_payload(self.payload)?;
        let mut bytes = Vec::with_capacity(HEADER_LEN.saturating_add(self.payload.len()));
        bytes.extend_from_slice(&[VERSION, self.frame_type.code()]);
        bytes.extend_from_slice(&self.channel.to_be_bytes());
        bytes.extend_from_slice(self.payload);
        Ok(bytes)
    }
}

/// Shows no payload: control payloads carry credentials.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}, channel {}, {} bytes)", self.frame_type, self.channel, self.payload.len())
    }
}

fn check_payload(payload: &[u8]) -> Result<()> {
    if payload.len() > MAX_PAYLOAD_LEN {
        return Err(Error::FrameTooLarge { limit: MAX_PAYLOAD_LEN, received: payload.len() });
    }
    Ok(())
}
