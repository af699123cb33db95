//! A tenant's instance: registers, resumes, accepts phones that know its token, answers, and checks all that it is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_trust::UnixTime;
use pulse_trust::relay::{
    ChannelClose, ChannelOpen, ControlPayload, ErrorMessage, Frame, FrameType, Register, RegisterAck,
};
use tokio::time::{Instant, sleep, timeout};

use crate::network::Socket;
use crate::phone::Request;
use crate::world::{World, instance_id, now};

/// How long a session may outlive its credential, on the way through the network.
const GRACE: Duration = Duration::from_millis(1500);

pub(crate) async fn live(world: World, tenant: usize, lease_seconds: i64) -> turmoil::Result {
    let mut session: Option<RegisterAck> = None;
    loop {
        sleep(Duration::from_millis(100)).await;
        let Some(mut socket) = Socket::connect("/ws/instance").await else { continue };
        if let Some(ack) = register(&world, tenant, lease_seconds, &mut socket, &mut session).await {
            serve(&world, tenant, &mut socket, &ack).await;
        }
    }
}

struct Registered {
    number: u64,
    /// When the session ends, on the relay's calendar.
    expires_at: i64,
}

async fn register(
    world: &World,
    tenant: usize,
    lease_seconds: i64,
    socket: &mut Socket,
    session: &mut Option<RegisterAck>,
) -> Option<Registered> {
    let (lease, _) = world.lease(tenant, lease_seconds);
    let register = {
        let mut register = Register::new(lease);
        register.session_token = session.as_ref().map(|ack| ack.session_token.duplicate());
        register.instance_hint = Some(instance_id(tenant).into());
        register.identity_pub_key = Some(format!("identity of tenant {tenant}"));
        register
    };
    let number = {
        let mut inner = world.inner();
        inner.connections += 1;
        inner.connections
    };
    socket.send_raw(register.to_frame(0).unwrap()).await;
    let first = timeout(Duration::from_secs(5), socket.next()).await.ok()??;
    let frame = Frame::decode(&first).unwrap();
    match frame.frame_type {
        FrameType::RegisterAck => {
            let ack = RegisterAck::from_frame(&frame).unwrap();
            if ack.instance_id != instance_id(tenant) {
                world.violation(format!("tenant {tenant} was registered as {}", ack.instance_id));
            }
            let expires_at = ack.expires_at.map_or(0, UnixTime::as_secs);
            world.say(&format!("tenant {tenant} is registered by connection {number} until {expires_at}"));
            let mut inner = world.inner();
            inner.registrations += 1;
            inner.newest.insert(tenant, (number, now()));
            *session = Some(ack);
            Some(Registered { number, expires_at })
        }
        FrameType::Error => {
            let error = ErrorMessage::from_frame(&frame).unwrap();
            world.say(&format!("tenant {tenant} is refused: {} {}", error.code, error.message));
            if error.code == "AUTH_FAILED" {
                *session = None;
            }
            None
        }
        FrameType::Drain => None,
        other => {
            world.violation(format!("the first frame of tenant {tenant} is {other}"));
            None
        }
    }
}

async fn serve(world: &World, tenant: usize, socket: &mut Socket, registered: &Registered) {
    // The channels that were accepted: the last request of each.
    let mut channels: BTreeMap<u32, u64> = BTreeMap::new();
    let mut ping_at = Instant::now();
    let mut heard_at = Instant::now();
    loop {
        if ping_at.elapsed() > Duration::from_secs(2) {
            ping_at = Instant::now();
            if !socket.send(FrameType::Ping, 0, b"").await {
                return;
            }
        }
        let bytes = match timeout(Duration::from_millis(500), socket.next()).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return,
            Err(_) if heard_at.elapsed() > Duration::from_secs(6) => return,
            Err(_) => continue,
        };
        heard_at = Instant::now();
        let frame = Frame::decode(&bytes).unwrap();
        match frame.frame_type {
            FrameType::ChannelOpen => {
                let open = ChannelOpen::from_frame(&frame).unwrap();
                if channels.contains_key(&open.channel_id) {
                    world.violation(format!("tenant {tenant}: channel {} is opened twice", open.channel_id));
                }
                let sent = if open.auth_token.expose_secret() == "good token" {
                    channels.insert(open.channel_id, 0);
                    open.to_frame(open.channel_id).unwrap()
                } else {
                    let close = ChannelClose::new(open.channel_id, "invalid token");
                    close.to_frame(open.channel_id).unwrap()
                };
                if !socket.send_raw(sent).await {
                    return;
                }
            }
            FrameType::ChannelClose => {
                channels.remove(&frame.channel);
            }
            FrameType::Data => {
                let Some(last) = channels.get_mut(&frame.channel) else {
                    world.violation(format!("tenant {tenant}: DATA on channel {}, not accepted", frame.channel));
                    continue;
                };
                let Some(request) = Request::read(frame.payload) else {
                    world.violation(format!("tenant {tenant}: what no phone has sent came through"));
                    continue;
                };
                check(world, tenant, registered, &request, *last);
                *last = request.number;
                for part in 0..request.parts {
                    if !socket.send(FrameType::Data, frame.channel, &request.answer(part)).await {
                        return;
                    }
                }
            }
            FrameType::RegisterAck | FrameType::ConnectAck => {
                world.violation(format!("tenant {tenant}: a second {}", frame.frame_type));
            }
            _ => {}
        }
    }
}

fn check(world: &World, tenant: usize, registered: &Registered, request: &Request, last: u64) {
    if request.tenant != tenant {
        world.violation(format!("tenant {tenant} got a request to tenant {}", request.tenant));
    }
    if request.number <= last {
        world.violation(format!("tenant {tenant}: request {} after {last}", request.number));
    }
    let (newest, newest_at) = world.inner().newest.get(&tenant).copied().unwrap_or_default();
    if newest > registered.number && request.sent_at > newest_at {
        world.violation(format!("tenant {tenant}: a request to a connection that was replaced"));
    }
    // A jump of the calendar is seen at the relay's next look, like any other time.
    let over = world.calendar().as_secs() - registered.expires_at;
    let jumped_at = world.inner().jumped_at;
    if over > 1 && now() > jumped_at + GRACE && now().saturating_sub(request.sent_at) < Duration::from_millis(400) {
        world.violation(format!("tenant {tenant} is served {over} s after its credential's end"));
    }
}
