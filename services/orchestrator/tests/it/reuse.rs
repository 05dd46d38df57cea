//! Results by content: found by the next run of the same content, and never in its way.

use std::time::Duration;

use bytes::Bytes;
use millrace_bus::JobDelivery;
use millrace_config::Orchestrator;
use millrace_contracts::model::ModelWish;
use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, Event, ExecutionId, JobMetrics, WorkerId};
use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{DEADLINE, HandWorker, World, chain, completed_nodes, settings};

/// A picture that is there.
async fn stored(world: &World, name: &'static str) -> anyhow::Result<(BlobId, Value)> {
    let blob = world.blobs.put(Bytes::from_static(name.as_bytes())).await?;
    Ok((blob, ImageValue::root(blob, 4, 3, "png").to_value()))
}

/// Runs `chain(2)` with the work done by hand, and waits until both results are kept.
async fn first(
    world: &World,
    worker: &mut HandWorker,
    photo: &Value,
) -> anyhow::Result<(ExecutionId, Value)> {
    let run = world.submit(&chain(2), json!({"photo": photo})).await?;
    let mut made = Value::Null;
    for name in ["made0", "made1"] {
        made = stored(world, name).await?.1;
        let taken = worker.take().await?;
        worker.complete(&taken, json!({"image": made})).await?;
    }
    world.ended(run).await?;
    kept(world, 2).await?;
    Ok((run, made))
}

/// Until so many results are kept.
async fn kept(world: &World, wanted: usize) -> anyhow::Result<()> {
    let mut redis = redis::Client::open(world.redis.url())?.get_multiplexed_async_connection().await?;
    eventually(DEADLINE, "the results are kept", async || {
        let keys: Vec<String> = redis::cmd("KEYS").arg("*:result:*").query_async(&mut redis).await?;
        Ok::<_, redis::RedisError>((keys.len() >= wanted).then_some(()))
    })
    .await
}

/// The nodes whose results were found, with the run that they come from.
fn found(log: &[Event]) -> Vec<(String, Value)> {
    let cached = log.iter().filter(|event| event.data["metrics"]["cached"] == true);
    cached
        .map(|event| {
            let node = event.node_id.as_ref().map(ToString::to_string).unwrap_or_default();
            (node, event.data["origin"].clone())
        })
        .collect()
}

#[tokio::test]
async fn the_same_content_is_found_and_leaves_no_job() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (replica, mut worker) = (world.replica(), world.worker().await?);
    let (_, photo) = stored(&world, "root").await?;
    let (run, made) = first(&world, &mut worker, &photo).await?;
    let again = world.submit(&chain(2), json!({"photo": photo})).await?;
    let log = world.ended(again).await?;
    assert_eq!(completed_nodes(&log), ["photo", "step0", "step1", "answer"]);
    assert_eq!(found(&log), [("step0".to_owned(), json!(run)), ("step1".to_owned(), json!(run))]);
    assert_eq!(log.last().map(|end| &end.data["outputs"]["answer"]["last"]["blob"]), Some(&made["blob"]));
    assert_eq!(log.last().map(|end| &end.data["jobs"]["completed"]), Some(&json!(2)));
    let depths = world.bus.queue_depths().await?;
    assert!(depths.iter().all(|depth| depth.waiting + depth.pending == 0), "nothing was queued: {depths:?}");

    // The record has a row for each, which says so; made again it is the same row.
    world.record(again).await?;
    world.record(again).await?;
    let views = world.store.node_runs().list(again, None, None, 10).await?;
    let step = views.iter().find(|view| view.node_id.as_str() == "step0").expect("it is recorded");
    assert_eq!(step.origin, Some(run));
    let metrics = step.metrics.as_ref().expect("a hit has metrics");
    assert!(metrics.cached && metrics.worker_id.is_none());
    replica.stop().await
}

#[tokio::test]
async fn other_content_and_cache_off_are_done_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (replica, mut worker) = (world.replica(), world.worker().await?);
    let (_, photo) = stored(&world, "root").await?;
    first(&world, &mut worker, &photo).await?;

    let (_, other) = stored(&world, "other").await?;
    let mut wider = chain(1);
    wider["nodes"][1]["config"]["width"] = json!(9);
    let mut off = chain(1);
    off["nodes"][1]["cache"] = json!("off");
    for (definition, photo) in [(chain(1), &other), (wider, &photo), (off, &photo)] {
        let run = world.submit(&definition, json!({"photo": photo})).await?;
        let taken = worker.take().await?;
        worker.complete(&taken, json!({"image": photo})).await?;
        assert_eq!(found(&world.ended(run).await?), []);
    }
    replica.stop().await
}

#[tokio::test]
async fn a_result_whose_pictures_are_gone_is_made_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (replica, mut worker) = (world.replica(), world.worker().await?);
    let (_, photo) = stored(&world, "root").await?;
    let (run, _) = first(&world, &mut worker, &photo).await?;
    let (made, picture) = stored(&world, "made1").await?;
    world.blobs.delete(made).await?;
    let again = world.submit(&chain(2), json!({"photo": photo})).await?;
    let taken = worker.take().await?;
    assert_eq!(taken.job.node_id.as_str(), "step1");
    world.blobs.put(Bytes::from_static(b"made1")).await?;
    worker.complete(&taken, json!({"image": picture})).await?;
    assert_eq!(found(&world.ended(again).await?), [("step0".to_owned(), json!(run))]);
    replica.stop().await
}

#[tokio::test]
async fn switched_off_nothing_is_kept_or_found() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(Orchestrator { cache_results: false, ..settings() });
    let mut worker = world.worker().await?;
    let (_, photo) = stored(&world, "root").await?;
    for _ in 0..2 {
        let run = world.submit(&chain(1), json!({"photo": photo})).await?;
        let taken = worker.take().await?;
        worker.complete(&taken, json!({"image": photo})).await?;
        assert_eq!(found(&world.ended(run).await?), []);
    }
    replica.stop().await
}

/// A workflow that asks a model, and what it may answer.
fn asks_a_model() -> (Value, Value) {
    let detect = json!({"name": "detect", "nodes": [
        {"id": "photo", "type": "parameter_input", "config": {"kind": "image"}},
        {"id": "look", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}},
        {"id": "answer", "type": "json_output", "inputs": {"count": "$nodes.look.count"}}
    ]});
    (detect, json!({"detections": {"items": []}, "count": 0, "classes": []}))
}

fn done_by(digest: &str) -> JobMetrics {
    JobMetrics { model_digest: Some(digest.into()), ..JobMetrics::default() }
}

/// The job of a run, which is taken; none when it ended without.
async fn job_of(
    world: &World,
    worker: &mut HandWorker,
    run: ExecutionId,
) -> anyhow::Result<Option<JobDelivery>> {
    let mut taken = None;
    let ended = eventually(DEADLINE, "a job or the end", async || {
        taken = worker.try_take().await?;
        let ended = world.ended_already(run).await?.is_some();
        anyhow::Ok((ended || taken.is_some()).then_some(ended))
    })
    .await?;
    Ok(taken.filter(|_| !ended))
}

#[tokio::test]
async fn a_models_results_are_found_by_the_copy_that_the_fleet_has() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (replica, mut worker) = (world.replica(), world.worker().await?);
    let (_, photo) = stored(&world, "root").await?;
    let (detect, outputs) = asks_a_model();
    let run = world.submit(&detect, json!({"photo": photo})).await?;
    let taken = worker.take().await?;
    worker.complete_with(&taken, outputs.clone(), done_by("one")).await?;
    world.ended(run).await?;
    kept(&world, 1).await?;
    // The replica that heard of the copy finds its results at once.
    let again = world.submit(&detect, json!({"photo": photo})).await?;
    assert_eq!(found(&world.ended(again).await?), [("look".to_owned(), json!(run))]);

    // A fleet with another copy makes them anew. Until it is asked, a run may still find the old ones.
    let info = json!({"warm": [{"model_id": "m", "digest": "two"}]}).to_string();
    world.bus.register_worker(&WorkerId::from("w2"), &info, Duration::from_secs(60)).await?;
    loop {
        let run = world.submit(&detect, json!({"photo": photo})).await?;
        if let Some(taken) = job_of(&world, &mut worker, run).await? {
            worker.complete_with(&taken, outputs, done_by("two")).await?;
            assert_eq!(found(&world.ended(run).await?), []);
            break;
        }
    }
    replica.stop().await
}

#[tokio::test]
async fn a_model_that_changed_is_asked_anew_though_workers_still_have_the_old_copy() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (replica, mut worker) = (world.replica(), world.worker().await?);
    let (_, photo) = stored(&world, "root").await?;
    let (detect, outputs) = asks_a_model();
    let info = json!({"warm": [{"model_id": "m", "digest": "one"}]}).to_string();
    world.bus.register_worker(&WorkerId::from("w2"), &info, Duration::from_secs(60)).await?;
    let run = world.submit(&detect, json!({"photo": photo})).await?;
    let taken = worker.take().await?;
    worker.complete_with(&taken, outputs.clone(), done_by("one")).await?;
    world.ended(run).await?;
    kept(&world, 1).await?;
    // Said once, it may come before the replica listens.
    loop {
        world.bus.wish(&ModelWish::Forget { id: "m".into() }).await?;
        let run = world.submit(&detect, json!({"photo": photo})).await?;
        if let Some(taken) = job_of(&world, &mut worker, run).await? {
            worker.complete_with(&taken, outputs, done_by("two")).await?;
            assert_eq!(found(&world.ended(run).await?), []);
            break;
        }
    }
    replica.stop().await
}
