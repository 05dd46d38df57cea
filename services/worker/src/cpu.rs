//! The CPU pool: threads of our own for pixels, so that no decode ever sits on the async runtime. What waits is bounded, and
//! flows take turns; work nobody waits for any more is dropped before it costs anything. Lone jobs have threads of their own:
//! those of the others are nice, and give way to them, to the sessions and to the control plane on the same machine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millrace_contracts::Job;
use millrace_tasks::{Courtesy, give_way};
use millrace_turns::{Turn, Turns};
use tokio::sync::{Semaphore, oneshot};

use crate::WorkerError;

/// Pieces of work that may wait per thread. More than jobs in hand ever have: who waits outside takes no turns.
const QUEUE_PER_THREAD: usize = 256;

/// A piece of work, and whose it is.
struct Work {
    turn: Turn,
    run: Box<dyn FnOnce() + Send>,
}

/// The pool. Cheap to clone; its threads end with the last clone.
#[derive(Clone)]
pub(crate) struct CpuPool(Arc<Door>);

/// The way in. The queues are closed with it.
struct Door {
    lone: Arc<Queue>,
    common: Arc<Queue>,
    places: Arc<Semaphore>,
}

/// Whose piece of work it is.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    turn: Turn,
    /// Whether it is all that its flow has in hand.
    pub(crate) lone: bool,
}

impl Caller {
    /// A job.
    pub(crate) fn of(job: &Job, lone: bool) -> Self {
        Self { turn: Turn::of(job), lone }
    }

    /// The worker itself, which every job waits for.
    pub(crate) fn own() -> Self {
        Self { turn: Turn::default(), lone: true }
    }

    /// The worker itself, where nobody waits for it: it has its turn among the jobs.
    pub(crate) fn patient() -> Self {
        Self { turn: Turn::default(), lone: false }
    }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    /// Rung for every piece of work, and at the end.
    bell: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Turns<Work>,
    closed: bool,
}

/// The work panicked: a fault of Millrace, with the panic's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

impl CpuPool {
    /// Starts `threads` threads of each kind, one per core when 0. Those of the common leave a core to whoever waits alone.
    pub(crate) fn start(threads: usize, courtesy: &Courtesy) -> Result<Self, WorkerError> {
        let threads = if threads == 0 { cores() } else { threads };
        let (lone, common) = (Arc::new(Queue::default()), Arc::new(Queue::default()));
        let places = Arc::new(Semaphore::new(threads.saturating_mul(QUEUE_PER_THREAD)));
        // Before the threads: those that have started end with it when another cannot be started.
        let door = Arc::new(Door { lone, common, places });
        for number in 0..threads {
            let (lone, common, courtesy) =
                (Arc::clone(&door.lone), Arc::clone(&door.common), courtesy.clone());
            let of_the_common = move || {
                give_way();
                common.serve(&courtesy);
            };
            spawn(format!("lone pixels {number}"), move || lone.serve(&Courtesy::default()))?;
            spawn(format!("pixels {number}"), of_the_common)?;
        }
        Ok(Self(door))
    }

    /// Runs `work` on a thread of the pool when it is its caller's turn; gives its result and how long it took. Dropping the
    /// future before the work has begun abandons it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        caller: Caller,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Panicked> {
        let gone = || Panicked("the pixel threads are gone".to_owned());
        let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| gone())?;
        let (reply, answer) = oneshot::channel();
        let task = move || {
            let _place = place;
            if reply.is_closed() {
                return;
            }
            // A caller who went away in the meantime has no use for it.
            drop(reply.send(timed(work)));
        };
        let queue = if caller.lone { &self.0.lone } else { &self.0.common };
        queue.push(Work { turn: caller.turn, run: Box::new(task) });
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.lone.close();
        self.common.close();
    }
}

impl Queue {
    fn push(&self, work: Work) {
        self.lock().waiting.push(work.turn.clone(), work);
        self.bell.notify_one();
    }

    /// Works until the end.
    fn serve(&self, courtesy: &Courtesy) {
        while let Some(Work { turn, run }) = self.next() {
            let _core = courtesy.core(turn.flow());
            run();
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_all();
    }

    /// Waits for work; none at the end.
    fn next(&self) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.waiting.take() {
                return Some(work);
            }
            if state.closed {
                return None;
            }
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the lines half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<(), WorkerError> {
    let thread = std::thread::Builder::new().name(name).spawn(body);
    thread.map(drop).map_err(|source| WorkerError::Thread { name: "pixels", source })
}

/// What `work` gives and how long it took, on this thread; a panic ends here.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> Result<(T, Duration), Panicked> {
    let begun = Instant::now();
    caught(work).map(|value| (value, begun.elapsed()))
}

/// What `work` gives, on this thread; a panic ends here.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Panicked(message_of(panic.as_ref())))
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
        let pool = CpuPool::start(1, &Courtesy::default()).unwrap();
        assert_eq!(pool.run(Caller::own(), || 6 * 7).await.unwrap().0, 42);
        let panicked = pool
            .run(Caller::own(), || assert!(std::env::args().count() == 0, "on purpose"))
            .await
            .unwrap_err();
        assert_eq!(panicked, Panicked("on purpose".to_owned()));
        assert_eq!(pool.run(Caller::own(), || 1).await.unwrap().0, 1);
    }

    #[tokio::test]
    async fn abandoned_work_is_not_done() {
        let pool = CpuPool::start(1, &Courtesy::default()).unwrap();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let first = pool.run(Caller::own(), move || gate.recv());
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let mark = Arc::clone(&done);
        let second = pool.run(Caller::own(), move || mark.store(true, std::sync::atomic::Ordering::SeqCst));
        let (mut first, mut second) = (Box::pin(first), Box::pin(second));
        assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
        drop(second);
        open.send(()).unwrap();
        first.await.unwrap().0.unwrap();
        pool.run(Caller::own(), || ()).await.unwrap();
        assert!(!done.load(std::sync::atomic::Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_lone_job_does_not_wait_for_those_of_the_others() {
        let pool = CpuPool::start(1, &Courtesy::default()).unwrap();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let many = Caller::patient();
        let mut held_up = Box::pin(pool.run(many, move || gate.recv()));
        assert!(futures::poll!(&mut held_up).is_pending());
        assert_eq!(pool.run(Caller::own(), || 1).await.unwrap().0, 1);
        open.send(()).unwrap();
        held_up.await.unwrap().0.unwrap();
    }
}
