//! Qdrant itself, where `QDRANT_URL` names one.

use std::time::Duration;

use millrace_vectors::{Backend, Query, Service, StoreSettings, VectorError, VectorStores};
use serde_json::{Map, json};

#[tokio::test]
async fn qdrant_finds_what_is_near() -> anyhow::Result<()> {
    let Ok(url) = std::env::var("QDRANT_URL") else {
        eprintln!("not run: QDRANT_URL names no Qdrant");
        return Ok(());
    };
    drop(rustls::crypto::ring::default_provider().install_default());
    let key = std::env::var("QDRANT_API_KEY").ok();
    let client = reqwest::Client::new();
    let keyed = |request: reqwest::RequestBuilder| match &key {
        Some(key) => request.header("api-key", key),
        None => request,
    };
    let name = format!("millrace-{}", uuid::Uuid::new_v4().simple());
    let at = format!("{url}/collections/{name}");
    let make = json!({"vectors": {"size": 2, "distance": "Cosine"}});
    keyed(client.put(&at).json(&make)).send().await?.error_for_status()?;
    let points = json!({"points": [
        {"id": 1, "vector": [1.0, 0.0], "payload": {"kind": "cat"}},
        {"id": 2, "vector": [0.9, 0.1], "payload": {"kind": "dog"}},
        {"id": 3, "vector": [0.0, 1.0], "payload": {"kind": "cat"}},
    ]});
    keyed(client.put(format!("{at}/points?wait=true")).json(&points)).send().await?.error_for_status()?;

    let stores = VectorStores::new(StoreSettings {
        collections: None,
        qdrant: Some(Service { url, key: key.clone() }),
        timeout: Duration::from_secs(10),
        max_answer_bytes: 1 << 20,
    });
    let query = Query {
        collection: name,
        vector: vec![2.0, 0.0],
        top_k: 2,
        min_score: Some(0.5),
        filter: Map::new(),
    };
    let found = stores.search(Backend::Qdrant, &query).await?;
    assert_eq!(found.iter().map(|one| one.id.as_u64()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert!((found[0].score - 1.0).abs() < 1e-4 && found[0].payload["kind"] == "cat", "{found:?}");
    let filter = Map::from_iter([("kind".to_owned(), json!("dog"))]);
    let dogs = stores.search(Backend::Qdrant, &Query { filter, ..query.clone() }).await?;
    assert_eq!(dogs.len(), 1);
    let long = Query { vector: vec![1.0, 0.0, 0.0], ..query.clone() };
    let refused = stores.search(Backend::Qdrant, &long).await;
    assert!(matches!(refused, Err(VectorError::Vector(_))), "{refused:?}");
    let nowhere = Query { collection: "nobody's".to_owned(), ..query };
    let refused = stores.search(Backend::Qdrant, &nowhere).await;
    assert!(matches!(refused, Err(VectorError::UnknownCollection(_))), "{refused:?}");
    keyed(client.delete(&at)).send().await?.error_for_status()?;
    Ok(())
}
