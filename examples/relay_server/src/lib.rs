//! Reference relay for Pulse: phones reach instances through it, and it cannot read anything they say.
//!
//! [`pulse_trust::relay::Admission`] decides who may register, and [`pulse_trust::session::RelaySide`] decides what may
//! come when on a connection. This package provides the sockets around them, and what one connection means for another.
//! Start one inside another program with [`Relay::start`], or run the binary `pulse-relay`, which takes its settings
//! from the environment ([`Config::from_env`]).

mod admin;
mod admission;
mod app;
mod blocked;
mod client_address;
mod clock;
#[cfg(feature = "nats")]
mod cluster;
#[cfg(not(feature = "nats"))]
#[path = "no_cluster.rs"]
mod cluster;
mod config;
mod connection;
mod directory_lock;
mod drain;
mod enforcement;
mod holds;
mod http;
mod instance;
#[cfg(all(test, shuttle))]
mod interleavings;
mod link;
mod links;
mod listener;
mod logging;
mod memory;
mod metrics;
mod pacing;
mod passage;
mod presented;
mod program;
mod proxy_protocol;
mod rates;
mod registry;
mod regular_file;
mod relay;
mod reload;
mod revocations;
mod routing;
mod runtime;
mod session_token;
mod shared;
mod slots;
mod state_file;
mod story;
mod sync;
mod throttle;
mod tls;
mod turn;

pub use config::{
    ByteRate, Clock, Config, ConfigError, FeedConfig, Limits, NatsConfig, Rate, Sources, TlsFiles, settings_help,
    settings_page,
};
pub use listener::Listener;
pub use logging::{Log, LogFormat, LogHandle};
pub use metrics::metrics_page;
pub use program::{Arguments, program};
pub use relay::Relay;
pub use runtime::runtime;
