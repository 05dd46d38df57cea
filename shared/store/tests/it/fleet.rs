use anyhow::Result;
use millrace_contracts::{BlobId, UnixMillis};
use millrace_store::{BlobRecord, ModelRecord, NewApiKey, StoreError, WorkerRecord, WorkerStatus};
use serde_json::json;

use crate::support::Fixture;

#[tokio::test]
async fn models_are_registered_replaced_and_removed() -> Result<()> {
    let fixture = Fixture::start().await?;
    let models = fixture.store.models();
    let mut model = ModelRecord {
        id: "shapes-detector".into(),
        source: "pretrained".to_owned(),
        family: Some("yolo".to_owned()),
        task: "detection".to_owned(),
        labels: vec!["circle".to_owned(), "square".to_owned()],
        input_size: Some(json!([640, 640])),
        size_bytes: Some(1_000_000),
        digest: None,
        location: None,
        metadata: json!({}),
        created_at: UnixMillis(0),
        updated_at: UnixMillis(0),
    };
    models.put(&model).await?;
    model.size_bytes = Some(2_000_000);
    models.put(&model).await?;
    let stored = models.get(&model.id).await?;
    assert_eq!((stored.labels.clone(), stored.size_bytes), (model.labels.clone(), model.size_bytes));
    assert_eq!(models.list(Some("detection"), None, 10).await?.len(), 1);
    assert!(models.list(None, Some(&model.id), 10).await?.is_empty());
    model.source = "somewhere".to_owned();
    assert!(matches!(models.put(&model).await, Err(StoreError::Data { .. })));
    models.delete(&model.id).await?;
    assert!(matches!(models.get(&model.id).await, Err(StoreError::NotFound("model"))));
    Ok(())
}

#[tokio::test]
async fn old_news_of_a_worker_changes_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let heard = |status, at| WorkerRecord {
        id: "w1".into(),
        status,
        pools: vec!["fast".into()],
        info: json!({"memory_bytes": 5}),
        version: None,
        started_at: UnixMillis(1),
        last_seen_at: UnixMillis(at),
    };
    fixture.store.workers().put(&heard(WorkerStatus::Lost, 2000)).await?;
    fixture.store.workers().put(&heard(WorkerStatus::Active, 1000)).await?;
    let workers = fixture.store.workers().list(10).await?;
    assert_eq!(workers, [heard(WorkerStatus::Lost, 2000)]);
    Ok(())
}

#[tokio::test]
async fn keys_are_found_by_hash_until_they_are_revoked() -> Result<()> {
    let fixture = Fixture::start().await?;
    let keys = fixture.store.api_keys();
    assert!(!keys.any().await?);
    let key = NewApiKey {
        name: "ci".to_owned(),
        prefix: "mr_abcd".to_owned(),
        hash: *BlobId::of(b"mr_abcdef").digest(),
        scopes: vec!["run".to_owned(), "read".to_owned()],
    };
    let id = keys.create(&key).await?;
    assert!(matches!(keys.create(&key).await, Err(StoreError::Conflict { .. })));
    let odd = NewApiKey { scopes: vec!["everything".to_owned()], hash: [1; 32], ..key.clone() };
    assert!(matches!(keys.create(&odd).await, Err(StoreError::Data { .. })));
    assert_eq!(keys.find(&key.hash).await?.map(|found| found.id), Some(id));
    assert!(keys.find(&key.hash).await?.is_some_and(|found| found.last_used_at.is_some()));
    keys.revoke(id).await?;
    assert_eq!(keys.find(&key.hash).await?, None);
    assert!(keys.list(10).await?[0].revoked_at.is_some());
    assert!(!keys.any().await?);
    Ok(())
}

#[tokio::test]
async fn blobs_are_noted_once() -> Result<()> {
    let fixture = Fixture::start().await?;
    let blob = BlobRecord {
        id: BlobId::of(b"pixels"),
        size_bytes: 6,
        media_type: Some("image/jpeg".to_owned()),
        width: Some(4),
        height: Some(3),
        created_at: UnixMillis(0),
    };
    fixture.store.blobs().put(&blob).await?;
    fixture.store.blobs().put(&BlobRecord { media_type: None, ..blob.clone() }).await?;
    let stored = fixture.store.blobs().get(blob.id).await?;
    assert_eq!((stored.media_type, stored.width), (blob.media_type, blob.width));
    Ok(())
}
