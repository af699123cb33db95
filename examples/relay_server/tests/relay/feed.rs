//! A license server's revocation feed, as the tests script it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pulse_relay::FeedConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the feed answers: to `since`, a JSON text; `None` to hang.
type Answers = dyn Fn(u64) -> Option<String> + Send;

pub(crate) struct FeedServer {
    pub(crate) config: FeedConfig,
    url: String,
    answers: Arc<Mutex<Box<Answers>>>,
    requests: Arc<Mutex<Vec<u64>>>,
}

impl FeedServer {
    pub(crate) async fn start(answers: impl Fn(u64) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = FeedConfig::new(&url, "feed-token").unwrap();
        let server = Self { config, url, answers: Arc::new(Mutex::new(Box::new(answers))), requests: Arc::default() };
        let (answers, requests) = (Arc::clone(&server.answers), Arc::clone(&server.requests));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (answers, requests) = (Arc::clone(&answers), Arc::clone(&requests));
                tokio::spawn(async move {
                    let mut request = vec![0; 4096];
                    let length = stream.read(&mut request).await.unwrap_or(0);
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    assert!(request.contains("Bearer feed-token"), "{request}");
                    let since = request.split("since=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
                    let since = since.parse().unwrap();
                    requests.lock().unwrap().push(since);
                    let answer = (answers.lock().unwrap())(since);
                    let Some(answer) = answer else {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                        return;
                    };
                    let length = answer.len();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                    stream.write_all((head + &answer).as_bytes()).await.ok();
                });
            }
        });
        server
    }

    /// One that says nothing new at first.
    pub(crate) async fn quiet() -> Self {
        Self::start(|since| Some(format!(r#"{{"next_seq":{since}}}"#))).await
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn answer(&self, answers: impl Fn(u64) -> Option<String> + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    /// Says these events once, as number 1.
    pub(crate) fn announce(&self, events: &str) {
        let events = events.to_owned();
        self.answer(move |since| {
            let events = if since == 0 { events.as_str() } else { "" };
            Some(format!(r#"{{"next_seq":1,"has_more":false,"events":[{events}]}}"#))
        });
    }

    /// Waits until it was asked last for what follows `since`.
    pub(crate) async fn asked(&self, since: u64) {
        for _ in 0..1000 {
            if self.requests().last() == Some(&since) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("asked last for what follows {:?}, not {since}", self.requests().last());
    }

    pub(crate) fn requests(&self) -> Vec<u64> {
        self.requests.lock().unwrap().clone()
    }
}
