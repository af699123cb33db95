//! Reference relay for Pulse.
