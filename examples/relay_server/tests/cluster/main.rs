//! Several nodes over a real NATS server: what must hold between them.
//!
//! The server is `nats-server` of the path, or what `PULSE_NATS_SERVER` names. Without one these tests say so and pass, and in CI
//! they fail.
#![cfg(feature = "nats")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod channels;
#[path = "../relay/common.rs"]
#[allow(dead_code, reason = "the tests over one node use all of it")]
mod common;
mod drain;
mod nats;
mod outages;
mod ownership;
mod process;
mod proxy;
mod rolling;
mod unanswered;
