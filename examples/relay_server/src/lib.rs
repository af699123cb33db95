//! Reference relay for Pulse: phones reach instances through it, and it reads nothing of what they say (FORMATS 11, 14).
//!
//! Who may register is decided by [`pulse_trust::relay::Admission`]; this package is the sockets around it. Start one
//! inside another program with [`Relay::start`], or run the binary `pulse-relay`, which takes its settings from the
//! environment ([`Config::from_env`]).

mod app;
mod config;
mod connection;
mod instance;
mod metrics;
mod registry;
mod revocations;
mod server;
mod session_token;

pub use config::{Config, ConfigError, Limits};
pub use server::Relay;
