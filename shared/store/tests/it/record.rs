use anyhow::Result;
use millrace_contracts::event::LogPosition;
use millrace_contracts::{BlobId, Event, ExecutionStatus, NodeStatus, UnixMillis};
use millrace_store::{JobFilter, JobRecord, JobStatus, JobTask, StoreError};
use serde_json::{Value, json};

use crate::story::Story;
use crate::support::Fixture;

const START: LogPosition = LogPosition { epoch: 1, seq: 0 };

#[tokio::test]
async fn a_run_is_recorded_whole_and_once() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::completed();
    fixture.store.accept(&[story.run()]).await?;
    let recorded = fixture.record(&story.events).await?;
    assert_eq!((recorded.new_events, recorded.transactions, recorded.dead_letters), (5, 1, 0));

    let run = fixture.store.executions().get(story.run).await?;
    assert_eq!(run.summary.status, ExecutionStatus::Completed);
    assert_eq!(run.summary.duration_ms, Some(42));
    assert_eq!((run.summary.jobs.pending, run.summary.jobs.completed), (0, 1));
    assert_eq!(run.outputs, Some(json!({"answer": {"count": 2}})));
    let metrics = run.node_metrics.unwrap_or_default();
    assert_eq!(metrics["detect"]["inference_time_ms"], 12.5);
    assert_eq!(metrics["detect"]["runs"], 1);

    let nodes = fixture.store.node_runs().history(story.run).await?;
    assert_eq!(nodes.len(), 3);
    let job = fixture.store.jobs().get(story.job("detect", 1)).await?;
    assert_eq!((job.status, job.attempt), (JobStatus::Completed, 1));
    assert_eq!(job.metadata["batch_size"], 1);
    assert_eq!(job.result, Some(json!({"count": 2})));

    // What comes back is what was said, to the letter.
    let said: Vec<_> = story.events.iter().filter(|event| event.seq.is_some()).cloned().collect();
    assert_eq!(fixture.store.events().after(story.run, START, 100).await?, said);
    let end = said.last().and_then(Event::log_position);
    assert_eq!(Some(fixture.store.events().last(story.run, 1).await?), end);
    let nothing = LogPosition { epoch: 7, seq: 0 };
    assert_eq!(fixture.store.events().last(story.run, 7).await?, nothing);
    let tail = fixture.store.events().after(story.run, LogPosition { epoch: 1, seq: 3 }, 1).await?;
    assert_eq!(tail, said[3..4]);
    Ok(())
}

#[tokio::test]
async fn the_same_batch_twice_and_overlapping_batches_change_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::completed();
    fixture.store.accept(&[story.run()]).await?;
    fixture.record(&story.events).await?;
    let picture = fixture.picture().await?;
    for part in [&story.events[..], &story.events[2..5], &story.events[4..], &story.events[..3]] {
        assert_eq!(fixture.record(part).await?.new_events, 0);
        assert_eq!(fixture.picture().await?, picture);
    }
    let doubled: Vec<_> = story.events.iter().chain(&story.events).cloned().collect();
    fixture.record(&doubled).await?;
    assert_eq!(fixture.picture().await?, picture);
    Ok(())
}

#[tokio::test]
async fn a_run_without_a_row_is_recorded_from_its_events_alone() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut story = Story::new();
    story.started().node("photo", NodeStatus::Completed, &json!({}));
    fixture.record(&story.events).await?;
    let later = UnixMillis(story.accepted.created_at.0 + 1);
    let unfinished = fixture.store.executions().unfinished(later, None, 10).await?;
    assert_eq!(unfinished[0].accepted, story.accepted);
    assert_eq!(unfinished[0].status, ExecutionStatus::Running);
    assert_eq!(unfinished[0].last_epoch, Some(1));
    Ok(())
}

#[tokio::test]
async fn the_end_of_a_run_may_come_before_its_beginning() -> Result<()> {
    let fixture = Fixture::start().await?;
    let story = Story::completed();
    fixture.record(&story.events[6..]).await?;
    let unknown = fixture.store.executions().get(story.run).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))), "what nobody has accepted is not shown");
    fixture.record(&story.events[..6]).await?;
    let run = fixture.store.executions().get(story.run).await?;
    assert_eq!(run.summary.status, ExecutionStatus::Completed);
    assert_eq!(run.input, story.accepted.input);
    Ok(())
}

#[tokio::test]
async fn a_terminal_run_and_its_terminal_nodes_never_go_back() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut story = Story::completed();
    fixture.store.accept(&[story.run()]).await?;
    fixture.record(&story.events).await?;
    let before = fixture.store.executions().get(story.run).await?;
    let nodes = fixture.store.node_runs().history(story.run).await?;

    story.events.clear();
    story.started().retrying("detect", 2).failed("detect", 2).node("photo", NodeStatus::Failed, &Value::Null);
    story.ended("failed", &Value::Null);
    fixture.record(&story.events).await?;
    assert_eq!(fixture.store.executions().get(story.run).await?, before);
    assert_eq!(fixture.store.node_runs().history(story.run).await?, nodes);
    Ok(())
}

#[tokio::test]
async fn attempts_are_jobs_of_their_own_and_are_counted() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut story = Story::new();
    story.execute().started().queued("detect", 1).retrying("detect", 1).queued("detect", 2);
    fixture.record(&story.events).await?;

    let run = fixture.store.executions().get(story.run).await?;
    assert_eq!(run.summary.status, ExecutionStatus::Running);
    assert_eq!((run.summary.jobs.pending, run.summary.jobs.failed), (1, 1));
    let first = fixture.store.jobs().get(story.job("detect", 1)).await?;
    assert_eq!((first.status, first.error_kind.as_deref()), (JobStatus::Failed, Some("OUT_OF_MEMORY")));

    story.events.clear();
    story.detected("detect", 2).ended("completed", &Value::Null);
    fixture.record(&story.events).await?;
    let filter = JobFilter { execution_id: Some(story.run), ..JobFilter::default() };
    let jobs = fixture.store.jobs().list(&filter, None, 10).await?;
    let mut states: Vec<_> = jobs.iter().map(|job| (job.attempt, job.status)).collect();
    states.sort_by_key(|(attempt, _)| *attempt);
    assert_eq!(states, [(1, JobStatus::Failed), (2, JobStatus::Completed)]);

    // Page by page every job comes once, whichever index serves the filter.
    let all = JobFilter::default();
    let by_model = JobFilter { model_id: jobs[0].model_id.clone(), ..all.clone() };
    let by_task = JobFilter { task: Some(JobTask::Version(jobs[0].task.clone())), ..all.clone() };
    let name = jobs[0].task.split('@').next().unwrap_or_default().to_owned();
    let any_version = JobFilter { task: Some(JobTask::AnyVersion(name.clone())), ..all.clone() };
    let of_run = JobFilter { execution_id: Some(story.run), ..any_version.clone() };
    for filter in [filter, by_model, by_task, any_version, of_run, all] {
        let first = fixture.store.jobs().list(&filter, None, 1).await?;
        let after = |job: &JobRecord| Some((job.submitted_at, job.id));
        let second = fixture.store.jobs().list(&filter, after(&first[0]), 1).await?;
        let pages: Vec<_> = first.iter().chain(&second).map(|job| job.id).collect();
        assert_eq!(pages, jobs.iter().map(|job| job.id).collect::<Vec<_>>(), "{filter:?}");
        assert_eq!(fixture.store.jobs().list(&filter, after(&second[0]), 1).await?, []);
    }
    let half_a_name = JobTask::AnyVersion(name[..4].to_owned());
    for task in [half_a_name, JobTask::Version(name), JobTask::Version("%".to_owned())] {
        let other = JobFilter { task: Some(task), ..JobFilter::default() };
        assert_eq!(fixture.store.jobs().list(&other, None, 10).await?, [], "{other:?}");
    }
    let other = JobFilter { model_id: Some("nobody".into()), ..JobFilter::default() };
    assert_eq!(fixture.store.jobs().list(&other, None, 10).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_job_of_a_model_at_a_long_address_is_recorded_and_found_by_it() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut story = Story::new();
    story.execute().started().queued("detect", 1).detected("detect", 1).ended("completed", &Value::Null);
    // The longest there is, of which little can be left out by compression.
    let mut digits = String::new();
    while digits.len() < 2_048 {
        digits.push_str(&BlobId::of(digits.as_bytes()).to_string());
    }
    let address = format!("https://models.example/?{digits}")[..2_048].to_owned();
    for event in &mut story.events {
        event.data = serde_json::from_str(&event.data.to_string().replace("shapes-detector", &address))?;
    }
    fixture.record(&story.events).await?;
    let filter = JobFilter { model_id: Some(address.as_str().into()), ..JobFilter::default() };
    let jobs = fixture.store.jobs().list(&filter, None, 10).await?;
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [story.job("detect", 1)]);
    Ok(())
}

#[tokio::test]
async fn jobs_of_a_cancelled_run_do_not_stay_open() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut story = Story::new();
    story.execute().started().queued("detect", 1).queued("other", 1);
    fixture.record(&story.events).await?;
    story.events.clear();
    story.node("detect", NodeStatus::Cancelled, &Value::Null).ended("cancelled", &Value::Null);
    fixture.record(&story.events).await?;
    for node in ["detect", "other"] {
        let job = fixture.store.jobs().get(story.job(node, 1)).await?;
        assert_eq!(job.status, JobStatus::Cancelled, "{node}");
    }
    let run = fixture.store.executions().get(story.run).await?;
    assert_eq!(run.summary.status, ExecutionStatus::Cancelled);
    Ok(())
}

#[tokio::test]
async fn a_rebuilt_run_ends_in_its_new_epoch() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut story = Story::new();
    story.execute().started().node("photo", NodeStatus::Completed, &json!({"image": "x"}));
    story.node("item", NodeStatus::Cancelled, &Value::Null);
    story.rebuilt().execute().started();
    fixture.record(&story.events).await?;
    let later = UnixMillis(story.accepted.created_at.0 + 1);
    let unfinished = fixture.store.executions().unfinished(later, None, 10).await?;
    assert_eq!(unfinished[0].last_epoch, Some(2));

    story.node("item", NodeStatus::Completed, &json!({})).ended("completed", &Value::Null);
    fixture.record(&story.events).await?;
    let done = fixture.store.node_runs().history(story.run).await?;
    assert_eq!(done.len(), 2, "what was not completed before the loss may be after it");
    let log = fixture.store.events().after(story.run, START, 100).await?;
    let positions: Vec<_> = log.iter().filter_map(|event| Some((event.epoch?, event.seq?))).collect();
    assert_eq!(positions, [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]);
    Ok(())
}

#[tokio::test]
async fn two_writers_with_the_same_events_do_not_get_in_each_others_way() -> Result<()> {
    let fixture = Fixture::start().await?;
    let stories: Vec<Story> = (0..40).map(|_| Story::completed()).collect();
    let forwards: Vec<_> = stories.iter().flat_map(|story| story.events.clone()).collect();
    let backwards: Vec<_> = stories.iter().rev().flat_map(|story| story.events.clone()).collect();
    let (one, other) = tokio::join!(fixture.record(&forwards), fixture.record(&backwards));
    assert_eq!(one?.new_events + other?.new_events, 40 * 5);
    assert_eq!(fixture.count("select count(*) from wf_executions where status = 'completed'").await?, 40);
    Ok(())
}
