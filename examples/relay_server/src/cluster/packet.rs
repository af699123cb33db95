//! What nodes send each other for one channel. It is small and binary, because every frame that crosses nodes is one.

use bytes::{BufMut, Bytes, BytesMut};
use pulse_trust::relay::FrameType;
use serde::{Deserialize, Serialize};

/// Sender's node id (16 bytes), number in its direction (8), kind (1).
const HEAD_LEN: usize = 25;
/// A node's id, as text.
pub(super) const NODE_ID_LEN: usize = 16;

const OPEN: u8 = 1;
const ACCEPTED: u8 = 2;
const REFUSED: u8 = 3;
const FRAME: u8 = 4;
const CLOSED: u8 = 5;
const TAKEN: u8 = 6;

/// A CONNECT on its way to the node of its instance.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Open {
    pub(super) instance_id: String,
    /// The registration that was found: a command for an earlier one is stale.
    pub(super) generation: u64,
    pub(super) auth_token: String,
    /// Where the app comes from, as limits count it.
    pub(super) address: std::net::IpAddr,
}

/// One step of a channel between nodes.
#[derive(Debug)]
pub(super) enum Packet {
    Open(Open),
    Accepted,
    /// The payload of the ERROR that the app gets.
    Refused(Bytes),
    /// A DATA or KEY_EXCHANGE frame's payload.
    Frame(FrameType, Bytes),
    Closed(String),
    /// How many frames were passed on.
    Taken(u32),
}

/// A packet with its sender and its number.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) from: String,
    pub(super) number: u64,
    pub(super) packet: Packet,
}

impl Packet {
    /// The bytes; `None` if it cannot be written.
    pub(super) fn encode(&self, from: &str, number: u64) -> Option<Bytes> {
        let mut bytes = BytesMut::new();
        bytes.put_slice(from.as_bytes().get(..NODE_ID_LEN)?);
        bytes.put_u64(number);
        match self {
            Self::Open(open) => put(&mut bytes, OPEN, &serde_json::to_vec(open).ok()?),
            Self::Accepted => put(&mut bytes, ACCEPTED, &[]),
            Self::Refused(error) => put(&mut bytes, REFUSED, error),
            Self::Frame(frame_type, payload) => {
                bytes.put_u8(FRAME);
                bytes.put_u8(if *frame_type == FrameType::KeyExchange { 1 } else { 0 });
                bytes.put_slice(payload);
            }
            Self::Closed(reason) => put(&mut bytes, CLOSED, reason.as_bytes()),
            Self::Taken(count) => put(&mut bytes, TAKEN, &count.to_be_bytes()),
        }
        Some(bytes.freeze())
    }

    /// Reads a packet; `None` for anything that no node of this version sends.
    pub(super) fn decode(bytes: &Bytes) -> Option<Received> {
        let from = std::str::from_utf8(bytes.get(..NODE_ID_LEN)?).ok()?.to_owned();
        let number = u64::from_be_bytes(bytes.get(NODE_ID_LEN..HEAD_LEN.checked_sub(1)?)?.try_into().ok()?);
        let kind = *bytes.get(HEAD_LEN.checked_sub(1)?)?;
        let body = bytes.get(HEAD_LEN..)?;
        let packet = match kind {
            OPEN => Self::Open(serde_json::from_slice(body).ok()?),
            ACCEPTED => Self::Accepted,
            REFUSED => Self::Refused(bytes.slice(HEAD_LEN..)),
            FRAME => {
                let frame_type = if *body.first()? == 1 { FrameType::KeyExchange } else { FrameType::Data };
                Self::Frame(frame_type, bytes.slice(HEAD_LEN.checked_add(1)?..))
            }
            CLOSED => Self::Closed(String::from_utf8(body.to_vec()).ok()?),
            TAKEN => Self::Taken(u32::from_be_bytes(body.try_into().ok()?)),
            _ => return None,
        };
        Some(Received { from, number, packet })
    }
}

fn put(bytes: &mut BytesMut, kind: u8, body: &[u8]) {
    bytes.put_u8(kind);
    bytes.put_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_it_was_written_and_nothing_else_is() {
        let frame = Packet::Frame(FrameType::KeyExchange, Bytes::from_static(b"hello"));
        let bytes = frame.encode("0123456789abcdef", 7).unwrap();
        let received = Packet::decode(&bytes).unwrap();
        assert_eq!((received.from.as_str(), received.number), ("0123456789abcdef", 7));
        assert!(matches!(received.packet, Packet::Frame(FrameType::KeyExchange, body) if body == "hello"));
        let taken = Packet::Taken(3).encode("0123456789abcdef", 8).unwrap();
        assert!(matches!(Packet::decode(&taken).unwrap().packet, Packet::Taken(3)));
        for length in 0..HEAD_LEN {
            assert!(Packet::decode(&bytes.slice(..length)).is_none(), "{length}");
        }
        let mut unknown = bytes.to_vec();
        unknown[HEAD_LEN - 1] = 99;
        assert!(Packet::decode(&unknown.into()).is_none());
    }
}
