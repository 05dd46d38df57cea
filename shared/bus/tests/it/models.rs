use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use millrace_bus::{LiveItem, Registered};
use millrace_contracts::BlobId;
use millrace_contracts::model::{ModelWish, Origin, RegisteredModel};

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
    }
}

#[tokio::test]
async fn a_name_is_unknown_only_in_a_whole_copy() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Lost);
    assert!(!bus.doubt_models().await?);
    bus.put_models(&[model("a")], false).await?;
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Known(Box::new(model("a"))));
    assert_eq!(bus.registered_model(&"b".into()).await?, Registered::Lost);

    bus.put_models(&[], true).await?;
    assert!(bus.has_all_models().await?);
    assert_eq!(bus.registered_model(&"b".into()).await?, Registered::Unknown);
    bus.remove_model(&"a".into()).await?;
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Unknown);

    assert!(bus.doubt_models().await?);
    assert_eq!(bus.registered_model(&"a".into()).await?, Registered::Lost);
    Ok(())
}

#[tokio::test]
async fn wishes_reach_those_who_listen() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let mut heard = bus.subscribe(&[&bus.model_wishes_channel()]).await?;
    let wish = ModelWish::Forget { id: "a".into() };
    bus.wish(&wish).await?;
    let item = tokio::time::timeout(Duration::from_secs(5), heard.next()).await?;
    let Some(LiveItem::Event(event)) = item else { panic!("{item:?}") };
    assert_eq!(serde_json::from_str::<ModelWish>(&event.payload)?, wish);
    Ok(())
}
