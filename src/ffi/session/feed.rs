//! What a session is told.

use core::time::Duration;

use super::{
    PULSE_FEED_CONNECTED, PULSE_FEED_DISCONNECTED, PULSE_FEED_MESSAGE, PULSE_FEED_REFRESH_ANSWER,
    PULSE_FEED_REFRESH_FAILURE, PULSE_FEED_START, PULSE_FEED_STOP, PULSE_FEED_TIMEOUT, pulse_feed,
};
use crate::ffi::fault::Fault;
use crate::ffi::refresh::http_status;
use crate::session::{ConnectionId, InstanceEnd, Now, PhoneEnd};
use crate::time::UnixTime;

pub(super) fn moment(monotonic_ms: i64, now: i64) -> Result<Now, Fault> {
    let monotonic = u64::try_from(monotonic_ms)
        .map_err(|_| Fault::Argument("monotonic_ms", "expected a number that is not negative"))?;
    Ok(Now::new(Duration::from_millis(monotonic), UnixTime::from_secs(now)))
}

/// What both ends are told; `$own` is what only this one knows.
macro_rules! feed {
    ($end:ident, $feed:ident, $connection:ident, $data:ident, $now:ident, $($own:tt)*) => {{
        let on = ConnectionId::from_u64(u64::from($connection));
        match $feed {
            PULSE_FEED_START => $end.start($now),
            PULSE_FEED_STOP => $end.stop($now),
            PULSE_FEED_CONNECTED => $end.handle_connected(on, $now),
            PULSE_FEED_MESSAGE => $end.handle_message(on, $data, $now),
            PULSE_FEED_DISCONNECTED => $end.handle_disconnected(on, $now),
            PULSE_FEED_TIMEOUT => $end.handle_timeout($now),
            $($own)*
        }
        Ok(())
    }};
}

pub(super) fn feed_instance(
    end: &mut InstanceEnd,
    feed: pulse_feed,
    connection: u32,
    data: &[u8],
    now: Now,
) -> Result<(), Fault> {
    feed! { end, feed, connection, data, now,
        PULSE_FEED_REFRESH_ANSWER => {
            end.handle_refresh_answer(http_status(connection, "connection")?, data, now);
        }
        PULSE_FEED_REFRESH_FAILURE => end.handle_refresh_failure(now),
        _ => return Err(Fault::Argument("feed", "expected one of PULSE_FEED_...")),
    }
}

pub(super) fn feed_phone(
    end: &mut PhoneEnd,
    feed: pulse_feed,
    connection: u32,
    data: &[u8],
    now: Now,
) -> Result<(), Fault> {
    feed! { end, feed, connection, data, now,
        _ => return Err(Fault::Argument("feed", "expected one of PULSE_FEED_... that a phone knows")),
    }
}
