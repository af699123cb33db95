//! The log: its lines never hold up the relay, and texts of others cannot break it.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::Rate;
use crate::metrics::Metrics;
use crate::rates::Direct;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Lines that may wait for the reader of the log. More are dropped and counted.
const BUFFERED_LINES: usize = 4096;
/// How much of a sender's text is written, in characters.
const MAX_TEXT: usize = 200;
/// How long until the log says how many refusals were not logged.
const SUMMARY_EVERY: Duration = Duration::from_secs(10);

const NATS_CLIENT: &str = "async_nats";

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people; colored on a terminal.
    Text,
    /// A JSON object a line.
    Json,
}

/// A running log. When it is dropped at the end, it writes what still waits, for a moment at most.
pub struct Log {
    _worker: WorkerGuard,
    handle: LogHandle,
}

impl Log {
    /// Logs to standard error, from a thread of its own, what `filter` says or, if that is empty, what `RUST_LOG` says. A
    /// reader that is slow or gone misses lines; the relay continues.
    pub fn to_stderr(format: LogFormat, filter: &str) -> Self {
        let (writer, worker) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(BUFFERED_LINES)
            .thread_name("log")
            .finish(std::io::stderr());
        let dropped = writer.error_counter();
        let lines = tracing_subscriber::fmt()
            .with_env_filter(filter_of(filter))
            .with_writer(writer)
            .with_ansi(
                std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            )
            // A line that cannot be written is not reported on the standard error that failed.
            .log_internal_errors(false);
        let set: Arc<dyn Fn(EnvFilter) + Send + Sync> = match format {
            LogFormat::Text => {
                let lines = lines.with_filter_reloading();
                let handle = lines.reload_handle();
                lines.init();
                Arc::new(move |filter| drop(handle.reload(filter)))
            }
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_filter_reloading();
                let handle = lines.reload_handle();
                lines.init();
                Arc::new(move |filter| drop(handle.reload(filter)))
            }
        };
        Self { _worker: worker, handle: LogHandle { dropped, set } }
    }

    /// What the relay needs of it.
    pub fn handle(&self) -> LogHandle {
        self.handle.clone()
    }
}

/// How many lines a log has lost, and what it writes.
#[derive(Clone)]
pub struct LogHandle {
    dropped: tracing_appender::non_blocking::ErrorCounter,
    set: Arc<dyn Fn(EnvFilter) + Send + Sync>,
}

impl LogHandle {
    /// Lines that were dropped because nobody read them in time.
    pub(crate) fn lost_lines(&self) -> u64 {
        u64::try_from(self.dropped.dropped_lines()).unwrap_or(u64::MAX)
    }

    /// From now on writes what this filter says; if it is empty, what `RUST_LOG` says.
    pub(crate) fn set_filter(&self, filter: &str) {
        (self.set)(filter_of(filter));
    }
}

/// Whether a filter can be parsed; if not, why.
pub(crate) fn check_filter(filter: &str) -> Result<(), String> {
    let expected =
        |error| format!("expected a filter such as info or warn,pulse_relay=debug, received {filter:?}: {error}");
    EnvFilter::builder().parse(filter).map(drop).map_err(expected)
}

fn filter_of(filter: &str) -> EnvFilter {
    let of_environment = || std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let filter = if filter.is_empty() { of_environment() } else { filter.to_owned() };
    let filter = if filter.trim().is_empty() || check_filter(&filter).is_err() { "info" } else { &filter };
    // The relay itself logs once what NATS's client would say. A filter that names the client brings its log back.
    let is_named = filter.contains(NATS_CLIENT);
    EnvFilter::new(if is_named { filter.to_owned() } else { format!("{filter},{NATS_CLIENT}=off") })
}

/// A sender's text, cut for the log. Both log formats escape its content.
pub(crate) fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The log of refusals, which anybody can cause.
pub(crate) struct RefusalLog {
    rate: Direct,
    summary: Direct,
    left_out: AtomicU64,
}

impl RefusalLog {
    pub(crate) fn new(rate: Rate) -> Self {
        let summary = Rate::new(1, SUMMARY_EVERY);
        Self { rate: Direct::new(rate), summary: Direct::new(summary), left_out: AtomicU64::new(0) }
    }

    /// Writes a line, unless there were too many.
    pub(crate) fn write(&self, metrics: &Metrics, line: impl FnOnce()) {
        if self.rate.take() {
            return line();
        }
        metrics.refusals_unlogged.inc();
        self.left_out.fetch_add(1, Ordering::Relaxed);
        if self.summary.take() {
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            warn!(left_out, "too many refusals to log each");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Arc;

    use super::*;
    use crate::sync::{Mutex, locked};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            locked(&self.0).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_senders_text_is_cut_and_cannot_begin_a_line_of_its_own() {
        assert_eq!(cut(&"é".repeat(1000)).chars().count(), MAX_TEXT);
        assert_eq!(cut("short"), "short");
        for json in [false, true] {
            let lines = Lines::default();
            let writer = lines.clone();
            let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
            let write = || tracing::info!(reason = cut("a\nb\u{1b}[31m"), "refused");
            match json {
                false => tracing::subscriber::with_default(log.finish(), write),
                true => tracing::subscriber::with_default(log.json().finish(), write),
            }
            let text = String::from_utf8(locked(&lines.0).clone()).unwrap();
            assert!(text.lines().count() == 1 && !text.contains('\u{1b}'), "{text}");
        }
    }
}
