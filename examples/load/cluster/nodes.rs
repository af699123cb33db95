//! Relays as an operator starts them: the program `pulse-relay`, each with its own data directory, over one NATS server.

use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::nats::Nats;
use crate::process::Role;
use crate::{Failure, tenant};

/// How long nodes may take to hear each other.
const HEARD_WITHIN: Duration = Duration::from_secs(15);

/// The relay's program.
pub(crate) struct Program(PathBuf);

impl Program {
    /// What Cargo builds of these sources, in the profile that this program was built in, or what is given.
    pub(crate) fn find(given: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = given {
            return Ok(Self(path));
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "pulse-relay", "--bin", "pulse-relay"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        eprintln!("the relay is built");
        if !build.current_dir(env!("CARGO_MANIFEST_DIR")).status()?.success() {
            return Err("the relay could not be built".into());
        }
        // This program is in the folder `examples` beside it.
        let own = std::env::current_exe()?;
        let folder = own.parent().and_then(Path::parent).ok_or("this program is in no folder")?;
        Ok(Self(folder.join("pulse-relay")))
    }
}

/// Nodes, and the NATS server that they share.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    /// `None`: a relay that knows of no others.
    pub(crate) nats: Option<Nats>,
    folder: TempDir,
}

/// One node.
pub(crate) struct Node {
    pub(crate) role: Role,
    pub(crate) addr: SocketAddr,
}

impl Cluster {
    /// Starts so many nodes, and waits until each knows of all.
    pub(crate) async fn start(program: &Program, count: usize) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let nats = Some(Nats::start(folder.path()).await?);
        let mut cluster = Self { nodes: Vec::new(), nats, folder };
        let addresses = (0..count).map(|_| free_address()).collect::<Result<Vec<_>, _>>()?;
        for addr in &addresses {
            cluster.add(program, *addr, &addresses).await?;
        }
        let began = Instant::now();
        for node in &cluster.nodes {
            while node.metric("pulse_relay_cluster_peers").await? != (count - 1) as f64 {
                if began.elapsed() > HEARD_WITHIN {
                    return Err("the nodes do not hear each other".into());
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(cluster)
    }

    /// A relay alone, without a NATS server.
    pub(crate) async fn alone(program: &Program) -> Result<Self, Failure> {
        let mut cluster = Self { nodes: Vec::new(), nats: None, folder: tempfile::tempdir()? };
        let addr = free_address()?;
        cluster.add(program, addr, &[addr]).await?;
        Ok(cluster)
    }

    async fn add(&mut self, program: &Program, addr: SocketAddr, all: &[SocketAddr]) -> Result<(), Failure> {
        let (folder, number) = (self.folder.path(), addr.port());
        let log = folder.join(format!("node-{number}.log"));
        let mut command = tokio::process::Command::new(&program.0);
        command
            .env("PULSE_RELAY_ADDR", addr.to_string())
            // An instance proves its identity to the node that it first meant, and may come to another.
            .env("PULSE_RELAY_PUBLIC_HOSTS", joined(all))
            .env("PULSE_RELAY_DATA_DIR", folder.join(format!("node-{number}")))
            .env("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", tenant::control_plane()?.public_key().to_base64())
            .env("PULSE_RELAY_PUBLIC_KEY", "")
            // All clients are at one address here, and one phone asks for its instance again and again.
            .env("PULSE_RELAY_HANDSHAKES_PER_ADDRESS", "1000000, 1000000/s")
            .env("PULSE_RELAY_CONNECTS_PER_INSTANCE", "1000000, 1000000/s")
            .stderr(Stdio::from(File::create(&log)?));
        if let Some(nats) = &self.nats {
            command.env("PULSE_RELAY_NATS_URL", nats.url());
        }
        let mut role = Role::of_program(command)?;
        role.line().await.map_err(|error| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            format!("a relay does not start: {error}: {}", log.lines().last().unwrap_or_default())
        })?;
        self.nodes.push(Node { role, addr });
        Ok(())
    }

    /// The addresses of the nodes, as fleets and phones are told them.
    pub(crate) fn addresses(&self) -> String {
        joined(&self.nodes.iter().map(|node| node.addr).collect::<Vec<_>>())
    }

    /// Processor time of all nodes so far.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Failure> {
        self.nodes.iter().map(|node| Ok(node.role.usage()?.cpu_seconds)).sum()
    }

    /// The NATS server's, 0 without one.
    pub(crate) fn nats_cpu_seconds(&self) -> Result<f64, Failure> {
        self.nats.as_ref().map_or(Ok(0.0), |nats| Ok(nats.usage()?.cpu_seconds))
    }
}

impl Node {
    /// What the node says of one metric.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64, Failure> {
        let text = get(format!("http://{}/metrics", self.addr)).await?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.ok_or_else(|| format!("there is no metric {name}"))?.parse()?)
    }
}

fn joined(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// An address that is free now.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The text at a URL.
pub(crate) async fn get(url: String) -> Result<String, Failure> {
    let get = move || -> Result<String, ureq::Error> { ureq::get(&url).call()?.body_mut().read_to_string() };
    Ok(tokio::task::spawn_blocking(get).await??)
}
