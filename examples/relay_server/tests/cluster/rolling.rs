//! Three nodes are restarted one after the other while phones ask: every request is answered or has failed, once, and no instance is given
//! one twice. And a drain leads to the nodes that go on, over a while.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use pulse_relay::Relay;
use pulse_trust::relay::{ChannelOpen, Connect, ConnectAck, ControlPayload, Drain, Frame, FrameType, RegisterAck};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::common::{Client, TestKeys, frame, register, registered, status_of};
use crate::nats::{Nats, becomes, free_port};
use crate::process::Process;

const TENANTS: usize = 3;
const PHONES_OF_A_TENANT: usize = 2;
/// An instance thinks for so long, so that requests wait for their answers whenever a node drains.
const THINKING: Duration = Duration::from_millis(40);
/// How often a phone asks.
const PACE: Duration = Duration::from_millis(25);

/// What became of the requests.
#[derive(Default)]
struct Ledger {
    /// How often each reached its instance.
    reached: BTreeMap<String, usize>,
    /// How often each was answered.
    answered: BTreeMap<String, usize>,
    /// Those whose channel ended first.
    failed: BTreeSet<String>,
    asked: BTreeSet<String>,
    /// Answers that each phone got since the last node was started again.
    lately: BTreeMap<usize, usize>,
}

#[derive(Clone)]
struct Load {
    nodes: Arc<Vec<SocketAddr>>,
    keys: Arc<TestKeys>,
    ledger: Arc<Mutex<Ledger>>,
    is_over: watch::Receiver<bool>,
}

impl Load {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// A connection to a node, as a balancer makes it: whoever refuses is passed over. Where a DRAIN named one, that is the first.
    async fn connect(&self, path: &str, first: usize, named: &mut Option<String>) -> Socket {
        loop {
            let named = named.take().map(|url| url.replace("/ws/instance", path));
            let all = (0..self.nodes.len()).map(|step| self.nodes[(first + step) % self.nodes.len()]);
            for url in named.into_iter().chain(all.map(|addr| format!("ws://{addr}{path}"))) {
                if let Ok((socket, _)) = connect_async(url).await {
                    return Socket(socket);
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// The next frame; `None` where the connection ended. It may be dropped and called again.
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.0.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes.to_vec()),
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                _ => return None,
            }
        }
    }

    async fn send(&mut self, bytes: Vec<u8>) -> bool {
        self.0.send(Message::Binary(bytes.into())).await.is_ok()
    }

    /// So that all that was sent arrives.
    async fn close(mut self) {
        self.0.close(None).await.ok();
        timeout(Duration::from_secs(2), async { while self.next().await.is_some() {} }).await.ok();
    }
}

fn host(tenant: usize) -> String {
    format!("t-{tenant}.cloud.example.test")
}

fn instance_id(tenant: usize) -> String {
    let host = pulse_trust::entitlement::InstanceHost::normalize(&host(tenant)).unwrap();
    pulse_trust::relay::InstanceId::of_host(&host).as_str().to_owned()
}

/// An instance: answers after a moment, and leaves a draining node once it has answered.
async fn live(load: Load, tenant: usize) {
    let token = load.keys.lease(&host(tenant), 3600);
    let mut named = None;
    loop {
        let mut socket = load.connect("/ws/instance", tenant, &mut named).await;
        if !socket.send(register(&token, "h", "key").to_frame(0).unwrap()).await {
            continue;
        }
        let Some(first) = socket.next().await else { continue };
        if RegisterAck::from_frame(&Frame::decode(&first).unwrap()).is_err() {
            sleep(Duration::from_millis(20)).await;
            continue;
        }
        let mut waiting: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
        let mut is_leaving = false;
        while !(is_leaving && waiting.is_empty()) {
            let due = waiting.front().map(|(due, _)| *due);
            let bytes = tokio::select! {
                bytes = socket.next() => match bytes {
                    Some(bytes) => bytes,
                    None => break,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let (_, answer) = waiting.pop_front().unwrap();
                    if !socket.send(answer).await {
                        break;
                    }
                    continue;
                }
            };
            let received = Frame::decode(&bytes).unwrap();
            match received.frame_type {
                FrameType::ChannelOpen => {
                    let open = ChannelOpen::from_frame(&received).unwrap();
                    socket.send(open.to_frame(open.channel_id).unwrap()).await;
                }
                // After the DRAIN none comes, though phones on other nodes go on asking: else it would never leave.
                FrameType::Data => {
                    let request = String::from_utf8(received.payload.to_vec()).unwrap();
                    *load.ledger().reached.entry(request).or_default() += 1;
                    waiting.push_back((Instant::now() + THINKING, bytes.clone()));
                }
                FrameType::Drain => {
                    is_leaving = true;
                    named = Drain::from_frame(&received).unwrap().reconn_url;
                }
                _ => {}
            }
        }
        socket.close().await;
    }
}

/// A phone: asks whenever it has a channel, and has done so when the load is over and nothing waits.
async fn ask(mut load: Load, tenant: usize, phone: usize) {
    let (mut named, mut number) = (None, 0_u64);
    while !*load.is_over.borrow_and_update() {
        // Beside its instance, or on another node.
        let mut socket = load.connect("/ws/app", tenant + phone, &mut named).await;
        let connect = Connect::new(instance_id(tenant), "tok").to_frame(0).unwrap();
        let answer = if socket.send(connect).await { socket.next().await } else { None };
        let ack = answer.and_then(|bytes| ConnectAck::from_frame(&Frame::decode(&bytes).unwrap()).ok());
        let Some(ConnectAck { channel_id: channel, .. }) = ack else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut open = BTreeSet::new();
        let mut due = interval(PACE);
        let mut is_leaving = false;
        while !(is_leaving && open.is_empty()) {
            tokio::select! {
                bytes = socket.next() => {
                    let Some(bytes) = bytes else { break };
                    let received = Frame::decode(&bytes).unwrap();
                    match received.frame_type {
                        FrameType::Data => {
                            let request = String::from_utf8(received.payload.to_vec()).unwrap();
                            assert!(open.remove(&request), "an answer to what does not wait: {request}");
                            let mut ledger = load.ledger();
                            *ledger.answered.entry(request).or_default() += 1;
                            *ledger.lately.entry(phone).or_default() += 1;
                        }
                        FrameType::Drain => {
                            is_leaving = true;
                            named = Drain::from_frame(&received).unwrap().reconn_url;
                        }
                        FrameType::ChannelClose | FrameType::Error => break,
                        _ => {}
                    }
                }
                _ = due.tick(), if !is_leaving => {
                    number += 1;
                    let request = format!("phone {phone} request {number}");
                    load.ledger().asked.insert(request.clone());
                    open.insert(request.clone());
                    if !socket.send(frame(FrameType::Data, channel, request.as_bytes())).await {
                        break;
                    }
                }
                _ = load.is_over.changed(), if !is_leaving => is_leaving = true,
            }
        }
        load.ledger().failed.append(&mut open);
        socket.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_answers_or_fails_every_request_once() {
    let Some(nats) = Nats::start() else { return };
    let keys = Arc::new(TestKeys::new());
    let addresses: Vec<SocketAddr> = (0..3).map(|_| ([127, 0, 0, 1], free_port()).into()).collect();
    let hosts = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let mut nodes: Vec<_> = addresses
        .iter()
        .map(|addr| {
            let settings = [
                ("PULSE_RELAY_ADDR", addr.to_string()),
                ("PULSE_RELAY_NODE_URL", format!("ws://{addr}/ws/instance")),
                ("PULSE_RELAY_PUBLIC_HOSTS", hosts.clone()),
                // Tests that run beside this one take most of the machine.
                ("PULSE_RELAY_DRAIN_TIMEOUT", "6s".to_owned()),
            ];
            Process::start(&nats, &keys, &settings)
        })
        .collect();
    let (end, is_over) = watch::channel(false);
    let load = Load { nodes: Arc::new(addresses), keys, ledger: Arc::default(), is_over };
    let (mut instances, mut phones) = (JoinSet::new(), JoinSet::new());
    for tenant in 0..TENANTS {
        instances.spawn(live(load.clone(), tenant));
        for phone in 0..PHONES_OF_A_TENANT {
            phones.spawn(ask(load.clone(), tenant, tenant * PHONES_OF_A_TENANT + phone));
        }
    }
    sleep(Duration::from_secs(2)).await;
    for number in 0..nodes.len() {
        let node = nodes.remove(0);
        // It waits for the process, as an operator does before the next node.
        let node = tokio::task::spawn_blocking(move || node.restart()).await.unwrap();
        let began = Instant::now();
        while status_of(node.addr, "/readyz").await != 200 {
            assert!(began.elapsed() < Duration::from_secs(10), "node {number} is not ready again");
            sleep(Duration::from_millis(50)).await;
        }
        load.ledger().lately.clear();
        nodes.push(node);
        sleep(Duration::from_secs(2)).await;
    }
    end.send(true).unwrap();
    while let Some(phone) = timeout(Duration::from_secs(20), phones.join_next()).await.expect("a phone still waits") {
        phone.unwrap();
    }
    instances.abort_all();
    let ledger = load.ledger();
    let Ledger { reached, answered, failed, asked, lately } = &*ledger;
    println!("{} asked, {} answered, {} failed", asked.len(), answered.len(), failed.len());
    assert!(answered.len() > 300, "{} answers are not a load", answered.len());
    for (what, counts) in [("reached its instance", reached), ("was answered", answered)] {
        let twice: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
        assert!(twice.is_empty(), "{what} more than once: {twice:?}");
    }
    for request in asked {
        let (is_answered, has_failed) = (answered.contains_key(request), failed.contains(request));
        assert!(is_answered != has_failed, "{request}: answered {is_answered}, failed {has_failed}");
    }
    // What reached its instance was answered: no drain cuts that off.
    let lost: Vec<_> = reached.keys().filter(|request| failed.contains(*request)).collect();
    assert!(lost.is_empty(), "{} answers were lost: {lost:?}", lost.len());
    assert_eq!(lately.len(), TENANTS * PHONES_OF_A_TENANT, "not every phone was answered again: {lately:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_sends_instances_to_all_nodes_that_go_on_over_half_of_its_time() {
    const INSTANCES: usize = 40;
    let Some(nats) = Nats::start() else { return };
    let keys = TestKeys::new();
    let [_b, _c] = nats.nodes(&keys).await;
    let data = tempfile::tempdir().unwrap();
    let mut config = nats.config(&keys, &data);
    config.drain_timeout = Duration::from_secs(4);
    let a = Relay::start(config).await.unwrap();
    becomes(&a, "pulse_relay_cluster_peers", 2).await;
    let mut told = JoinSet::new();
    let mut instances: Vec<Client> = Vec::new();
    for tenant in 0..INSTANCES {
        instances.push(registered(&a, &register(&keys.lease(&host(tenant), 3600), "h", "key")).await.0);
    }
    let began = Instant::now();
    for mut instance in instances {
        told.spawn(async move {
            let drain: Drain = instance.expect().await;
            (began.elapsed(), drain.reconn_url.unwrap_or_default())
        });
    }
    let draining = tokio::spawn(a.drain());
    let mut told = told.join_all().await;
    draining.await.unwrap();
    told.sort();
    let times: Vec<_> = told.iter().map(|(at, _)| *at).collect();
    let by = |time: u64| times.iter().filter(|at| **at < Duration::from_millis(time)).count();
    // Two seconds: a quarter of the instances in each quarter of it, on a machine that is slow too.
    assert!(by(500) <= INSTANCES / 2 && by(1000) <= INSTANCES * 3 / 4, "{times:?}");
    assert!(by(500) > 0 && by(3000) == INSTANCES, "{times:?}");
    for number in 0..2 {
        let url = format!("ws://node-{number}.example.test/ws/instance");
        let count = told.iter().filter(|(_, named)| *named == url).count();
        assert!((INSTANCES / 5..=INSTANCES * 4 / 5).contains(&count), "{count} of {INSTANCES} are sent to {url}");
    }
}
