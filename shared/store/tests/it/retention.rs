//! Old runs go and running ones stay; the clock is the caller's.

use std::collections::HashSet;

use anyhow::Result;
use millrace_contracts::job::Priority;
use millrace_contracts::message::RerunOf;
use millrace_contracts::schedule::{Overlap, ScheduleSpec};
use millrace_contracts::{BlobId, NodeStatus, ScheduleId, UnixMillis, WorkflowId};
use millrace_store::{
    AcceptedRun, Definition, Expired, ModelRecord, NewSchedule, NewWorkflow, ScheduleLimits, ScheduleRecord,
    StoreError,
};
use serde_json::{Map, Value, json};

use crate::story::Story;
use crate::support::Fixture;

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn old_runs_are_deleted_in_steps_and_running_ones_never() -> Result<()> {
    let fixture = Fixture::start().await?;
    let executions = fixture.store.executions();
    let mut open = Story::new();
    open.execute().started().queued("detect", 1);
    let ended: Vec<Story> = (0..7).map(|_| Story::completed()).collect();
    let all: Vec<_> =
        ended.iter().flat_map(|story| story.events.clone()).chain(open.events.clone()).collect();
    fixture.record(&all).await?;
    let now = UnixMillis::now();
    assert_eq!(executions.oldest_unfinished().await?, Some(open.accepted.created_at));
    assert_eq!(executions.expire(UnixMillis(now.0 - DAY_MS), 100).await?.deleted, 0, "nothing is that old");

    // Forty days later.
    let before = UnixMillis(now.0 + 40 * DAY_MS);
    let expired = |deleted, more| Expired { deleted, more };
    assert_eq!(executions.expire(before, 5).await?, expired(5, true));
    assert_eq!(executions.expire(before, 5).await?, expired(2, false));
    assert_eq!(executions.expire(before, 5).await?, expired(0, false));
    for (table, left) in
        [("wf_executions", 1), ("wf_events", 1), ("wf_node_runs", 0), ("wf_inference_jobs", 1)]
    {
        assert_eq!(fixture.count(&format!("select count(*) from {table}")).await?, left, "{table}");
    }
    // It ends in its own time, and then it may go.
    open.detected("detect", 1).ended("completed", &json!({}));
    fixture.record(&open.events).await?;
    assert_eq!(executions.oldest_unfinished().await?, None);
    assert_eq!(executions.expire(before, 5).await?.deleted, 1);
    assert_eq!(fixture.count("select count(*) from wf_events").await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_is_too_much_for_one_transaction_goes_in_pieces() -> Result<()> {
    let fixture = Fixture::start().await?;
    let executions = fixture.store.executions();
    let (large, small) = (Story::completed(), Story::completed());
    fixture.record(&large.events).await?;
    fixture.record(&small.events).await?;
    let run = large.run;
    fixture
        .execute(&format!(
            "insert into wf_node_runs (execution_id, node_id, path, block, status)
                select '{run}', 'each', '[' || n || ']', 'crop@1', 'completed' from generate_series(1, 120) n;
            insert into wf_blob_uses (owner, sha256) select '{run}', sha256(n::text::bytea) from generate_series(1, 60) n"
        ))
        .await?;
    for table in ["wf_events", "wf_node_runs", "wf_blob_uses"] {
        fixture.refuse_deletes_of_more_than(50, table).await?;
    }

    let before = UnixMillis(UnixMillis::now().0 + DAY_MS);
    let piece = Expired { deleted: 0, more: true };
    assert_eq!(executions.expire(before, 1).await?, piece);
    assert!(matches!(executions.get(run).await, Err(StoreError::Gone(_))), "nobody sees half a run");
    assert_eq!(fixture.count("select count(*) from wf_blob_uses").await?, 60, "they go last");
    let mut pieces = 1;
    let deleted = loop {
        match executions.expire(before, 1).await? {
            more if more == piece => pieces += 1,
            last => break last,
        }
    };
    assert_eq!(deleted, Expired { deleted: 1, more: true });
    assert_eq!(pieces, 3, "some 190 rows");
    assert!(matches!(executions.get(run).await, Err(StoreError::NotFound(_))));
    executions.get(small.run).await?;
    assert_eq!(executions.expire(before, 2).await?.deleted, 1);
    for table in ["wf_executions", "wf_events", "wf_node_runs", "wf_inference_jobs", "wf_blob_uses"] {
        assert_eq!(fixture.count(&format!("select count(*) from {table}")).await?, 0, "{table}");
    }
    Ok(())
}

#[tokio::test]
async fn a_step_that_takes_too_long_deletes_nothing_and_says_so() -> Result<()> {
    let fixture = Fixture::start().await?;
    let executions = fixture.store.executions();
    for _ in 0..3 {
        fixture.record(&Story::completed().events).await?;
    }
    fixture.refuse_deletes_of_more_than(2, "wf_executions").await?;
    let before = UnixMillis(UnixMillis::now().0 + DAY_MS);
    let refused = executions.expire(before, 3).await.expect_err("three are too many");
    assert!(refused.took_too_long() && refused.is_unavailable(), "{refused}");
    assert_eq!(fixture.count("select count(*) from wf_node_runs").await?, 9);
    assert_eq!(executions.expire(before, 2).await?.deleted, 2);
    Ok(())
}

#[tokio::test]
async fn tombstones_and_rows_without_a_command_go_too() -> Result<()> {
    let fixture = Fixture::start().await?;
    let executions = fixture.store.executions();
    let (deleted, mut bare) = (Story::completed(), Story::new());
    fixture.record(&deleted.events).await?;
    executions.delete(deleted.run).await?;
    // Its beginning was never said.
    bare.queued("detect", 1);
    fixture.record(&bare.events).await?;
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 2);
    let now = UnixMillis::now();
    assert_eq!(executions.expire(UnixMillis(now.0 - DAY_MS), 10).await?.deleted, 0);
    assert_eq!(executions.expire(UnixMillis(now.0 + DAY_MS), 10).await?.deleted, 2);
    Ok(())
}

/// However long ago they were stored: models are used long after they were registered.
#[tokio::test]
async fn the_files_of_a_registered_model_are_in_use_until_it_is_deleted() -> Result<()> {
    let fixture = Fixture::start().await?;
    let id = |name: &str| BlobId::of(name.as_bytes());
    let model = ModelRecord {
        id: "acme/parts".into(),
        source: "trained".to_owned(),
        family: None,
        task: "tensor".to_owned(),
        labels: Vec::new(),
        size_bytes: None,
        digest: None,
        location: Some(format!("blob:{}", id("graph"))),
        metadata: json!({"files": {"model.onnx_data": format!("blob:{}", id("weights"))}, "image": null}),
        created_at: UnixMillis(0),
        updated_at: UnixMillis(0),
    };
    fixture.store.models().put(&model, 1).await?;
    let asked = ["graph", "weights", "nobody's"].map(id);
    let uses = fixture.store.blob_uses();
    assert_eq!(uses.in_use(&asked).await?, HashSet::from(["graph", "weights"].map(id)));
    fixture.store.models().delete(&model.id).await?;
    assert!(uses.in_use(&asked).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn blobs_are_in_use_as_long_as_somebody_refers_to_them() -> Result<()> {
    let fixture = Fixture::start().await?;
    let id = |name: &str| BlobId::of(name.as_bytes());
    let image = |name: &str| json!({"kind": "image", "blob": id(name)});
    let mut first = Story::new();
    first.accepted.input.insert("photo".to_owned(), image("input"));
    let mut second = Story::new();
    second.accepted.rerun_of = Some(RerunOf { execution_id: first.run, from: Some("answer".into()) });
    fixture.store.accept(&[first.run()]).await?;
    first.execute().started().node("photo", NodeStatus::Completed, &json!({"image": image("output")}));
    first.ended("completed", &json!({"answer": {"all": {"$value": id("list"), "bytes": 9000}}}));
    fixture.record(&first.events).await?;

    let asked = ["input", "output", "list", "inner", "nobody's"].map(id);
    let uses = fixture.store.blob_uses();
    assert_eq!(uses.in_use(&asked).await?, HashSet::from(["input", "output", "list"].map(id)));
    let unread = uses.unread(None, 10).await?;
    assert_eq!(unread.iter().map(|value| value.blob).collect::<Vec<_>>(), [id("list")]);
    assert!(uses.unread(Some(unread[0]), 10).await?.is_empty(), "none is behind it");
    uses.read(unread[0], &json!([image("inner")])).await?;
    assert!(uses.unread(None, 10).await?.is_empty());
    assert!(uses.in_use(&asked).await?.contains(&id("inner")));

    // A run that takes over another one's results refers to them before it has begun.
    fixture.store.accept(&[second.run()]).await?;
    fixture.store.executions().delete(first.run).await?;
    assert_eq!(uses.in_use(&asked).await?, HashSet::from(["input", "output", "list", "inner"].map(id)));
    second.execute().started().ended("completed", &json!({}));
    fixture.record(&second.events).await?;
    fixture.store.executions().expire(UnixMillis(UnixMillis::now().0 + DAY_MS), 10).await?;
    assert!(uses.in_use(&asked).await?.is_empty());
    assert_eq!(fixture.count("select count(*) from wf_blob_uses").await?, 0);
    Ok(())
}

#[tokio::test]
async fn definitions_go_once_nothing_runs_or_ran_by_them() -> Result<()> {
    let fixture = Fixture::start().await?;
    let definition = |name: &str| Definition { id: BlobId::of(name.as_bytes()), json: json!({"name": name}) };
    let (unsaved, unused, saved) = (definition("unsaved"), definition("unused"), definition("saved"));
    let mut story = Story::new();
    story.accepted.definition = unsaved.id;
    let run = AcceptedRun { definition: Some(unsaved.clone()), ..story.run() };
    fixture.store.accept(std::slice::from_ref(&run)).await?;
    let other = AcceptedRun { definition: Some(unused.clone()), ..Story::new().run() };
    fixture.store.accept(&[other]).await?;
    let (workflow, workflows) = (WorkflowId::generate(), fixture.store.workflows());
    workflows.create(workflow, &NewWorkflow { name: "saved".to_owned(), definition: saved.clone() }).await?;
    let mut of_saved = Story::new();
    (of_saved.accepted.definition, of_saved.accepted.workflow_id) = (saved.id, Some(workflow));
    fixture.store.accept(&[of_saved.run()]).await?;

    let later = UnixMillis(UnixMillis::now().0 + DAY_MS);
    let left = async || {
        let mut left = Vec::new();
        for one in [&unsaved, &unused, &saved] {
            if fixture.store.definition(one.id).await?.is_some() {
                left.push(one.json["name"].as_str().unwrap_or_default());
            }
        }
        anyhow::Ok(left)
    };
    assert_eq!(fixture.store.expire_definitions(later, 10).await?.deleted, 0, "what was used today stays");
    fixture.execute("update wf_definitions set used_at = now() - interval '13 hours'").await?;
    assert_eq!(fixture.store.expire_definitions(later, 10).await?.deleted, 1);
    assert_eq!(left().await?, ["unsaved", "saved"]);

    // Its last run gone, but used again just now.
    story.execute().started().ended("completed", &json!({}));
    fixture.record(&story.events).await?;
    fixture.store.executions().delete(story.run).await?;
    fixture.execute("delete from wf_executions where deleted_at is not null").await?;
    fixture.store.accept(&[AcceptedRun { definition: Some(unsaved.clone()), ..Story::new().run() }]).await?;
    assert_eq!(fixture.store.expire_definitions(later, 10).await?.deleted, 0);
    fixture.execute("update wf_definitions set used_at = now() - interval '13 hours'").await?;
    workflows.delete(workflow, None).await?;
    assert_eq!(fixture.store.expire_definitions(later, 10).await?.deleted, 1);
    assert_eq!(left().await?, ["saved"], "a run of the deleted workflow is still there");
    fixture.execute(&format!("delete from wf_executions where workflow_id = '{workflow}'")).await?;
    assert_eq!(fixture.store.expire_definitions(later, 10).await?.deleted, 1);
    assert!(left().await?.is_empty());
    Ok(())
}

impl Fixture {
    /// A schedule whose input is this, of a workflow of its own.
    async fn schedule(&self, photo: Value) -> Result<ScheduleRecord> {
        let workflow = WorkflowId::generate();
        let definition = Definition { id: BlobId::of(b"scheduled"), json: json!({}) };
        let new = NewWorkflow { name: "scheduled".to_owned(), definition };
        self.store.workflows().create(workflow, &new).await?;
        let spec = ScheduleSpec {
            cron: "0 0 1 1 *".to_owned(),
            timezone: "UTC".to_owned(),
            overlap: Overlap::Allow,
            version: None,
            checked_version: 1,
            input: Map::from_iter([("photo".to_owned(), photo)]),
            priority: Priority::Normal,
            pool: None,
            labels: Map::new(),
            timeout_ms: None,
            callback_url: None,
            jitter_ms: 0,
        };
        let new = NewSchedule { spec, enabled: true, next_at: None };
        let limits = ScheduleLimits { per_workflow: 10, total: 10 };
        Ok(self.store.schedules().create(ScheduleId::generate(), workflow, &new, limits).await?)
    }
}

#[tokio::test]
async fn a_deleted_workflow_frees_what_its_schedules_refer_to() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (schedules, uses) = (fixture.store.schedules(), fixture.store.blob_uses());
    let photo = BlobId::of(b"photo");
    let schedule = fixture.schedule(json!({"kind": "image", "blob": photo})).await?;
    assert_eq!(uses.in_use(&[photo]).await?, HashSet::from([photo]));
    fixture.store.workflows().delete(schedule.workflow_id, None).await?;
    assert!(uses.in_use(&[photo]).await?.is_empty());

    // As it was left behind by versions that did not forget it.
    let left = "insert into wf_blob_uses (owner, sha256) select id, sha256('photo') from wf_schedules";
    fixture.execute(left).await?;
    assert_eq!(uses.in_use(&[photo]).await?, HashSet::from([photo]));
    let later = UnixMillis(UnixMillis::now().0 + DAY_MS);
    assert_eq!(schedules.expire(later, 10).await?, Expired { deleted: 1, more: false });
    assert!(uses.in_use(&[photo]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_value_whose_owner_is_gone_is_not_read() -> Result<()> {
    let fixture = Fixture::start().await?;
    let uses = fixture.store.blob_uses();
    let schedule = fixture.schedule(json!({"$value": BlobId::of(b"list"), "bytes": 9000})).await?;
    let unread = uses.unread(None, 10).await?;
    assert_eq!(unread.len(), 1);
    // While the value is on its way from the blob store.
    fixture.store.schedules().delete(schedule.id, None).await?;
    uses.read(unread[0], &json!([{"kind": "image", "blob": BlobId::of(b"inner")}])).await?;
    assert_eq!(fixture.count("select count(*) from wf_blob_uses").await?, 0);
    Ok(())
}
