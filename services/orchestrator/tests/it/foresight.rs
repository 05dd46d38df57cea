//! Workers hear of the models that a run will need while its first job is still to be done.

use anyhow::Context;
use futures::StreamExt;
use millrace_bus::LiveItem;
use millrace_contracts::Pool;
use millrace_contracts::model::ModelWish;
use serde_json::json;

use crate::support::{DEADLINE, World, picture};

#[tokio::test]
async fn the_model_of_a_later_node_is_told_before_the_first_job_is_done() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut wishes = world.bus.subscribe(&[&world.bus.model_wishes_channel()]).await?;
    let replica = world.replica();
    let model = |id: &str, from: &str, model: &str| json!({"id": id, "type": "embedding", "inputs": {"image": from}, "config": {"model_id": model}});
    let definition = json!({"name": "two models", "nodes": [
        {"id": "photo", "type": "parameter_input", "config": {"kind": "image"}},
        model("first", "$inputs.photo", "a"),
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 8}},
        model("second", "$nodes.small.image", "b"),
        {"id": "answer", "type": "json_output", "inputs": {"one": "$nodes.first.embedding", "other": "$nodes.second.embedding"}}
    ]});
    for (named, pool) in [(None, "fast"), (Some("heavy"), "heavy")] {
        let input = json!({"photo": picture("root")});
        world.submit_with(&definition, input, |accepted| accepted.pool = named.map(Pool::from)).await?;
        let told = tokio::time::timeout(DEADLINE, wishes.next()).await?.context("the channel goes on")?;
        let LiveItem::Event(event) = told else { anyhow::bail!("{told:?}") };
        let expected = ModelWish::Expect { model: "b".into(), pool: pool.into() };
        assert_eq!(serde_json::from_str::<ModelWish>(&event.payload)?, expected);
    }
    replica.stop().await
}
