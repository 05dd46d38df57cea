use anyhow::Result;
use millrace_contracts::{BlobId, UnixMillis};
use millrace_store::{
    BlobRecord, Bounded, KeyHash, KeySecret, ModelRecord, NewApiKey, Prices, StoreError, WorkerRecord,
    WorkerStatus,
};
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
        size_bytes: Some(1_000_000),
        digest: None,
        location: None,
        metadata: json!({}),
        created_at: UnixMillis(0),
        updated_at: UnixMillis(0),
    };
    models.put(&model, 1).await?;
    model.size_bytes = Some(2_000_000);
    models.put(&model, 1).await?;
    let another = ModelRecord { id: "another".into(), ..model.clone() };
    assert!(matches!(
        models.put(&another, 1).await,
        Err(StoreError::Full { what: Bounded::Models, limit: 1 })
    ));
    let stored = models.get(&model.id).await?;
    assert_eq!((stored.labels.clone(), stored.size_bytes), (model.labels.clone(), model.size_bytes));
    assert_eq!(models.list(Some("PES-det"), None, 10).await?.len(), 1);
    assert!(models.list(Some("PES%det"), None, 10).await?.is_empty());
    assert!(models.list(None, Some(&model.id), 10).await?.is_empty());
    // Whatever the collation of the database: by the bytes, as whoever merges them with others does.
    for id in ["a-b", "B", "aa", "Ab"] {
        models.put(&ModelRecord { id: id.into(), ..model.clone() }, 9).await?;
    }
    let after = models.list(None, Some(&"Ab".into()), 3).await?;
    assert_eq!(after.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["B", "a-b", "aa"]);
    model.source = "somewhere".to_owned();
    assert!(matches!(models.put(&model, 1).await, Err(StoreError::Data { .. })));
    models.delete(&model.id).await?;
    assert!(matches!(models.get(&model.id).await, Err(StoreError::NotFound("model"))));
    Ok(())
}

fn heard(id: &str, started_at: i64, last_seen_at: i64, busy_ms: u64) -> WorkerRecord {
    WorkerRecord {
        id: id.into(),
        status: WorkerStatus::Active,
        pools: vec!["fast".into(), "cpu".into()],
        info: json!({"memory_bytes": 5, "devices": ["cpu", "cuda:0"]}),
        version: None,
        started_at: UnixMillis(started_at),
        last_seen_at: UnixMillis(last_seen_at),
        busy_ms,
    }
}

#[tokio::test]
async fn old_news_of_a_worker_changes_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let workers = fixture.store.workers();
    workers.hear(&[heard("w1", 1, 2000, 700)]).await?;
    workers.hear(&[heard("w1", 1, 1000, 300)]).await?;
    assert_eq!(workers.list(10).await?, [heard("w1", 1, 2000, 700)]);
    Ok(())
}

/// 2026-03-10T12:00:00Z, where a slice begins.
const NOON: i64 = 1_773_144_000_000;

#[tokio::test]
async fn a_workers_life_is_kept_in_slices_whoever_tells_it() -> Result<()> {
    let fixture = Fixture::start().await?;
    let prices = Prices(std::collections::BTreeMap::from([("fast".into(), 3.6), ("cpu".into(), 0.36)]));
    let store = fixture.store.clone().with_prices(prices);
    let minutes = |count: i64| NOON + count * 60_000;
    // Two observers tell the same; between the two news lie ten minutes, half of them busy.
    for _ in 0..2 {
        store.workers().hear(&[heard("w1", minutes(-2), minutes(1), 60_000)]).await?;
    }
    store.workers().hear(&[heard("w1", minutes(-2), minutes(11), 360_000)]).await?;
    // Started again under the same name: its counts begin anew, and the time in between was nobody's.
    store.workers().hear(&[heard("w1", minutes(20), minutes(22), 30_000)]).await?;
    let slices: Vec<(i64, i64, i64)> = sqlx::query_as(
        "select (extract(epoch from at) * 1000)::bigint, up_ms, busy_ms from wf_worker_time order by at",
    )
    .fetch_all(&fixture.raw)
    .await?;
    let wanted = [
        (minutes(-5), 120_000, 40_000),
        (NOON, 60_000 + 240_000, 20_000 + 120_000),
        (minutes(5), 300_000, 150_000),
        (minutes(10), 60_000, 30_000),
        (minutes(20), 120_000, 30_000),
    ];
    assert_eq!(slices, wanted);
    // 15 minutes at 3.6 an hour, the dearer of its pools; 6.5 of them busy.
    let (workers, gpu_hours, cost, idle): (i64, f64, f64, f64) = sqlx::query_as(
        "select sum(workers)::bigint, sum(gpu_hours), sum(cost)::float8, sum(idle_cost)::float8 from wf_fleet_hourly",
    )
    .fetch_one(&fixture.raw)
    .await?;
    assert_eq!(workers, 2, "one in each of two hours");
    assert!((gpu_hours - 0.25).abs() < 1e-9 && (cost - 0.9).abs() < 1e-6, "{gpu_hours} {cost}");
    assert!((idle - 0.9 * (15.0 - 6.5) / 15.0).abs() < 1e-6, "{idle}");
    Ok(())
}

#[tokio::test]
async fn who_is_not_listed_any_more_has_left() -> Result<()> {
    let fixture = Fixture::start().await?;
    let workers = fixture.store.workers();
    workers.hear(&["w1", "w2", "w3"].map(|id| heard(id, 1, 2000, 0))).await?;
    workers.close(&["w1".into()], &["w2".into()]).await?;
    let mut status: Vec<_> = workers.list(10).await?.into_iter().map(|worker| worker.status).collect();
    status.sort_by_key(|status| status.as_str());
    assert_eq!(status, [WorkerStatus::Active, WorkerStatus::Lost, WorkerStatus::Stopped]);
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
        hash: KeySecret::generate().hash(),
        scopes: vec!["run".to_owned(), "read".to_owned()],
    };
    let id = keys.create(&key).await?;
    assert!(matches!(keys.create(&key).await, Err(StoreError::Conflict { .. })));
    let odd = NewApiKey { scopes: vec!["everything".to_owned()], hash: KeyHash([1; 32]), ..key.clone() };
    assert!(matches!(keys.create(&odd).await, Err(StoreError::Data { .. })));
    assert_eq!(keys.find(&key.hash).await?.map(|found| found.id), Some(id));
    assert!(keys.find(&key.hash).await?.is_some_and(|found| found.last_used_at.is_some()));
    assert_eq!(keys.get(id).await?.scopes, ["run", "read"]);
    keys.revoke(id).await?;
    assert!(keys.get(id).await?.revoked_at.is_some());
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
