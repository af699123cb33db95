//! A runtime whose lease is refreshed in time stays registered past the end of every lease it had, and its phone, which asks
//! all the while, does not notice. Both run on the library's ends, the control plane is played, and time is simulated.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pulse_relay::{Config, Relay};
use pulse_trust::keys::PublicKey;
use pulse_trust::relay::{Identity, ProxyResponse};
use pulse_trust::session::{
    InstanceConfig, InstanceEnd, InstanceEvent, LeaseRefresh, PhoneConfig, PhoneEnd, PhoneEvent,
};
use tokio::sync::mpsc;
use turmoil::net::{TcpListener, TcpStream};

use crate::driver::{Act, Dialing, drive_by};
use crate::network::{PORT, Simulated};
use crate::world::{World, host_text, instance_id};

/// Each lease counts for so long: a refresh is due after a minute.
const LEASE: i64 = 150;
const SHOWN: Duration = Duration::from_secs(600);

/// What the ends told of themselves.
#[derive(Default)]
struct Told {
    registered: u32,
    refreshed: u32,
    renewed: u32,
    answered: u32,
    /// What a phone would notice, and what nobody asked for.
    unexpected: Vec<String>,
}

#[test]
fn a_runtime_that_refreshes_in_time_is_registered_anew_and_its_phone_does_not_notice() {
    let told = run(true);
    assert!(told.unexpected.is_empty(), "{:?}", told.unexpected);
    assert_eq!(told.registered, 1, "it registered on another connection");
    assert!(told.refreshed >= 8 && told.renewed >= 8, "{} {}", told.refreshed, told.renewed);
    assert!(told.answered > 500, "{} answers in {SHOWN:?}", told.answered);
}

/// The test can tell: without a refresh the phone loses its channel.
#[test]
fn a_runtime_that_does_not_refresh_loses_its_phone() {
    let told = run(false);
    assert!(told.refreshed == 0 && !told.unexpected.is_empty());
}

fn run(refreshes: bool) -> Told {
    let told = Arc::new(Mutex::new(Told::default()));
    let (world, directory) = (World::new(false), tempfile::tempdir().unwrap());
    let identity = Identity::generate().unwrap();
    let public = identity.public_key().clone();
    let secret = identity.secret_private_key_base64();
    let mut sim = turmoil::Builder::new()
        .rng_seed(1)
        .tick_duration(Duration::from_millis(20))
        .simulation_duration(SHOWN * 2)
        .build();
    let (relay_world, data_dir) = (world.clone(), directory.path().to_owned());
    sim.host("relay", move || {
        let (world, data_dir) = (relay_world.clone(), data_dir.clone());
        async move {
            let mut config = Config::on_loopback(world.trusted(), data_dir);
            config.clock = world.clock();
            let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
            let _relay = Relay::start_on(Simulated(listener), config).await?;
            std::future::pending().await
        }
    });
    let (instance_world, instance_told) = (world.clone(), Arc::clone(&told));
    sim.host("instance", move || {
        let identity = Identity::from_private_base64(secret.expose_secret()).unwrap();
        instance(instance_world.clone(), Arc::clone(&instance_told), identity, refreshes)
    });
    let phone_told = Arc::clone(&told);
    sim.client("phone", phone(world, phone_told, public));
    sim.run().unwrap();
    drop(sim);
    Arc::into_inner(told).unwrap().into_inner().unwrap()
}

fn dial(url: String) -> Dialing<TcpStream> {
    Box::pin(async move {
        let stream = TcpStream::connect(("relay", PORT)).await?;
        Ok(tokio_tungstenite::client_async(url, stream).await?.0)
    })
}

async fn instance(world: World, told: Arc<Mutex<Told>>, identity: Identity, refreshes: bool) -> turmoil::Result {
    let (lease, end) = world.lease(0, LEASE);
    let mut config = InstanceConfig::new("ws://relay/ws/instance", lease, "secret", identity);
    config.refresh =
        refreshes.then(|| LeaseRefresh::new("default", host_text(0), "etr_hosted_0", world.trusted(), Some(end)));
    let (_acts, received) = mpsc::unbounded_channel::<Act<InstanceEnd>>();
    let (of_world, calendar) = (world.clone(), move || world.calendar());
    let on_event = move |end: &mut InstanceEnd, event, now| {
        let mut told = told.lock().unwrap();
        match event {
            InstanceEvent::Registered { .. } => told.registered += 1,
            InstanceEvent::Renewed { .. } => told.renewed += 1,
            InstanceEvent::LeaseRefreshed { .. } => told.refreshed += 1,
            InstanceEvent::RefreshDue(_) => {
                let (lease, _) = of_world.lease(0, LEASE);
                end.handle_refresh_answer(200, format!(r#"{{"entitlement_jwt":"{lease}"}}"#).as_bytes(), now);
            }
            InstanceEvent::ChannelOffered { channel, .. } => end.accept(channel).unwrap(),
            InstanceEvent::ChannelSecured { .. } => {}
            InstanceEvent::Request { channel, request } => {
                let response = ProxyResponse::new(request.id, 204);
                end.respond(channel, &response, now).unwrap();
            }
            other => told.unexpected.push(format!("instance: {other:?}")),
        }
    };
    drive_by(calendar, InstanceEnd::new(config, 1).unwrap(), received, dial, on_event).await;
    Ok(())
}

/// Asks once a second, for as long as the show takes.
async fn phone(world: World, told: Arc<Mutex<Told>>, identity: PublicKey) -> turmoil::Result {
    // The instance registers first.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let config = PhoneConfig::new("ws://relay/ws/app", instance_id(0), "token", identity);
    let (acts, received) = mpsc::unbounded_channel::<Act<PhoneEnd>>();
    let asked = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&asked);
    let asking = async move {
        for _ in 0..SHOWN.as_secs() {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let ask: Act<PhoneEnd> = Box::new(|end, now| {
                if end.is_ready() {
                    end.request("GET", "/", BTreeMap::new(), Vec::new(), now).unwrap();
                }
            });
            acts.send(ask).ok();
        }
        // What is under way is answered before the goodbye, which ends the phone as well.
        tokio::time::sleep(Duration::from_secs(2)).await;
        asked.store(true, Ordering::Relaxed);
    };
    let on_event = move |_: &mut PhoneEnd, event, _| {
        let mut told = told.lock().unwrap();
        match event {
            PhoneEvent::Ready => {}
            PhoneEvent::Response { is_last: true, .. } => told.answered += 1,
            other if !is_over.load(Ordering::Relaxed) => told.unexpected.push(format!("phone: {other:?}")),
            _ => {}
        }
    };
    let calendar = move || world.calendar();
    let driving = drive_by(calendar, PhoneEnd::new(config, 1).unwrap(), received, dial, on_event);
    tokio::join!(driving, asking);
    Ok(())
}
