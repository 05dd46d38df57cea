//! `POST /executions/{id}/rerun`.

use anyhow::Context;
use millrace_contracts::ExecutionId;
use millrace_store::RecordBatch;
use reqwest::Method;
use serde_json::json;
use sqlx::Connection;

use crate::support::{Player, Reply, World, constant, png, show};

#[tokio::test]
async fn a_run_is_repeated_with_its_options_or_others() -> anyhow::Result<()> {
    let world = World::start().await?;
    let options =
        json!({"workflow": constant(), "labels": {"team": "a"}, "priority": "high", "timeout_ms": 9000});
    let first = world.post("/api/v1/executions", &options).await?;
    let run = first.body["execution_id"].as_str().context("an id")?.parse()?;
    let mut player = Player::new(world.bus.clone(), run);
    let path = format!("/api/v1/executions/{}/rerun", player.run);
    player.start().await?;
    world.post(&path, &json!({})).await?.problem(409, "EXECUTION_NOT_ENDED");
    player.complete(json!({})).await?;

    // Nothing of the end is recorded yet.
    let bare = Reply::of(world.request(Method::POST, &path)).await?;
    assert_eq!(bare.status, 202, "{bare:?}");
    assert_eq!(bare.header("location"), bare.body["links"]["self"]);
    let shown = world.get(bare.header("location")).await?.body;
    assert_eq!(shown["rerun_of"], json!({"execution_id": player.run}));
    assert_eq!((&shown["labels"], &shown["priority"]), (&json!({"team": "a"}), &json!("high")));
    let id: ExecutionId = bare.body["execution_id"].as_str().context("an id")?.parse()?;
    let (accepted, _) = world.store.executions().accepted(id).await?;
    assert_eq!(accepted.timeout_ms, Some(9000));

    let other = json!({"from": "answer", "labels": {"team": "b"}, "priority": "low", "timeout_ms": 1});
    let keyed = || world.request(Method::POST, &path).header("idempotency-key", "again").json(&other);
    let once = Reply::of(keyed()).await?;
    let shown = world.get(once.header("location")).await?.body;
    assert_eq!(shown["rerun_of"], json!({"execution_id": player.run, "from": "answer"}));
    assert_eq!((&shown["labels"], &shown["priority"]), (&json!({"team": "b"}), &json!("low")));
    let twice = Reply::of(keyed()).await?;
    assert_eq!(twice.body["execution_id"], once.body["execution_id"]);
    let whole = json!({"labels": {"team": "b"}, "priority": "low", "timeout_ms": 1});
    world.post_keyed(&path, &whole, "again").await?.problem(422, "IDEMPOTENCY_KEY_REUSED");

    let listed = world.get(&format!("/api/v1/executions?rerun_of={}", player.run)).await?.body;
    let rows = listed["executions"].as_array().context("a page of runs")?;
    let ids: Vec<_> = rows.iter().map(|row| &row["execution_id"]).collect();
    assert_eq!(ids, [&once.body["execution_id"], &bare.body["execution_id"]]);
    assert_eq!(rows[0]["rerun_of"], json!({"execution_id": player.run, "from": "answer"}));
    assert!(world.get(&format!("/api/v1/executions/{}", player.run)).await?.body.get("rerun_of").is_none());
    world.stop().await
}

#[tokio::test]
async fn what_cannot_be_repeated_is_told() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.complete(json!({})).await?;
    let path = format!("/api/v1/executions/{}/rerun", player.run);
    let unknown = world.post(&path, &json!({"from": "anwser"})).await?;
    unknown.problem(422, "INVALID_REQUEST").fault("UNKNOWN_NODE", None, "/from");
    assert_eq!(unknown.body["errors"][0]["hint"], "did you mean \"answer\"?");
    let wrong = world.post(&path, &json!({"from": 3, "input": {}, "form": "x", "priority": "soon"})).await?;
    wrong.problem(422, "INVALID_REQUEST").fault("INVALID_TYPE", None, "/from");
    wrong.fault("UNKNOWN_FIELD", None, "/input");
    wrong.fault("UNKNOWN_FIELD", None, "/form");
    wrong.fault("INVALID_VALUE", None, "/priority");
    let untyped = world.request(Method::POST, &path).body("{\"from\": \"answer\"}");
    Reply::of(untyped).await?.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let empty = world.request(Method::POST, &path).header("content-type", "application/json");
    assert_eq!(Reply::of(empty).await?.status, 202);
    let nobody = format!("/api/v1/executions/{}/rerun", ExecutionId::generate());
    world.post(&nobody, &json!({})).await?.problem(404, "NOT_FOUND");

    // The definition is kept by the record: a lost blob is put back, a lost record is final.
    let kept = world.store.executions().get(player.run).await?.definition;
    world.blobs.delete(kept).await?;
    assert_eq!(world.post(&path, &json!({})).await?.status, 202);
    assert!(world.blobs.head(kept).await?.is_some());
    let mut postgres = sqlx::PgConnection::connect(&world.postgres.url()).await?;
    sqlx::query("delete from wf_definitions where sha256 = $1")
        .bind(kept.digest().as_slice())
        .execute(&mut postgres)
        .await?;
    world.post(&path, &json!({})).await?.problem(410, "RUN_DATA_GONE");

    let photo = world.blobs.put(png(64, 48).into()).await?;
    let body = json!({"workflow": show(), "input": {"photo": photo}});
    let run = world.post("/api/v1/executions", &body).await?;
    let id: ExecutionId = run.body["execution_id"].as_str().context("an id")?.parse()?;
    let mut ended = Player::new(world.bus.clone(), id);
    ended.complete(json!({})).await?;
    let path = format!("/api/v1/executions/{id}/rerun");
    assert_eq!(world.post(&path, &json!({})).await?.status, 202);
    world.blobs.delete(photo).await?;
    world.post(&path, &json!({})).await?.problem(410, "RUN_DATA_GONE");
    world.store.record(&RecordBatch { events: ended.committed.clone() }).await?;
    world.store.executions().delete(id).await?;
    world.post(&path, &json!({})).await?.problem(410, "GONE");
    world.stop().await
}
