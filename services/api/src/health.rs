//! What the api needs to do its work, as `/readyz` asks after it.

use std::sync::Arc;

use millrace_telemetry::Health;

use crate::state::App;

/// Adds the api's checks. What they say is for operators, without addresses or driver messages.
pub(crate) fn with_checks(health: Health, app: &Arc<App>) -> Health {
    let (redis, postgres, tables, blobs) = (app.clone(), app.clone(), app.clone(), app.clone());
    let ending = app.shutdown.clone();
    health
        .check("redis", move || {
            let app = redis.clone();
            async move { app.bus.ping().await.map(drop).map_err(|_| "Redis cannot be reached".to_owned()) }
        })
        .check("postgres", move || {
            let app = postgres.clone();
            async move { app.store.ping().await.map(drop).map_err(|_| "Postgres cannot be reached".to_owned()) }
        })
        .check("tables", move || {
            let app = tables.clone();
            async move {
                // Where Postgres does not answer, that is what is the matter.
                match app.store.is_migrated().await {
                    Ok(false) => Err("the tables are not up to date; run `millrace migrate`".to_owned()),
                    _ => Ok(()),
                }
            }
        })
        .check("blobs", move || {
            let app = blobs.clone();
            async move { app.blobs.reach().await.map_err(|_| "the blob store cannot be reached".to_owned()) }
        })
        .check("api", move || {
            let ending = ending.is_cancelled();
            async move { if ending { Err("shutting down".to_owned()) } else { Ok(()) } }
        })
}
