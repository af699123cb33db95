//! One measurement: so many instances register, stay, answer phones, and all come back after the relay was killed.

use std::time::Duration;

use tokio::time::sleep;

use crate::process::{Role, Usage};
use crate::{Failure, Load, fleet, phones, tenant};

/// Instances of one fleet process: each is a file descriptor.
const FLEET: usize = 10_000;
/// Instances that connect at the same time, over all fleets.
const IN_FLIGHT: usize = 256;

/// What was measured.
pub(crate) struct Figures {
    pub(crate) instances: usize,
    pub(crate) registered: fleet::Report,
    pub(crate) resident_empty_mb: f64,
    pub(crate) resident_mb: f64,
    pub(crate) registration_cpu_seconds: f64,
    pub(crate) idle_cpu_percent: f64,
    pub(crate) requests: phones::Report,
    pub(crate) request_cpu_percent: f64,
    pub(crate) resumed: fleet::Report,
}

impl Figures {
    /// Resident memory of the relay for each idle instance, KiB.
    pub(crate) fn kib_per_instance(&self) -> f64 {
        (self.resident_mb - self.resident_empty_mb) * 1024.0 / self.instances as f64
    }
}

/// Runs the storm with so many instances.
pub(crate) async fn run(instances: usize, load: &Load) -> Result<Figures, Failure> {
    let folder = tempfile::tempdir()?;
    let environment = |addr: &str| -> Result<[(&'static str, String); 5], Failure> {
        Ok([
            ("PULSE_RELAY_ADDR", addr.to_owned()),
            ("PULSE_RELAY_DATA_DIR", folder.path().display().to_string()),
            ("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", tenant::control_plane()?.public_key().to_base64()),
            ("PULSE_RELAY_PUBLIC_KEY", String::new()),
            // All come from one address.
            ("PULSE_RELAY_HANDSHAKES_PER_ADDRESS", "1000000, 1000000/s".to_owned()),
        ])
    };
    let mut relay = Role::start(&["relay".to_owned()], environment("127.0.0.1:0")?)?;
    let addr = relay.line().await?;
    let empty = relay.usage()?;
    eprintln!("{instances} instances register");
    let mut fleets = start_fleets(instances, &addr)?;
    let registered = reports(&mut fleets).await?;
    let settled = relay.usage()?;

    eprintln!("{} s of pings", load.idle_seconds);
    let time = Duration::from_secs(load.idle_seconds);
    sleep(time).await;
    let idle = relay.usage()?;

    eprintln!("{} requests a second for {} s", load.rate, load.request_seconds);
    let requests = phones::report(start_phones(load, instances, &addr)?).await?;
    let asked = relay.usage()?;

    eprintln!("the relay is killed and started again");
    relay.kill().await?;
    let mut relay = Role::start(&["relay".to_owned()], environment(&addr)?)?;
    relay.line().await?;
    let resumed = reports(&mut fleets).await?;
    let percent = |from: Usage, to: Usage, seconds: u64| (to.cpu_seconds - from.cpu_seconds) * 100.0 / seconds as f64;
    Ok(Figures {
        instances,
        registered,
        resident_empty_mb: empty.resident_mb,
        resident_mb: idle.resident_mb,
        registration_cpu_seconds: settled.cpu_seconds - empty.cpu_seconds,
        idle_cpu_percent: percent(settled, idle, load.idle_seconds),
        requests,
        request_cpu_percent: percent(idle, asked, load.request_seconds),
        resumed,
    })
}

/// Fleets of so many instances together, at a relay or at several of its nodes, separated by commas.
pub(crate) fn start_fleets(instances: usize, addr: &str) -> Result<Vec<Role>, Failure> {
    let fleets = instances.div_ceil(FLEET);
    let each = instances.div_ceil(fleets);
    (0..fleets)
        .map(|fleet| {
            let first = fleet * each;
            let count = each.min(instances - first);
            let arguments =
                format!("fleet --relay {addr} --first {first} --count {count} --in-flight {}", IN_FLIGHT / fleets);
            Role::start(&words(&arguments), [])
        })
        .collect()
}

/// The report of all fleets together: the latest end, the worst latencies.
pub(crate) async fn reports(fleets: &mut [Role]) -> Result<fleet::Report, Failure> {
    let mut all = fleet::Report { seconds: 0.0, p50_ms: 0.0, p99_ms: 0.0, failed_attempts: 0 };
    for fleet in fleets {
        let report: fleet::Report = fleet.report().await?;
        all.seconds = all.seconds.max(report.seconds);
        all.p50_ms = all.p50_ms.max(report.p50_ms);
        all.p99_ms = all.p99_ms.max(report.p99_ms);
        all.failed_attempts += report.failed_attempts;
    }
    Ok(all)
}

fn start_phones(load: &Load, instances: usize, addr: &str) -> Result<Role, Failure> {
    let phones = load.phones.min(instances);
    let (rate, seconds) = (load.rate, load.request_seconds);
    Role::start(&words(&format!("phones --relay {addr} --phones {phones} --rate {rate} --seconds {seconds}")), [])
}

pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// The figures as Markdown, a column for each number of instances.
pub(crate) fn table(figures: &[Figures], load: &Load) -> String {
    let mut text = String::from("| Instances |");
    for figures in figures {
        text += &format!(" {} |", figures.instances);
    }
    text += &format!("\n|---|{}\n", "---:|".repeat(figures.len()));
    let rate = load.rate;
    type Value = fn(&Figures) -> String;
    let rows: [(String, Value); 14] = [
        ("Connect + register, all, s".into(), |f| format!("{:.1}", f.registered.seconds)),
        ("a second".into(), |f| format!("{:.0}", f.instances as f64 / f.registered.seconds)),
        ("one, p50, ms".into(), |f| format!("{:.1}", f.registered.p50_ms)),
        ("one, p99, ms".into(), |f| format!("{:.1}", f.registered.p99_ms)),
        ("attempts that failed".into(), |f| f.registered.failed_attempts.to_string()),
        ("relay's CPU for all, s".into(), |f| format!("{:.1}", f.registration_cpu_seconds)),
        ("Relay's resident memory, idle, MB".into(), |f| format!("{:.0}", f.resident_mb)),
        ("of it for each instance, KiB".into(), |f| format!("{:.1}", f.kib_per_instance())),
        ("Relay's CPU, idle with pings every 25 s, % of a core".into(), |f| format!("{:.1}", f.idle_cpu_percent)),
        (format!("Request at {rate} a second, p50, ms"), |f| format!("{:.2}", f.requests.p50_ms)),
        (format!("Request at {rate} a second, p99, ms"), |f| format!("{:.2}", f.requests.p99_ms)),
        ("requests answered / unanswered".into(), |f| format!("{} / {}", f.requests.answered, f.requests.unanswered)),
        ("relay's CPU meanwhile, % of a core".into(), |f| format!("{:.0}", f.request_cpu_percent)),
        ("All back after a kill of the relay, s".into(), |f| format!("{:.1}", f.resumed.seconds)),
    ];
    for (name, value) in rows {
        let values: Vec<String> = figures.iter().map(value).collect();
        text += &format!("| {name} | {} |\n", values.join(" | "));
    }
    text
}
