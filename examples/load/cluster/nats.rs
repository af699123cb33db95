//! The NATS server of a measurement, what it says of itself, and how long it takes to say who has an instance.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use pulse_trust::relay::InstanceId;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::nodes::{free_address, get};
use crate::process::{Role, Usage};
use crate::{Failure, tenant};

/// The stream behind the bucket in which nodes write who has which instance.
const BUCKET: &str = "pulse_relay_instances";

/// A server that runs. It is `nats-server` of the path, or what `PULSE_NATS_SERVER` names.
pub(crate) struct Nats {
    role: Role,
    addr: SocketAddr,
    monitor: SocketAddr,
}

/// What the server says of itself.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Size {
    /// Its resident memory, MB.
    pub(crate) resident_mb: f64,
    /// Entries of the key-value bucket.
    pub(crate) entries: u64,
    /// What the bucket takes on disk.
    pub(crate) bytes: u64,
}

impl Nats {
    pub(crate) async fn start(folder: &Path) -> Result<Self, Failure> {
        let program = std::env::var_os("PULSE_NATS_SERVER").map_or_else(|| PathBuf::from("nats-server"), PathBuf::from);
        let (addr, monitor) = (free_address()?, free_address()?);
        let mut command = tokio::process::Command::new(&program);
        command
            .args(["--addr", "127.0.0.1", "--port", &addr.port().to_string()])
            .args(["--http_port", &monitor.port().to_string(), "--jetstream", "--store_dir"])
            .arg(folder.join("nats"))
            .stderr(Stdio::null());
        let role =
            Role::of_program(command).map_err(|error| format!("{} (PULSE_NATS_SERVER): {error}", program.display()))?;
        let began = Instant::now();
        while TcpStream::connect(addr).await.is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(format!("{}: it does not listen", program.display()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { role, addr, monitor })
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.addr)
    }

    pub(crate) fn usage(&self) -> Result<Usage, Failure> {
        self.role.usage()
    }

    /// By its monitoring port; the bucket is all that it keeps.
    pub(crate) async fn size(&self) -> Result<Size, Failure> {
        let said: Value = serde_json::from_str(&get(format!("http://{}/jsz", self.monitor)).await?)?;
        let number = |name: &str| said.get(name).and_then(Value::as_u64).ok_or_else(|| format!("/jsz says no {name}"));
        let resident_mb = self.usage()?.resident_mb;
        Ok(Size { resident_mb, entries: number("messages")?, bytes: number("bytes")? })
    }

    /// Asks so many times for a tenant's entry as a node does, one after the other.
    pub(crate) async fn lookups(&self, tenant: usize, count: usize) -> Result<Vec<Duration>, Failure> {
        let id = InstanceId::of_host(&tenant::host(tenant)?);
        let id = id.as_str();
        let mut stream = BufReader::new(TcpStream::connect(self.addr).await?);
        stream.get_ref().set_nodelay(true)?;
        let hello = "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB inbox 1\r\n";
        stream.write_all(hello.as_bytes()).await?;
        let request = format!("PUB $JS.API.DIRECT.GET.KV_{BUCKET}.$KV.{BUCKET}.{id} inbox 0\r\n\r\n");
        let mut took = Vec::new();
        for _ in 0..count {
            let began = Instant::now();
            stream.write_all(request.as_bytes()).await?;
            let entry = timeout(Duration::from_secs(5), message(&mut stream)).await??;
            took.push(began.elapsed());
            if !String::from_utf8_lossy(&entry).contains("\"generation\"") {
                return Err(format!("NATS has no entry of {id}").into());
            }
        }
        Ok(took)
    }
}

/// The next message with headers, which all answers of JetStream's direct API have.
async fn message(stream: &mut BufReader<TcpStream>) -> Result<Vec<u8>, Failure> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err("NATS closed the connection".into());
        }
        if line.starts_with("PING") {
            stream.write_all(b"PONG\r\n").await?;
        } else if line.starts_with("-ERR") {
            return Err(format!("NATS says {line}").into());
        } else if line.starts_with("HMSG") {
            let length: usize = line.trim().rsplit(' ').next().unwrap_or_default().parse()?;
            // And the end of the line.
            let mut body = vec![0; length + 2];
            stream.read_exact(&mut body).await?;
            return Ok(body);
        }
    }
}
