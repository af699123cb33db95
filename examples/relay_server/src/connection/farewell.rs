//! The end of a connection: the last messages are sent, and the other end gets the time to read them.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::outbox::{Ending, Outbox};
use super::socket::Socket;

/// The time for sending what still waits, and the close.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The time for the other end to close as well.
const LINGER: Duration = Duration::from_secs(1);
/// How much is read and thrown away meanwhile.
const MAX_DISCARDED: u64 = 4 * 1024 * 1024;

/// Sends the rest, the last frame and the close, and waits for the other end to close.
///
/// A socket that is closed while data waits to be read from it is reset, and the other end may then never see what was
/// sent last. So incoming data is read and thrown away for a moment.
pub(super) async fn say<S: AsyncRead + AsyncWrite + Unpin>(mut socket: Socket<S>, outbox: &Outbox, ending: Ending) {
    let last_words = async {
        if ending.sends_rest {
            while let Some(queued) = outbox.take_rest() {
                if socket.send(queued.bytes).await.is_err() {
                    return;
                }
            }
        }
        if let Some(frame) = ending.last_frame
            && socket.send(frame).await.is_err()
        {
            return;
        }
        socket.close(ending.close_code, &ending.reason).await;
    };
    if timeout(LAST_WORDS, last_words).await.is_err() {
        return;
    }
    let Some(mut stream) = socket.into_stream() else { return };
    let linger = async {
        stream.shutdown().await.ok();
        tokio::io::copy(&mut stream.take(MAX_DISCARDED), &mut tokio::io::sink()).await.ok();
    };
    timeout(LINGER, linger).await.ok();
}
