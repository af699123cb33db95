//! A server that answers as a relay does, or as a test wants it to.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use pulse_trust::UnixTime;
use pulse_trust::relay::{Frame, FrameType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

#[derive(Clone)]
struct Answers {
    status: u16,
    body: String,
    location: String,
    clock: UnixTime,
    /// Code and message of the answer to a CONNECT.
    error: (String, String),
}

/// It serves until its process ends.
pub(crate) struct FakeRelay {
    answers: Arc<Mutex<Answers>>,
    addr: std::net::SocketAddr,
}

impl FakeRelay {
    pub(crate) fn start() -> Self {
        let answers = Answers {
            status: 200,
            body: r#"{"status":"ok"}"#.to_owned(),
            location: String::new(),
            clock: UnixTime::now(),
            error: ("INSTANCE_NOT_FOUND".to_owned(), "no".to_owned()),
        };
        let answers = Arc::new(Mutex::new(answers));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::clone(&answers);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let answers = shared.lock().unwrap().clone();
                    tokio::spawn(answer(stream, answers));
                }
            });
        });
        Self { answers, addr }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws/instance", self.addr)
    }

    pub(crate) fn with_clock(self, clock: UnixTime) -> Self {
        self.answers.lock().unwrap().clock = clock;
        self
    }

    pub(crate) fn with_health(self, status: u16, body: &str) -> Self {
        let mut answers = self.answers.lock().unwrap();
        (answers.status, answers.body) = (status, body.to_owned());
        drop(answers);
        self
    }

    /// A redirect.
    pub(crate) fn with_location(self, location: &str) -> Self {
        let mut answers = self.answers.lock().unwrap();
        (answers.status, answers.location) = (302, location.to_owned());
        drop(answers);
        self
    }

    pub(crate) fn with_error(self, code: &str, message: &str) -> Self {
        self.answers.lock().unwrap().error = (code.to_owned(), message.to_owned());
        self
    }
}

async fn answer(mut stream: TcpStream, answers: Answers) {
    let mut start = [0; 512];
    let peeked = stream.peek(&mut start).await.unwrap();
    if String::from_utf8_lossy(&start[..peeked]).contains("healthz") {
        let seconds = u64::try_from(answers.clock.as_secs()).unwrap();
        let at = std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds)).unwrap();
        let date = httpdate::fmt_http_date(at);
        stream.read_exact(&mut start[..peeked]).await.unwrap();
        let location =
            if answers.location.is_empty() { String::new() } else { format!("Location: {}\r\n", answers.location) };
        let head = format!(
            "HTTP/1.1 {} X\r\nDate: {date}\r\n{location}Content-Length: {}\r\nConnection: close\r\n\r\n",
            answers.status,
            answers.body.len()
        );
        stream.write_all(format!("{head}{}", answers.body).as_bytes()).await.unwrap();
        return;
    }
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    socket.next().await.unwrap().unwrap();
    let error = serde_json::json!({"code": answers.error.0, "message": answers.error.1}).to_string();
    let frame = Frame::new(FrameType::Error, 0, error.as_bytes()).encode().unwrap();
    socket.send(Message::Binary(frame.into())).await.unwrap();
}
