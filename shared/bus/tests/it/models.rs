use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use futures::StreamExt;
use millrace_bus::{LiveItem, Registered};
use millrace_contracts::model::{ModelDescription, ModelWish, Origin, RegisteredModel};
use millrace_contracts::{BlobId, ModelDigest, ModelId};

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
        image: None,
        registered_at: None,
    }
}

/// What is said of a model with one class.
fn described(id: &str, label: &str) -> ModelDescription {
    ModelDescription {
        id: id.into(),
        family: "raw".into(),
        task: "tensor".into(),
        labels: vec![label.to_owned()],
        embedding_dimension: None,
        input_size: None,
        file_bytes: None,
        digest: None,
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
    let sized = |id: &str, label: &str| ModelDescription {
        input_size: Some([640, 480]),
        file_bytes: Some(1 << 40),
        ..described(id, label)
    };
    let ttl = Duration::from_secs(60);
    let worker = millrace_contracts::WorkerId::from("w1");
    assert_eq!(bus.undescribed(&["a".into()], ttl).await?, ["a".into()]);
    let (plain, long) = (sized("a", "cat"), sized("b", &"x".repeat(2 << 20)));
    bus.describe_models(&worker, &[plain.clone(), long], ttl).await?;
    let found = bus.descriptions(&["b".into(), "nobody".into(), "a".into()]).await?;
    assert_eq!(found.len(), 2);
    assert_eq!(found[&ModelId::from("a")], plain);
    let unlabelled = ModelDescription { labels: vec![], ..sized("b", "") };
    assert_eq!(found[&ModelId::from("b")], unlabelled, "what is too long is left out");
    bus.undescribed(&[], Duration::from_millis(1)).await?;
    let gone = async || {
        let found = bus.descriptions(&["a".into()]).await?;
        Ok::<_, millrace_bus::BusError>(found.is_empty().then_some(()))
    };
    millrace_testkit::eventually(Duration::from_secs(5), "the descriptions to expire", gone).await?;
    assert!(bus.descriptions(&[]).await?.is_empty());
    Ok(())
}

/// Two workers that see different files under one name.
#[tokio::test]
async fn who_described_a_model_has_the_say_for_as_long_as_it_lives() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let (first, second) = ("w1".into(), "w2".into());
    let (ttl, ids) = (Duration::from_secs(60), ["a".into(), "b".into(), "c".into()]);
    bus.register_worker(&first, "{}", ttl).await?;
    bus.register_worker(&second, "{}", ttl).await?;
    bus.describe_models(&first, &[described("a", "cat"), described("b", "cat")], ttl).await?;
    assert_eq!(bus.undescribed(&ids, ttl).await?, ["c".into()]);
    bus.describe_models(&second, &[described("b", "dog")], ttl).await?;
    bus.take_descriptions_back(&second, &ids).await?;
    assert_eq!(bus.undescribed(&ids, ttl).await?, ["b".into(), "c".into()], "the other's stays");
    assert_eq!(bus.descriptions(&ids).await?, [("a".into(), described("a", "cat"))].into());
    bus.remove_worker(&first).await?;
    assert_eq!(bus.undescribed(&ids, ttl).await?, ids, "who said it is gone");
    assert_eq!(bus.descriptions(&ids).await?.len(), 1, "until another says it, it stays");
    let many: Vec<ModelId> = (0..2_500).map(|number| format!("m{number}").into()).collect();
    assert_eq!(bus.undescribed(&many, ttl).await?, many);
    Ok(())
}

#[tokio::test]
async fn a_loaded_copy_is_described_for_as_long_as_somebody_has_it() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let copy = |digest: Option<&str>, label: &str| ModelDescription {
        digest: digest.map(Into::into),
        ..described("a", label)
    };
    let ttl = Duration::from_secs(60);
    let copies = [copy(Some("12"), "cat"), copy(Some("34"), "dog"), copy(None, "cow")];
    bus.describe_copies(&copies, ttl).await?;
    let asked = ["34", "12", "56"].map(ModelDigest::from);
    let found = bus.copies(&asked).await?;
    assert_eq!(found, [("12".into(), copies[0].clone()), ("34".into(), copies[1].clone())].into());
    bus.describe_copies(&copies[..1], Duration::from_millis(1)).await?;
    let gone = async || {
        let found = bus.copies(&asked).await?;
        Ok::<_, millrace_bus::BusError>((found.len() == 1).then_some(found))
    };
    let left = millrace_testkit::eventually(Duration::from_secs(5), "one copy to be forgotten", gone).await?;
    assert_eq!(left, [("34".into(), copies[1].clone())].into(), "the other one is still there");
    bus.describe_copies(&copies, ttl).await?;
    assert_eq!(bus.copies(&asked).await?.len(), 2, "it is told again");
    assert!(bus.copies(&[]).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn names_of_many_models_are_kept_under_the_digest_of_them_all() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let ttl = Duration::from_secs(60);
    let names = |range: std::ops::Range<u32>| -> BTreeSet<ModelId> {
        range.map(|number| format!("acme/model-{number}").into()).collect()
    };
    let many = names(0..10_000);
    let digest = bus.keep_model_names(&many, ttl).await?;
    assert_eq!(bus.keep_model_names(&many, ttl).await?, digest, "what is there is kept");
    let other = bus.keep_model_names(&names(9_999..10_001), ttl).await?;
    assert_ne!(other, digest);
    let both = BTreeSet::from([digest.clone(), other.clone()]);
    assert_eq!(bus.model_names(&both).await?, names(0..10_001));
    assert_eq!(bus.model_names(&[digest.clone()].into()).await?, many);
    let has = async |digests: &BTreeSet<String>, name: &str| bus.has_model_name(digests, &name.into()).await;
    assert!(has(&both, "acme/model-10000").await? && has(&both, "acme/model-7").await?);
    assert!(!has(&[digest].into(), "acme/model-10000").await? && !has(&both, "acme/model").await?);
    assert!(
        !has(&BTreeSet::new(), "acme/model-7").await? && bus.model_names(&BTreeSet::new()).await?.is_empty()
    );
    bus.keep_model_names(&names(9_999..10_001), Duration::from_millis(1)).await?;
    let other = BTreeSet::from([other]);
    let gone = async || {
        let left = bus.model_names(&other).await?;
        Ok::<_, millrace_bus::BusError>(left.is_empty().then_some(()))
    };
    millrace_testkit::eventually(Duration::from_secs(5), "the names to be forgotten", gone).await?;
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
