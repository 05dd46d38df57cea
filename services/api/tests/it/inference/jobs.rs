//! `GET /inference/jobs`: what is recorded, and what the runs know beyond it.

use millrace_bus::Commit;
use millrace_contracts::{EventType, ExecutionId, ItemPath, JobId, UnixMillis};
use millrace_store::RecordBatch;
use millrace_testkit::{accepted_run, interleaved_events};
use serde_json::{Value, json};

use crate::support::World;

/// Records so many runs with ten jobs each, all of them in their queues; the jobs by id, as the list has them.
async fn queued(world: &World, runs: usize) -> anyhow::Result<Vec<Value>> {
    let runs: Vec<_> = (0..runs).map(|_| accepted_run()).collect();
    let recorded = [EventType::WorkflowExecute, EventType::WorkflowStarted, EventType::InferenceQueued];
    let mut events = interleaved_events(&runs);
    events.retain(|event| recorded.contains(&event.kind));
    world.store.record(&RecordBatch { events }).await?;
    pages(world, "limit=200").await.map(|pages| pages.concat())
}

/// What the live states of their runs say of these jobs.
async fn begin(world: &World, jobs: &[&Value], attempt: u32) -> anyhow::Result<()> {
    for run in jobs.iter().map(|job| job["execution_id"].clone()).collect::<std::collections::HashSet<_>>() {
        let id: ExecutionId = serde_json::from_value(run.clone())?;
        let mut commit = Commit::new(id, world.bus.partition_of(id), 0);
        for job in jobs.iter().filter(|job| job["execution_id"] == run) {
            let node = json!({
                "node_id": job["node_id"], "block": "detection@1", "status": "running", "attempt": attempt,
                "queued_at": 10, "started_at": UnixMillis(12), "worker_id": "w1",
            });
            let field = format!("n:{}", job["node_id"].as_str().unwrap_or_default());
            commit.set.push((field, serde_json::to_vec(&node)?));
        }
        world.bus.commit(&[commit]).await?;
    }
    Ok(())
}

/// All pages of a list.
async fn pages(world: &World, query: &str) -> anyhow::Result<Vec<Vec<Value>>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/api/v1/inference/jobs?{query}{cursor}")).await?;
        assert_eq!(page.status, 200, "{page:?}");
        pages.push(page.body["jobs"].as_array().cloned().unwrap_or_default());
        let Some(next) = page.body["next_cursor"].as_str() else { return Ok(pages) };
        cursor = format!("&cursor={next}");
    }
}

fn ids<'a>(jobs: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    jobs.into_iter().map(|job| job["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn jobs_that_run_are_told_from_those_that_wait() -> anyhow::Result<()> {
    let world = World::start().await?;
    let all = queued(&world, 2).await?;
    assert_eq!(all.len(), 20);
    let begun = [&all[2], &all[3], &all[11], &all[19]];
    begin(&world, &begun, 1).await?;
    let running = pages(&world, "status=running").await?.concat();
    assert_eq!(ids(&running), ids(begun), "in the order of the list");
    for job in &running {
        assert_eq!((&job["status"], &job["worker_id"]), (&json!("running"), &json!("w1")));
        let own =
            world.get(&format!("/api/v1/inference/jobs/{}", job["id"].as_str().unwrap_or_default())).await?;
        assert_eq!(own.body, *job, "a job's own page says the same");
    }
    let one_by_one = pages(&world, "status=running&limit=1").await?;
    assert_eq!(ids(&one_by_one.concat()), ids(begun), "{one_by_one:?}");
    let run = all[2]["execution_id"].as_str().unwrap_or_default();
    let of_run = pages(&world, &format!("status=running&execution_id={run}&task=detection")).await?.concat();
    assert_eq!(ids(&of_run), ids(begun.into_iter().filter(|job| job["execution_id"] == run)));

    let waiting = all.iter().filter(|job| !begun.contains(job));
    for query in ["status=queued", "status=queued&limit=3"] {
        assert_eq!(ids(&pages(&world, query).await?.concat()), ids(waiting.clone()), "{query}");
    }
    for query in ["", "model_id=shapes-detector&limit=7"] {
        let listed = pages(&world, query).await?.concat();
        let runs = listed.iter().filter(|job| job["status"] == "running");
        assert_eq!((ids(&listed), ids(runs)), (ids(&all), ids(begun)), "{query}");
    }
    world.stop().await
}

#[tokio::test]
async fn a_job_whose_node_is_tried_again_runs_no_more() -> anyhow::Result<()> {
    let world = World::start().await?;
    let all = queued(&world, 1).await?;
    begin(&world, &[&all[0]], 2).await?;
    assert_eq!(pages(&world, "status=running").await?, [Vec::<Value>::new()]);
    let listed = pages(&world, "").await?.concat();
    assert_eq!((&listed[0]["status"], &listed[1]["status"]), (&json!("failed"), &json!("queued")));
    world.stop().await
}

/// A long queue is looked through in steps: each page says where the next one begins, also one that found nothing.
#[tokio::test]
async fn a_job_that_runs_behind_a_long_queue_is_found() -> anyhow::Result<()> {
    let world = World::start().await?;
    let all = queued(&world, 110).await?;
    let (Some(newest), Some(oldest)) = (all.first(), all.last()) else { panic!("there are jobs") };
    begin(&world, &[newest, oldest], 1).await?;
    let pages = pages(&world, "status=running").await?;
    let found: Vec<Vec<String>> = pages.iter().map(ids).collect();
    assert_eq!(found, [ids([newest]), ids([oldest])]);
    world.stop().await
}

#[tokio::test]
async fn what_runs_is_not_known_while_redis_is_away() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let all = queued(&world, 1).await?;
    world.redis.server().kill().await;
    world.get("/api/v1/inference/jobs?status=running").await?.problem(503, "BUS_UNAVAILABLE");
    let listed = world.get("/api/v1/inference/jobs").await?.body;
    assert_eq!(listed["jobs"], json!(all), "as they are recorded");
    let unknown = JobId::of(ExecutionId::generate(), &"x".into(), &ItemPath::root(), 1);
    assert_ne!(world.get(&format!("/api/v1/inference/jobs/{unknown}")).await?.status, 200);
    world.stop().await
}
