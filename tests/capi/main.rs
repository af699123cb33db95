//! The C contract, held as a C program sees it: the header, the symbols, NULL and panics at every function.

#![cfg(all(feature = "capi", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod codes;
mod fork;
mod guards;
mod header;
mod library;
mod prototypes;
mod refused;
mod symbols;
