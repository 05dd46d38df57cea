//! The CPU pool: threads of our own for pixels, so that no decode ever sits on the async runtime. The queue is bounded;
//! work nobody waits for any more is dropped before it costs anything.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::WorkerError;

/// Pieces of work that may wait per thread.
const QUEUE_PER_THREAD: usize = 16;

type Work = Box<dyn FnOnce() + Send>;

/// The pool. Cheap to clone; its threads end with the last clone.
#[derive(Clone)]
pub(crate) struct CpuPool {
    queue: mpsc::Sender<Work>,
}

/// The work panicked: a fault of Millrace, with the panic's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

impl CpuPool {
    /// Starts `threads` threads, one per core when 0.
    pub(crate) fn start(threads: usize) -> Result<Self, WorkerError> {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = if threads == 0 { cores() } else { threads };
        let (queue, work) = mpsc::channel::<Work>(threads * QUEUE_PER_THREAD);
        let work = Arc::new(Mutex::new(work));
        for number in 0..threads {
            let work = Arc::clone(&work);
            let body = move || {
                loop {
                    // Held while waiting, not while working: one thread waits, the others wait for their turn to.
                    let next = work.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                    match next {
                        Some(work) => work(),
                        None => return,
                    }
                }
            };
            let thread = std::thread::Builder::new().name(format!("pixels {number}")).spawn(body);
            thread.map_err(|source| WorkerError::Thread { name: "pixels", source })?;
        }
        Ok(Self { queue })
    }

    /// Runs `work` on a thread of the pool; gives its result and how long it took. Dropping the future before the work
    /// has begun abandons it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Panicked> {
        let (reply, answer) = oneshot::channel();
        let task = move || {
            if reply.is_closed() {
                return;
            }
            let begun = Instant::now();
            let result =
                catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Panicked(message_of(panic.as_ref())));
            // A caller who went away in the meantime has no use for it.
            drop(reply.send(result.map(|value| (value, begun.elapsed()))));
        };
        let gone = || Panicked("the pixel threads are gone".to_owned());
        self.queue.send(Box::new(task)).await.map_err(|_| gone())?;
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

/// What a panic said.
pub(crate) fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_runs_and_a_panic_stays_where_it_is() {
        let pool = CpuPool::start(1).unwrap();
        assert_eq!(pool.run(|| 6 * 7).await.unwrap().0, 42);
        let panicked = pool.run(|| assert!(std::env::args().count() == 0, "on purpose")).await.unwrap_err();
        assert_eq!(panicked, Panicked("on purpose".to_owned()));
        assert_eq!(pool.run(|| 1).await.unwrap().0, 1);
    }

    #[tokio::test]
    async fn abandoned_work_is_not_done() {
        let pool = CpuPool::start(1).unwrap();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let first = pool.run(move || gate.recv());
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let mark = Arc::clone(&done);
        let second = pool.run(move || mark.store(true, std::sync::atomic::Ordering::SeqCst));
        let (mut first, mut second) = (Box::pin(first), Box::pin(second));
        assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
        drop(second);
        open.send(()).unwrap();
        first.await.unwrap().0.unwrap();
        pool.run(|| ()).await.unwrap();
        assert!(!done.load(std::sync::atomic::Ordering::SeqCst));
    }
}
