//! The relay's registration, identity, config, frames and channel encryption (FORMATS 6, 7, 11, 12).

mod admission;
mod channel;
mod config;
mod control;
mod frame;
mod identity;
mod instance_id;
mod proxy;
