//! What a session wants done.

use serde::Serialize;

use super::{PULSE_DO_CONNECT, PULSE_DO_DISCONNECT, PULSE_DO_EVENT, PULSE_DO_SEND};
use crate::ffi::buffer::pulse_buffer;
use crate::ffi::fault::Fault;
use crate::ffi::json;
use crate::session::{ConnectionId, Output};

pub(super) fn output_parts<E, J: Serialize>(
    output: Output<E>,
    event_json: impl FnOnce(E) -> J,
) -> Result<((u32, u32), pulse_buffer), Fault> {
    Ok(match output {
        Output::Connect { connection, url } => ((PULSE_DO_CONNECT, number(connection)), pulse_buffer::new(url)),
        Output::Send { connection, message } => ((PULSE_DO_SEND, number(connection)), pulse_buffer::taking(message)),
        Output::Disconnect { connection, code } => {
            let code = pulse_buffer::new(code.as_u16().to_string());
            ((PULSE_DO_DISCONNECT, number(connection)), code)
        }
        Output::Event(event) => ((PULSE_DO_EVENT, 0), json::buffer(&event_json(event))?),
    })
}

/// Connections are counted from 1. No program makes more than fit.
fn number(connection: ConnectionId) -> u32 {
    u32::try_from(connection.as_u64()).unwrap_or(u32::MAX)
}
