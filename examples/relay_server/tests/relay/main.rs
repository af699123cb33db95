//! The relay over real sockets on loopback: what it must hold, each with the fault it was found by.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod acceptance;
mod admin;
mod authority;
mod backpressure;
mod channels;
mod closing;
mod common;
mod credentials;
mod drain;
mod feed;
mod fragments;
mod full_disk;
mod identity;
mod limits;
mod pace;
mod program;
mod proxy_protocol;
mod registration;
mod revocations;
mod seeing;
mod settings;
mod slow_phones;
mod startup;
mod state;
mod strangers;
mod tls;
