//! What an operator sees: metrics and their page, alerts and dashboard, readiness, the admin address.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use pulse_relay::{Config, Relay};
use pulse_trust::UnixTime;
use pulse_trust::relay::ControlPayload;
use serde_json::Value;

use crate::common::{
    Client, TestKeys, channel, connect, frame, fresh, get, get_status, metric, register, registered, start,
};
use crate::program::Program;

const HOST: &str = "t-1.cloud.example.test";
const DIRECTORY: &str = env!("CARGO_MANIFEST_DIR");

fn file(name: &str) -> String {
    fs::read_to_string(format!("{DIRECTORY}/{name}")).unwrap_or_default()
}

#[test]
fn the_page_of_metrics_is_that_of_the_program() {
    let output = Command::new(env!("CARGO_BIN_EXE_pulse-relay")).arg("--metrics").output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page == file("METRICS.md"), "run cargo run -p pulse-relay -- --metrics > examples/relay_server/METRICS.md");
}

/// Names and kinds of a page's table.
fn documented(page: &str) -> BTreeSet<(String, String)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    })
    .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn every_metric_that_is_exported_is_documented_and_every_documented_one_is_exported() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let text = get(&relay, "/metrics").await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let exported: BTreeSet<_> = types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
    assert_eq!(exported, documented(&file("METRICS.md")));
}

/// The metrics that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let prefixes = ["pulse_relay_", "pulse_prober_", "process_"];
    let metrics = words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix)));
    metrics.map(|name| name.trim_end_matches("_bucket").to_owned()).collect()
}

#[test]
fn alerts_and_dashboard_name_only_what_there_is_and_each_alert_is_tested_and_explained() {
    let mut known: BTreeSet<String> = documented(&file("METRICS.md")).into_iter().map(|(name, _)| name).collect();
    known.extend(named(&file("../prober/README.md")));
    let (alerts, tests, runbook) = (file("deploy/alerts.yaml"), file("deploy/alerts_test.yaml"), file("README.md"));
    for name in named(&alerts).iter().chain(&named(&file("deploy/dashboard.json"))) {
        assert!(known.contains(name), "{name} is not exported");
    }
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() >= 18, "{names:?}");
    for name in names {
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name} is not tested");
        let anchor = name.to_ascii_lowercase();
        assert!(alerts.contains(&format!("runbook: README.md#{anchor}")), "{name} names no runbook");
        assert!(runbook.contains(&format!("#### {name}\n")), "{name} is not in the README");
    }
}

#[tokio::test]
async fn the_keys_and_the_time_in_queue_are_shown() {
    let keys = TestKeys::new();
    let (relay, _directory) = fresh(&keys).await;
    let (mut instance, ack) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    let (mut app, here, _) = channel(&relay, &mut instance, &ack.instance_id).await;
    app.send(frame(pulse_trust::relay::FrameType::Data, here, b"x")).await;
    instance.next().await.unwrap();
    let text = get(&relay, "/metrics").await;
    let id = keys.lease.public_key().key_id();
    let key = format!(r#"pulse_relay_key_info{{key_id="{}",kind="lease"}} 1"#, id.as_str());
    assert!(text.contains(&key), "{key} is not in:\n{text}");
    assert!(text.contains("pulse_relay_queue_seconds_count 1"), "{text}");
    assert!(metric(&relay, "pulse_relay_connections").await >= 3, "{text}");
    assert_eq!(metric(&relay, "pulse_relay_ready").await, 1);
}

#[tokio::test]
async fn readiness_says_why_not_and_health_goes_on() {
    let keys = TestKeys::new();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.limits.instance_connections = 1;
    let relay = start(config).await;
    assert_eq!(get_status(&relay, "/readyz").await, 200);
    let (_instance, _) = registered(&relay, &register(&keys.lease(HOST, 3600), "h", "key")).await;
    assert_eq!((get_status(&relay, "/readyz").await, get_status(&relay, "/healthz").await), (503, 200));
}

async fn with_admin(keys: &TestKeys) -> (Relay, SocketAddr, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::on_loopback(keys.trusted(), directory.path());
    config.admin_addr = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let relay = start(config).await;
    let addr = relay.admin_addr().unwrap();
    (relay, addr, directory)
}

/// A request to the admin address: status and body.
async fn admin(
    addr: SocketAddr,
    method: &'static str,
    path: &str,
    host: Option<&'static str>,
    body: &'static str,
) -> (u16, String) {
    let url = format!("http://{addr}{path}");
    let ask = move || {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent = ureq::Agent::new_with_config(config);
        let mut answer = match method {
            "DELETE" => agent.delete(&url).call().unwrap(),
            "PUT" => agent.put(&url).send(body).unwrap(),
            _ => match host {
                Some(host) => agent.get(&url).header("Host", host).call().unwrap(),
                None => agent.get(&url).call().unwrap(),
            },
        };
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    tokio::task::spawn_blocking(ask).await.unwrap()
}

async fn admin_json(addr: SocketAddr, path: &str) -> Value {
    let (status, body) = admin(addr, "GET", path, None, "").await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn an_operator_sees_who_is_connected_what_happened_to_it_and_closes_one() {
    let keys = TestKeys::new();
    let (relay, addr, _directory) = with_admin(&keys).await;
    let token = keys.lease(HOST, 3600);
    let (mut instance, ack) = registered(&relay, &register(&token, "h", "key")).await;
    let (mut app, _, _) = channel(&relay, &mut instance, &ack.instance_id).await;
    app.say(&connect("relay_0123456789abcdef"), 0).await;
    app.refusal().await;
    let list = admin_json(addr, "/connections").await;
    let [seen, phone] = list.as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((seen["end"].as_str(), seen["instance_id"].as_str()), (Some("instance"), Some(&*ack.instance_id)));
    assert_eq!(
        (seen["channels"].as_u64(), seen["expires_at"].as_i64()),
        (Some(1), ack.expires_at.map(UnixTime::as_secs))
    );
    assert_eq!(seen["address"], "127.0.0.1");
    let by_id = admin_json(addr, &format!("/connections?instance={}", ack.instance_id)).await;
    assert_eq!(by_id.as_array().unwrap().len(), 2, "{by_id}");
    assert_eq!(admin_json(addr, "/connections?end=app").await.as_array().unwrap().len(), 1);
    assert_eq!(admin(addr, "GET", "/connections?what=1", None, "").await.0, 400);
    let phone = admin_json(addr, &format!("/connections/{}", phone["number"])).await;
    let events: Vec<_> =
        phone["story"].as_array().unwrap().iter().map(|told| told["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["channel_opened", "connect_refused"]);
    assert_eq!(phone["connected_to"][0], *ack.instance_id);
    let whole = format!("{list}{phone}");
    assert!(!whole.contains(&token) && !whole.contains(ack.session_token.expose_secret()), "{whole}");
    // Closed, its other end is told, and may come back.
    let path = format!("/connections/{}", seen["number"]);
    assert_eq!(admin(addr, "DELETE", &path, None, "").await.0, 200);
    let (_, code, reason) = instance.end().await;
    assert!(code == 1001 && reason.contains("operator"), "{code} {reason}");
    registered(&relay, &register(&token, "h", "key")).await;
    crate::common::metric_becomes(&relay, "pulse_relay_connections_closed_by_operator_total", 1).await;
    assert_eq!(admin(addr, "DELETE", "/connections/4000", None, "").await.0, 404);
}

/// The status of a request, and its Allow header.
async fn asked(addr: SocketAddr, request: &str) -> (String, Option<String>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let allow = answer.lines().find_map(|line| line.strip_prefix("allow: ")).map(ToOwned::to_owned);
    (answer.split(' ').nth(1).unwrap().to_owned(), allow)
}

#[tokio::test]
async fn a_wrong_method_a_wrong_path_and_an_empty_body_are_told_apart() {
    let keys = TestKeys::new();
    let (relay, addr, _directory) = with_admin(&keys).await;
    for (request, status, allow) in [
        ("POST /connections", "405", Some("GET")),
        ("PUT /connections/4000", "405", Some("GET, DELETE")),
        ("DELETE /connections/4000", "404", None),
        ("GET /log", "405", Some("PUT")),
        ("DELETE /", "405", Some("GET")),
        ("PUT /logs", "404", None),
        ("GET /connections/none", "404", None),
    ] {
        assert_eq!(asked(addr, request).await, (status.to_owned(), allow.map(str::to_owned)), "{request}");
    }
    assert_eq!(asked(relay.local_addr(), "POST /healthz").await, ("405".to_owned(), Some("GET".to_owned())));
    for body in ["", " \n"] {
        let (status, answer) = admin(addr, "PUT", "/log", None, body).await;
        assert!(status == 400 && answer.contains("such as info"), "{status} {answer}");
    }
}

/// A page of the web whose name leads to loopback could have read who is connected.
#[tokio::test]
async fn the_admin_address_answers_nobody_who_calls_it_by_another_name() {
    let keys = TestKeys::new();
    let (relay, addr, _directory) = with_admin(&keys).await;
    assert_eq!(admin(addr, "GET", "/connections", Some("attacker.example"), "").await.0, 403);
    assert_eq!(admin(addr, "GET", "/connections", Some("127.0.0.1.attacker.example:80"), "").await.0, 403);
    assert_eq!(admin(addr, "GET", "/connections", Some("localhost:8081"), "").await.0, 200);
    let settings = admin_json(addr, "/settings").await;
    assert_eq!(settings["PULSE_RELAY_ADMIN_ADDR"], "127.0.0.1:0");
    // The relay's own address knows none of it.
    assert_eq!(get_status(&relay, "/connections").await, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_logged_changes_while_the_relay_runs() {
    use std::io::{BufRead, BufReader};
    let keys = TestKeys::new();
    let mut program = Program::start(&keys, &[("PULSE_RELAY_ADMIN_ADDR", "127.0.0.1:0")], Stdio::piped());
    let mut lines = BufReader::new(program.child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("the admin address listens")).unwrap();
    let addr: SocketAddr = line.rsplit_once("addr=").unwrap().1.parse().unwrap();
    let (status, body) = admin(addr, "PUT", "/log", None, "pulse_relay=loud").await;
    assert!(status == 400 && body.contains("loud"), "{body}");
    let hello = |number: usize| async move {
        let mut client = Client::connect_to(program.addr, "/ws/instance").await;
        let mut refused = register("no token", "hint", "key");
        refused.client_version = Some(number.to_string());
        client.send(refused.to_frame(0).unwrap()).await;
        client.next().await.unwrap();
    };
    hello(1).await;
    assert_eq!(admin(addr, "PUT", "/log", None, "off").await.0, 200);
    hello(2).await;
    hello(3).await;
    assert_eq!(admin(addr, "PUT", "/log", None, "info").await.0, 200);
    hello(4).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    rustix::process::kill_process(rustix::process::Pid::from_child(&program.child), rustix::process::Signal::TERM)
        .unwrap();
    let refusals = lines.filter(|line| line.contains("refused a registration")).count();
    assert_eq!(refusals, 2);
}
