//! Downloads go on beside the jobs that wait for them: each once, however many wait, until the worker's last job is done. Rule: who
//! waits may leave; what was begun is finished, so that whoever comes next finds it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, Shared};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use millrace_contracts::{ErrorKind, JobError};
use millrace_tasks::CancellationToken;
use tokio::sync::{mpsc, oneshot};

use super::Brought;
use crate::cpu::message_of;

/// Models that are downloaded at once; others wait for their turn.
const MOST_AT_ONCE: usize = 16;
/// Models that wait for their turn.
const MOST_WAITING: usize = 256;

type Outcome = Result<Brought, JobError>;
type Errand = BoxFuture<'static, ()>;
type Waiting = Shared<oneshot::Receiver<Outcome>>;
type UnderWay = Arc<Mutex<HashMap<PathBuf, Waiting>>>;

/// Where errands are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Errands {
    sender: mpsc::Sender<Errand>,
    /// What is being brought, by the folder that it comes to.
    under_way: UnderWay,
    limit: Duration,
}

/// Who does them.
pub(crate) struct Porter(mpsc::Receiver<Errand>);

/// A porter, and where he is sent from. No errand takes longer than `limit`.
pub(super) fn open(limit: Duration) -> (Errands, Porter) {
    let (sender, receiver) = mpsc::channel(MOST_WAITING);
    (Errands { sender, under_way: Arc::default(), limit }, Porter(receiver))
}

impl Errands {
    /// The longest that one may take.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// What comes of bringing something to `folder`: of the errand that somebody is on already, else of this one.
    pub(super) async fn once<F>(&self, folder: &Path, errand: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        match self.join(folder, errand)?.await {
            Ok(outcome) => outcome,
            // The worker ends: whoever waits is handed back to others.
            Err(_) => std::future::pending().await,
        }
    }

    fn join<F>(&self, folder: &Path, errand: impl FnOnce() -> F) -> Result<Waiting, JobError>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way);
        if let Some(waiting) = under_way.get(folder) {
            return Ok(waiting.clone());
        }
        let place = self.sender.try_reserve().map_err(|_| {
            let message = "too many models are being downloaded at the moment; try again";
            JobError::new(ErrorKind::Network, message).at("/config/model_id")
        })?;
        let (reply, answer) = oneshot::channel();
        let waiting = answer.shared();
        under_way.insert(folder.to_owned(), waiting.clone());
        drop(under_way);
        let begun = Begun { under_way: Arc::clone(&self.under_way), folder: folder.to_owned() };
        let (work, limit) = (errand(), self.limit);
        place.send(Box::pin(async move {
            let outcome = in_time(limit, work).await;
            // Whoever comes from now on looks at what there is.
            drop(begun);
            // Nobody may be left who waits.
            drop(reply.send(outcome));
        }));
        Ok(waiting)
    }
}

async fn in_time(limit: Duration, work: impl Future<Output = Outcome>) -> Outcome {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => {
            tracing::error!(panic = message_of(panic.as_ref()), "a download panicked");
            let message = "the download failed unexpectedly; the worker's log has the details";
            Err(JobError::new(ErrorKind::Internal, message))
        }
        Err(_) => {
            let message = format!(
                "the model could not be fetched within {limit:?} (`models.download_limit`); the next job goes on from what has come"
            );
            Err(JobError::new(ErrorKind::Timeout, message).at("/config/model_id"))
        }
    }
}

/// An errand that somebody is on, until this is dropped.
struct Begun {
    under_way: UnderWay,
    folder: PathBuf,
}

impl Drop for Begun {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.folder);
    }
}

fn lock(under_way: &UnderWay) -> MutexGuard<'_, HashMap<PathBuf, Waiting>> {
    // One insertion or removal: nothing can be left half changed.
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Porter {
    /// Does errands, a few at a time, until the last job is `done`.
    pub(crate) async fn carry(self, done: CancellationToken) -> Result<(), Infallible> {
        // What is dropped of one stays on the disk for the next to go on from.
        done.run_until_cancelled(self.work()).await;
        Ok(())
    }

    async fn work(mut self) {
        let mut in_hand = FuturesUnordered::new();
        loop {
            tokio::select! {
                errand = self.0.recv(), if in_hand.len() < MOST_AT_ONCE => match errand {
                    Some(errand) => in_hand.push(errand),
                    None => return,
                },
                Some(()) = in_hand.next() => {}
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own task, which ends with its runtime")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn brought() -> Brought {
        Brought { folder: "f".into(), now: true }
    }

    fn running(limit: Duration) -> (Errands, CancellationToken) {
        let ((errands, porter), done) = (open(limit), CancellationToken::new());
        tokio::spawn(porter.carry(done.clone()));
        (errands, done)
    }

    #[tokio::test]
    async fn who_leaves_ends_nothing_and_many_wait_for_one() {
        let (errands, _done) = running(LONG);
        let (bell, times) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let ask = || {
            let (bell, times) = (Arc::clone(&bell), Arc::clone(&times));
            errands.once(Path::new("f"), move || async move {
                times.fetch_add(1, Ordering::SeqCst);
                bell.notified().await;
                Ok(brought())
            })
        };
        assert!(ask().now_or_never().is_none(), "it has just begun");
        let all = futures::future::join_all((0..4).map(|_| ask()));
        bell.notify_one();
        assert!(all.await.into_iter().all(|outcome| outcome == Ok(brought())));
        assert_eq!(times.load(Ordering::SeqCst), 1);
        bell.notify_one();
        assert_eq!(ask().await, Ok(brought()));
        assert_eq!(times.load(Ordering::SeqCst), 2, "what is over is not under way");
    }

    #[tokio::test(start_paused = true)]
    async fn an_errand_ends_by_its_limit_or_its_fault_and_can_be_begun_anew() {
        let (errands, _done) = running(LONG);
        let late = errands.once(Path::new("f"), std::future::pending).await.unwrap_err();
        assert_eq!((late.kind, late.retryable), (ErrorKind::Timeout, true), "{late}");
        let broken = errands.once(Path::new("f"), || async { panic!("on purpose") }).await.unwrap_err();
        assert_eq!(broken.kind, ErrorKind::Internal, "{broken}");
        assert_eq!(errands.once(Path::new("f"), || async { Ok(brought()) }).await, Ok(brought()));
    }

    #[tokio::test]
    async fn so_many_wait_for_their_turn_and_no_more_and_all_end_with_the_last_job() {
        let (errands, porter) = open(LONG);
        let ask =
            |number: usize| errands.once(Path::new(&number.to_string()), std::future::pending).now_or_never();
        assert!((0..MOST_WAITING).all(|number| ask(number).is_none()));
        let refused = ask(MOST_WAITING).unwrap().unwrap_err();
        assert!(refused.retryable, "{refused}");
        assert!(ask(0).is_none(), "who is under way is joined all the same");
        let done = CancellationToken::new();
        done.cancel();
        assert!(porter.carry(done).await.is_ok());
        assert!(lock(&errands.under_way).is_empty());
    }
}
