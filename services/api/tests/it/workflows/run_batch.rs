//! `POST /workflows/{id}/run-batch`.

use millrace_config::Api;
use millrace_testkit::TestPostgres;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, World, constant};

#[tokio::test]
async fn a_batch_is_accepted_whole_or_not_at_all() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run-batch", world.save(&constant()).await?);
    let inputs: Vec<_> = (0..300).map(|at| json!({"min": f64::from(at) / 1000.0})).collect();
    let batch =
        json!({"inputs": inputs, "labels": {"kind": "batch"}, "callback_url": "https://example.com/done"});
    let accepted = world.post(&path, &batch).await?;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let ids = accepted.body["execution_ids"].as_array().unwrap();
    assert_eq!(ids.len(), 300);
    let seventh = world.get(&format!("/api/v1/executions/{}", ids[7].as_str().unwrap())).await?.body;
    assert_eq!((&seventh["input"]["min"], &seventh["batch_id"]), (&json!(0.007), &accepted.body["batch_id"]));
    assert_eq!(seventh["callback"]["status"], "pending", "each run of a batch calls back");
    let listed =
        world.get(&format!("{}&limit=200", accepted.body["links"]["executions"].as_str().unwrap())).await?;
    assert_eq!(listed.body["executions"].as_array().unwrap().len(), 200);

    let wrong = world.post(&path, &json!({"inputs": [{}, {"min": "x"}, {"mni": 1}]})).await?;
    wrong.problem(422, "INVALID_INPUT").fault("INVALID_INPUT", Some("min"), "/inputs/1/min");
    wrong.fault("UNKNOWN_INPUT", None, "/inputs/2/mni");
    for (body, code) in [
        (json!({}), "MISSING_FIELD"),
        (json!({"inputs": []}), "INVALID_VALUE"),
        (json!({"inputs": {}}), "INVALID_TYPE"),
    ] {
        world.post(&path, &body).await?.problem(422, "INVALID_REQUEST").fault(code, None, "/inputs");
    }
    let nested = world.post(&path, &json!({"inputs": [7]})).await?;
    nested.problem(422, "INVALID_REQUEST").fault("INVALID_TYPE", None, "/inputs/0");
    world.stop().await
}

#[tokio::test]
async fn a_batch_that_is_sent_twice_runs_once() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run-batch", world.save(&constant()).await?);
    let send = async |body: Value| {
        Reply::of(world.request(Method::POST, &path).header("idempotency-key", "b-1").json(&body)).await
    };
    let body = json!({"inputs": [{"min": 0.1}, {"min": 0.2}]});
    let (first, again) = (send(body.clone()).await?, send(body).await?);
    assert_eq!(first.status, 202, "{first:?}");
    assert_eq!(first.body, again.body);
    world.stop().await
}

/// The line of single submissions is shorter than the batch: part by part it would not get through.
#[tokio::test]
async fn invariant_1_a_batch_is_one_commit_and_nothing_of_it_is_taken_back() -> anyhow::Result<()> {
    let settings = Api { accept_queue: 4, accept_batch: 4, ..Api::default() };
    let world = World::start_with(settings, TestPostgres::start().await?).await?;
    let path = format!("/api/v1/workflows/{}/run-batch", world.save(&constant()).await?);
    let inputs: Vec<_> = (0..300).map(|at| json!({"min": f64::from(at) / 1000.0})).collect();
    let batch = json!({"inputs": inputs});
    let first = world.post_keyed(&path, &batch, "b-2").await?;
    assert_eq!(first.status, 202, "{first:?}");
    let again = world.post_keyed(&path, &batch, "b-2").await?;
    assert_eq!((again.status, &again.body), (202, &first.body));

    let of_batch = first.body["links"]["executions"].as_str().unwrap().to_owned();
    for (status, count) in [("pending", 200), ("cancelled", 0)] {
        let listed = world.get(&format!("{of_batch}&status={status}&limit=200")).await?;
        assert_eq!(listed.body["executions"].as_array().map(Vec::len), Some(count), "{status}");
    }
    let last = first.body["execution_ids"][299].as_str().unwrap_or_default().parse()?;
    assert!(world.bus.load_run(last).await?.is_none(), "nobody has begun it yet");
    world.stop().await
}

#[tokio::test]
async fn a_key_of_a_batch_is_of_that_batch_only() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run-batch", world.save(&constant()).await?);
    let of =
        |inputs: &[f64]| json!({"inputs": inputs.iter().map(|min| json!({"min": min})).collect::<Vec<_>>()});
    let first = world.post_keyed(&path, &of(&[0.1, 0.2]), "b-3").await?;
    assert_eq!(first.status, 202, "{first:?}");
    for other in [&[0.1, 0.2, 0.3][..], &[0.1], &[0.1, 0.3]] {
        let refused = world.post_keyed(&path, &of(other), "b-3").await?;
        refused.problem(422, "IDEMPOTENCY_KEY_REUSED");
    }
    let listed = world.get("/api/v1/executions").await?;
    assert_eq!(listed.body["executions"].as_array().map(Vec::len), Some(2), "what is refused makes no run");
    world.stop().await
}
