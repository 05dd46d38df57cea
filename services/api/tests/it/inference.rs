//! `POST /inference/{task}` and `GET /inference/jobs`.

mod jobs;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_bus::Commit;
use millrace_config::{Api, ByteSize};
use millrace_contracts::{EventType, ExecutionId, ExecutionStatus, ItemPath, JobId};
use millrace_store::RecordBatch;
use millrace_testkit::{TestPostgres, accepted_run, interleaved_events};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Follower, Player, Reply, World, png};

fn request(config: &Value) -> Value {
    json!({"model_id": "some-model", "image": STANDARD.encode(png(64, 48)), "config": config})
}

fn job_of(answer: &Reply) -> anyhow::Result<(ExecutionId, JobId)> {
    let run: ExecutionId = answer.body["execution_id"].as_str().unwrap_or_default().parse()?;
    Ok((run, JobId::of(run, &"inference".into(), &ItemPath::root(), 1)))
}

#[tokio::test]
async fn one_job_is_a_run_with_one_node() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = "/api/v1/inference/detection";
    let accepted = world.post(path, &request(&json!({"confidence": 0.3}))).await?;
    assert_eq!((accepted.status, &accepted.body["status"]), (202, &json!("pending")), "{accepted:?}");
    let (run, job) = job_of(&accepted)?;
    assert_eq!(accepted.body["job_id"], json!(job));
    let shown = world.get(&format!("/api/v1/executions/{run}")).await?;
    assert_eq!(shown.body["input"]["image"]["width"], 64);

    let form = Form::new()
        .part("image", Part::bytes(png(32, 16)).file_name("a.png"))
        .text("model_id", "some-model")
        .text("config", r#"{"confidence": 0.3}"#);
    let sent = Reply::of(world.request(Method::POST, path).multipart(form)).await?;
    assert_eq!(sent.status, 202, "{sent:?}");
    let shown = world.get(sent.header("location")).await?;
    assert_eq!(shown.body["input"]["image"]["width"], 32);
    world.stop().await
}

/// Nobody records anything here: what is told is told by the note and the run.
#[tokio::test]
async fn a_job_is_known_by_its_id_from_its_acceptance_on() -> anyhow::Result<()> {
    let mut world = World::start_with(Api::default(), TestPostgres::start_alone().await?).await?;
    let accepted = world.post("/api/v1/inference/detection", &request(&json!({}))).await?;
    let (run, job) = job_of(&accepted)?;
    let path = format!("/api/v1/inference/jobs/{job}");
    let waits = world.get(&path).await?;
    assert_eq!((waits.status, &waits.body["status"]), (200, &json!("pending")), "{waits:?}");
    assert_eq!((&waits.body["id"], &waits.body["execution_id"]), (&json!(job), &json!(run)));
    assert_eq!(
        (&waits.body["task"], &waits.body["model_id"], &waits.body["pool"]),
        (&json!("detection@1"), &json!("some-model"), &json!("fast"))
    );
    let mut player = Player::new(world.bus.clone(), run);
    player.start().await?;
    for (version, status, result) in [(1, "running", json!(null)), (2, "completed", json!({"count": 2}))] {
        let mut commit = Commit::new(run, world.bus.partition_of(run), version);
        let record = json!({"node_id": "inference", "path": "", "block": "detection@1", "status": status, "attempt": 1,
            "outputs": result, "queued_at": 1, "started_at": 2, "worker_id": "w1"});
        commit.set.push(("n:inference".to_owned(), serde_json::to_vec(&record)?));
        world.bus.commit(&[commit]).await?;
        let shown = world.get(&path).await?.body;
        assert_eq!((&shown["status"], &shown["result"]), (&json!(status), &result), "{shown}");
        assert_eq!((&shown["worker_id"], &shown["started_at"]), (&json!("w1"), &json!(2)));
    }
    // As long as the record is away.
    world.postgres.server().context("a server of its own")?.kill().await;
    assert_eq!(world.get(&path).await?.body["status"], "completed");
    let unknown = JobId::of(ExecutionId::generate(), &"x".into(), &ItemPath::root(), 1);
    let unknown = world.get(&format!("/api/v1/inference/jobs/{unknown}")).await?;
    unknown.problem(503, "DATABASE_UNAVAILABLE");
    world.shut_down();
    Ok(())
}

#[tokio::test]
async fn a_text_is_embedded_and_what_a_form_says_is_said_once() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = "/api/v1/inference/embedding";
    let text = world.post(path, &json!({"model_id": "clip", "text": "a cat"})).await?;
    assert_eq!(text.status, 202, "{text:?}");
    let shown = world.get(text.header("location")).await?;
    assert_eq!(shown.body["input"], json!({"text": "a cat"}));
    let set = world.post(path, &json!({"model_id": "clip", "config": {"text": "a cat"}})).await?;
    assert_eq!(set.status, 202, "{set:?}");
    let nothing = world.post(path, &json!({"model_id": "clip"})).await?;
    nothing.problem(422, "INVALID_REQUEST").fault("MISSING_INPUT", Some("inference"), "/image");
    let numbers = json!({"model_id": "price", "tensors": {"x": {"shape": [1, 2], "data": [1.0, 2.0]}}});
    assert_eq!(world.post("/api/v1/inference/tensor", &numbers).await?.status, 202);
    let odd = world.post("/api/v1/inference/detection", &json!({"model_id": "m", "text": "x"})).await?;
    odd.problem(422, "INVALID_REQUEST").fault("UNKNOWN_FIELD", None, "/text");

    let send =
        |form: Form| Reply::of(world.request(Method::POST, "/api/v1/inference/detection").multipart(form));
    let picture = || Part::bytes(png(32, 16)).file_name("a.png");
    let form = || Form::new().part("image", picture()).text("model_id", "some-model");
    let timed = send(form().text("timeout_ms", "5000").text("priority", "high")).await?;
    assert_eq!(timed.status, 202, "{timed:?}");
    send(form().text("timeout_ms", "soon")).await?.problem(422, "INVALID_REQUEST").fault(
        "INVALID_VALUE",
        None,
        "/timeout_ms",
    );
    let twice = send(form().part("image", picture())).await?;
    twice.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/image");
    let twice = send(form().text("request", r#"{"model_id": "other"}"#)).await?;
    twice.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/model_id");
    world.stop().await
}

#[tokio::test]
async fn a_job_that_failed_says_where_in_the_request() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
    let asked =
        world.request(Method::POST, "/api/v1/inference/detection?wait=20s").json(&request(&json!({})));
    let playing = async {
        let run = feed.expect("execute").await?.data["executionid"].as_str().unwrap_or_default().parse()?;
        let mut player = Player::new(world.bus.clone(), run);
        player.start().await?;
        player.meta.error =
            Some(serde_json::from_value(json!({"kind": "MODEL_NOT_FOUND", "message": "no such model",
            "retryable": false, "node": "inference", "pointer": "/config/model_id"}))?);
        player.end(ExecutionStatus::Failed, EventType::WorkflowFailed, json!({})).await
    };
    let (answer, played) = tokio::join!(Reply::of(asked), playing);
    played?;
    let answer = answer?;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("failed")), "{answer:?}");
    assert_eq!(answer.body["error"]["pointer"], "/model_id");
    world.stop().await
}

#[tokio::test]
async fn a_job_that_is_waited_for_comes_with_its_result() -> anyhow::Result<()> {
    let world = World::start().await?;
    let answered = world.request(Method::POST, "/api/v1/inference/detection?wait=15s");
    let answered = answered.header("idempotency-key", "one").json(&request(&json!({})));
    let answered = tokio::spawn(Reply::of(answered));
    let listed = async || {
        let runs = world.get("/api/v1/executions").await?;
        Ok::<_, anyhow::Error>(runs.body["executions"][0]["execution_id"].as_str().map(str::to_owned))
    };
    let run = millrace_testkit::eventually(crate::support::DEADLINE, "the run", listed).await?;
    let mut player = Player::new(world.bus.clone(), run.parse()?);
    player.start().await?;
    player.complete(json!({"result": {"count": 2}})).await?;
    let answer = answered.await??;
    assert_eq!((answer.status, &answer.body["result"]), (200, &json!({"count": 2})), "{answer:?}");
    assert_eq!(answer.body["job_id"], json!(job_of(&answer)?.1));
    world.stop().await
}

#[tokio::test]
async fn mistakes_point_into_the_request() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = async |body: Value| world.post("/api/v1/inference/detection", &body).await;
    let wrong = run(request(&json!({"confidence": 7}))).await?;
    wrong.problem(422, "INVALID_REQUEST");
    assert_eq!(wrong.body["errors"][0]["pointer"], "/config/confidence", "{wrong:?}");
    let none = run(json!({"model_id": "m"})).await?;
    none.problem(422, "INVALID_REQUEST").fault("MISSING_FIELD", None, "/image");
    let odd = run(json!({"model_id": "m", "image": "x", "config": 7, "modle": 1})).await?;
    odd.problem(422, "INVALID_REQUEST").fault("INVALID_TYPE", None, "/config");
    odd.fault("UNKNOWN_FIELD", None, "/modle");
    let text = run(json!({"model_id": "m", "image": STANDARD.encode("hello, no picture")})).await?;
    assert_eq!((text.status, &text.body["errors"][0]["pointer"]), (422, &json!("/image")), "{text:?}");

    for task in ["teleport", "crop"] {
        let unknown = world.post(&format!("/api/v1/inference/{task}"), &request(&json!({}))).await?;
        unknown.problem(404, "NOT_FOUND");
        assert!(unknown.body["detail"].as_str().unwrap_or_default().contains("detection"), "{unknown:?}");
    }
    world.stop().await
}

#[tokio::test]
async fn jobs_are_listed_and_asked_for_with_care() -> anyhow::Result<()> {
    let world = World::start().await?;
    let none = world.get("/api/v1/inference/jobs?status=running&model_id=m&task=detection@1").await?;
    assert_eq!((none.status, &none.body), (200, &json!({"jobs": [], "next_cursor": null})));
    assert_eq!(world.get("/api/v1/inference/jobs?task=detection").await?.status, 200);
    for task in ["detektion", "json_output", "detection@77"] {
        let unknown = world.get(&format!("/api/v1/inference/jobs?task={task}")).await?;
        unknown.problem(400, "INVALID_QUERY").fault("INVALID_VALUE", None, "/task");
    }
    world.get("/api/v1/inference/jobs?status=asleep").await?.problem(400, "INVALID_QUERY");
    world.get("/api/v1/inference/jobs?cursor=x").await?.problem(400, "INVALID_CURSOR");
    world.get("/api/v1/inference/jobs/nobody").await?.problem(404, "NOT_FOUND");
    let unknown = JobId::of(ExecutionId::generate(), &"x".into(), &ItemPath::root(), 1);
    world.get(&format!("/api/v1/inference/jobs/{unknown}")).await?.problem(404, "NOT_FOUND");
    world.stop().await
}

#[tokio::test]
async fn a_list_of_jobs_goes_on_though_its_last_one_was_deleted() -> anyhow::Result<()> {
    let world = World::start().await?;
    let events = interleaved_events(&[accepted_run(), accepted_run()]);
    world.store.record(&RecordBatch { events }).await?;
    let page = async |query: &str| world.get(&format!("/api/v1/inference/jobs{query}")).await;
    let first = page("?limit=1").await?.body;
    let run = first["jobs"][0]["execution_id"].as_str().context("a job")?;
    world.store.executions().delete(run.parse()?).await?;
    let cursor = first["next_cursor"].as_str().context("a page more")?;
    let rest = page(&format!("?cursor={cursor}")).await?;
    assert_eq!(rest.status, 200, "{rest:?}");
    let runs: Vec<_> =
        rest.body["jobs"].as_array().into_iter().flatten().map(|job| &job["execution_id"]).collect();
    assert!(runs.len() == 10 && runs.iter().all(|other| *other != run), "{runs:?}");
    // A cursor of another list is none of this one.
    let runs = world.get("/api/v1/executions?limit=1").await?.body;
    let foreign = runs["next_cursor"].as_str().context("a cursor of runs")?;
    page(&format!("?cursor={foreign}")).await?.problem(400, "INVALID_CURSOR");
    world.stop().await
}

#[tokio::test]
async fn a_form_is_held_to_the_same_bounds_as_a_submission() -> anyhow::Result<()> {
    let settings = Api { max_body: ByteSize::mib(1), ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let path = "/api/v1/inference/detection";
    let large = vec![b'7'; 1_100_000];
    let file = Form::new().part("image", Part::bytes(large.clone()).file_name("a.png"));
    let text = Form::new().part("config", Part::bytes(large));
    for form in [file, text] {
        let sent = world.request(Method::POST, path).multipart(form);
        Reply::of(sent).await?.problem(413, "PAYLOAD_TOO_LARGE");
    }
    world.stop().await
}

/// Bytes of text that a form's field may have, whatever a body may.
const MAX_TEXT: usize = 32 << 20;

#[tokio::test]
async fn the_text_of_a_form_is_no_longer_than_a_json_body() -> anyhow::Result<()> {
    let world = World::start().await?;
    let text = Form::new().part("config", Part::bytes(vec![b' '; MAX_TEXT + 1]));
    let sent = world.request(Method::POST, "/api/v1/inference/detection").multipart(text);
    Reply::of(sent).await?.problem(413, "PAYLOAD_TOO_LARGE");
    world.stop().await
}
