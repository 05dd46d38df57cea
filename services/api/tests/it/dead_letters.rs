//! `/dead-letters`.

use std::time::Duration;

use anyhow::Context;
use millrace_contracts::event::Source;
use millrace_contracts::{Event, EventType, ExecutionId, UnixMillis};
use millrace_store::RecordBatch;
use millrace_testkit::eventually;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DEADLINE, Reply, World};

async fn listed(world: &World, origin: &str) -> anyhow::Result<Option<Value>> {
    let all = world.get("/api/v1/dead-letters").await?.body;
    let letters = all["dead_letters"].as_array().context("a list")?;
    Ok(letters.iter().find(|letter| letter["origin"] == origin).cloned())
}

async fn redo(world: &World, id: &str) -> anyhow::Result<Reply> {
    let path = format!("/api/v1/dead-letters/{}/redo", id.replace('/', "%2F"));
    Reply::of(world.request(Method::POST, &path)).await
}

#[tokio::test]
async fn dead_letters_are_listed() -> anyhow::Result<()> {
    let world = World::start().await?;
    assert_eq!(world.get("/api/v1/dead-letters").await?.body, json!({"dead_letters": []}));
    world.get("/api/v1/dead-letters?limit=0").await?.problem(400, "INVALID_QUERY");
    for id in ["inbox:0:1-1", "inbox:999:1-1", "record:none", "odd"] {
        redo(&world, id).await?.problem(404, "NOT_FOUND");
    }
    world.stop().await
}

#[tokio::test]
async fn what_the_orchestrators_could_not_read_is_among_them_and_may_be_read_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = ExecutionId::generate();
    let partition = world.bus.partition_of(run);
    let stream = format!("{{mr:p{partition}}}:inbox");
    let later = json!({"kind": "of_a_later_release", "execution_id": run}).to_string();
    let mut redis = redis::Client::open(world.redis.url())?.get_multiplexed_async_connection().await?;
    redis::cmd("XADD").arg(&stream).arg("*").arg("m").arg(&later).exec_async(&mut redis).await?;
    redis::cmd("XADD")
        .arg(&stream)
        .arg("*")
        .arg("m")
        .arg("1")
        .arg("x")
        .arg("y")
        .exec_async(&mut redis)
        .await?;
    let mut inbox = world.bus.inbox("o1").await?;
    let letter = eventually(DEADLINE, "it is set aside", async || {
        inbox.read(&[partition], 9, Duration::from_millis(50)).await?;
        let found = world.get("/api/v1/dead-letters").await?.body;
        let letters = found["dead_letters"].as_array().context("a list")?;
        let whole = letters.iter().find(|letter| letter["redoable"] == true).cloned();
        anyhow::Ok(whole.filter(|_| letters.len() == 2))
    })
    .await?;
    assert_eq!((&letter["origin"], &letter["kind"]), (&json!("inbox"), &json!("of_a_later_release")));
    assert_eq!((&letter["execution_id"], &letter["content"]), (&json!(run), &json!(later)));

    let id = letter["id"].as_str().context("an id")?;
    let redone = redo(&world, id).await?;
    assert_eq!((redone.status, redone.body), (202, json!({"id": id, "origin": "inbox"})));
    assert_eq!(world.bus.inbox_depth().await?, 1, "it waits to be read again");
    let left = listed(&world, "inbox").await?.context("the one of two fields")?;
    assert_eq!(left["redoable"], false);
    redo(&world, left["id"].as_str().context("an id")?).await?.problem(409, "NOT_REDOABLE");
    world.stop().await
}

#[tokio::test]
async fn what_the_record_refused_goes_to_the_writer_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = ExecutionId::generate();
    let data = json!({"node_id": 7});
    let mut event = Event::new(
        EventType::NodeCompleted,
        Source::Orchestrator,
        format!("{run}/1-1"),
        UnixMillis::now(),
        data,
    );
    (event.execution_id, event.epoch, event.seq) = (Some(run), Some(1), Some(1));
    let batch = RecordBatch { events: vec![event.clone()] };
    assert_eq!(world.store.record(&batch).await?.dead_letters, 1);
    let letter = listed(&world, "record").await?.context("the letter")?;
    assert_eq!((&letter["execution_id"], &letter["kind"]), (&json!(run), &json!("workflow:node:completed")));

    let id = letter["id"].as_str().context("an id")?;
    assert_eq!(redo(&world, id).await?.status, 202);
    assert_eq!(listed(&world, "record").await?, None);
    let mut writer = world.bus.recorder("w1").await?;
    // Beside the note of who asked for it.
    assert!(writer.read(9, DEADLINE).await?.iter().any(|entry| entry.event == event));
    // Refused again, it is a letter again.
    world.store.record(&batch).await?;
    assert_eq!(listed(&world, "record").await?.context("the letter")?["id"], id);
    world.stop().await
}
