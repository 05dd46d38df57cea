//! Call-backs: the end of a run is told, whatever it ended like and whatever was lost, until it is known to have been told.

use std::time::Duration;

use millrace_bus::JobDelivery;
use millrace_config::Orchestrator;
use millrace_contracts::job::CALLBACK_NODE;
use millrace_contracts::{ErrorKind, Event, EventType, ExecutionId, JobMetrics, UnixMillis};
use millrace_store::{CallbackStatus, RecordBatch};
use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{DEADLINE, World, chain, picture, settings};

const URL: &str = "https://example.com/done?signature=1";

impl World {
    async fn submit_calling_back(&self, size: usize) -> anyhow::Result<ExecutionId> {
        self.submit_with(&chain(size), json!({"photo": picture("root")}), |accepted| {
            accepted.callback_url = Some(URL.to_owned());
        })
        .await
    }

    /// Records what the writer is handed of call-backs; the events.
    async fn record_callbacks(&self) -> anyhow::Result<Vec<Event>> {
        let mut recorder = self.bus.recorder("by-hand").await?;
        let told =
            |event: &Event| matches!(event.kind, EventType::CallbackDelivered | EventType::CallbackFailed);
        eventually(DEADLINE, "what came of the call-back is told", async || {
            let entries = recorder.read(100, Duration::from_millis(100)).await?;
            let events: Vec<Event> = entries.into_iter().map(|entry| entry.event).collect();
            self.store.record(&RecordBatch { events: events.clone() }).await?;
            let told: Vec<Event> = events.into_iter().filter(told).collect();
            anyhow::Ok((!told.is_empty()).then_some(told))
        })
        .await
    }

    async fn callback(&self, run: ExecutionId) -> anyhow::Result<millrace_store::Callback> {
        self.store.executions().get(run).await?.callback.ok_or_else(|| anyhow::anyhow!("a call-back"))
    }
}

fn news(taken: &JobDelivery) -> Value {
    let text = taken.job.inputs["payload"].as_str().expect("the news is a text");
    serde_json::from_str(text).expect("the news is an event")
}

#[tokio::test]
async fn the_end_of_a_run_is_a_job_for_who_may_go_out() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit_calling_back(0).await?;
    let log = world.ended(run).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take_from("io").await?;
    let job = &taken.job;
    assert_eq!((job.task.as_str(), job.node_id.as_str()), ("webhook@1", CALLBACK_NODE));
    assert_eq!(news(&taken), serde_json::to_value(log.last())?, "the event as it stands in the log");
    assert_eq!((&job.config["url"], &job.config["max_attempts"]), (&json!(URL), &json!(10)));
    assert_eq!(world.callback(run).await?.status, CallbackStatus::Pending);

    worker.complete(&taken, json!({"status": 204, "attempts": 3, "response": ""})).await?;
    let told = world.record_callbacks().await?;
    assert_eq!((told.len(), told[0].execution_id), (1, Some(run)));
    assert_eq!(told[0].data, json!({"status": 204, "attempts": 3}));
    let callback = world.callback(run).await?;
    assert_eq!((callback.status, callback.attempts), (CallbackStatus::Delivered, Some(3)));
    assert_eq!(world.ended(run).await?, log, "the log of the run is not written to any more");
    replica.stop().await
}

#[tokio::test]
async fn a_cancelled_run_is_told_of_although_its_jobs_are_dropped() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit_calling_back(1).await?;
    let mut worker = world.worker().await?;
    worker.take().await?;
    world.bus.cancel(run, "as the test says").await?;
    let taken = worker.take_from("io").await?;
    assert_eq!(news(&taken)["type"], "millrace.workflow.cancelled");
    replica.stop().await
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_for_all_to_see() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit_calling_back(0).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take_from("io").await?;
    let metrics = JobMetrics { sent: Some(10), answered: Some(503), ..JobMetrics::default() };
    worker.fail_with(&taken, ErrorKind::Network, metrics).await?;
    let told = world.record_callbacks().await?;
    assert_eq!((&told[0].data["status"], &told[0].data["attempts"]), (&json!(503), &json!(10)));
    assert!(
        !told[0].data.to_string().contains("signature"),
        "the address may hold secrets: {:?}",
        told[0].data
    );
    let callback = world.callback(run).await?;
    assert_eq!((callback.status, callback.attempts), (CallbackStatus::Failed, Some(10)));
    assert!(callback.error.is_some_and(|error| error.contains("as the test says")));
    let waiting = world.store.executions().awaiting_callback(UnixMillis::now(), None, 10).await?;
    assert!(waiting.is_empty(), "it is not told again");
    replica.stop().await
}

/// The record is behind: an end comes into it long after it was, and what came of the call-back a moment later.
#[tokio::test]
async fn what_was_told_while_the_record_was_behind_is_not_told_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(Orchestrator { stalled_after: Duration::from_secs(600), ..settings() });
    let run = world.submit_calling_back(0).await?;
    let mut log = world.ended(run).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take_from("io").await?;
    worker.complete(&taken, json!({"status": 200, "attempts": 1})).await?;
    if let Some(end) = log.last_mut() {
        end.data["completed_at"] = json!(UnixMillis(UnixMillis::now().0 - 3_600_000));
    }
    world.store.record(&RecordBatch { events: log }).await?;
    let before = UnixMillis(UnixMillis::now().0 - 600_000);
    let waiting = world.store.executions().awaiting_callback(before, None, 10).await?;
    assert_eq!(waiting.len(), 1, "it ended an hour ago");
    tokio::time::sleep(settings().sweep_interval * 10).await;
    assert!(worker.try_take_from("io").await?.is_none());
    world.record_callbacks().await?;
    assert_eq!(world.callback(run).await?.status, CallbackStatus::Delivered);
    replica.stop().await
}

#[tokio::test]
async fn news_that_was_lost_is_sent_again_with_the_same_key() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit_calling_back(0).await?;
    world.ended(run).await?;
    let mut worker = world.worker().await?;
    let lost = worker.take_from("io").await?;
    world.record(run).await?;
    // In hand it is left alone, however many sweeps come by.
    tokio::time::sleep(settings().stalled_after * 5).await;
    assert!(worker.try_take_from("io").await?.is_none());
    // Whoever had it is gone with Redis, and another replica takes over.
    replica.vanish().await;
    world.redis(redis::cmd("FLUSHALL")).await?;
    let replica = world.replica();
    let again = worker.take_from("io").await?;
    assert_eq!((again.job.id, news(&again)), (lost.job.id, news(&lost)));
    worker.complete(&again, json!({"status": 200, "attempts": 1})).await?;
    world.record_callbacks().await?;
    assert_eq!(world.callback(run).await?.status, CallbackStatus::Delivered);
    replica.stop().await
}
