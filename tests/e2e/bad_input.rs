//! Everything wrong gets its typed answer, with node and pointer, and nothing hangs.

use anyhow::Context;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client::expect;
use crate::support::scenes::{base64, scene};
use crate::support::{Client, Stack};

fn detect(model: &str) -> Value {
    json!({
        "name": "detect",
        "nodes": [
            {"id": "photo", "type": "image_input"},
            {"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"},
             "config": {"model_id": model}},
            {"id": "answer", "type": "json_output", "inputs": {"count": "$nodes.detect.count"}},
        ]
    })
}

/// A 20,000 × 20,000 picture of one colour: 1.2 GB of pixels in a few bytes. Only its header is ever looked at.
fn png_bomb() -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".to_vec();
    png.extend(20_000u32.to_be_bytes());
    png.extend(20_000u32.to_be_bytes());
    png.extend([8, 2, 0, 0, 0]);
    png.extend([0x6e, 0x2b, 0x5b, 0x1f]);
    png.extend(b"\x00\x00\x00\x00IEND\xaeB`\x82");
    png
}

/// The one fault of a 422 answer: code, node, pointer.
async fn fault(client: &Client, body: &Value) -> anyhow::Result<(String, Value, Value)> {
    let problem = expect(client.post("/executions", body).await?, StatusCode::UNPROCESSABLE_ENTITY).await?;
    let fault = problem["errors"].get(0).with_context(|| problem.to_string())?;
    let code = fault["code"].as_str().context("a fault has a code")?;
    anyhow::ensure!(problem["type"].is_string() && problem["title"].is_string(), "{problem}");
    anyhow::ensure!(problem["retryable"] == false, "{problem}");
    Ok((code.to_owned(), fault["node"].clone(), fault["pointer"].clone()))
}

#[tokio::test]
async fn bad_requests_are_refused_at_the_door() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();

    let not_json = client.post_text("/executions", "{\"workflow\": ").await?;
    let problem = expect(not_json, StatusCode::BAD_REQUEST).await?;
    assert!(problem["code"].is_string(), "{problem}");

    let unknown =
        json!({"workflow": {"name": "x", "nodes": [{"id": "a", "type": "detektion"}]}, "input": {}});
    let (code, node, pointer) = fault(&client, &unknown).await?;
    assert_eq!(
        (code.as_str(), node, pointer),
        ("UNKNOWN_BLOCK", json!("a"), json!("/workflow/nodes/0/type"))
    );

    let cycle = json!({"workflow": {"name": "x", "nodes": [
        {"id": "a", "type": "resize", "inputs": {"image": "$nodes.b.image"}, "config": {"width": 10}},
        {"id": "b", "type": "resize", "inputs": {"image": "$nodes.a.image"}, "config": {"width": 10}},
    ]}, "input": {}});
    assert_eq!(fault(&client, &cycle).await?.0, "CYCLE");

    let missing = json!({"workflow": detect("shapes-detector"), "input": {}});
    let (_, node, pointer) = fault(&client, &missing).await?;
    assert_eq!((node, pointer), (json!("photo"), json!("/input/photo")));

    let text = base64(b"this is not a picture, whatever its name says");
    let body = json!({"workflow": detect("shapes-detector"), "input": {"photo": text}});
    let (code, node, pointer) = fault(&client, &body).await?;
    assert_eq!((code.as_str(), node, pointer), ("UNSUPPORTED_IMAGE", json!("photo"), json!("/input/photo")));

    let body = json!({"workflow": detect("shapes-detector"), "input": {"photo": base64(&png_bomb())}});
    let (code, node, _) = fault(&client, &body).await?;
    assert_eq!((code.as_str(), node), ("IMAGE_TOO_LARGE", json!("photo")));
    Ok(())
}

#[tokio::test]
async fn what_only_a_worker_can_see_fails_the_run_at_its_node() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();

    let mut truncated = scene(0)?;
    truncated.truncate(truncated.len() / 3);
    let input = json!({"photo": base64(&truncated)});
    let run = client.run_unsaved(&detect("shapes-detector"), input).await?;
    let ended = client.ended(&run).await?;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert_eq!(ended["error"]["kind"], "INVALID_INPUT", "{ended}");
    assert_eq!(ended["error"]["node"], "detect");
    assert_eq!(ended["error"]["pointer"], "/inputs/image");

    let run = client.run_unsaved(&detect("no-such-model"), json!({"photo": base64(&scene(0)?)})).await?;
    let ended = client.ended(&run).await?;
    assert_eq!(ended["error"]["kind"], "MODEL_NOT_FOUND", "{ended}");
    assert_eq!(ended["error"]["node"], "detect");
    assert_eq!(ended["error"]["pointer"], "/config/model_id");

    // And the system is none the worse for it.
    let run = client.run_unsaved(&detect("shapes-detector"), json!({"photo": base64(&scene(0)?)})).await?;
    assert_eq!(client.ended(&run).await?["status"], "completed");
    Ok(())
}
