//! `/executions`.

mod cancel;
mod delete;
mod events;
mod list;
mod nodes;
mod pictures;
mod rerun;
mod unserved;
mod versions;

use anyhow::Context;
use millrace_contracts::values::ValueRef;
use millrace_contracts::{BlobId, ExecutionId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Follower, Player, Reply, World, constant, show};

#[tokio::test]
async fn a_run_of_an_unsaved_definition_is_shown_as_it_stands() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    let path = format!("/api/v1/executions/{}", player.run);
    let pending = world.get(&path).await?.body;
    assert_eq!((&pending["status"], &pending["workflow_id"]), (&json!("pending"), &json!(null)));
    assert_eq!(pending["links"]["events"], format!("{path}/events"));

    let mut follower = world.follow(player.run, None).await?;
    player.start().await?;
    player.meta.jobs_completed = 2;
    player.complete(json!({"answer": {"min": 0.4}})).await?;
    while follower.next().await?.is_some_and(|told| told.event != "completed") {}
    // Right the moment the stream said so, though nothing is recorded yet.
    let ended = world.get(&path).await?.body;
    assert_eq!(
        (&ended["status"], &ended["outputs"]),
        (&json!("completed"), &json!({"answer": {"min": 0.4}}))
    );
    assert_eq!(ended["inference_jobs_completed"], 2);
    assert_eq!(ended["input"]["min"], 0.4, "what only the record knows is there too");
    assert!(ended["duration_ms"].is_u64());

    world.get(&format!("/api/v1/executions/{}", ExecutionId::generate())).await?.problem(404, "NOT_FOUND");
    world.get("/api/v1/executions/x").await?.problem(404, "NOT_FOUND");
    world.stop().await
}

#[tokio::test]
async fn a_submission_without_a_sound_definition_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let post = async |body| world.post("/api/v1/executions", &body).await;
    post(json!({})).await?.problem(422, "INVALID_REQUEST").fault("MISSING_FIELD", None, "/workflow");
    let unknown = json!({"workflow": {"nodes": [{"id": "a", "type": "crpo"}]}});
    let refused = post(unknown).await?;
    refused.problem(422, "INVALID_WORKFLOW").fault("UNKNOWN_BLOCK", Some("a"), "/workflow/nodes/0/type");
    let missing = post(json!({"workflow": show()})).await?;
    missing.problem(422, "INVALID_INPUT").fault("MISSING_INPUT", Some("photo"), "/input/photo");
    let shape = post(json!({"workflow": constant(), "input": []})).await?;
    shape.problem(422, "INVALID_REQUEST").fault("INVALID_TYPE", None, "/input");
    world.stop().await
}

/// A reference to what was stored as `bytes`.
fn reference(bytes: &[u8]) -> Value {
    ValueRef { blob: BlobId::of(bytes), bytes: bytes.len() as u64 }.to_value()
}

#[tokio::test]
async fn outputs_that_cannot_be_shown_whole_stay_references() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (good, long) = (b"[1, 2]".to_vec(), serde_json::to_vec(&"x".repeat(1 << 20))?);
    for bytes in [&good, &long, &b"no JSON".to_vec()] {
        world.blobs.put(bytes.clone().into()).await?;
    }
    // Of little, so much that it does not fit: the size counts for each place.
    let many = vec![reference(&long); 65];
    let outputs = json!({
        "good": {"list": reference(&good)},
        "gone": {"list": reference(b"nobody's")},
        "odd": {"list": reference(b"no JSON")},
        "vast": {"list": many},
    });
    let mut player = world.play().await?;
    player.start().await?;
    player.complete(outputs.clone()).await?;
    let shown = world.get(&format!("/api/v1/executions/{}", player.run)).await?;
    assert_eq!((shown.status, &shown.body["status"]), (200, &json!("completed")), "{:?}", shown.body["code"]);
    assert_eq!(shown.body["outputs"]["good"], json!({"list": [1, 2]}));
    for output in ["gone", "odd", "vast"] {
        assert!(shown.body["outputs"][output] == outputs[output], "{output} stays as it was recorded");
    }
    world.stop().await
}

#[tokio::test]
async fn a_run_that_was_waited_for_is_answered_whatever_became_of_its_outputs() -> anyhow::Result<()> {
    let world = World::start().await?;
    let reply = json!({"name": "reply", "nodes": [
        {"id": "reply", "type": "api_response", "inputs": {"body": 1, "status": 201}},
    ]});
    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
    let request =
        world.request(Method::POST, "/api/v1/executions?wait=20s").json(&json!({"workflow": reply}));
    let lost = json!({"reply": {"body": reference(b"nobody's"), "status": 201}});
    let playing = async {
        let run = feed.expect("execute").await?.data["executionid"].as_str().unwrap_or_default().parse()?;
        let mut player = Player::new(world.bus.clone(), run);
        player.start().await?;
        player.complete(lost.clone()).await
    };
    let (answer, played) = tokio::join!(Reply::of(request), playing);
    played?;
    let answer = answer?;
    // Its own answer is gone, so it is shown like a run that gives none.
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("completed")), "{answer:?}");
    assert_eq!(answer.body["outputs"], lost);
    world.stop().await
}

#[tokio::test]
async fn a_window_over_runs_of_an_unsaved_definition_needs_a_name() -> anyhow::Result<()> {
    let world = World::start().await?;
    let definition = |window: Value| {
        json!({"name": "hourly", "nodes": [
            {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
            {"id": "sum", "type": "aggregation", "inputs": {"n": "$inputs.n"},
                "config": {"field": "n", "interval": {"runs": 2}, "window": window}}
        ]})
    };
    let mut nameless = definition(json!(""));
    let config = nameless.pointer_mut("/nodes/1/config").and_then(Value::as_object_mut);
    config.context("a config")?.remove("window");
    let refused = world.post("/api/v1/executions", &json!({"workflow": nameless, "input": {"n": 1}})).await?;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(refused.body["errors"][0]["pointer"], "/workflow/nodes/1/config/window");
    assert_eq!(refused.body["errors"][0]["code"], "INVALID_CONFIG");
    let named = json!({"workflow": definition(json!("hourly")), "input": {"n": 1}});
    assert_eq!(world.post("/api/v1/executions", &named).await?.status, 202);
    // Saved, it has a window of its own.
    let path = format!("/api/v1/workflows/{}/run", world.save(&nameless).await?);
    assert_eq!(world.post(&path, &json!({"input": {"n": 1}})).await?.status, 202);
    Ok(())
}
