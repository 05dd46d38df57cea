//! Group commit: requests that arrive while a commit is in flight share the next one. The component owns its queue; callers
//! hold a cloneable handle. The queue is bounded, and full means `Overloaded` at once.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::{AcceptOutcome, AcceptedRun, Store, StoreError};

/// A commit that has been under way for longer is not an ordinary one: Postgres may be away.
const PROMPT: Duration = Duration::from_millis(50);

/// How much a group commit takes.
#[derive(Debug, Clone, Copy)]
pub struct GroupCommitSettings {
    /// Requests that may wait; one more is refused.
    pub max_waiting: usize,
    /// Runs in one transaction.
    pub max_batch: usize,
}

impl Default for GroupCommitSettings {
    fn default() -> Self {
        Self { max_waiting: 4096, max_batch: 256 }
    }
}

/// Why a run was not accepted. Shared by all requests of a failed commit, hence without the source's own type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupCommitError {
    /// More requests wait than may. Try again in a moment.
    #[error("too many submissions are waiting to be committed; try again in a moment")]
    Overloaded,
    /// The process is going away, or its committer did.
    #[error("submissions are closed: the process is shutting down")]
    Closed,
    /// Postgres is away. The run may have been committed if the connection broke at the wrong moment; asking again with
    /// the same id or idempotency key is safe.
    #[error("{0}")]
    Unavailable(String),
    /// Postgres refused this very run.
    #[error("{0}")]
    Refused(String),
}

impl From<StoreError> for GroupCommitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Data { .. } | StoreError::Conflict { .. } => Self::Refused(error.to_string()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}

type Reply = Result<AcceptOutcome, GroupCommitError>;

struct Request {
    run: AcceptedRun,
    reply: oneshot::Sender<Reply>,
}

/// The callers' handle.
#[derive(Debug, Clone)]
pub struct GroupCommit {
    requests: mpsc::Sender<Request>,
    store: Store,
    under_way: UnderWay,
}

/// Since when a commit is under way.
#[derive(Debug, Clone, Default)]
struct UnderWay(Arc<Mutex<Option<Instant>>>);

impl UnderWay {
    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GroupCommit {
    /// The handle, and the committer that somebody has to run.
    #[must_use]
    pub fn new(store: Store, settings: GroupCommitSettings) -> (Self, GroupCommitter) {
        let (requests, queue) = mpsc::channel(settings.max_waiting.max(1));
        let under_way = UnderWay::default();
        let committer = GroupCommitter {
            store: store.clone(),
            queue,
            max_batch: settings.max_batch.max(1),
            under_way: under_way.clone(),
        };
        (Self { requests, store, under_way }, committer)
    }

    /// Waits until the run is committed.
    ///
    /// # Errors
    /// `Overloaded` and `Closed` at once, the others when the commit has failed.
    pub async fn accept(&self, run: AcceptedRun) -> Reply {
        let (reply, answer) = oneshot::channel();
        self.requests.try_send(Request { run, reply }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => GroupCommitError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => GroupCommitError::Closed,
        })?;
        answer.await.unwrap_or(Err(GroupCommitError::Closed))
    }

    /// Whether a run may be begun before it is committed: commits are as quick as ever. Otherwise Postgres may be away, and what
    /// was begun would have to be taken back.
    #[must_use]
    pub fn is_prompt(&self) -> bool {
        !self.store.is_away() && self.under_way.since().is_none_or(|since| since.elapsed() < PROMPT)
    }

    /// Comes when one commit has been under way for `long`. A line of commits that go on, however slow, is waited for.
    pub async fn stalled(&self, long: Duration) {
        loop {
            let left = self.under_way.since().map_or(long, |since| long.saturating_sub(since.elapsed()));
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }

    /// Requests that wait now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.requests.max_capacity() - self.requests.capacity()
    }
}

/// The one that commits. Owns the queue; dropping it closes the handles.
#[derive(Debug)]
pub struct GroupCommitter {
    store: Store,
    queue: mpsc::Receiver<Request>,
    max_batch: usize,
    under_way: UnderWay,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("run", &self.run.accepted.execution_id).finish_non_exhaustive()
    }
}

impl GroupCommitter {
    /// Commits until `shutdown` resolves or every handle is gone; what was queued by then is still committed.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut open = true;
        let mut batch = Vec::with_capacity(self.max_batch);
        loop {
            let received = if open {
                tokio::select! {
                    biased;
                    () = &mut shutdown => {
                        self.queue.close();
                        open = false;
                        continue;
                    }
                    received = self.queue.recv_many(&mut batch, self.max_batch) => received,
                }
            } else {
                self.queue.recv_many(&mut batch, self.max_batch).await
            };
            if received == 0 {
                return;
            }
            self.under_way.set(Some(Instant::now()));
            self.commit(&mut batch).await;
            self.under_way.set(None);
        }
    }

    async fn commit(&self, batch: &mut Vec<Request>) {
        // Whoever hung up meanwhile is not accepted: nobody would learn of the run.
        batch.retain(|request| !request.reply.is_closed());
        let (runs, replies): (Vec<_>, Vec<_>) =
            batch.drain(..).map(|request| (request.run, request.reply)).unzip();
        match self.store.accept(&runs).await {
            Ok(outcomes) => {
                replies.into_iter().zip(outcomes).for_each(|(reply, outcome)| answer(reply, Ok(outcome)))
            }
            // One run's data spoils the transaction of all: each for itself then, so that only the culprit is refused.
            Err(StoreError::Data { .. } | StoreError::Conflict { .. }) if runs.len() > 1 => {
                for (run, reply) in runs.iter().zip(replies) {
                    let outcome = self.store.accept(std::slice::from_ref(run)).await;
                    answer(reply, outcome.map(|outcomes| outcomes[0]).map_err(GroupCommitError::from));
                }
            }
            Err(error) => {
                // So that the next ones are told at once, and none is begun that would have to be taken back.
                if error.is_unavailable() {
                    self.store.look().await;
                }
                let error = GroupCommitError::from(error);
                replies.into_iter().for_each(|reply| answer(reply, Err(error.clone())));
            }
        }
    }
}

/// A caller that hung up after the commit finds its run by its id or key.
fn answer(reply: oneshot::Sender<Reply>, outcome: Reply) {
    drop(reply.send(outcome));
}
