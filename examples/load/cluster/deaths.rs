//! A node that is killed, and one that hangs: how long until its instances are registered elsewhere. And what NATS takes for all of them.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep, timeout};

use super::nats::Size;
use super::nodes::{Cluster, Program};
use crate::Failure;
use crate::attackers::Socket;
use crate::drained::register;
use crate::spread::instance_node;
use crate::storm::{reports, start_fleets};

/// Far longer than it may take.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60);

/// What the server takes before and after all instances have registered.
#[derive(Serialize)]
pub(crate) struct NatsSizes {
    pub(crate) empty: Size,
    pub(crate) full: Size,
}

/// One node of several is killed, and then another hangs.
#[derive(Serialize)]
pub(crate) struct Death {
    /// Instances that were on the node.
    pub(crate) lost: usize,
    /// From the first that noticed until all were registered.
    pub(crate) all_back_seconds: f64,
    /// From the kill until an instance that asks at once was registered on another node.
    pub(crate) registered_elsewhere_seconds: f64,
    /// The same where the node hangs, and its connections stay open.
    pub(crate) hung_registered_elsewhere_seconds: f64,
}

/// Kills one of so many nodes.
pub(crate) async fn measure(program: &Program, nodes: usize, instances: usize) -> Result<(NatsSizes, Death), Failure> {
    eprintln!("{instances} instances on {nodes} nodes, one of which is killed");
    let mut cluster = Cluster::start(program, nodes).await?;
    let size = async |cluster: &Cluster| cluster.nats.as_ref().ok_or("no NATS server")?.size().await;
    let empty = size(&cluster).await?;
    let mut fleets = start_fleets(instances, &cluster.addresses())?;
    reports(&mut fleets).await?;
    let full = size(&cluster).await?;
    if full.entries != instances as u64 {
        return Err(format!("NATS has {} entries of {instances} instances", full.entries).into());
    }
    let lost = (0..instances).filter(|number| instance_node(*number, nodes) == 0).count();
    let killed = cluster.nodes.remove(0);
    let [hanging, living] = cluster.nodes.as_slice() else { return Err("not three nodes".into()) };
    // Tenants after those of the fleets.
    let (on_killed, on_hanging) = (instances, instances + 1);
    let (_instance, _) = register(killed.addr, on_killed).await?;
    let died = Instant::now();
    killed.role.kill().await?;
    let (_again, registered_elsewhere_seconds) = register_soon(living.addr, on_killed, died).await?;
    let all_back_seconds = reports(&mut fleets).await?.seconds;
    let connected = hanging.metric("pulse_relay_instance_connections").await?
        + living.metric("pulse_relay_instance_connections").await?;
    if connected != (instances + 1) as f64 {
        return Err(format!("{connected} instances are connected, expected {}", instances + 1).into());
    }
    let (_instance, _) = register(hanging.addr, on_hanging).await?;
    let hung = Instant::now();
    hanging.role.freeze()?;
    let (_again, hung_registered_elsewhere_seconds) = register_soon(living.addr, on_hanging, hung).await?;
    let death = Death { lost, all_back_seconds, registered_elsewhere_seconds, hung_registered_elsewhere_seconds };
    Ok((NatsSizes { empty, full }, death))
}

/// Tries until a tenant is registered; how long after `since` it was.
async fn register_soon(node: SocketAddr, tenant: usize, since: Instant) -> Result<(Socket, f64), Failure> {
    let registered = timeout(GIVEN_UP_AFTER, async {
        loop {
            match register(node, tenant).await {
                Ok((socket, _)) => return socket,
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
    });
    let socket = registered.await.map_err(|_| "an instance of a dead node could not register elsewhere")?;
    Ok((socket, since.elapsed().as_secs_f64()))
}
