//! `POST /workflows/validate`.

use serde_json::json;

use crate::support::{World, show};

#[tokio::test]
async fn a_definition_is_checked_without_being_saved() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = "/api/v1/workflows/validate";
    let sound = world.post(path, &show()).await?;
    assert_eq!(sound.status, 200, "{sound:?}");
    assert_eq!(sound.body["valid"], true);
    assert_eq!(sound.body["plan"], json!({"nodes": 3, "edges": 2, "scopes": 1}));
    assert_eq!(sound.body["inputs"][0]["name"], "photo");
    assert_eq!(sound.body["warnings"], json!([]));

    let mut doubtful = show();
    let nodes = doubtful["nodes"].as_array_mut().unwrap();
    nodes.push(json!({"id": "spare", "type": "parameter_input", "config": {"kind": "float"}}));
    let doubtful = world.post(path, &doubtful).await?;
    let warning = &doubtful.body["warnings"][0];
    assert_eq!((doubtful.status, &warning["code"]), (200, &json!("UNUSED_INPUT")), "{doubtful:?}");
    assert_eq!((&warning["node"], &warning["pointer"]), (&json!("spare"), &json!("/nodes/3")));

    let unknown = json!({"nodes": [{"id": "a", "type": "teleport"}]});
    let refused = world.post(path, &unknown).await?;
    refused.problem(422, "INVALID_WORKFLOW").fault("UNKNOWN_BLOCK", Some("a"), "/nodes/0/type");
    let circle = json!({"nodes": [
        {"id": "a", "type": "resize", "inputs": {"image": "$nodes.b.image"}, "config": {"width": 1}},
        {"id": "b", "type": "resize", "inputs": {"image": "$nodes.a.image"}, "config": {"width": 1}},
    ]});
    let refused = world.post(path, &circle).await?;
    let codes: Vec<_> =
        refused.problem(422, "INVALID_WORKFLOW").body["errors"].as_array().unwrap().iter().collect();
    assert!(codes.iter().any(|fault| fault["code"] == "CYCLE" && fault["node"].is_string()), "{codes:?}");
    assert_eq!(world.get("/api/v1/workflows").await?.body["workflows"], json!([]));
    world.stop().await
}
