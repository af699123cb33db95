//! The relay under attack: what a healthy tenant's requests take meanwhile, beside a second relay that nobody attacks,
//! and what memory the attack costs before, at its peak and after. Only ever against relays on loopback that it starts.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::attackers::Attack;
use crate::process::Role;
use crate::{Failure, phones, tenant};

/// How the attacks are run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// These attacks alone.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Attack>,
    /// Seconds of each.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// A tenth of the attackers for three seconds, to see that it runs.
    #[arg(long)]
    quick: bool,
}

/// Tenants that are not attacked, and their phones.
const HEALTHY: usize = 10;
/// Requests a second of these phones together.
const RATE: u32 = 100;
/// Time for the relay to give back what an attack took.
const RECOVERY: Duration = Duration::from_secs(5);

struct Figures {
    attack: Attack,
    attacked: phones::Report,
    control: phones::Report,
    before_mb: f64,
    peak_mb: f64,
    after_mb: f64,
}

/// Runs the attacks and prints their table.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let (seconds, scale) = if arguments.quick { (3, 10) } else { (arguments.seconds, 1) };
    let attacks = if arguments.only.is_empty() { Attack::all() } else { arguments.only };
    println!("| Attack | p99 meanwhile, ms | unanswered | p99 of the other relay, ms | MB before | peak | after |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for attack in attacks {
        let Figures { attack, attacked, control, before_mb, peak_mb, after_mb } =
            measure(attack, seconds, scale).await?;
        println!(
            "| {} | {:.1} | {} | {:.1} | {before_mb:.0} | {peak_mb:.0} | {after_mb:.0} |",
            attack.describe(scale),
            attacked.p99_ms,
            attacked.unanswered,
            control.p99_ms,
        );
    }
    let drains = if arguments.quick { 3 } else { 200 };
    let lost = drains_under_load(drains).await?;
    println!("\n{drains} drains under load: {lost} requests that had reached the instance lost their answer");
    Ok(())
}

async fn measure(attack: Attack, seconds: u64, scale: usize) -> Result<Figures, Failure> {
    let (relay, addr, _folder) = start_relay().await?;
    let (_control, control_addr, _control_folder) = start_relay().await?;
    let mut fleets = Vec::new();
    for addr in [&addr, &control_addr] {
        // The tenants after the healthy ones are those whose instances an attack makes use of.
        let count = HEALTHY + 1;
        fleets.push(role(&format!("fleet --relay {addr} --first 0 --count {count} --in-flight 8"))?);
    }
    for fleet in &mut fleets {
        fleet.line().await?;
    }
    let before = relay.usage()?;
    let count = (attack.count() / scale).max(1);
    let name = attack.name();
    let mut attacker = role(&format!("attacker --relay {addr} --attack {name} --count {count} --seconds {seconds}"))?;
    attacker.line().await?;
    let phones = |addr: &str| {
        role(&format!("phones --relay {addr} --phones {HEALTHY} --rate {RATE} --seconds {}", seconds.saturating_sub(1)))
    };
    let (attacked, control) = (phones(&addr)?, phones(&control_addr)?);
    let mut peak_mb = before.resident_mb;
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        sleep(Duration::from_millis(200)).await;
        peak_mb = peak_mb.max(relay.usage()?.resident_mb);
    }
    let (attacked, control) = (phones::report(attacked).await?, phones::report(control).await?);
    attacker.kill().await?;
    sleep(RECOVERY).await;
    let after_mb = relay.usage()?.resident_mb;
    Ok(Figures { attack, attacked, control, before_mb: before.resident_mb, peak_mb, after_mb })
}

/// Starts and drains a relay so often while phones ask; how many answers were lost.
async fn drains_under_load(count: usize) -> Result<usize, Failure> {
    let mut lost = 0;
    for _ in 0..count {
        let (relay, addr, _folder) = start_relay().await?;
        let mut asking = role(&format!("attacker --relay {addr} --attack drained --count {HEALTHY} --seconds 5"))?;
        asking.line().await?;
        sleep(Duration::from_millis(300)).await;
        relay.terminate()?;
        lost += asking.line().await?.parse::<usize>()?;
    }
    Ok(lost)
}

async fn start_relay() -> Result<(Role, String, tempfile::TempDir), Failure> {
    let folder = tempfile::tempdir()?;
    let environment = [
        ("PULSE_RELAY_ADDR", "127.0.0.1:0".to_owned()),
        ("PULSE_RELAY_DATA_DIR", folder.path().display().to_string()),
        ("PULSE_RELAY_HOSTED_ENTITLEMENT_PUBLIC_KEY", tenant::control_plane()?.public_key().to_base64()),
        ("PULSE_RELAY_PUBLIC_KEY", String::new()),
    ];
    let mut relay = Role::start(&["relay".to_owned()], environment)?;
    let addr = relay.line().await?;
    Ok((relay, addr, folder))
}

fn role(line: &str) -> Result<Role, Failure> {
    Role::start(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), [])
}
