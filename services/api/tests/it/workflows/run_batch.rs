//! `POST /workflows/{id}/run-batch`.

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
