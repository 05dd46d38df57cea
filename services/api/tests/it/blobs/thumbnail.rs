//! `GET /blobs/{id}/thumbnail`.

use anyhow::Context;
use millrace_contracts::values::ImageValue;
use millrace_testkit::eventually;
use serde_json::json;

use crate::support::{DEADLINE, Player, World, png};

#[tokio::test]
async fn a_thumbnail_is_made_once_by_a_run_and_small_pictures_come_as_they_are() -> anyhow::Result<()> {
    let world = World::start().await?;
    let small = world.blobs.put(png(64, 48).into()).await?;
    let as_it_is = world.get(&format!("/api/v1/blobs/{small}/thumbnail?w=64")).await?;
    assert_eq!((as_it_is.status, as_it_is.bytes), (200, png(64, 48)));
    let path = format!("/api/v1/blobs/{small}/thumbnail?w=65");
    world.get(&path).await?.problem(400, "INVALID_QUERY").fault("INVALID_VALUE", None, "/w");
    let text = world.blobs.put("text".into()).await?;
    let no_picture = world.get(&format!("/api/v1/blobs/{text}/thumbnail")).await?;
    no_picture.problem(422, "INVALID_INPUT");
    assert_eq!(
        no_picture.body["errors"],
        json!(null),
        "a thumbnail is asked for with a blob's id, and with no input"
    );
    let detail = no_picture.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(&text.to_string()), "{detail}");

    let large = world.blobs.put(png(640, 480).into()).await?;
    let path = format!("/api/v1/blobs/{large}/thumbnail?w=64");
    let made = async {
        // The test is the worker.
        let run = eventually(DEADLINE, "the run of the thumbnail", async || {
            let listed = world.get("/api/v1/executions?label=millrace:thumbnail").await?.body;
            Ok::<_, anyhow::Error>(listed["executions"][0]["execution_id"].as_str().map(str::to_owned))
        })
        .await?;
        let mut player = Player::new(world.bus.clone(), run.parse()?);
        let image = ImageValue::root(small, 64, 48, "png").to_value();
        player.complete(json!({"result": {"image": image}})).await
    };
    let (one, two, made) = tokio::join!(world.get(&path), world.get(&path), made);
    made?;
    for reply in [one?, two?, world.get(&path).await?] {
        assert_eq!((reply.status, reply.header("content-type")), (200, "image/png"));
        assert_eq!(reply.bytes, png(64, 48));
    }
    let runs = world.get("/api/v1/executions?label=millrace:thumbnail").await?.body;
    assert_eq!(runs["executions"].as_array().context("a list")?.len(), 1, "made once");
    let everything = world.get("/api/v1/executions").await?.body;
    assert_eq!(everything["executions"], json!([]), "nobody asked for a run");
    world.stop().await
}
