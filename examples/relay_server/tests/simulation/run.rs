//! One run: the nodes, the faults of the plan, and what is checked at the end.

use std::path::PathBuf;
use std::time::Duration;

use pulse_relay::{Config, Relay};
use turmoil::net::TcpListener;

use crate::network::{PORT, Simulated};
use crate::phone::Habits;
use crate::plan::{FAULTS_UNTIL_MS, Fault, PHONES, Plan, TENANTS};
use crate::random::Random;
use crate::world::World;
use crate::{hostile, instance, phone};

/// How a run went.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) registrations: u64,
    pub(crate) faults: u64,
    pub(crate) hostile_frames: u64,
}

/// Time after the last fault, in which all must work again.
const RECOVERY: Duration = Duration::from_secs(12);
/// How long a healthy tenant's answer may take while only another tenant is attacked.
const HEALTHY: Duration = Duration::from_millis(400);

pub(crate) fn run(seed: u64, is_talking: bool) -> Report {
    let mut random = Random::new(seed);
    let plan = Plan::new(&mut random);
    let world = World::new(is_talking);
    let directory = tempfile::tempdir().unwrap();
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(Duration::from_millis(20))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(20))
        .tcp_capacity(1024)
        .simulation_duration(Duration::from_secs(3600))
        .enable_random_order()
        .build();
    let (relay_world, data_dir) = (world.clone(), directory.path().to_owned());
    sim.host("relay", move || relay(relay_world.clone(), data_dir.clone()));
    for (tenant, lease_seconds) in plan.lease_seconds.into_iter().enumerate() {
        let world = world.clone();
        sim.host(format!("instance{tenant}"), move || instance::live(world.clone(), tenant, lease_seconds));
    }
    for number in 0..PHONES {
        let world = world.clone();
        let is_slow = number == 2 && plan.has_slow_phone;
        let habits = Habits { phone: number, tenant: number.min(TENANTS - 1), is_slow };
        let seed = random.next();
        sim.host(format!("phone{number}"), move || phone::live(world.clone(), habits, seed));
    }
    for number in 0..2 {
        let (world, seed) = (world.clone(), random.next());
        sim.host(format!("hostile{number}"), move || hostile::live(world.clone(), seed));
    }
    let mut faults = plan.faults.iter().peekable();
    let end = Duration::from_millis(FAULTS_UNTIL_MS) + RECOVERY;
    while sim.elapsed() < end {
        while let Some((at, fault)) = faults.next_if(|(at, _)| Duration::from_millis(*at) <= sim.elapsed()) {
            if is_talking {
                println!("{:>9.3} fault: {fault:?}", Duration::from_millis(*at).as_secs_f64());
            }
            strike(&mut sim, &world, directory.path(), fault);
        }
        if let Err(error) = sim.step() {
            world.inner().violations.push(format!("a node failed: {error}"));
            break;
        }
    }
    check_end(&world, &plan, end);
    let inner = world.inner();
    Report {
        seed,
        violations: inner.violations.clone(),
        answered: inner.answered,
        failed: inner.failed,
        registrations: inner.registrations,
        faults: u64::try_from(plan.faults.len()).unwrap(),
        hostile_frames: inner.hostile_frames,
    }
}

async fn relay(world: World, data_dir: PathBuf) -> turmoil::Result {
    let mut config = Config::on_loopback(world.trusted(), data_dir);
    config.clock = world.clock();
    config.limits.hello_timeout = Duration::from_secs(3);
    config.limits.silence_timeout = Duration::from_secs(6);
    config.limits.accept_timeout = Duration::from_secs(3);
    config.limits.write_timeout = Duration::from_secs(4);
    config.limits.stall_timeout = Duration::from_secs(3);
    config.limits.process_queued_bytes = 4 * 1024 * 1024;
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    let _relay = Relay::start_on(Simulated(listener), config).await?;
    std::future::pending().await
}

fn strike(sim: &mut turmoil::Sim<'_>, world: &World, data_dir: &std::path::Path, fault: &Fault) {
    match fault {
        Fault::Partition(node) => sim.partition("relay", node.as_str()),
        Fault::Hold(node) => sim.hold("relay", node.as_str()),
        Fault::Repair(node) => {
            sim.release("relay", node.as_str());
            sim.repair("relay", node.as_str());
        }
        Fault::CrashRelay { loses_data } => {
            sim.crash("relay");
            if *loses_data {
                for file in std::fs::read_dir(data_dir).unwrap() {
                    std::fs::remove_file(file.unwrap().path()).unwrap();
                }
            }
        }
        Fault::StartRelay => sim.bounce("relay"),
        Fault::CrashNode(node) => sim.crash(node.as_str()),
        Fault::StartNode(node) => sim.bounce(node.as_str()),
        Fault::Jump(seconds) => {
            let at = sim.elapsed();
            let mut inner = world.inner();
            inner.jumped += seconds;
            inner.jumped_at = at;
        }
    }
}

fn check_end(world: &World, plan: &Plan, end: Duration) {
    let mut inner = world.inner();
    for phone in 0..PHONES {
        let last = inner.last_answer.get(&phone).copied().unwrap_or_default();
        if last + Duration::from_secs(5) < end {
            inner.violations.push(format!("phone {phone} got its last answer at {last:?} of {end:?}"));
        }
    }
    let slowest = inner.slowest_healthy;
    if plan.is_quiet && !plan.has_slow_phone && slowest > HEALTHY {
        inner.violations.push(format!("the healthy tenant waited {slowest:?} for an answer"));
    }
}
