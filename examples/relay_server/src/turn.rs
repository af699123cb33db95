//! A task that has done enough lets others run.

use std::future::poll_fn;
use std::task::Poll;

/// Goes to the end of the queue. A task that yields to tokio instead is woken after the sockets were looked at, as the next
/// one to run: two floods then kept the two threads of a machine to themselves.
pub(crate) async fn let_others_run() {
    let mut is_over = false;
    poll_fn(|context| {
        // Woken while it runs, a task goes to the end of the queue.
        context.waker().wake_by_ref();
        if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
