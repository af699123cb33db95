//! The JSON payloads of control frames ([formats: frames](crate::_documentation::formats#frames)): compact, members in
//! this order, with Go's escaping.

mod connection;
mod notice;
mod registration;

pub use self::connection::{ChannelClose, ChannelOpen, Connect, ConnectAck, NotificationPreferences};
pub use self::notice::{Drain, ErrorMessage, PushNotification};
pub use self::registration::{Register, RegisterAck};
use super::frame::{Frame, FrameType};
use crate::error::{Error, Result};
use crate::json::{self, Json, ReadJson, WriteJson};
use crate::secret::{Secret, with_wiped_stack};

/// A control payload: one type of frame, one JSON object. Readers ignore members they do not know and take `null` for
/// absent, as the deployed ones do. The payloads are those of this crate: no other type can be one.
///
/// ```
/// use pulse_trust::relay::{ChannelClose, ControlPayload, Frame};
/// let frame = ChannelClose::new(7, "bye").to_frame(7)?;
/// let read = ChannelClose::from_frame(&Frame::decode(&frame)?)?;
/// assert_eq!(read, ChannelClose::new(7, "bye"));
/// # Ok::<(), pulse_trust::Error>(())
/// ```
pub trait ControlPayload: sealed::Sealed {
    /// The type of the frame that carries it.
    const FRAME_TYPE: FrameType;

    /// **Secret** for REGISTER, REGISTER_ACK, CONNECT and CHANNEL_OPEN: the payload's JSON.
    fn secret_json(&self) -> Secret;

    /// Reads a payload.
    ///
    /// # Errors
    /// [`Error::ControlPayload`].
    fn from_json(payload: &[u8]) -> Result<Self>;

    /// The whole frame. Where the payload is secret, so is the frame: it is the caller's to wipe.
    ///
    /// # Errors
    /// [`Error::FrameTooLarge`].
    fn to_frame(&self, channel: u32) -> Result<Vec<u8>> {
        Frame::new(Self::FRAME_TYPE, channel, self.secret_json().expose_secret().as_bytes()).encode()
    }

    /// Reads a frame of this type.
    ///
    /// # Errors
    /// [`Error::ControlPayload`], also for a frame of another type.
    fn from_frame(frame: &Frame<'_>) -> Result<Self> {
        if frame.frame_type != Self::FRAME_TYPE {
            let reason = format!("the frame is a {}", frame.frame_type);
            return Err(Error::ControlPayload { frame: Self::FRAME_TYPE.name(), reason });
        }
        Self::from_json(frame.payload)
    }
}

mod sealed {
    #[allow(unreachable_pub, reason = "a supertrait of a public trait")]
    pub trait Sealed: Sized {}
}

fn write<T: ControlPayload + WriteJson>(payload: &T) -> Secret {
    with_wiped_stack(|| json::text_of(&Json(payload)).into())
}

fn read<'a, T: ControlPayload + ReadJson<'a>>(payload: &'a [u8]) -> Result<T> {
    with_wiped_stack(|| json::value_from_bytes(payload).map_err(|error| refused(T::FRAME_TYPE, &error)))
}

/// Only the position, as serde's own text may quote the payload.
fn refused(frame: FrameType, error: &serde_json::Error) -> Error {
    let what = match error.classify() {
        serde_json::error::Category::Data => "a member is missing or of the wrong type",
        _ => "not one JSON object",
    };
    let reason = format!("{what}, at line {} column {}", error.line(), error.column());
    Error::ControlPayload { frame: frame.name(), reason }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(super) fn is_false(value: &bool) -> bool {
    !*value
}

/// The frame type of a payload, its JSON, and a Debug output of the members that are not secret.
macro_rules! payload {
    ($name:ident, $frame_type:ident, shows $($shown:ident)*) => {
        impl super::ControlPayload for $name {
            const FRAME_TYPE: super::FrameType = super::FrameType::$frame_type;

            fn secret_json(&self) -> super::Secret {
                super::write(self)
            }

            fn from_json(payload: &[u8]) -> super::Result<Self> {
                super::read(payload)
            }
        }

        impl super::sealed::Sealed for $name {}

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        }
    };
}

use payload;
