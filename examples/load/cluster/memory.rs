//! Memory of a relay for each idle instance, alone and among others.

use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;

use super::median;
use super::nodes::{Cluster, Program};
use crate::Failure;
use crate::storm::{reports, start_fleets};

/// Medians over the rounds.
#[derive(Serialize)]
pub(crate) struct Memory {
    /// A relay without a NATS server.
    pub(crate) alone: Idle,
    /// A node of a cluster.
    pub(crate) clustered: Idle,
}

/// A relay with instances that do nothing.
#[derive(Serialize)]
pub(crate) struct Idle {
    /// Resident memory of the relay for each instance, KiB.
    pub(crate) kib_per_instance: f64,
    /// Connect and register, all of them.
    pub(crate) registered_seconds: f64,
    /// Processor time of the relay for it.
    pub(crate) registration_cpu_seconds: f64,
    /// The same of the NATS server, where there is one.
    pub(crate) registration_nats_cpu_seconds: f64,
}

/// In turns, so that what the machine does besides meets both.
pub(crate) async fn measure(
    program: &Program,
    instances: usize,
    idle: Duration,
    rounds: usize,
) -> Result<Memory, Failure> {
    let (mut alone, mut clustered) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        eprintln!("memory of {instances} instances, round {round} of {rounds}");
        alone.push(once(&Cluster::alone(program).await?, instances, idle).await?);
        clustered.push(once(&Cluster::start(program, 1).await?, instances, idle).await?);
    }
    Ok(Memory { alone: medians(&alone), clustered: medians(&clustered) })
}

async fn once(cluster: &Cluster, instances: usize, idle: Duration) -> Result<Idle, Failure> {
    let node = cluster.nodes.first().ok_or("no node")?;
    let (empty, nats_cpu) = (node.role.usage()?, cluster.nats_cpu_seconds()?);
    let mut fleets = start_fleets(instances, &cluster.addresses())?;
    let registered = reports(&mut fleets).await?;
    let (settled, nats_cpu) = (node.role.usage()?, cluster.nats_cpu_seconds()? - nats_cpu);
    sleep(idle).await;
    let resident_mb = node.role.usage()?.resident_mb;
    let connected = node.metric("pulse_relay_instance_connections").await?;
    if connected != instances as f64 {
        return Err(format!("{connected} of {instances} instances are connected").into());
    }
    Ok(Idle {
        kib_per_instance: (resident_mb - empty.resident_mb) * 1024.0 / instances as f64,
        registered_seconds: registered.seconds,
        registration_cpu_seconds: settled.cpu_seconds - empty.cpu_seconds,
        registration_nats_cpu_seconds: nats_cpu,
    })
}

fn medians(rounds: &[Idle]) -> Idle {
    let of = |value: fn(&Idle) -> f64| median(rounds.iter().map(value).collect());
    Idle {
        kib_per_instance: of(|idle| idle.kib_per_instance),
        registered_seconds: of(|idle| idle.registered_seconds),
        registration_cpu_seconds: of(|idle| idle.registration_cpu_seconds),
        registration_nats_cpu_seconds: of(|idle| idle.registration_nats_cpu_seconds),
    }
}
