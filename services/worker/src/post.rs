//! What jobs say of themselves, on its way to Redis. What is ready while a letter is under way goes in the next one together: jobs
//! of one batch end together, and one round trip for all of them costs little more than one for each.

use std::convert::Infallible;
use std::sync::Arc;

use futures::future::join_all;
use millrace_bus::{Bus, BusError, EntryId, QueueKey, Report};
use millrace_contracts::message::Message;
use millrace_contracts::{Event, Job};
use millrace_tasks::CancellationToken;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

/// Reports in one letter.
const MOST_AT_ONCE: usize = 64;

/// A report on a job.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) job: Arc<Job>,
    pub(crate) events: Arc<[Event]>,
    pub(crate) message: Arc<Message>,
    /// Where the job stood, when it is to be acknowledged.
    pub(crate) done: Option<(QueueKey, EntryId)>,
}

/// Why a report was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error(transparent)]
    Bus(#[from] BusError),
    /// What became of a letter with others' reports in it.
    #[error("{0}")]
    Together(String),
    #[error("the worker has ended")]
    Closed,
}

impl PostError {
    /// Whether it may be sent later.
    pub(crate) fn is_retryable(&self) -> bool {
        match self {
            Self::Bus(error) => error.is_retryable(),
            Self::Together(_) => true,
            Self::Closed => false,
        }
    }
}

struct Letter {
    said: Said,
    answer: oneshot::Sender<Result<(), PostError>>,
}

/// Where reports are handed in.
pub(crate) struct Post(Sender<Letter>);

/// Where they are taken out again.
pub(crate) struct Sack(Receiver<Letter>);

/// A post with room for so many reports.
pub(crate) fn open(capacity: usize) -> (Post, Sack) {
    let (sender, receiver) = channel(capacity.max(1));
    (Post(sender), Sack(receiver))
}

impl Post {
    /// Sends a report, and answers once Redis has it.
    pub(crate) async fn send(&self, said: Said) -> Result<(), PostError> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Letter { said, answer }).await.map_err(|_| PostError::Closed)?;
        answered.await.map_err(|_| PostError::Closed)?
    }
}

impl Sack {
    /// Carries reports to Redis until the last job is `done`.
    pub(crate) async fn carry(mut self, bus: Bus, done: CancellationToken) -> Result<(), Infallible> {
        let mut letters = Vec::with_capacity(MOST_AT_ONCE);
        while let Some(count) = done.run_until_cancelled(self.0.recv_many(&mut letters, MOST_AT_ONCE)).await {
            if count == 0 {
                break;
            }
            deliver(&bus, std::mem::take(&mut letters)).await;
        }
        Ok(())
    }
}

/// All together; should Redis refuse that, each by itself, so that nobody is refused for what another says.
async fn deliver(bus: &Bus, letters: Vec<Letter>) {
    metrics::histogram!("millrace_worker_reports_at_once").record(letters.len() as f64);
    if letters.len() > 1 {
        let together: Vec<Report<'_>> = letters.iter().map(|letter| letter.said.report()).collect();
        match bus.report_all(&together).await {
            Ok(()) => return letters.into_iter().for_each(|letter| letter.answer(Ok(()))),
            // Redis is away: none would fare better alone, and each would take seconds to find that out.
            Err(error) if error.is_retryable() => {
                let failed = || Err(PostError::Together(error.to_string()));
                return letters.into_iter().for_each(|letter| letter.answer(failed()));
            }
            Err(_) => {}
        }
    }
    let alone = |letter: Letter| async move {
        let sent = bus.report_all(&[letter.said.report()]).await;
        letter.answer(sent.map_err(PostError::Bus));
    };
    join_all(letters.into_iter().map(alone)).await;
}

impl Said {
    fn report(&self) -> Report<'_> {
        let done = self.done.as_ref().map(|(queue, entry)| (queue, entry));
        Report { job: &self.job, events: &self.events, message: &self.message, done }
    }
}

impl Letter {
    fn answer(self, result: Result<(), PostError>) {
        // Who waits no longer has lost the job to another worker.
        drop(self.answer.send(result));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use millrace_bus::BusSettings;
    use millrace_contracts::{ExecutionId, Partition};
    use millrace_testkit::TestRedis;

    use super::*;

    fn said(job: &Job) -> Said {
        let message = Message::Wake { execution_id: job.execution_id };
        let done = Some((QueueKey::of(job), EntryId("1-1".to_owned())));
        Said { job: Arc::new(job.clone()), events: Vec::new().into(), message: message.into(), done }
    }

    fn job() -> Job {
        serde_json::from_value(serde_json::json!({
            "id": uuid::Uuid::now_v7(), "execution_id": ExecutionId::generate(), "node_id": "look", "path": "", "attempt": 1,
            "task": "resize@1", "pool": "cpu", "priority": "normal", "inputs": {}, "config": {}, "queued_at": 0, "reply_to": 0,
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn everybody_is_answered_and_what_waited_goes_together() {
        let redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(redis.url()) }).await.unwrap();
        let (post, sack) = open(8);
        let jobs: Vec<Job> = (0..3).map(|_| job()).collect();
        let mut sending = Box::pin(join_all(jobs.iter().map(|job| post.send(said(job)))));
        assert!(futures::poll!(&mut sending).is_pending(), "nobody carries anything yet");
        let scripts = async || bus.server_counters().await.unwrap().commands["evalsha"].calls;
        bus.ack("test", &[(Partition(0), EntryId("1-1".to_owned()))]).await.unwrap();
        let before = scripts().await;
        let done = CancellationToken::new();
        let mut carrying = Box::pin(sack.carry(bus.clone(), done.clone()));
        let sent = tokio::select! {
            sent = sending => sent,
            ended = &mut carrying => panic!("nobody said it was done: {ended:?}"),
        };
        assert!(sent.into_iter().all(|result| result.is_ok()));
        assert_eq!(scripts().await - before, 4, "one per report, and one that acknowledges all");
        let mut inbox = bus.inbox("test").await.unwrap();
        let mut messages = Vec::new();
        while messages.len() < jobs.len() {
            messages.extend(inbox.read(&[Partition(0)], 8, Duration::from_secs(5)).await.unwrap());
        }
        let runs: Vec<_> = messages.iter().filter_map(|delivery| delivery.message.execution_id()).collect();
        assert_eq!(runs, jobs.iter().map(|job| job.execution_id).collect::<Vec<_>>());
        done.cancel();
        carrying.await.unwrap();
        let late = post.send(said(&jobs[0])).await.unwrap_err();
        assert!(!late.is_retryable(), "{late}");
    }

    #[tokio::test]
    async fn without_redis_everybody_is_told_at_about_the_same_time() {
        let mut redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(redis.url()) }).await.unwrap();
        redis.server().kill().await;
        let (post, sack) = open(8);
        let jobs: Vec<Job> = (0..8).map(|_| job()).collect();
        let sending = join_all(jobs.iter().map(|job| post.send(said(job))));
        let sent = tokio::select! {
            sent = tokio::time::timeout(Duration::from_secs(20), sending) => sent.unwrap(),
            ended = sack.carry(bus, CancellationToken::new()) => panic!("nobody said it was done: {ended:?}"),
        };
        assert!(sent.into_iter().all(|result| result.is_err_and(|error| error.is_retryable())));
    }
}
