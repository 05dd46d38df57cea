//! `POST /workflows/{id}/run`: inputs, options, waiting, and sending it twice.

use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millrace_config::Api;
use millrace_contracts::values::ImageValue;
use millrace_contracts::{BlobId, EventType};
use millrace_testkit::TestPostgres;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Follower, Player, Reply, World, constant, jpeg, png, show};

#[tokio::test]
async fn a_picture_is_taken_in_every_form() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&show()).await?);
    let (bytes, text) = (png(640, 480), STANDARD.encode(png(640, 480)));
    let id = BlobId::of(&bytes);
    // As base64 first, which stores it: then it is there to be named.
    for photo in
        [json!(text), json!(format!("data:image/png;base64,{text}")), json!(format!("blob:{id}")), json!(id)]
    {
        let accepted = world.post(&path, &json!({"input": {"photo": photo}})).await?;
        assert_eq!(accepted.status, 202, "{accepted:?}");
        assert_eq!(accepted.header("location"), accepted.body["links"]["self"]);
        assert_eq!(accepted.body["status"], "pending");
        let run = world.get(accepted.header("location")).await?;
        let image = ImageValue::from_value(&run.body["input"]["photo"]).unwrap();
        assert_eq!(image, ImageValue::root(id, 640, 480, "png"));
        assert_eq!(run.body["input"]["min"], 0.4, "defaults are filled in");
    }
    // What is at a URL is a worker's to find out.
    let url = "https://example.com/a.jpg?signature=1";
    let accepted = world.post(&path, &json!({"input": {"photo": url}})).await?;
    let input = world.get(accepted.header("location")).await?.body["input"]["photo"].clone();
    assert_eq!(input, json!({"$fetch": {"kind": "image_url", "url": url, "max_pixels": 50_000_000}}));
    // A header that begins far into the file is still found.
    let late = world.blobs.put(jpeg(320, 200, 300_000).into()).await?;
    let accepted = world.post(&path, &json!({"input": {"photo": late}})).await?;
    assert_eq!(world.get(accepted.header("location")).await?.body["input"]["photo"]["width"], 320);
    world.stop().await
}

#[tokio::test]
async fn wrong_inputs_are_told_all_at_once_with_node_and_place() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&show()).await?);
    let run = async |input: Value| world.post(&path, &json!({"input": input})).await;
    let photo = Some("photo");

    let missing = run(json!({})).await?;
    missing.problem(422, "INVALID_INPUT").fault("MISSING_INPUT", photo, "/input/photo");
    let text = run(json!({"photo": STANDARD.encode("hello, this is a text file called .jpg")})).await?;
    text.problem(422, "INVALID_INPUT").fault("UNSUPPORTED_IMAGE", photo, "/input/photo");
    let bomb = run(json!({"photo": STANDARD.encode(png(20_000, 20_000))})).await?;
    bomb.problem(422, "INVALID_INPUT").fault("IMAGE_TOO_LARGE", photo, "/input/photo");
    assert_eq!(
        world.blobs.head(BlobId::of(&png(20_000, 20_000))).await?,
        None,
        "what is refused is not stored"
    );
    let cut = run(json!({"photo": STANDARD.encode(&jpeg(640, 480, 100)[..60])})).await?;
    cut.problem(422, "INVALID_INPUT").fault("UNSUPPORTED_IMAGE", photo, "/input/photo");
    let url = run(json!({"photo": "https://user:secret@example.com/a.jpg"})).await?;
    url.problem(422, "INVALID_INPUT").fault("INVALID_IMAGE", photo, "/input/photo");
    let nobody = run(json!({"photo": BlobId::of(b"nobody's")})).await?;
    nobody.problem(422, "INVALID_INPUT").fault("BLOB_NOT_FOUND", photo, "/input/photo");

    let many = run(json!({"photo": "%%%", "min": 7, "mni": 1})).await?;
    many.problem(422, "INVALID_INPUT").fault("INVALID_IMAGE", photo, "/input/photo");
    many.fault("INVALID_INPUT", Some("min"), "/input/min");
    many.fault("UNKNOWN_INPUT", None, "/input/mni");
    world.stop().await
}

#[tokio::test]
async fn options_are_honoured_and_wrong_ones_told() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&constant()).await?);
    let options = json!({"priority": "high", "pool": "heavy", "labels": {"team": "a"}, "timeout_ms": 5000,
        "callback_url": "https://example.com/done"});
    let accepted = world.post(&path, &options).await?;
    let run = world.get(accepted.header("location")).await?.body;
    assert_eq!(
        (&run["priority"], &run["pool"], &run["labels"]["team"]),
        (&json!("high"), &json!("heavy"), &json!("a"))
    );
    assert_eq!(run["callback"], json!({"url": "https://example.com/done", "status": "pending"}));

    let wrong = json!({"callback_url": "file:///etc/passwd", "priority": "urgent", "inptu": {}});
    let refused = world.post(&path, &wrong).await?;
    refused.problem(422, "INVALID_REQUEST").fault("INVALID_VALUE", None, "/callback_url");
    refused.fault("INVALID_VALUE", None, "/priority");
    refused.fault("UNKNOWN_FIELD", None, "/inptu");
    world.post(&format!("{path}?wait=soon"), &json!({})).await?.problem(400, "INVALID_QUERY");
    let nobody = "/api/v1/workflows/0190a0a0-0000-7000-8000-000000000000/run";
    world.post(nobody, &json!({})).await?.problem(404, "NOT_FOUND");
    world.stop().await
}

#[tokio::test]
async fn a_submission_may_wait_for_its_end() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&constant()).await?);
    let early = world.post(&format!("{path}?wait=100ms"), &json!({})).await?;
    assert_eq!((early.status, early.body["status"].as_str()), (202, Some("pending")));

    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
    let (body, held) = (json!({}), format!("{path}?wait=20s"));
    let waiting = world.post(&held, &body);
    let playing = async {
        let run = feed.expect("execute").await?.data["executionid"].as_str().unwrap().parse()?;
        let mut player = Player::new(world.bus.clone(), run);
        player.start().await?;
        player.complete(json!({"answer": {"min": 0.4}})).await
    };
    let (waited, played) = tokio::join!(waiting, playing);
    played?;
    let waited = waited?;
    assert_eq!((waited.status, waited.body["status"].as_str()), (200, Some("completed")), "{waited:?}");
    assert_eq!(waited.body["outputs"]["answer"]["min"], 0.4);
    world.stop().await
}

#[tokio::test]
async fn a_workflow_may_answer_for_itself() -> anyhow::Result<()> {
    let world = World::start().await?;
    let reply = json!({"name": "reply", "nodes": [
        {"id": "reply", "type": "api_response", "inputs": {"body": 1, "status": 201}},
        {"id": "also", "type": "json_output", "inputs": {"n": 1}},
    ]});
    let path = format!("/api/v1/workflows/{}/run", world.save(&reply).await?);
    let image = ImageValue::root(BlobId::of(b"x"), 4, 3, "png").to_value();
    for (outputs, status, body) in [
        (json!({"body": {"found": [image]}, "status": 201}), 201, None),
        (json!({"body": "as JSON", "status": null}), 200, Some(json!("as JSON"))),
        (json!({"body": {"error": "nothing"}, "status": 422}), 422, Some(json!({"error": "nothing"}))),
        (json!({"body": 1, "status": 204}), 204, Some(json!(null))),
    ] {
        let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
        let (empty, held) = (json!({}), format!("{path}?wait=20s"));
        let playing = async {
            let run = feed.expect("execute").await?.data["executionid"].as_str().unwrap().parse()?;
            let mut player = Player::new(world.bus.clone(), run);
            player.start().await?;
            player.complete(json!({"reply": outputs, "also": {"n": 1}})).await
        };
        // As it comes: what a workflow answers is in no document.
        let sent = world.request(Method::POST, &held).json(&empty).send();
        let (answer, played) = tokio::join!(sent, playing);
        played?;
        let answer = answer?;
        assert_eq!(answer.status(), status, "{answer:?}");
        let location = answer.headers()["location"].to_str()?.to_owned();
        let answered: Value = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        match body {
            Some(body) => assert_eq!(answered, body),
            None => assert_eq!(answered["found"][0]["url"], format!("/api/v1/blobs/{}", BlobId::of(b"x"))),
        }
        // The run shows it as an output like any other.
        let run = world.get(&location).await?.body;
        assert_eq!((&run["status"], &run["outputs"]["also"]), (&json!("completed"), &json!({"n": 1})));
        assert!(run["outputs"]["reply"].get("body").is_some(), "{run}");
    }
    world.stop().await
}

#[tokio::test]
async fn what_is_sent_twice_runs_once() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&constant()).await?);
    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
    let send = async |body: Value| {
        Reply::of(world.request(Method::POST, &path).header("idempotency-key", "k-1").json(&body)).await
    };
    let (first, again) = (send(json!({})).await?, send(json!({})).await?);
    assert_eq!((first.status, again.status), (202, 202), "{again:?}");
    assert_eq!(first.body["execution_id"], again.body["execution_id"]);
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    send(json!({"input": {"min": 0.5}})).await?.problem(422, "IDEMPOTENCY_KEY_REUSED");
    let spaced = world.request(Method::POST, &path).header("idempotency-key", "a b").json(&json!({}));
    Reply::of(spaced).await?.problem(400, "INVALID_HEADER");
    let other = world.post(&path, &json!({})).await?;
    let told = [feed.expect("execute").await?, feed.expect("execute").await?]
        .map(|told| told.data["executionid"].clone());
    assert_eq!(told, [first.body["execution_id"].clone(), other.body["execution_id"].clone()]);
    assert_eq!(EventType::WorkflowExecute.sse_name(), "execute");
    world.stop().await
}

#[tokio::test]
async fn a_key_is_remembered_for_the_window_of_the_settings() -> anyhow::Result<()> {
    let settings = Api { idempotency_window: Duration::ZERO, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&constant()).await?);
    let (first, again) =
        (world.post_keyed(&path, &json!({}), "k").await?, world.post_keyed(&path, &json!({}), "k").await?);
    assert_eq!((first.status, again.status), (202, 202), "{again:?}");
    assert_ne!(first.body["execution_id"], again.body["execution_id"]);
    world.stop().await
}

/// The run's command and its first event hold the whole input, and no event has more than 64 KiB.
#[tokio::test]
async fn many_small_inputs_together_are_stored_apart() -> anyhow::Result<()> {
    let world = World::start().await?;
    let names: Vec<String> = (0..900).map(|at| format!("p{at}")).collect();
    let node = |name: &String| json!({"id": name, "type": "parameter_input", "config": {"kind": "string"}});
    let mut definition = json!({"name": "many", "nodes": names.iter().map(node).collect::<Vec<_>>()});
    let nodes = definition["nodes"].as_array_mut().context("a list of nodes")?;
    nodes.push(json!({"id": "answer", "type": "json_output", "inputs": {"first": "$inputs.p0"}}));
    let most = &names[..300];
    let with = |count: usize, length: usize| {
        let values = names
            .iter()
            .take(count)
            .map(|name| (name.clone(), json!(format!("{name}:{}", "x".repeat(length)))));
        Value::Object(values.collect())
    };
    let too_many = json!({"workflow": definition, "input": with(900, 4_000)});
    let refused = world.post("/api/v1/executions", &too_many).await?;
    refused.problem(422, "INVALID_INPUT").fault("INVALID_INPUT", None, "/input");

    let nodes = definition["nodes"].as_array_mut().context("a list of nodes")?;
    nodes.retain(|node| node["id"] == "answer" || most.iter().any(|name| node["id"] == **name));
    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
    let input = with(300, 4_000);
    let accepted = world.post("/api/v1/executions", &json!({"workflow": definition, "input": input})).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let told = feed.expect("execute").await?.data;
    assert!(told.to_string().len() < 64 * 1024, "{} bytes", told.to_string().len());
    let run = accepted.body["execution_id"].as_str().context("an id")?.parse()?;
    let (kept, _) = world.store.executions().accepted(run).await?;
    assert_eq!(world.blobs.resolve(&Value::Object(kept.input)).await?, input);
    world.stop().await
}
