//! What a role that runs alone answers about itself: one check for each thing that it cannot work without.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use millrace_blobs::Blobs;
use millrace_bus::Bus;
use millrace_store::Store;
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use millrace_telemetry::Health;
use millrace_worker::Phase;

use super::Alone;

/// What every role works with.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) bus: Bus,
    pub(crate) blobs: Blobs,
}

/// Serves `/healthz`, `/readyz` and `/metrics` on `listen`, if that is set, until `alone`'s end, for a role that uses the record.
pub(crate) async fn serve_own_health(
    listen: Option<SocketAddr>,
    alone: &Alone,
    outside: Outside,
    store: Store,
) -> anyhow::Result<Supervisor> {
    let health = with_record(with_outside(Health::new(Some(alone.metrics.clone())), outside), store);
    Ok(serve(listen, alone, health).await?.0)
}

/// The same for a worker, which is ready once its models are; those that it runs are in `folder`. Says where it listens, too.
pub(crate) async fn serve_worker_health(
    listen: Option<SocketAddr>,
    alone: &Alone,
    outside: Outside,
    (phase, folder): (Phase, Option<PathBuf>),
) -> anyhow::Result<(Supervisor, Option<SocketAddr>)> {
    let health = with_outside(Health::new(Some(alone.metrics.clone())), outside);
    let health = with_models(health, folder).check("jobs", move || {
        let phase = phase.clone();
        async move {
            if phase.is_ready() { Ok(()) } else { Err(format!("the worker is {}", phase.as_str())) }
        }
    });
    serve(listen, alone, health).await
}

/// Whether the folder of models is there; what to do otherwise.
///
/// # Errors
/// In words for operators.
pub(crate) async fn look_for_models(folder: &Path) -> Result<(), String> {
    match tokio::fs::metadata(folder).await {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        _ => Err(format!("there is no models folder {}; set models.dir to one", folder.display())),
    }
}

fn with_outside(health: Health, Outside { bus, blobs }: Outside) -> Health {
    health
        .check("redis", move || {
            let bus = bus.clone();
            async move { bus.ping().await.map(|_| ()).map_err(|fault| fault.to_string()) }
        })
        .check("blobs", move || {
            let blobs = blobs.clone();
            async move { blobs.reach().await.map_err(|fault| fault.to_string()) }
        })
}

fn with_record(health: Health, store: Store) -> Health {
    let tables = store.clone();
    health
        .check("postgres", move || {
            let store = store.clone();
            async move { store.ping().await.map(|_| ()).map_err(|fault| fault.to_string()) }
        })
        .check("tables", move || {
            let store = tables.clone();
            async move {
                // Where Postgres does not answer, that is what is the matter.
                match store.is_migrated().await {
                    Ok(false) => Err("the tables are not up to date; run `millrace migrate`".to_owned()),
                    _ => Ok(()),
                }
            }
        })
}

fn with_models(health: Health, folder: Option<PathBuf>) -> Health {
    let Some(folder) = folder else { return health };
    health.check("models.dir", move || {
        let folder = folder.clone();
        async move { look_for_models(&folder).await }
    })
}

async fn serve(
    listen: Option<SocketAddr>,
    alone: &Alone,
    health: Health,
) -> anyhow::Result<(Supervisor, Option<SocketAddr>)> {
    let supervisor = Supervisor::under(&alone.shutdown);
    let Some(listen) = listen else { return Ok((supervisor, None)) };
    let listener = tokio::net::TcpListener::bind(listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {listen} for health"))?;
    // With the port that was picked, where 0 was asked for.
    let address = listener.local_addr()?;
    tracing::info!(health.listen = %address, "health routes are up");
    let served = millrace_telemetry::serve_health(listener, health, supervisor.token());
    supervisor.spawn(TaskKind::new("health", OnError::Log, OnCancel::Abort), served);
    Ok((supervisor, Some(address)))
}

#[cfg(test)]
mod tests {
    use millrace_blobs::BlobsSettings;
    use millrace_bus::BusSettings;
    use millrace_store::StoreSettings;
    use millrace_testkit::{TestPostgres, TestRedis, test_folder};

    use super::*;

    async fn missing(health: &Health) -> Vec<&'static str> {
        health.missing().await.into_iter().map(|(what, _)| what).collect()
    }

    #[tokio::test]
    async fn a_role_misses_its_tables_its_blobs_and_its_models() -> anyhow::Result<()> {
        let (redis, postgres, folder) =
            (TestRedis::start().await?, TestPostgres::start().await?, test_folder()?);
        let (blobs, models) = (folder.path().join("blobs"), folder.path().join("models"));
        let store = Store::connect(&StoreSettings::new(postgres.url()))?;
        let outside = Outside {
            bus: Bus::connect(BusSettings::new(redis.url())).await?,
            blobs: Blobs::open(&BlobsSettings::new(blobs.display().to_string()))?,
        };
        let health = with_models(with_outside(Health::new(None), outside), Some(models.clone()));
        let health = with_record(health, store.clone());
        assert_eq!(missing(&health).await, ["models.dir", "tables"]);
        std::fs::create_dir(&models)?;
        store.migrate().await?;
        assert_eq!(missing(&health).await, [""; 0]);
        std::fs::remove_dir_all(&blobs)?;
        assert_eq!(missing(&health).await, ["blobs"]);
        Ok(())
    }
}
