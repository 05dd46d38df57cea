//! `/executions`.

mod cancel;
mod delete;
mod events;
mod list;
mod nodes;
mod rerun;

use millrace_contracts::ExecutionId;
use serde_json::json;

use crate::support::{World, constant, show};

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
