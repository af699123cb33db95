//! The relay's checks alone: how many registrations a second `admit` decides on, on all cores.

use std::thread;
use std::time::{Duration, Instant};

use pulse_trust::UnixTime;
use pulse_trust::keys::{TableSize, TrustKeySet, TrustKeys};
use pulse_trust::relay::{Admission, NoRevocations};

use crate::{Failure, tenant};

/// Admissions a second, by size of the key's tables.
pub(crate) fn measure(time: Duration) -> Result<Vec<(String, f64)>, Failure> {
    let key = tenant::control_plane()?;
    let leases = (0..1000).map(|number| tenant::lease(number, &key)).collect::<Result<Vec<_>, _>>()?;
    [TableSize::None, TableSize::Large, TableSize::Huge]
        .into_iter()
        .map(|size| {
            let lease = TrustKeySet::new([key.public_key().clone()]).with_tables(size)?;
            let admission = Admission::new(TrustKeys::for_leases(lease));
            Ok((format!("`admit`, {size:?} tables"), per_second(&admission, &leases, time)))
        })
        .collect()
}

fn per_second(admission: &Admission, leases: &[String], time: Duration) -> f64 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    let admit = || {
        let now = UnixTime::now();
        let tried = leases.iter().cycle().take_while(|_| start.elapsed() < time);
        tried.filter(|lease| admission.admit(lease, None, &NoRevocations, now).is_ok()).count()
    };
    let admitted: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(admit)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
    });
    admitted as f64 / start.elapsed().as_secs_f64()
}
