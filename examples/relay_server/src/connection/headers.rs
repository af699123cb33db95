//! Where WebSocket frames begin and end in what a client sends (RFC 6455, section 5.2). Only the number of fragments is
//! judged here: the WebSocket library reads the same bytes, and refuses what is wrong with them.

/// How many fragments a message may have: enough for the longest one in pieces of 64 bytes.
pub(super) const MAX_FRAGMENTS: u32 = 1024;

const FINAL: u8 = 0x80;
const CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;
const LENGTH: u8 = 0x7f;

#[derive(Debug, Default)]
pub(super) struct Headers {
    state: State,
    /// The first byte of the frame that is being read.
    first: u8,
    /// Bytes of the message that is not whole, without the frame that is being read.
    of_message: u64,
    /// Bytes of the frame that is being read.
    of_frame: u64,
    fragments: u32,
    messages: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    /// Before the first byte of a frame.
    #[default]
    First,
    /// Before the byte with the short length.
    Second,
    /// In the long length; then the mask.
    Length { left: u8, length: u64, mask: u8 },
    /// In the mask and the payload.
    Rest { left: u64 },
}

impl Headers {
    /// Follows what was read.
    pub(super) fn read(&mut self, mut bytes: &[u8]) {
        while let Some((byte, rest)) = bytes.split_first() {
            if let State::Rest { left } = self.state {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                bytes = bytes.get(length..).unwrap_or_default();
                self.skip(left, u64::try_from(length).unwrap_or_default());
                continue;
            }
            bytes = rest;
            self.of_frame = self.of_frame.saturating_add(1);
            self.state = match self.state {
                State::First => {
                    self.first = *byte;
                    State::Second
                }
                State::Second => {
                    let mask = if byte & MASKED == 0 { 0 } else { 4 };
                    match byte & LENGTH {
                        126 => State::Length { left: 2, length: 0, mask },
                        127 => State::Length { left: 8, length: 0, mask },
                        length => State::Rest { left: u64::from(mask).saturating_add(u64::from(length)) },
                    }
                }
                State::Length { left, length, mask } => {
                    let length = length.wrapping_shl(8) | u64::from(*byte);
                    match left.saturating_sub(1) {
                        0 => State::Rest { left: length.saturating_add(u64::from(mask)) },
                        left => State::Length { left, length, mask },
                    }
                }
                rest @ State::Rest { .. } => rest,
            };
            if let State::Rest { left: 0 } = self.state {
                self.end_frame();
            }
        }
    }

    fn skip(&mut self, left: u64, bytes: u64) {
        self.of_frame = self.of_frame.saturating_add(bytes);
        let left = left.saturating_sub(bytes);
        self.state = State::Rest { left };
        if left == 0 {
            self.end_frame();
        }
    }

    fn end_frame(&mut self) {
        self.state = State::First;
        let bytes = std::mem::take(&mut self.of_frame);
        if self.first & CONTROL != 0 {
            self.messages = self.messages.saturating_add(1);
        } else if self.first & FINAL != 0 {
            self.messages = self.messages.saturating_add(1);
            self.of_message = 0;
            self.fragments = 0;
        } else {
            self.of_message = self.of_message.saturating_add(bytes);
            self.fragments = self.fragments.saturating_add(1);
        }
    }

    /// Messages that arrived whole, including pings and the like.
    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    /// Bytes of what is not whole.
    pub(super) fn unfinished(&self) -> u64 {
        self.of_message.saturating_add(self.of_frame)
    }

    pub(super) fn has_too_many_fragments(&self) -> bool {
        self.fragments >= MAX_FRAGMENTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, long: usize, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match long {
            0 => bytes.push(MASKED | u8::try_from(payload).unwrap()),
            2 => bytes.extend([&[MASKED | 126][..], &u16::try_from(payload).unwrap().to_be_bytes()].concat()),
            _ => bytes.extend([&[MASKED | 127][..], &u64::try_from(payload).unwrap().to_be_bytes()].concat()),
        }
        // Bytes that would be read as headers if the length were wrong.
        bytes.extend([0x01].repeat(payload.saturating_add(4)));
        bytes
    }

    /// Whatever the pieces in which it arrives.
    #[test]
    fn frames_of_every_length_are_followed_in_pieces_of_every_size() {
        let mut bytes = Vec::new();
        let mut whole = 0;
        for (long, payload) in [(0, 0), (0, 125), (2, 126), (2, 65_535), (8, 65_542), (8, 5), (0, 1)] {
            bytes.extend(frame(0x82, long, payload));
            bytes.extend(frame(0x89, 0, 7));
            bytes.extend(frame(0x02, long, payload));
            bytes.extend(frame(0x8a, 0, 0));
            bytes.extend(frame(0x80, long, payload));
            whole += 4;
        }
        let half = frame(0x02, 2, 1000);
        bytes.extend(&half);
        bytes.extend(&half[..700]);
        for size in [1, 2, 3, 7, 1024, 100_000, usize::MAX] {
            let mut headers = Headers::default();
            bytes.chunks(size).for_each(|piece| headers.read(piece));
            assert_eq!(headers.messages(), whole, "in pieces of {size}");
            assert_eq!(headers.unfinished(), u64::try_from(half.len() + 700).unwrap(), "in pieces of {size}");
        }
    }

    #[test]
    fn fragments_count_by_message_and_what_comes_between_does_not() {
        let mut headers = Headers::default();
        for _ in 0..3 {
            headers.read(&frame(0x02, 0, 1));
            for _ in 2..MAX_FRAGMENTS {
                headers.read(&frame(0x00, 0, 0));
                headers.read(&frame(0x89, 0, 0));
            }
            assert!(!headers.has_too_many_fragments());
            headers.read(&frame(0x80, 0, 0));
            assert_eq!(headers.unfinished(), 0);
        }
        headers.read(&frame(0x02, 0, 0).repeat(usize::try_from(MAX_FRAGMENTS).unwrap()));
        assert!(headers.has_too_many_fragments());
    }
}
