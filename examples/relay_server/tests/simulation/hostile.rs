//! Whoever has no credential and wants to disturb: stray frames, guesses, garbage, and connections that say nothing.

use std::time::Duration;

use pulse_trust::relay::{Connect, ControlPayload, FrameType, Register};
use tokio::time::{sleep, timeout};

use crate::network::Socket;
use crate::random::Random;
use crate::world::{World, instance_id};

pub(crate) async fn live(world: World, seed: u64) -> turmoil::Result {
    let mut random = Random::new(seed);
    loop {
        sleep(Duration::from_millis(20 + random.below(200))).await;
        let path = if random.one_in(4) { "/ws/instance" } else { "/ws/app" };
        let Some(mut socket) = Socket::connect(path).await else { continue };
        for _ in 0..random.below(60) {
            let channel = u32::try_from(random.below(6)).unwrap();
            let payload = vec![b'!'; usize::try_from(random.below(2000)).unwrap()];
            let is_open = match random.below(8) {
                0..=2 => socket.send(FrameType::Data, channel, &payload).await,
                3 => socket.send(FrameType::KeyExchange, channel, &payload).await,
                4 => {
                    let guess = Connect::new(instance_id(0), format!("guess {}", random.next()));
                    socket.send_raw(guess.to_frame(0).unwrap()).await
                }
                5 => {
                    let forged = {
                        let mut register = Register::new("forged");
                        register.identity_pub_key = Some("identity of tenant 0".to_owned());
                        register
                    };
                    socket.send_raw(forged.to_frame(0).unwrap()).await
                }
                6 => socket.send(FrameType::Ping, 0, b"").await,
                _ if random.one_in(10) => socket.send_raw(payload).await,
                _ => socket.send(FrameType::ChannelClose, channel, b"{}").await,
            };
            world.inner().hostile_frames += 1;
            if !is_open {
                break;
            }
            if random.one_in(3) {
                timeout(Duration::from_millis(20), socket.next()).await.ok();
            }
        }
        if random.one_in(4) {
            sleep(Duration::from_millis(random.below(3000))).await;
        }
    }
}
