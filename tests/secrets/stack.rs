//! What a job leaves on its thread's stack.

use std::io::{Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::scanner::marks;

const LOOKED_AT: usize = 256 * 1024;

/// Where the mark is on the stack of a thread after `job` has returned there, and what is around it. It is read from outside, through
/// `/proc/self/mem`, while the thread does nothing that would write over it.
pub(crate) fn left_on_stack(job: impl FnOnce() + Send) -> Vec<String> {
    let (top, is_read) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(8 * LOOKED_AT).spawn_scoped(scope, || {
            let here = 0_u8;
            run(job);
            top.store((&raw const here).addr(), Ordering::Release);
            while !is_read.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
        });
        let worker = worker.unwrap();
        while top.load(Ordering::Acquire) == 0 && !worker.is_finished() {
            std::thread::yield_now();
        }
        let start = top.load(Ordering::Acquire).checked_sub(LOOKED_AT).unwrap();
        let mut stack = vec![0; LOOKED_AT];
        let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
        memory.seek(SeekFrom::Start(u64::try_from(start).unwrap())).unwrap();
        memory.read_exact(&mut stack).unwrap();
        is_read.store(true, Ordering::Release);
        let shown = |at: usize| stack[at.saturating_sub(32)..(at + 48).min(LOOKED_AT)].escape_ascii();
        marks(&stack).map(|at| format!("{} bytes below: {}", LOOKED_AT - at, shown(at))).collect()
    })
}

/// In a frame of its own, which is gone when it returns.
#[inline(never)]
fn run(job: impl FnOnce()) {
    job();
}
