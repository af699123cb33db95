//! The relay's view of a connection of either role: the sender says anything, and the other ends accept and close.

use std::collections::BTreeMap;

use pulse_trust::relay::{ChannelClose, ChannelOpen, Connect, ControlPayload, FrameType, Register};
use pulse_trust::session::{MAX_REASON_LEN, RelayEvent, RelaySide, RelaySideLimits, RelayedEnd};

use super::{Script, frame};

pub(super) fn run(mut script: Script<'_>) {
    let end = if script.byte().is_some_and(|byte| byte % 2 == 0) { RelayedEnd::App } else { RelayedEnd::Instance };
    let limits = RelaySideLimits::default();
    let mut side: RelaySide<u32> = RelaySide::new(end, limits.clone(), script.elapsed);
    // The channels there are, and whether each was accepted.
    let mut channels: BTreeMap<u32, bool> = BTreeMap::new();
    while let Some(step) = script.step() {
        let now = script.elapsed;
        let channel = u32::from(step / 16);
        let message = match step % 16 {
            0 => Register::default().to_frame(0).expect("a REGISTER"),
            1 => Connect::new("relay_0123456789abcdef", "token").to_frame(0).expect("a CONNECT"),
            2 => ChannelOpen::new(channel, "token").to_frame(channel).expect("an offer"),
            3 => {
                let reason = String::from_utf8_lossy(script.bytes());
                ChannelClose::new(channel, reason).to_frame(channel).expect("a close")
            }
            4 => frame(FrameType::Data, channel, script.bytes()),
            5 => script.frame(),
            6 => script.bytes().to_vec(),
            7 => frame(FrameType::Ping, 0, b""),
            8 if side.check_room().is_ok() => {
                let channel = side.next_channel();
                assert!(channel != 0 && channels.insert(channel, false).is_none(), "channel {channel} is used twice");
                side.offer(channel, channel, now);
                continue;
            }
            9 => {
                let is_news = side.accepted(channel);
                assert_eq!(is_news, channels.get(&channel) == Some(&false));
                channels.entry(channel).and_modify(|is_accepted| *is_accepted = true);
                continue;
            }
            10 => {
                assert_eq!(side.remove(channel), channels.remove(&channel).is_some());
                continue;
            }
            11 => {
                side.connect_refused(now);
                continue;
            }
            12 => {
                side.registered();
                continue;
            }
            13 if channel == 7 => {
                side.drain();
                continue;
            }
            _ => {
                while let Some(up) = side.handle_timeout(now) {
                    use pulse_trust::session::RelayTimeout;
                    match up {
                        RelayTimeout::NotAccepted { channel, .. } => assert_eq!(channels.remove(&channel), Some(false)),
                        _ => return,
                    }
                }
                assert!(side.next_timeout() > now, "a moment that has passed is asked for again");
                continue;
            }
        };
        match side.receive(&message, now) {
            Ok(RelayEvent::Forward { frame, route }) => {
                assert_eq!(frame.channel, route, "a frame goes to another channel's end");
                assert_eq!(channels.get(&route), Some(&true), "{} before acceptance", frame.frame_type);
                assert!(matches!(frame.frame_type, FrameType::Data | FrameType::KeyExchange));
            }
            Ok(RelayEvent::Accepted { channel, .. }) => {
                assert_eq!(end, RelayedEnd::Instance, "an app accepts a channel");
                assert_eq!(channels.insert(channel, true), Some(false));
            }
            Ok(RelayEvent::Closed { channel, was_accepted, reason, .. }) => {
                assert_eq!(channels.remove(&channel), Some(was_accepted));
                assert!(reason.len() <= MAX_REASON_LEN);
            }
            Ok(RelayEvent::Register(_)) => assert_eq!(end, RelayedEnd::Instance),
            Ok(RelayEvent::Connect(_)) => assert_eq!(end, RelayedEnd::App),
            Ok(_) => {}
            // The connection is over.
            Err(fault) => {
                assert!(fault.message.len() <= 1024 && fault.close_code.as_u16() >= 1000);
                break;
            }
        }
        assert_eq!(side.channel_count(), channels.len());
        let accepted = channels.values().filter(|is_accepted| **is_accepted).count();
        assert!(accepted <= limits.channels && channels.len() - accepted <= limits.offered_channels);
    }
    assert_eq!(side.end().len(), channels.len(), "the other end of a channel is not told");
}
