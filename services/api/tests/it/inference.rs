//! `POST /inference/{task}` and `GET /inference/jobs`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_config::{Api, ByteSize};
use millrace_contracts::{ExecutionId, ItemPath, JobId};
use millrace_testkit::TestPostgres;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::support::{Player, Reply, World, png};

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
    world.get("/api/v1/inference/jobs?status=asleep").await?.problem(400, "INVALID_QUERY");
    world.get("/api/v1/inference/jobs?cursor=x").await?.problem(400, "INVALID_CURSOR");
    world.get("/api/v1/inference/jobs/nobody").await?.problem(404, "NOT_FOUND");
    let unknown = JobId::of(ExecutionId::generate(), &"x".into(), &ItemPath::root(), 1);
    world.get(&format!("/api/v1/inference/jobs/{unknown}")).await?.problem(404, "NOT_FOUND");
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
