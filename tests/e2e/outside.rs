//! What leads outside: pictures by URL, a search among vectors, an answer of the workflow's own.

use anyhow::Context;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::client::expect;

/// Answers what is nearest to `look` in a collection, with a status of its own.
#[expect(clippy::needless_pass_by_value, reason = "callers write literals")]
fn alike(collection: &str, look: Value) -> Value {
    let workflow = json!({"name": "alike", "nodes": [
        {"id": "look", "type": "parameter_input", "config": {"kind": "embedding"}},
        {"id": "alike", "type": "similarity_search", "inputs": {"embedding": "$inputs.look"},
         "config": {"collection": collection, "top_k": 1}},
        {"id": "reply", "type": "api_response", "inputs": {"body": {"best": "$nodes.alike.best"}, "status": 201}},
    ]});
    json!({"workflow": workflow, "input": {"look": look}})
}

#[tokio::test]
async fn a_search_answers_the_request_that_waits_for_it() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let new = json!({"name": "pets", "dimension": 2});
    expect(client.post("/collections", &new).await?, StatusCode::CREATED).await?;
    let points = json!({"points": [
        {"id": "cat", "vector": [1.0, 0.1], "payload": {"says": "meow"}},
        {"id": "dog", "vector": [0.1, 1.0], "payload": {"says": "woof"}},
    ]});
    expect(client.put("/collections/pets/points", &points).await?, StatusCode::OK).await?;
    let ask = async |collection, look| client.post("/executions?wait=30s", &alike(collection, look)).await;
    let is_dog = async |answer: Response| {
        let best = expect(answer, StatusCode::CREATED).await?["best"].take();
        assert_eq!((&best["id"], &best["payload"]), (&json!("dog"), &json!({"says": "woof"})));
        anyhow::Ok(())
    };
    is_dog(ask("pets", json!([0.0, 3.0])).await?).await?;
    let failed = expect(ask("pets", json!([1.0, 2.0, 3.0])).await?, StatusCode::OK).await?;
    let (kind, node) = (&failed["error"]["kind"], &failed["error"]["node"]);
    assert_eq!((kind, node), (&json!("INVALID_INPUT"), &json!("alike")));
    let failed = expect(ask("nobodys", json!([1.0, 2.0])).await?, StatusCode::OK).await?;
    assert_eq!(failed["error"]["pointer"], "/config/collection", "{failed}");

    // Once there are keys, the worker has one of its own.
    let admin = json!({"name": "admin", "scopes": ["admin"]});
    let admin = expect(client.post("/keys", &admin).await?, StatusCode::CREATED).await?;
    let key = admin["key"].as_str().context("a key")?;
    let unasked = client.post("/collections/pets/search", &json!({"vector": [0, 1]})).await?;
    assert_eq!(unasked.status(), StatusCode::UNAUTHORIZED);
    let request = reqwest::Client::new().post(client.url("/executions?wait=30s")).bearer_auth(key);
    is_dog(request.json(&alike("pets", json!([0.0, 5.0]))).send().await?).await
}

#[tokio::test]
async fn a_picture_at_a_private_address_fails_the_run_at_its_input() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let workflow = json!({"name": "fetch", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 8}},
        {"id": "answer", "type": "json_output", "inputs": {"picture": "$nodes.small.image"}},
    ]});
    for url in ["http://127.0.0.1:1/a.jpg", "http://169.254.169.254/latest/meta-data", "http://[::1]/"] {
        let run = client.run_unsaved(&workflow, json!({"photo": url})).await?;
        let ended = client.ended(&run).await?;
        assert_eq!(ended["error"]["kind"], "INVALID_INPUT", "{ended}");
        assert_eq!(
            (&ended["error"]["node"], &ended["error"]["pointer"]),
            (&json!("photo"), &json!("/input/photo"))
        );
        assert!(
            ended["error"]["message"].as_str().unwrap_or_default().contains("not a public address"),
            "{ended}"
        );
    }
    Ok(())
}
