//! How far a job of many equal parts is, for who watches it: on the live channel alone, twice a second at most, while it moves.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use millrace_contracts::{Event, EventType, JobError, UnixMillis};
use serde_json::json;
use tokio::time::MissedTickBehavior;

use super::JobContext;
use super::report::about;

/// How long a job is at work before it says how far it is, and from one such word to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// Parts of a job.
struct Parts {
    done: AtomicUsize,
    of: usize,
}

impl JobContext {
    /// Does all `parts`, of which there are so many, some `at_once`, and gives what they give in their order. Meanwhile
    /// those who watch the run hear how many are done.
    pub(crate) async fn in_parts<T>(
        &self,
        parts: impl IntoIterator<Item: Future<Output = Result<T, JobError>>>,
        (of, at_once): (usize, usize),
    ) -> Result<Vec<T>, JobError> {
        let known = Parts { done: AtomicUsize::new(0), of };
        let count = |_: &T| {
            known.done.fetch_add(1, Ordering::Relaxed);
        };
        let work = stream::iter(parts).buffered(at_once).inspect_ok(count).try_collect();
        tokio::select! {
            biased;
            given = work => given,
            never = self.tell_progress(&known) => match never {},
        }
    }

    /// Tells how far it is, as long as it is asked to.
    async fn tell_progress(&self, parts: &Parts) -> Infallible {
        let mut told = 0;
        let mut pause = tokio::time::interval_at(tokio::time::Instant::now() + PAUSE, PAUSE);
        pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pause.tick().await;
            let done = parts.done.load(Ordering::Relaxed);
            if done == told {
                continue;
            }
            told = done;
            let events = [EventType::InferenceProgress, EventType::NodeProgress]
                .map(|kind| self.progress(kind, (done, parts.of)));
            // Nothing hangs on it: the job goes on, and the next word says more.
            if let Err(error) = self.shared.bus.publish_all(&events).await {
                tracing::debug!(job.id = %self.job.id, %error, "how far a job is could not be told");
            }
        }
    }

    fn progress(&self, kind: EventType, (done, of): (usize, usize)) -> Event {
        let (job, worker) = (&self.job, &self.shared.worker);
        let data = json!({
            "job_id": job.id, "attempt": job.attempt, "worker_id": worker, "step": done, "steps": of,
        });
        let id = format!("{}/{}/{worker}/{done}", job.id, kind.channel());
        about(job, kind, (id, UnixMillis::now()), data)
    }
}
