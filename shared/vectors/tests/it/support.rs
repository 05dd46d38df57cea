//! Stores to ask, and servers of this machine that play them.

use std::time::Duration;

use axum::Router;
use millrace_vectors::{Query, Service, StoreSettings, VectorStores};
use serde_json::Map;

/// Serves these routes on this machine; the address.
pub(crate) async fn serve(routes: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// Both kinds of store at one address, with a short patience and small answers.
pub(crate) fn stores(url: &str) -> VectorStores {
    // Refused where another test of this process was first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let service = |key: &str| Some(Service { url: url.to_owned(), key: Some(key.to_owned()) });
    VectorStores::new(StoreSettings {
        collections: service("mr_ours"),
        qdrant: service("theirs"),
        timeout: Duration::from_millis(500),
        max_answer_bytes: 4_096,
    })
}

/// What is near to (1, 0.5).
pub(crate) fn query(collection: &str) -> Query {
    let (collection, vector) = (collection.to_owned(), vec![1.0, 0.5]);
    Query { collection, vector, top_k: 3, min_score: None, filter: Map::new() }
}
