//! What the api needs to do its work, as `/readyz` asks after it.

use std::sync::Arc;

use millrace_contracts::BlobId;
use millrace_telemetry::Health;

use crate::state::App;

/// Adds the api's checks. What they say is for operators, without addresses or driver messages.
pub(crate) fn with_checks(health: Health, app: &Arc<App>) -> Health {
    let (redis, postgres, blobs, ending) = (app.clone(), app.clone(), app.clone(), app.shutdown.clone());
    health
        .check("redis", move || {
            let app = redis.clone();
            async move { app.bus.ping().await.map(drop).map_err(|_| "Redis cannot be reached".to_owned()) }
        })
        .check("postgres", move || {
            let app = postgres.clone();
            async move { app.store.ping().await.map(drop).map_err(|_| "Postgres cannot be reached".to_owned()) }
        })
        .check("blobs", move || {
            let app = blobs.clone();
            async move {
                let known = app.blobs.head(BlobId::of(b"")).await;
                known.map(drop).map_err(|_| "the blob store cannot be reached".to_owned())
            }
        })
        .check("api", move || {
            let ending = ending.is_cancelled();
            async move { if ending { Err("shutting down".to_owned()) } else { Ok(()) } }
        })
}
