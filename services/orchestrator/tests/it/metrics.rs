//! The counters that say what went wrong and was put right, read from a recorder. The replica runs on the test's own thread, so
//! that a recorder of this thread hears all of it, and nothing of other tests.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use millrace_contracts::message::Message;
use millrace_contracts::{ErrorKind, ExecutionId};
use millrace_testkit::eventually;
use serde_json::json;

use crate::support::{DEADLINE, World, chain, picture};

/// A counter's value; 0 when nothing was counted.
fn counted(metrics: &PrometheusHandle, name: &str) -> u64 {
    let text = metrics.render();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("millrace_orchestrator_{name} ")));
    line.map_or(0, |value| value.parse().expect("a counter is a number"))
}

async fn becomes(metrics: &PrometheusHandle, name: &str, wanted: u64) -> anyhow::Result<()> {
    eventually(DEADLINE, name, async || anyhow::Ok((counted(metrics, name) == wanted).then_some(()))).await
}

#[tokio::test]
async fn what_changes_nothing_is_counted_by_its_reason() -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let (_guard, metrics) = (metrics::set_default_local_recorder(&recorder), recorder.handle());
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(2), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let first = worker.take().await?;
    worker.fail(&first, ErrorKind::Network).await?;
    let second = worker.take().await?;
    assert_eq!(second.job.attempt, 2);
    // The first attempt was given up: what its worker still says comes too late.
    worker.say_again(&first).await?;
    becomes(&metrics, r#"noops_total{reason="stale"}"#, 1).await?;
    worker.complete(&second, json!({"image": picture("made0")})).await?;
    let last = worker.take().await?;
    worker.say_again(&second).await?;
    becomes(&metrics, r#"noops_total{reason="duplicate"}"#, 1).await?;
    worker.complete(&last, json!({"image": picture("made1")})).await?;
    world.ended(run).await?;
    worker.say_again(&last).await?;
    becomes(&metrics, r#"noops_total{reason="run_ended"}"#, 1).await?;
    world.bus.cancel(ExecutionId::generate(), "nobody").await?;
    becomes(&metrics, r#"noops_total{reason="no_such_run"}"#, 1).await?;
    for reason in ["stale", "duplicate", "run_ended"] {
        assert_eq!(counted(&metrics, &format!(r#"noops_total{{reason="{reason}"}}"#)), 1, "{reason}");
    }
    assert_eq!(counted(&metrics, "restarted_runs_total"), 0);
    replica.stop().await
}

#[tokio::test]
async fn runs_that_are_started_again_and_messages_of_the_life_before_are_counted() -> anyhow::Result<()> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let (_guard, metrics) = (metrics::set_default_local_recorder(&recorder), recorder.handle());
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    worker.take().await?;
    let (accepted, _) = world.store.executions().accepted(run).await?;
    world.bus.post(&Message::Execute(Box::new(accepted))).await?;
    becomes(&metrics, r#"noops_total{reason="duplicate"}"#, 1).await?;

    world.redis(redis::cmd("FLUSHALL")).await?;
    let again = worker.take().await?;
    assert_eq!(counted(&metrics, "restarted_runs_total"), 1);
    worker.complete(&again, json!({"image": picture("made")})).await?;
    let log = world.ended(run).await?;
    assert!(log.iter().all(|event| event.epoch == Some(2)));
    assert_eq!(counted(&metrics, "restarted_runs_total"), 1);
    replica.stop().await
}
