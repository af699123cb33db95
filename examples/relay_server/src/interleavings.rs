//! Takeover, channels and their ends under every order of steps that `shuttle` tries:
//! `RUSTFLAGS="--cfg shuttle" cargo test -p pulse-relay --lib --target-dir target/shuttle interleavings`.

use std::sync::Arc;

use pulse_trust::UnixTime;
use pulse_trust::keys::TrustKeys;
use pulse_trust::relay::{ChannelOpen, Connect, ControlPayload, Frame, FrameType, RegisterAck, RevocationSubject};
use pulse_trust::session::RelayedEnd;
use shuttle::thread;
use tokio::sync::Semaphore;

use crate::client_address::AddressKey;
use crate::config::Config;
use crate::connection::{Ending, Outbox};
use crate::link::{Link, Live, Origin};
use crate::registry::Claim;
use crate::shared::Shared;
use crate::{app, relay, routing};

const ORDERS: usize = 400;
const ID: &str = "relay_0123456789abcdef";

fn shared() -> (Arc<Shared>, tempfile::TempDir) {
    // In memory, if there is such a folder: each order of steps has a relay of its own.
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let config = Config::on_loopback(TrustKeys::default(), directory.path());
    (relay::prepare(&config, None).unwrap().0, directory)
}

fn link(shared: &Shared, end: RelayedEnd) -> Arc<Link> {
    let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let address = AddressKey::from(std::net::IpAddr::from([127, 0, 0, 1]));
    let outbox = Outbox::new(1024 * 1024, Arc::clone(&shared.memory));
    Link::new(
        end,
        Origin { address, host: "h".into(), slot: slot.into() },
        outbox,
        shared.config.load().limits.of_side(end),
        shared.elapsed(),
    )
}

/// Registers a connection under the one id, as `instance::register` does once the credential is checked.
fn register(shared: &Shared, link: &Arc<Link>) {
    let expires_at = UnixTime::from_secs(i64::MAX);
    let instance_id = ID.to_owned();
    let claim = Claim { instance_id, identity: [1; 32], is_proved: false, generation: None, fence: None, expires_at };
    link.set_live(Live { expires_at, is_lifetime: false, subject: RevocationSubject::default() });
    let ack = RegisterAck::default().to_frame(0).unwrap();
    shared.registry.claim(&claim, link, UnixTime::from_secs(0), |_| Some(ack.into())).unwrap();
    link.set_registered(ID);
    link.side().registered();
    shared.metrics.instance_connections.inc();
}

fn connect(shared: &Shared, app: &Arc<Link>) {
    app::connect(shared, app, Connect::new(ID, ""));
}

/// All that was left for a connection.
fn frames(link: &Link) -> Vec<(FrameType, u32)> {
    let mut frames = Vec::new();
    while let Some(queued) = link.outbox.take_rest() {
        let frame = Frame::decode(&queued.bytes).unwrap();
        frames.push((frame.frame_type, frame.channel));
    }
    frames
}

fn gone(shared: &Arc<Shared>, link: &Arc<Link>) {
    link.outbox.end(Ending::gone());
    routing::leave(shared, link, &Ending::gone());
}

fn accept(shared: &Shared, instance: &Arc<Link>, channel: u32) {
    let open = ChannelOpen::new(channel, "").to_frame(channel).unwrap();
    routing::handle(shared, instance, &open);
}

fn assert_nothing_is_left(shared: &Shared) {
    assert_eq!(shared.metrics.app_sessions.get(), 0);
    assert_eq!(shared.metrics.instance_connections.get(), 0);
    assert!(shared.registry.find(ID).is_none());
    assert_eq!(shared.memory.used(), 0);
}

#[test]
fn two_that_register_at_once_leave_one_and_each_gets_its_ack_first() {
    shuttle::check_random(
        || {
            let (shared, _directory) = shared();
            let [first, second] = [(); 2].map(|()| link(&shared, RelayedEnd::Instance));
            let phone = link(&shared, RelayedEnd::App);
            let threads = [
                thread::spawn({
                    let (shared, link) = (Arc::clone(&shared), Arc::clone(&first));
                    move || register(&shared, &link)
                }),
                thread::spawn({
                    let (shared, link) = (Arc::clone(&shared), Arc::clone(&second));
                    move || register(&shared, &link)
                }),
                thread::spawn({
                    let (shared, link) = (Arc::clone(&shared), Arc::clone(&phone));
                    move || connect(&shared, &link)
                }),
            ];
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let holder = shared.registry.find(ID).unwrap();
            let loser = if Arc::ptr_eq(&holder, &first) { &second } else { &first };
            assert!(loser.outbox.is_ending() && !holder.outbox.is_ending());
            assert_eq!(frames(&holder).first().map(|(frame_type, _)| *frame_type), Some(FrameType::RegisterAck));
            gone(&shared, loser);
            assert!(Arc::ptr_eq(&shared.registry.find(ID).unwrap(), &holder), "the loser released the winner's id");
            gone(&shared, &holder);
            gone(&shared, &phone);
            assert_nothing_is_left(&shared);
        },
        ORDERS,
    );
}

#[test]
fn a_phone_of_a_connection_that_is_replaced_is_told_or_reaches_the_new_one() {
    shuttle::check_random(
        || {
            let (shared, _directory) = shared();
            let [old, new] = [(); 2].map(|()| link(&shared, RelayedEnd::Instance));
            let phone = link(&shared, RelayedEnd::App);
            register(&shared, &old);
            let taking_over = thread::spawn({
                let (shared, old, new) = (Arc::clone(&shared), Arc::clone(&old), Arc::clone(&new));
                move || {
                    register(&shared, &new);
                    gone(&shared, &old);
                }
            });
            connect(&shared, &phone);
            taking_over.join().unwrap();
            let route = phone.side().routes().next().cloned();
            match route {
                Some(route) => assert!(Arc::ptr_eq(&route.peer, &new), "a channel to a connection that is gone"),
                None => assert_eq!(frames(&phone), [(FrameType::Error, 0)], "the phone is told once"),
            }
            gone(&shared, &new);
            gone(&shared, &phone);
            assert_nothing_is_left(&shared);
        },
        ORDERS,
    );
}

#[test]
fn however_a_channel_ends_it_is_counted_once_and_told_once() {
    shuttle::check_random(
        || {
            let (shared, _directory) = shared();
            let (instance, phone) = (link(&shared, RelayedEnd::Instance), link(&shared, RelayedEnd::App));
            register(&shared, &instance);
            connect(&shared, &phone);
            let threads = [
                thread::spawn({
                    let (shared, instance) = (Arc::clone(&shared), Arc::clone(&instance));
                    move || {
                        accept(&shared, &instance, 1);
                        gone(&shared, &instance);
                    }
                }),
                thread::spawn({
                    let (shared, phone) = (Arc::clone(&shared), Arc::clone(&phone));
                    move || {
                        let close = pulse_trust::relay::ChannelClose::new(1, "");
                        routing::handle(&shared, &phone, &close.to_frame(1).unwrap());
                    }
                }),
            ];
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let told = frames(&phone);
            let ends = told.iter().filter(|(frame_type, _)| *frame_type != FrameType::ConnectAck).count();
            assert!(ends <= 1, "{told:?}");
            if let Some(last) = told.last() {
                assert!(ends == 0 || last.0 != FrameType::ConnectAck, "accepted after its end: {told:?}");
            }
            gone(&shared, &phone);
            assert_nothing_is_left(&shared);
        },
        ORDERS,
    );
}
