//! What jobs say of themselves, on its way to Redis. What is ready while a letter is under way goes in the next one together: jobs
//! of one batch end together, and one round trip for all of them costs little more than one for each. A report that nothing hangs
//! on waits a moment for others. Jobs whose reports are in are acknowledged by the next letter, or a moment later without one.

use std::convert::Infallible;
use std::sync::Arc;

use std::time::Duration;

use futures::future::join_all;
use millrace_bus::{Bus, BusError, EntryId, QueueKey, Report};
use millrace_contracts::message::Message;
use millrace_contracts::{Event, Job};
use millrace_tasks::CancellationToken;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

/// Reports in one letter.
const MOST_AT_ONCE: usize = 64;
/// Jobs whose reports are in are acknowledged within this time. Should the worker die before, they are done once more by another,
/// whose report changes nothing.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_millis(10);
/// Should Redis not take them, it is asked again after so long.
const ASKED_AGAIN: Duration = Duration::from_secs(1);
/// What is left to acknowledge at the end holds the end up no longer.
const LAST_WORD: Duration = Duration::from_secs(2);

/// A report on a job.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) job: Arc<Job>,
    pub(crate) events: Arc<[Event]>,
    pub(crate) message: Arc<Message>,
    /// Where the job stood, when it is to be acknowledged.
    pub(crate) done: Option<(QueueKey, EntryId)>,
    /// How long it may wait for the reports of others.
    pub(crate) patience: Duration,
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

/// What is to be carried next.
#[derive(Default)]
struct Round {
    letters: Vec<Letter>,
    /// When the letters go at the latest.
    goes: Option<Instant>,
    /// Jobs whose reports are in.
    done: Vec<(QueueKey, EntryId)>,
    /// When they are acknowledged at the latest.
    due: Option<Instant>,
}

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
        let mut round = Round::default();
        while self.fill(&mut round, &done).await {
            if round.letters.is_empty() {
                round.acknowledge(&bus).await;
            } else {
                round.deliver(&bus).await;
            }
        }
        if timeout(LAST_WORD, round.acknowledge(&bus)).await.is_err() || !round.done.is_empty() {
            tracing::warn!(
                jobs = round.done.len(),
                "reported jobs could not be acknowledged; they will be done again"
            );
        }
        Ok(())
    }

    /// Waits until something is to be carried; false when nothing more comes.
    async fn fill(&mut self, round: &mut Round, done: &CancellationToken) -> bool {
        loop {
            let before = round.letters.len();
            let until = round.goes.into_iter().chain(round.due).min();
            let time = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                came = self.0.recv_many(&mut round.letters, MOST_AT_ONCE - before) => {
                    if came == 0 {
                        return false;
                    }
                    let now = Instant::now();
                    round.note(before, now);
                    if round.is_full() || round.goes.is_some_and(|goes| goes <= now) {
                        return true;
                    }
                }
                () = time => return true,
                () = done.cancelled() => return false,
            }
        }
    }
}

impl Round {
    fn is_full(&self) -> bool {
        self.letters.len() >= MOST_AT_ONCE
    }

    /// Notes how long the letters behind the first `known` ones may wait.
    fn note(&mut self, known: usize, now: Instant) {
        let patience = self.letters.iter().skip(known).map(|letter| letter.said.patience).min();
        self.goes = self.goes.into_iter().chain(patience.map(|patience| now + patience)).min();
    }

    /// All together, and with them what is to be acknowledged; should Redis refuse that, each by itself, so that nobody is refused
    /// for what another says.
    async fn deliver(&mut self, bus: &Bus) {
        self.goes = None;
        let letters = std::mem::take(&mut self.letters);
        metrics::histogram!("millrace_worker_reports_at_once").record(letters.len() as f64);
        let together: Vec<Report<'_>> = letters.iter().map(|letter| letter.said.report()).collect();
        match bus.report_all(&together, &self.done).await {
            Ok(()) => {
                self.done.clear();
                letters.into_iter().for_each(|letter| self.is_in(letter));
            }
            // Redis is away: none would fare better alone, and each would take seconds to find that out.
            Err(error) if error.is_retryable() => {
                let failed = || Err(PostError::Together(error.to_string()));
                letters.into_iter().for_each(|letter| letter.answer(failed()));
            }
            Err(_) => {
                let alone = |letter: Letter| async move {
                    (bus.report_all(&[letter.said.report()], &[]).await, letter)
                };
                for (sent, letter) in join_all(letters.into_iter().map(alone)).await {
                    match sent {
                        Ok(()) => self.is_in(letter),
                        Err(error) => letter.answer(Err(error.into())),
                    }
                }
            }
        }
        self.due = (!self.done.is_empty()).then(|| Instant::now() + ACKNOWLEDGED_WITHIN);
    }

    /// The letter's report is in: its job is to be acknowledged, and whoever sent it is told.
    fn is_in(&mut self, letter: Letter) {
        self.done.extend(letter.said.done.clone());
        letter.answer(Ok(()));
    }

    /// Acknowledges the jobs whose reports are in.
    async fn acknowledge(&mut self, bus: &Bus) {
        self.due = None;
        match bus.ack_jobs(&self.done).await {
            Ok(()) => self.done.clear(),
            Err(error) if error.is_retryable() => self.due = Some(Instant::now() + ASKED_AGAIN),
            Err(error) => {
                tracing::warn!(%error, jobs = self.done.len(), "reported jobs could not be acknowledged; they will be done again");
                self.done.clear();
            }
        }
    }
}

impl Said {
    fn report(&self) -> Report<'_> {
        Report { job: &self.job, events: &self.events, message: &self.message }
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
        Said {
            job: Arc::new(job.clone()),
            events: Vec::new().into(),
            message: message.into(),
            done,
            patience: Duration::ZERO,
        }
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
        done.cancel();
        carrying.await.unwrap();
        assert_eq!(scripts().await - before, 4, "one per report, and one that acknowledges all");
        let mut inbox = bus.inbox("test").await.unwrap();
        let mut messages = Vec::new();
        while messages.len() < jobs.len() {
            messages.extend(inbox.read(&[Partition(0)], 8, Duration::from_secs(5)).await.unwrap());
        }
        let runs: Vec<_> = messages.iter().filter_map(|delivery| delivery.message.execution_id()).collect();
        assert_eq!(runs, jobs.iter().map(|job| job.execution_id).collect::<Vec<_>>());
        let late = post.send(said(&jobs[0])).await.unwrap_err();
        assert!(!late.is_retryable(), "{late}");
    }

    /// Carries until `sending` has ended.
    async fn carried<T>(sack: Sack, bus: &Bus, sending: impl Future<Output = T>) -> T {
        tokio::select! {
            sent = sending => sent,
            ended = sack.carry(bus.clone(), CancellationToken::new()) => panic!("nobody said it was done: {ended:?}"),
        }
    }

    #[tokio::test]
    async fn a_patient_report_goes_with_the_next_one() {
        let redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(redis.url()) }).await.unwrap();
        let (post, sack) = open(8);
        let patient = Said { patience: Duration::from_secs(3600), ..said(&job()) };
        let sending = async {
            let mut waiting = Box::pin(post.send(patient));
            assert!(futures::poll!(&mut waiting).is_pending());
            bus.server_counters().await.unwrap();
            assert!(futures::poll!(&mut waiting).is_pending(), "nothing hangs on it");
            tokio::join!(waiting, post.send(said(&job())))
        };
        let (patient, urgent) = carried(sack, &bus, sending).await;
        assert!(patient.is_ok() && urgent.is_ok());
        assert_eq!(bus.inbox_depth().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn reported_jobs_are_acknowledged_without_another_report() {
        let redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(redis.url()) }).await.unwrap();
        let wanted = job();
        bus.enqueue(std::slice::from_ref(&wanted), &[]).await.unwrap();
        let mut queues = bus.queues(&"w1".into()).await.unwrap();
        let taken = queues
            .read(std::slice::from_ref(&wanted.pool), 1, Duration::from_secs(5))
            .await
            .unwrap()
            .remove(0);
        let (post, sack) = open(8);
        let sending = async {
            post.send(Said { done: Some((taken.queue, taken.entry)), ..said(&wanted) }).await.unwrap();
            while bus.queue_depths().await.unwrap().iter().any(|depth| depth.pending > 0) {}
        };
        tokio::time::timeout(Duration::from_secs(20), carried(sack, &bus, sending)).await.unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_acknowledged_holds_up_no_report() {
        let redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(redis.url()) }).await.unwrap();
        let (first, second) = (job(), job());
        redis.tell(&["SET", &format!("{{mr:q:{}}}:normal", first.pool), "no stream"]).await.unwrap();
        let (post, sack) = open(8);
        let sending = async {
            post.send(said(&first)).await.unwrap();
            post.send(said(&second)).await.unwrap();
        };
        carried(sack, &bus, sending).await;
        assert_eq!(bus.inbox_depth().await.unwrap(), 2);
    }

    #[tokio::test]
    async fn without_redis_everybody_is_told_at_about_the_same_time() {
        let mut redis = TestRedis::start().await.unwrap();
        let bus = Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(redis.url()) }).await.unwrap();
        redis.server().kill().await;
        let (post, sack) = open(8);
        let jobs: Vec<Job> = (0..8).map(|_| job()).collect();
        let sending = join_all(jobs.iter().map(|job| post.send(said(job))));
        let sent = carried(sack, &bus, tokio::time::timeout(Duration::from_secs(20), sending)).await.unwrap();
        assert!(sent.into_iter().all(|result| result.is_err_and(|error| error.is_retryable())));
    }
}
