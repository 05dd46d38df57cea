//! `?images=`: the pictures of a run's outputs within the answer.

use millrace_contracts::BlobId;
use millrace_contracts::values::ImageValue;
use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Player, Reply, World, constant};

#[tokio::test]
async fn pictures_come_along_when_that_is_asked_for() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (small, vast) = (b"not decoded here".to_vec(), vec![7; (16 << 20) + 1]);
    for bytes in [&small, &vast] {
        world.blobs.put(bytes.clone().into()).await?;
    }
    let picture = |bytes: &[u8]| ImageValue::root(BlobId::of(bytes), 4, 3, "png").to_value();
    let outputs = json!({
        "answer": {"crops": [picture(&small), picture(&small)], "vast": picture(&vast), "gone": picture(b"nobody's")},
    });
    let mut player = world.play().await?;
    player.start().await?;
    player.complete(outputs).await?;
    let path = format!("/api/v1/executions/{}", player.run);
    let shown = world.get(&format!("{path}?images=base64")).await?.body;
    let answer = &shown["outputs"]["answer"];
    for crop in [&answer["crops"][0], &answer["crops"][1]] {
        assert_eq!(crop["base64"], "bm90IGRlY29kZWQgaGVyZQ==");
    }
    for left_out in ["vast", "gone"] {
        assert!(
            answer[left_out].get("base64").is_none() && answer[left_out]["url"].is_string(),
            "{left_out}"
        );
    }
    assert_eq!(shown["images_omitted"], 2);
    for by_address in [world.get(&path).await?.body, world.get(&format!("{path}?images=links")).await?.body] {
        let crop = &by_address["outputs"]["answer"]["crops"][0];
        assert!(crop.get("base64").is_none() && crop["url"].is_string(), "{crop}");
        assert_eq!(by_address.get("images_omitted"), None);
    }
    world.get(&format!("{path}?images=jpeg")).await?.problem(400, "INVALID_QUERY");
    world.stop().await
}

#[tokio::test]
async fn pictures_come_along_with_the_answer_that_was_waited_for() -> anyhow::Result<()> {
    let world = World::start().await?;
    let blob = world.blobs.put(b"bytes".to_vec().into()).await?;
    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=execute")).await?;
    let path = "/api/v1/executions?wait=20s&images=base64";
    let request = world.request(Method::POST, path).json(&json!({"workflow": constant()}));
    let playing = async {
        let run = feed.expect("execute").await?.data["executionid"].as_str().unwrap_or_default().parse()?;
        let mut player = Player::new(world.bus.clone(), run);
        player.start().await?;
        player.complete(json!({"answer": {"picture": ImageValue::root(blob, 4, 3, "png").to_value()}})).await
    };
    let (answer, played) = tokio::join!(Reply::of(request), playing);
    played?;
    let answer = answer?;
    assert_eq!(
        (answer.status, &answer.body["outputs"]["answer"]["picture"]["base64"]),
        (200, &json!("Ynl0ZXM="))
    );
    world.stop().await
}
