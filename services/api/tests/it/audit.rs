//! `/audit`: who changed what, and what becomes of a note whatever happens.

use std::time::Duration;

use anyhow::Context;
use millrace_bus::Recorder;
use millrace_config::Api;
use millrace_contracts::EventType;
use millrace_store::RecordBatch;
use millrace_testkit::{TestPostgres, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Reply, World, constant};

/// A writer played by hand: records what has been noted so far, `wanted` changes at least.
async fn record(world: &World, writer: &mut Recorder, wanted: usize) -> anyhow::Result<Vec<Value>> {
    let mut noted = Vec::new();
    tokio::time::timeout(DEADLINE, async {
        while noted.len() < wanted {
            let entries = writer.read(99, Duration::from_millis(200)).await?;
            let entries: Vec<_> =
                entries.into_iter().filter(|entry| entry.event.kind == EventType::AuditChanged).collect();
            let events = entries.into_iter().map(|entry| entry.event).collect();
            let batch = RecordBatch { events };
            world.store.record(&batch).await?;
            noted.extend(batch.events.into_iter().map(|event| event.data));
        }
        anyhow::Ok(())
    })
    .await??;
    Ok(noted)
}

async fn audit(world: &World, query: &str, key: &str) -> anyhow::Result<Vec<Value>> {
    let request = world.request(Method::GET, &format!("/api/v1/audit?{query}")).bearer_auth(key);
    let page = Reply::of(request).await?;
    anyhow::ensure!(page.status == 200, "{page:?}");
    Ok(page.body["changes"].as_array().cloned().unwrap_or_default())
}

async fn make_key(world: &World, name: &str, by: &str) -> anyhow::Result<Value> {
    let request = world.request(Method::POST, "/api/v1/keys").json(&json!({"name": name, "scopes": [name]}));
    let made = Reply::of(if by.is_empty() { request } else { request.bearer_auth(by) }).await?;
    anyhow::ensure!(made.status == 201, "{made:?}");
    Ok(made.body)
}

#[tokio::test]
async fn every_change_says_who_what_when_and_from_where_and_no_secret() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut writer = world.bus.recorder("w1").await?;
    let admin = make_key(&world, "admin", "").await?;
    let (id, key) = (admin["id"].as_str().context("an id")?, admin["key"].as_str().context("a key")?);
    let runner = make_key(&world, "run", key).await?;
    let ask =
        |method, path: &str| world.request(method, path).bearer_auth(key).header("x-request-id", "mine-1");
    let save =
        ask(Method::POST, "/api/v1/workflows").header("x-forwarded-for", "203.0.113.9").json(&constant());
    let saved = Reply::of(save).await?.body["id"].as_str().context("an id")?.to_owned();
    // Work is no change of the system, looking is none, and what is refused changes nothing.
    let run = ask(Method::POST, "/api/v1/executions").json(&json!({"workflow": constant()}));
    assert_eq!(Reply::of(run).await?.status, 202);
    assert_eq!(Reply::of(ask(Method::GET, "/api/v1/keys")).await?.status, 200);
    Reply::of(ask(Method::DELETE, "/api/v1/workflows/none")).await?.problem(404, "NOT_FOUND");
    let refused = world.request(Method::DELETE, &format!("/api/v1/keys/{id}"));
    Reply::of(refused.bearer_auth(runner["key"].as_str().context("a key")?)).await?.problem(403, "FORBIDDEN");
    assert_eq!(Reply::of(ask(Method::DELETE, &format!("/api/v1/workflows/{saved}"))).await?.status, 204);

    let noted = record(&world, &mut writer, 4).await?;
    let actions: Vec<&str> = noted.iter().filter_map(|change| change["action"].as_str()).collect();
    assert_eq!(actions, ["create_key", "create_key", "create_workflow", "delete_workflow"]);
    assert!(!json!(noted).to_string().contains("mr_"), "no key is in it: {noted:#?}");
    assert_eq!(noted[0]["target"], format!("keys/{id}"));
    assert_eq!((&noted[0]["actor"], &noted[1]["actor"]), (&Value::Null, &json!("admin")));

    let listed = audit(&world, "", key).await?;
    assert_eq!(listed.len(), 4);
    let newest = &listed[0];
    assert_eq!((&newest["actor_id"], &newest["target"]), (&json!(id), &json!(format!("workflows/{saved}"))));
    assert_eq!((&newest["status"], &newest["address"]), (&json!(204), &json!("127.0.0.1")));
    assert_eq!((&newest["request_id"], &newest["forwarded_for"]), (&json!("mine-1"), &Value::Null));
    assert_eq!(listed[1]["forwarded_for"], "203.0.113.9");
    let counts = [
        ("action=create_key".to_owned(), 2),
        (format!("actor={id}"), 3),
        (format!("actor={id}&action=create_key"), 1),
        (format!("target=workflows/{saved}"), 2),
        (format!("target=workflows/{saved}&action=create_workflow"), 1),
        (format!("from={}", newest["at"]), listed.iter().filter(|one| one["at"] == newest["at"]).count()),
        ("to=1".to_owned(), 0),
    ];
    for (query, wanted) in counts {
        assert_eq!(audit(&world, &query, key).await?.len(), wanted, "{query}");
    }
    let page = Reply::of(ask(Method::GET, "/api/v1/audit?limit=3")).await?.body;
    let cursor = page["next_cursor"].as_str().context("a cursor")?;
    assert_eq!(audit(&world, &format!("limit=3&cursor={cursor}"), key).await?, listed[3..]);
    let runner =
        world.request(Method::GET, "/api/v1/audit").bearer_auth(runner["key"].as_str().context("a key")?);
    Reply::of(runner).await?.problem(403, "FORBIDDEN");
    world.stop().await
}

#[tokio::test]
async fn a_change_made_while_redis_is_away_is_noted_when_it_is_back_and_only_so_many_may_wait()
-> anyhow::Result<()> {
    let settings = Api { audit_queue: 2, ..Api::default() };
    let mut world = World::start_with(settings, TestPostgres::start().await?).await?;
    world.redis.server().kill().await;
    let mut refused = None;
    let mut made = 0;
    // The keeper has up to two in hand, and two more wait.
    for _ in 0..8 {
        let save =
            world.post("/api/v1/collections", &json!({"name": format!("c{made}"), "dimension": 4})).await?;
        if save.status != 201 {
            refused = Some(save);
            break;
        }
        made += 1;
    }
    refused.context("all were taken")?.problem(503, "BUS_UNAVAILABLE");
    assert!((2..=4).contains(&made), "{made}");
    world.redis.server().restart().await?;
    let mut writer = world.bus.recorder("w1").await?;
    assert_eq!(record(&world, &mut writer, made).await?.len(), made);
    let again = eventually(DEADLINE, "changes are made again", async || {
        let save = world.post("/api/v1/collections", &json!({"name": "again", "dimension": 4})).await?;
        anyhow::Ok((save.status == 201).then_some(save))
    });
    again.await?;
    world.stop().await
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_noted_all_the_same() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut writer = world.bus.recorder("w1").await?;
    let mut postgres = PgConnection::connect(&world.postgres.url()).await?;
    let mut held = postgres.begin().await?;
    sqlx::raw_sql("lock table wf_collections in access exclusive mode").execute(&mut *held).await?;
    let body = json!({"name": "c", "dimension": 4}).to_string();
    let mut caller = TcpStream::connect(world.base.trim_start_matches("http://")).await?;
    let head = "POST /api/v1/collections HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    caller.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await?;
    eventually(DEADLINE, "the change waits for its table", async || {
        let waits =
            "select count(*) from pg_locks where not granted and relation = 'wf_collections'::regclass";
        let waiting: i64 = sqlx::query_scalar(waits).fetch_one(&mut *held).await?;
        anyhow::Ok((waiting > 0).then_some(()))
    })
    .await?;
    drop(caller);
    let noted = record(&world, &mut writer, 1).await?;
    assert_eq!((&noted[0]["action"], &noted[0]["status"]), (&json!("create_collection"), &Value::Null));
    world.stop().await
}
