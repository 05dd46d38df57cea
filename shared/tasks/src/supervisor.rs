//! The owner of a role's tasks: starts them, hears of their failures, and ends them in order.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{OnCancel, OnError, TaskError, TaskKind};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Owns a role's tasks. Cheap to clone; dropping the last clone aborts what still runs.
#[derive(Clone, Default)]
pub struct Supervisor {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    token: CancellationToken,
    tasks: Mutex<Tasks>,
    /// Rung for every task that is added, so that `run` looks at the set again.
    added: tokio::sync::Notify,
}

#[derive(Default)]
struct Tasks {
    set: JoinSet<Result<(), Failure>>,
    kinds: HashMap<Id, (TaskKind, AbortHandle)>,
}

impl Supervisor {
    /// A supervisor of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A supervisor that is told to stop when `parent` is.
    #[must_use]
    pub fn under(parent: &CancellationToken) -> Self {
        Self { shared: Arc::new(Shared { token: parent.child_token(), ..Shared::default() }) }
    }

    /// The token that tells every task to stop.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.shared.token.clone()
    }

    /// Starts `task`. One that ends with `Ok` is forgotten; one that fails does what its kind says.
    pub fn spawn<F, E>(&self, kind: TaskKind, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure>,
    {
        let token = self.token();
        let future = async move {
            match kind.on_cancel {
                OnCancel::Wait => task.await.map_err(Into::into),
                OnCancel::Abort => {
                    token.run_until_cancelled(task).await.unwrap_or(Ok(())).map_err(Into::into)
                }
            }
        };
        let mut tasks = self.lock();
        let handle = tasks.set.spawn(future);
        tasks.kinds.insert(handle.id(), (kind, handle));
        drop(tasks);
        self.shared.added.notify_one();
    }

    /// How many tasks are alive.
    #[must_use]
    pub fn alive(&self) -> usize {
        self.lock().set.len()
    }

    /// Lives until `shutdown` is cancelled or a task fails that had to live, then drains.
    ///
    /// # Errors
    /// The failed task's error, or [`TaskError::GraceOver`] when the end took longer than `grace`.
    pub async fn run(&self, shutdown: CancellationToken, grace: Duration) -> Result<(), TaskError> {
        let failed = tokio::select! {
            () = shutdown.cancelled() => None,
            () = self.shared.token.cancelled() => None,
            failure = self.first_failure() => Some(failure),
        };
        let drained = self.drain(grace).await;
        failed.map_or(drained, Err)
    }

    /// Tells every task to stop, waits for them as long as `grace`, and aborts the rest.
    ///
    /// # Errors
    /// The first failure of a task that stops the role, or the names of those that were aborted.
    pub async fn drain(&self, grace: Duration) -> Result<(), TaskError> {
        self.shared.token.cancel();
        let mut failure = None;
        let ended = tokio::time::timeout(grace, async {
            while let Some(ended) = self.next_ended().await {
                if let Err(fault) = ended {
                    failure.get_or_insert(fault);
                }
            }
        });
        if ended.await.is_err() {
            let tasks = self.abort_all();
            tracing::warn!(tasks = ?tasks, grace_ms = grace.as_millis(), "tasks aborted when the grace period was over");
            return Err(failure.unwrap_or(TaskError::GraceOver { grace, tasks }));
        }
        failure.map_or(Ok(()), Err)
    }

    /// Waits, however long, for a task to fail that had to live.
    async fn first_failure(&self) -> TaskError {
        loop {
            match self.next_ended().await {
                Some(Err(failure)) => return failure,
                Some(Ok(())) => {}
                None => self.shared.added.notified().await,
            }
        }
    }

    /// Waits for the next task to end and judges it by its kind; none when no task is left.
    async fn next_ended(&self) -> Option<Result<(), TaskError>> {
        let joined = std::future::poll_fn(|context| self.lock().set.poll_join_next_with_id(context)).await?;
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(fault) => fault.id(),
        };
        let (kind, _) = self.lock().kinds.remove(&id)?;
        Some(judge(kind, joined.map(|(_, result)| result)))
    }

    fn abort_all(&self) -> Vec<&'static str> {
        let mut tasks = self.lock();
        let names = tasks
            .kinds
            .drain()
            .map(|(_, (kind, handle))| {
                handle.abort();
                kind.name
            })
            .collect();
        tasks.set.abort_all();
        names
    }

    fn lock(&self) -> MutexGuard<'_, Tasks> {
        // Nothing under the lock can leave the tasks half changed.
        self.shared.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn judge(kind: TaskKind, joined: Result<Result<(), Failure>, JoinError>) -> Result<(), TaskError> {
    let task = kind.name;
    let failure = match joined {
        Ok(Ok(())) => return Ok(()),
        Err(fault) if fault.is_cancelled() => return Ok(()),
        Ok(Err(source)) => TaskError::Failed { task, source },
        Err(fault) => TaskError::Panicked { task, message: panic_message(fault) },
    };
    match kind.on_error {
        OnError::Stop => Err(failure),
        OnError::Log => {
            tracing::error!(task.name = task, error = %failure, "a task failed; the role goes on without it");
            Ok(())
        }
    }
}

fn panic_message(fault: JoinError) -> String {
    let payload = fault.into_panic();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    const GRACE: Duration = Duration::from_secs(5);

    fn kind(on_error: OnError, on_cancel: OnCancel) -> TaskKind {
        TaskKind::new("tested", on_error, on_cancel)
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_task_that_had_to_live_ends_the_role() {
        let supervisor = Supervisor::new();
        let stop = supervisor.token();
        supervisor.spawn(kind(OnError::Stop, OnCancel::Wait), async move {
            stop.cancelled().await;
            Ok::<(), io::Error>(())
        });
        supervisor.spawn(TaskKind::new("doomed", OnError::Stop, OnCancel::Wait), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err(io::Error::other("no more"))
        });
        let ended = supervisor.run(CancellationToken::new(), GRACE).await.unwrap_err();
        assert_eq!(ended.to_string(), "the task doomed failed: no more");
        assert_eq!(supervisor.alive(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_may_fail_does_not() {
        let supervisor = Supervisor::new();
        let shutdown = CancellationToken::new();
        supervisor.spawn(kind(OnError::Log, OnCancel::Wait), async { Err(io::Error::other("a pity")) });
        let late = shutdown.clone();
        supervisor.spawn(kind(OnError::Stop, OnCancel::Wait), async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            late.cancel();
            Ok::<(), io::Error>(())
        });
        supervisor.run(shutdown, GRACE).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_counts_as_a_failure() {
        let supervisor = Supervisor::new();
        supervisor.spawn(kind(OnError::Stop, OnCancel::Wait), async {
            assert!(std::env::args().count() == 0, "a fault of ours");
            Ok::<(), io::Error>(())
        });
        let ended = supervisor.run(CancellationToken::new(), GRACE).await.unwrap_err();
        assert!(
            matches!(&ended, TaskError::Panicked { message, .. } if message == "a fault of ours"),
            "{ended}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_waited_for_and_who_aborts_is_not() {
        let supervisor = Supervisor::new();
        let stop = supervisor.token();
        let (done, finished) = tokio::sync::oneshot::channel();
        supervisor.spawn(kind(OnError::Stop, OnCancel::Wait), async move {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
            done.send(()).map_err(|()| io::Error::other("nobody listens"))
        });
        supervisor
            .spawn(kind(OnError::Stop, OnCancel::Abort), std::future::pending::<Result<(), io::Error>>());
        let before = tokio::time::Instant::now();
        supervisor.drain(GRACE).await.unwrap();
        assert_eq!(before.elapsed().as_secs(), 2);
        finished.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_grace_period_is_the_last_word() {
        let supervisor = Supervisor::new();
        supervisor.spawn(
            TaskKind::new("stubborn", OnError::Stop, OnCancel::Wait),
            std::future::pending::<Result<(), io::Error>>(),
        );
        let before = tokio::time::Instant::now();
        let ended = supervisor.drain(GRACE).await.unwrap_err();
        assert_eq!(before.elapsed(), GRACE);
        assert!(matches!(ended, TaskError::GraceOver { tasks, .. } if tasks == ["stubborn"]));
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_may_be_added_while_it_runs() {
        let supervisor = Supervisor::new();
        let adder = supervisor.clone();
        let run = supervisor.run(CancellationToken::new(), GRACE);
        let add = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            adder.spawn(kind(OnError::Stop, OnCancel::Wait), async { Err(io::Error::other("late")) });
        };
        let (ended, ()) = tokio::join!(run, add);
        assert!(ended.unwrap_err().to_string().contains("late"));
    }

    #[tokio::test]
    async fn a_parent_stops_its_children() {
        let parent = CancellationToken::new();
        let supervisor = Supervisor::under(&parent);
        parent.cancel();
        assert!(supervisor.token().is_cancelled());
    }
}
