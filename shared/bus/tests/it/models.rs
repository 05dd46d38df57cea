use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use millrace_bus::{LiveItem, Registered};
use millrace_contracts::model::{ModelDescription, ModelWish, Origin, RegisteredModel};
use millrace_contracts::{BlobId, ModelId};

use crate::support::Fixture;

fn model(id: &str) -> RegisteredModel {
    RegisteredModel {
        id: id.into(),
        source: "trained".into(),
        task: "detection".into(),
        family: None,
        labels: vec!["part".into()],
        checkpoint: Origin::Blob(BlobId::of(id.as_bytes())),
        sha256: None,
        files: [].into(),
        preprocess: serde_json::Map::new(),
        registered_at: None,
    }
}

#[tokio::test]
async fn a_name_is_unknown_only_in_a_whole_copy() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Lost);
    assert!(!bus.draft_models().await?.was_whole);
    bus.put_models(&[model("a")], false).await?;
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Known(Box::new(model("a"))));
    assert_eq!(bus.registered_model(&"b".into()).await?, Registered::Lost);

    bus.put_models(&[], true).await?;
    assert!(bus.has_all_models().await?);
    assert_eq!(bus.registered_model(&"b".into()).await?, Registered::Unknown);
    bus.remove_model(&"a".into()).await?;
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Unknown);

    assert!(bus.draft_models().await?.was_whole);
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Lost);
    Ok(())
}

#[tokio::test]
async fn a_copy_that_was_lost_or_changed_while_it_was_made_is_not_whole() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let first = bus.draft_models().await?;
    bus.put_models(&[model("a")], false).await?;
    fixture.redis.flush().await?;
    assert!(!bus.models_are_whole(&first).await?, "nothing of it is left");

    let (earlier, later) = (bus.draft_models().await?, bus.draft_models().await?);
    assert!(!bus.models_are_whole(&earlier).await?, "another is at work");
    assert!(!bus.has_all_models().await?);
    bus.put_models(&[model("a")], false).await?;
    assert!(bus.models_are_whole(&later).await?);
    assert!(bus.has_all_models().await?);
    assert_eq!(bus.registered_model(&"b".into()).await?, Registered::Unknown);
    Ok(())
}

#[tokio::test]
async fn models_are_described_until_nobody_says_so_any_more() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let described = |id: &str, labels: Vec<String>| ModelDescription {
        id: id.into(),
        family: "raw".into(),
        task: "tensor".into(),
        labels,
        embedding_dimension: None,
    };
    let ttl = Duration::from_secs(60);
    assert!(!bus.renew_descriptions(ttl).await?);
    let (plain, long) = (described("a", vec!["cat".into()]), described("b", vec!["x".repeat(2 << 20)]));
    bus.describe_models(&[plain.clone(), long], ttl).await?;
    let found = bus.descriptions(&["b".into(), "nobody".into(), "a".into()]).await?;
    assert_eq!(found.len(), 2);
    assert_eq!(found[&ModelId::from("a")], plain);
    assert_eq!(found[&ModelId::from("b")], described("b", vec![]), "what is too long is left out");
    assert!(bus.renew_descriptions(Duration::from_millis(1)).await?);
    let gone = async || {
        let found = bus.descriptions(&["a".into()]).await?;
        Ok::<_, millrace_bus::BusError>(found.is_empty().then_some(()))
    };
    millrace_testkit::eventually(Duration::from_secs(5), "the descriptions to expire", gone).await?;
    assert!(bus.descriptions(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn wishes_reach_those_who_listen() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let mut heard = bus.subscribe(&[&bus.model_wishes_channel()]).await?;
    let wishes = ["a", "b", "c"].map(|id| ModelWish::Forget { id: id.into() });
    bus.wish(&wishes[0]).await?;
    bus.wish_all(&wishes[1..]).await?;
    for wish in wishes {
        let item = tokio::time::timeout(Duration::from_secs(5), heard.next()).await?;
        let Some(LiveItem::Event(event)) = item else { panic!("{item:?}") };
        assert_eq!(serde_json::from_str::<ModelWish>(&event.payload)?, wish);
    }
    Ok(())
}
