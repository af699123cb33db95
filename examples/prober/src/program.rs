//! The prober as a program: once with a table and a status, or at an interval with a page.

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pulse_trust::UnixTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::Args;
use crate::dialing::Dialer;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::probe::{Probe, Step};
use crate::round::Prober;
use crate::serve::{Served, serve};
use crate::standing::Standing;
use crate::table::table;
use crate::tenant::Tenant;

const BROKEN: u8 = 1;
const USAGE: u8 = 2;
const CANNOT_TELL: u8 = 3;

/// Runs a prober; its exit status, where it is asked to probe once: 0 every probe passed, 1 one failed, 2 wrong usage, 3 the
/// tenant has no credential, so that nothing is known of the relay.
pub fn run(args: &Args) -> ExitCode {
    let mut names: Vec<_> = args.nodes.iter().map(|node| node.name.as_str()).collect();
    names.sort_unstable();
    if let Some([name, _]) = names.windows(2).find(|names| names.first() == names.last()) {
        return fail(USAGE, &format!("--node: expected a name of its own for each node, received {name:?} twice"));
    }
    let prober = match prober(args) {
        Ok(prober) => prober,
        Err(failure) => return fail(CANNOT_TELL, &failure.to_string()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(CANNOT_TELL, &format!("no sockets: {error}")),
    };
    match args.interval {
        None => runtime.block_on(once(&prober, args.json)),
        Some(seconds) => match runtime.block_on(follow(prober, seconds, args)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => fail(CANNOT_TELL, &failure.to_string()),
        },
    }
}

fn prober(args: &Args) -> Result<Prober, Failure> {
    Ok(Prober {
        nodes: args.nodes.clone(),
        has_pairs: !args.no_pairs,
        tenant: Tenant::open(args)?,
        dialer: Dialer::new(args.ca_file.as_deref())?,
        within: Duration::from_secs(args.timeout),
    })
}

async fn once(prober: &Prober, as_json: bool) -> ExitCode {
    let probes = prober.round().await;
    let text = if as_json {
        serde_json::to_string_pretty(&probes).map(|json| format!("{json}\n")).unwrap_or_default()
    } else {
        table(&probes)
    };
    // Whoever reads the output may have read enough.
    std::io::stdout().write_all(text.as_bytes()).ok();
    status(&probes)
}

fn status(probes: &[Probe]) -> ExitCode {
    let steps: Vec<Step> = probes.iter().filter_map(|probe| Some(probe.broken.as_ref()?.step)).collect();
    if steps.is_empty() {
        return ExitCode::SUCCESS;
    }
    ExitCode::from(if steps.iter().all(|step| *step == Step::Credential) { CANNOT_TELL } else { BROKEN })
}

async fn follow(prober: Prober, seconds: u64, args: &Args) -> Result<(), Failure> {
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|error| Failure::new(format!("cannot listen on {} (--listen): {error}", args.listen)))?;
    let address = listener.local_addr().map_err(Failure::from_error)?;
    let nodes = prober.nodes.iter().map(|node| node.name.clone()).collect();
    let standing = Mutex::new(Standing { nodes, ..Standing::default() });
    let served = Arc::new(Served { standing, metrics: Metrics::new()?, interval: seconds });
    tokio::spawn(serve(listener, Arc::clone(&served)));
    // The one line on standard output: for a program that started this one on port 0.
    println!("status page at http://{address}/");
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::from_error)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::from_error)?;
    let rounds = async {
        let mut due = interval(Duration::from_secs(seconds));
        // A round that takes longer than the interval is not followed by two at once.
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            note(&served, prober.round().await);
        }
    };
    tokio::select! {
        () = rounds => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Keeps what a round saw, and writes what broke to the log.
fn note(served: &Served, probes: Vec<Probe>) {
    let now = UnixTime::now();
    served.metrics.add(&probes, now);
    for probe in &probes {
        if let Some(broken) = &probe.broken {
            let (at, from, step) = (&probe.instance_node, &probe.phone_node, broken.step.as_str());
            eprintln!("instance at {at}, phone at {from}: {step} broke with {}: {}", broken.code, broken.message);
        }
    }
    served.standing.lock().unwrap_or_else(PoisonError::into_inner).add(probes, now);
}

fn fail(status: u8, text: &str) -> ExitCode {
    eprintln!("error: {text}");
    ExitCode::from(status)
}
