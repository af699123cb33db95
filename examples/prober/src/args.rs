//! What a prober is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::node::Node;

const EXAMPLES: &str = "Examples:\n  \
    pulse-prober --once --tenant /var/lib/pulse-prober --node wss://relay.example.com\n  \
    pulse-prober --interval 30 --signing-key-file control-plane.key --tenant ./prober \\\n    \
      --node a=ws://10.0.0.1:8080 --node b=ws://10.0.0.2:8080 --node c=ws://10.0.0.3:8080\n\n\
    Exit status of --once: 0 every probe passed, 1 one failed, 2 wrong usage, 3 cannot tell.";

/// Which relay is probed, with whose credential, and how often.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
#[group(skip)]
pub struct Args {
    /// A node, as [NAME=]URL with ws:// or wss://; repeat it for more: then each node and each pair of them is probed
    #[arg(long = "node", value_name = "[NAME=]URL", required = true)]
    pub(crate) nodes: Vec<Node>,
    /// Probes each node by itself, and no pair: nodes that do not share their instances
    #[arg(long)]
    pub(crate) no_pairs: bool,
    /// The synthetic tenant's directory, as its control plane provisioned it; mode, public URL and keys are taken from the
    /// environment, as a container gets them. With --signing-key-file it is made where it is missing
    #[arg(long, value_name = "DIR", required_unless_present = "signing_key_file")]
    pub(crate) tenant: Option<PathBuf>,
    /// The control plane's private key (base64) of a relay that trusts it: the prober then signs its tenant's lease itself
    #[arg(long, value_name = "FILE")]
    pub(crate) signing_key_file: Option<PathBuf>,
    /// The control plane's URL, of which such a lease's host is made
    #[arg(long, value_name = "URL", default_value = "https://cloud.example.test")]
    pub(crate) base_url: String,
    /// Trusts these root certificates (PEM) for wss:// instead of the public ones
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// How long one step may take
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timeout: u64,
    /// Probes once, prints a table, and ends with a status
    #[arg(long, conflicts_with = "interval", required_unless_present = "interval")]
    pub(crate) once: bool,
    /// With --once: prints JSON instead of a table
    #[arg(long, requires = "once")]
    pub(crate) json: bool,
    /// Probes again so many seconds after the last round began, and serves what was seen
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) interval: Option<u64>,
    /// With --interval: where `/` (the status page), `/status.json`, `/metrics` and `/healthz` are served
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9464")]
    pub(crate) listen: SocketAddr,
}
