//! A synthetic tenant and phone that use a relay as customers do: with a real credential, over its public addresses, end to end.
//!
//! `/metrics` of a relay says how it is by its own account. The prober is the other half: it registers, pairs, asks through an
//! encrypted channel and opens the answer, on one node, on each of several and between each pair of them. [`run`] is the whole
//! program `pulse-prober`, and of `pulse-trust prober`.

mod args;
mod dialing;
#[path = "../../driver/mod.rs"]
mod driver;
#[path = "../../journey/failure.rs"]
mod failure;
mod instance;
mod metrics;
mod node;
mod page;
mod phone;
mod probe;
mod program;
mod round;
mod serve;
mod standing;
mod table;
mod tenant;

pub use args::Args;
pub use program::run;
