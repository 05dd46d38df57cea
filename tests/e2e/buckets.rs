//! Blobs and models in a bucket: nothing of a run needs a folder that machines share.

use anyhow::Context;
use millrace_testkit::TestBucket;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::scenes::{base64, scene};
use crate::support::stack::{Servers, Stack, root};

#[tokio::test]
async fn a_detection_runs_with_its_blobs_and_its_model_in_a_bucket() -> anyhow::Result<()> {
    let bucket = TestBucket::start()?;
    let model = bucket.folder().join("models/shapes-detector");
    std::fs::create_dir_all(&model)?;
    std::fs::copy(root().join("models/shapes-detector/model.onnx"), model.join("model.onnx"))?;
    let objects = bucket.objects();
    let secret = objects.secret_access_key.context("the bucket has a key")?;
    let settings = [
        ("MILLRACE__BLOBS__URL", bucket.url("blobs")),
        ("MILLRACE__OBJECTS__ENDPOINT", objects.endpoint.unwrap_or_default()),
        ("MILLRACE__OBJECTS__REGION", objects.region.unwrap_or_default()),
        ("MILLRACE__OBJECTS__ACCESS_KEY_ID", objects.access_key_id.unwrap_or_default()),
        ("MILLRACE__OBJECTS__SECRET_ACCESS_KEY", secret.expose().clone()),
    ];
    let settings = settings.each_ref().map(|(name, text)| (*name, text.as_str()));
    let stack = Stack::with_models(Servers::start().await?, &bucket.url("models"), &settings)?;
    let client = stack.client();
    let workflow = json!({"name": "in a bucket", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"},
         "config": {"model_id": "shapes-detector"}},
        {"id": "draw", "type": "draw_boxes", "inputs": {
            "image": "$inputs.photo", "detections": "$nodes.detect.detections"}},
        {"id": "answer", "type": "json_output", "inputs": {
            "count": "$nodes.detect.count", "picture": "$nodes.draw.image"}},
    ]});
    let run = client.run_unsaved(&workflow, json!({"photo": base64(&scene(0)?)})).await?;
    let ended = client.ended(&run).await?;
    assert_eq!(ended["status"], "completed", "{ended}");
    let answer = &ended["outputs"]["answer"];
    assert!(answer["count"].as_u64().is_some_and(|count| count > 0), "{answer}");

    let blob = answer["picture"]["blob"].as_str().context("a picture is a blob")?;
    let object = bucket.folder().join("blobs/sha256").join(&blob[..2]).join(&blob[2..4]).join(blob);
    let whole = std::fs::read(object).context("the picture lies in the bucket")?;
    let range =
        reqwest::Client::new().get(client.url(&format!("/blobs/{blob}"))).header("range", "bytes=2-9");
    let part = range.send().await?;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes().await?, &whole[2..10]);

    let models = client.get_json("/models").await?;
    assert_eq!(models["models"][0]["model_id"], "shapes-detector", "{models}");
    assert_eq!(models["models"][0]["in_repository"], true, "{models}");
    Ok(())
}
