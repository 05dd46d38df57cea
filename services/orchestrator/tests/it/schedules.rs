//! Schedules: firings become runs, once each, whatever is lost or said twice.

use std::time::Duration;

use bytes::Bytes;
use millrace_contracts::job::Priority;
use millrace_contracts::message::Message;
use millrace_contracts::schedule::{Cue, CueReason, Overlap, ScheduleSpec};
use millrace_contracts::{ExecutionId, ScheduleId, UnixMillis, WorkflowId};
use millrace_store::{Definition, ExecutionFilter, NewSchedule, NewWorkflow, ScheduleLimits, ScheduleRecord};
use millrace_testkit::eventually;
use serde_json::{Map, Value, json};

use crate::support::{DEADLINE, World, chain, picture};

const LIMITS: ScheduleLimits = ScheduleLimits { per_workflow: 10, total: 10 };

/// A workflow that ends by itself.
fn constant() -> Value {
    json!({"name": "constant", "nodes": [
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer", "default": 1}},
        {"id": "answer", "type": "json_output", "inputs": {"n": "$inputs.n"}},
    ]})
}

/// A workflow with one job, which a worker must do.
fn with_a_job() -> Value {
    chain(1)
}

impl World {
    async fn save(&self, definition: &Value) -> anyhow::Result<WorkflowId> {
        let id = WorkflowId::generate();
        let blob = self.blobs.put(Bytes::from(serde_json::to_vec(definition)?)).await?;
        let definition = Definition { id: blob, json: definition.clone() };
        self.store.workflows().create(id, &NewWorkflow { name: "scheduled".to_owned(), definition }).await?;
        Ok(id)
    }

    /// Saves another version.
    async fn save_again(&self, workflow: WorkflowId, definition: &str) -> anyhow::Result<()> {
        let id = self.blobs.put(Bytes::from(definition.to_owned())).await?;
        let definition = Definition { id, json: serde_json::from_str(definition)? };
        let new = NewWorkflow { name: "changed".to_owned(), definition };
        self.store.workflows().put(workflow, None, &new).await?;
        Ok(())
    }

    /// A schedule that was due at `due`, without its timer: the reconciler sets that.
    async fn schedule(
        &self,
        workflow: WorkflowId,
        cron: &str,
        overlap: Overlap,
        due: UnixMillis,
    ) -> anyhow::Result<ScheduleRecord> {
        let input = Map::from_iter([("photo".to_owned(), picture("root"))]);
        self.schedule_with(workflow, (cron, overlap), due, input).await
    }

    /// The same with an input of its own.
    async fn schedule_with(
        &self,
        workflow: WorkflowId,
        (cron, overlap): (&str, Overlap),
        due: UnixMillis,
        input: Map<String, Value>,
    ) -> anyhow::Result<ScheduleRecord> {
        let spec = ScheduleSpec {
            cron: cron.to_owned(),
            timezone: "UTC".to_owned(),
            overlap,
            version: None,
            checked_version: 1,
            input,
            priority: Priority::Normal,
            pool: None,
            labels: Map::from_iter([("from".to_owned(), json!("clock"))]),
            timeout_ms: None,
            callback_url: None,
            jitter_ms: 0,
        };
        let new = NewSchedule { spec, enabled: true, next_at: Some(due) };
        Ok(self.store.schedules().create(ScheduleId::generate(), workflow, &new, LIMITS).await?)
    }

    /// The ids of a workflow's runs, oldest first.
    async fn runs_of(&self, workflow: WorkflowId) -> anyhow::Result<Vec<ExecutionId>> {
        let filter = ExecutionFilter { workflow_id: Some(workflow), ..ExecutionFilter::default() };
        let mut runs: Vec<_> =
            self.store.executions().list(&filter, None, 200).await?.into_iter().map(|run| run.id).collect();
        runs.reverse();
        Ok(runs)
    }

    async fn handled(&self, id: ScheduleId, due: UnixMillis) -> anyhow::Result<ScheduleRecord> {
        eventually(DEADLINE, "the firing is handled", async || {
            let schedule = self.store.schedules().get(id).await?;
            anyhow::Ok(Some(schedule).filter(|schedule| schedule.last_at >= Some(due)))
        })
        .await
    }
}

fn ago(duration: Duration) -> UnixMillis {
    // Whole seconds, as cron has them.
    UnixMillis((UnixMillis::now().0 - duration.as_millis() as i64) / 1_000 * 1_000)
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_missed_stretch_is_made_up_by_one_run() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (workflow, due) = (world.save(&constant()).await?, ago(90 * MINUTE));
    let schedule = world.schedule(workflow, "*/30 * * * *", Overlap::Skip, due).await?;
    let replica = world.replica();
    let run = ExecutionId::of_firing(schedule.id, due);
    let log = world.ended(run).await?;
    let accepted = &log[0].data["accepted"];
    assert_eq!((&accepted["schedule_id"], &accepted["workflow_id"]), (&json!(schedule.id), &json!(workflow)));
    let now = world.handled(schedule.id, due).await?;
    assert_eq!((now.last_at, now.last_outcome.as_deref()), (Some(due), Some("started")));
    assert!(now.next_at.is_some_and(|next| next > UnixMillis::now()), "what was missed since is left out");
    assert_eq!(world.runs_of(workflow).await?, [run]);
    assert_eq!(world.store.executions().get(run).await?.summary.labels["from"], "clock");
    replica.stop().await
}

#[tokio::test]
async fn a_schedule_goes_on_by_its_timers_and_after_the_loss_of_redis() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&constant()).await?;
    world.schedule(workflow, "* * * * * *", Overlap::Allow, ago(Duration::from_secs(2))).await?;
    let replica = world.replica();
    let at_least = async |count: usize| {
        eventually(DEADLINE, "runs are started", async || {
            let runs = world.runs_of(workflow).await?;
            anyhow::Ok(Some(runs.len()).filter(|found| *found >= count))
        })
        .await
    };
    let before = at_least(3).await?;
    world.redis(redis::cmd("FLUSHALL")).await?;
    at_least(before + 3).await?;
    replica.stop().await
}

#[tokio::test]
async fn skip_leaves_out_what_fires_while_a_run_goes_on() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (workflow, due) = (world.save(&with_a_job()).await?, ago(MINUTE));
    let schedule = world.schedule(workflow, "* * * * * *", Overlap::Skip, due).await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let taken = worker.take().await?;
    assert_eq!(taken.job.execution_id, ExecutionId::of_firing(schedule.id, due));
    eventually(DEADLINE, "a firing is left out", async || {
        let schedule = world.store.schedules().get(schedule.id).await?;
        anyhow::Ok(schedule.last_outcome.filter(|outcome| outcome == "skipped"))
    })
    .await?;
    assert_eq!(world.runs_of(workflow).await?.len(), 1);
    worker.complete(&taken, json!({"image": picture("made")})).await?;
    let next = worker.take().await?;
    assert_ne!(
        next.job.execution_id, taken.job.execution_id,
        "once it has ended, the next firing starts one"
    );
    replica.stop().await
}

#[tokio::test]
async fn queue_keeps_one_firing_waiting() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (workflow, due) = (world.save(&with_a_job()).await?, ago(MINUTE));
    let schedule = world.schedule(workflow, "* * * * * *", Overlap::Queue, due).await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let first = worker.take().await?;
    let waiting = eventually(DEADLINE, "one waits, the next is left out", async || {
        let schedule = world.store.schedules().get(schedule.id).await?;
        let left_out = schedule.last_outcome.as_deref() == Some("skipped");
        anyhow::Ok(schedule.waiting_at.filter(|_| left_out))
    })
    .await?;
    assert_eq!(world.runs_of(workflow).await?.len(), 1, "what waits is no run yet");
    worker.complete(&first, json!({"image": picture("made")})).await?;
    let second = worker.take().await?;
    assert_eq!(second.job.execution_id, ExecutionId::of_firing(schedule.id, waiting));
    replica.stop().await
}

#[tokio::test]
async fn allow_starts_every_time() -> anyhow::Result<()> {
    let world = World::start().await?;
    let workflow = world.save(&with_a_job()).await?;
    world.schedule(workflow, "* * * * * *", Overlap::Allow, ago(MINUTE)).await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let (first, second) = (worker.take().await?, worker.take().await?);
    assert_ne!(first.job.execution_id, second.job.execution_id);
    replica.stop().await
}

#[tokio::test]
async fn a_cue_that_comes_often_and_to_two_replicas_makes_one_run() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (workflow, due) = (world.save(&constant()).await?, ago(MINUTE));
    let schedule = world.schedule(workflow, "0 0 1 1 *", Overlap::Allow, due).await?;
    let cue = Cue { schedule_id: schedule.id, reason: CueReason::Due(due) };
    let replicas = [world.replica(), world.replica()];
    for _ in 0..20 {
        world.bus.post(&Message::Schedule(cue.clone())).await?;
    }
    world.ended(ExecutionId::of_firing(schedule.id, due)).await?;
    eventually(DEADLINE, "every cue is done with", async || {
        anyhow::Ok((world.bus.inbox_depth().await? == 0).then_some(()))
    })
    .await?;
    assert_eq!(world.runs_of(workflow).await?.len(), 1);
    for replica in replicas {
        replica.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_firing_that_is_handled_after_its_run_has_gone_begins_no_other() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (workflow, due) = (world.save(&with_a_job()).await?, ago(MINUTE));
    let schedule = world.schedule(workflow, "0 0 1 1 *", Overlap::Allow, due).await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let taken = worker.take().await?;
    let run = ExecutionId::of_firing(schedule.id, due);
    assert_eq!(taken.job.execution_id, run);
    worker.complete(&taken, json!({"image": picture("made")})).await?;
    world.ended(run).await?;
    world.handled(schedule.id, due).await?;
    world.record(run).await?;
    world.bus.forget(run).await?;
    // As if whoever handled it had died before the schedule was told.
    let undone = NewSchedule { spec: schedule.spec.clone(), enabled: true, next_at: Some(due) };
    world.store.schedules().put(schedule.id, None, &undone).await?;
    world.bus.post(&Message::Schedule(Cue { schedule_id: schedule.id, reason: CueReason::Due(due) })).await?;
    eventually(DEADLINE, "the firing is handled again", async || {
        let schedule = world.store.schedules().get(schedule.id).await?;
        anyhow::Ok((schedule.next_at != Some(due)).then_some(()))
    })
    .await?;
    // What it said stands in an inbox by now.
    eventually(DEADLINE, "nothing is left to do", async || {
        anyhow::Ok((world.bus.inbox_depth().await? == 0).then_some(()))
    })
    .await?;
    assert!(worker.try_take().await?.is_none(), "its job is not done again");
    assert!(world.bus.load_run(run).await?.is_none());
    replica.stop().await
}

#[tokio::test]
async fn what_is_disabled_or_deleted_does_not_fire() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (workflow, due) = (world.save(&constant()).await?, ago(MINUTE));
    let schedules = world.store.schedules();
    let deleted = world.schedule(workflow, "* * * * *", Overlap::Skip, due).await?;
    schedules.delete(deleted.id, None).await?;
    let disabled = world.schedule(workflow, "* * * * *", Overlap::Skip, due).await?;
    let off = NewSchedule { spec: disabled.spec.clone(), enabled: false, next_at: None };
    schedules.put(disabled.id, Some(1), &off).await?;
    let orphan = world.save(&constant()).await?;
    let orphaned = world.schedule(orphan, "* * * * *", Overlap::Skip, due).await?;
    world.store.workflows().delete(orphan, None).await?;
    let living = world.schedule(workflow, "0 0 1 1 *", Overlap::Skip, due).await?;
    for id in [deleted.id, disabled.id, orphaned.id, living.id] {
        world.bus.set_cues(&[(due, Cue { schedule_id: id, reason: CueReason::Due(due) })]).await?;
    }
    let replica = world.replica();
    world.handled(living.id, due).await?;
    replica.stop().await?;
    assert_eq!(world.runs_of(workflow).await?, [ExecutionId::of_firing(living.id, due)]);
    assert!(world.runs_of(orphan).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_version_that_does_not_take_the_input_fails_the_firing_and_says_why() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (workflow, due) = (world.save(&constant()).await?, ago(MINUTE));
    let schedule = world.schedule(workflow, "0 0 1 1 *", Overlap::Skip, due).await?;
    let changed = constant().to_string().replace("\"integer\",\"default\":1", "\"integer\"");
    world.save_again(workflow, &changed).await?;
    let replica = world.replica();
    let now = world.handled(schedule.id, due).await?;
    assert_eq!(now.last_outcome.as_deref(), Some("failed"));
    assert!(
        now.last_error.as_deref().is_some_and(|error| error.contains("version 2")),
        "{:?}",
        now.last_error
    );
    assert!(world.runs_of(workflow).await?.is_empty());
    replica.stop().await
}

#[tokio::test]
async fn another_version_takes_an_input_that_is_stored_apart() -> anyhow::Result<()> {
    let world = World::start().await?;
    let definition = |name: &str| {
        json!({"name": name, "nodes": [
            {"id": "words", "type": "parameter_input", "config": {"kind": "list<string>"}},
            {"id": "answer", "type": "json_output", "inputs": {"words": "$inputs.words"}},
        ]})
    };
    let (workflow, due) = (world.save(&definition("one")).await?, ago(MINUTE));
    let words = json!(vec!["far too much for an event"; 10_000]);
    let apart = world.blobs.claim_check(words.clone()).await?;
    assert_ne!(apart, words);
    let input = Map::from_iter([("words".to_owned(), apart)]);
    let schedule = world.schedule_with(workflow, ("0 0 1 1 *", Overlap::Skip), due, input.clone()).await?;
    world.save_again(workflow, &definition("two").to_string()).await?;
    let replica = world.replica();
    let run = ExecutionId::of_firing(schedule.id, due);
    let log = world.ended(run).await?;
    assert_eq!(log[0].data["accepted"]["version"], 2);
    assert_eq!(log[0].data["accepted"]["input"], json!(input), "it is stored apart again");
    replica.stop().await
}
