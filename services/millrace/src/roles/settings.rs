//! From our settings to those of the crates that speak to the outside.

use std::path::PathBuf;

use anyhow::Context as _;
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{Bus, BusSettings, BusTls};
use millrace_config::{Places, Settings};
use millrace_store::{Prices, Store, StoreSettings};

/// The bus, connected.
pub(crate) async fn bus(settings: &Settings) -> anyhow::Result<Bus> {
    let bus = Bus::connect(bus_settings(settings)).await;
    let bus = bus.with_context(|| format!("cannot use the Redis at {}", settings.redis.url))?;
    match bus.flaws().await {
        Ok(flaws) => flaws.iter().for_each(|flaw| tracing::warn!("{flaw}")),
        // Not every account may ask for that.
        Err(error) => tracing::debug!(%error, "whether Redis is fit is not known"),
    }
    Ok(bus)
}

/// Where the bus is and how it is divided.
pub(crate) fn bus_settings(settings: &Settings) -> BusSettings {
    let redis = &settings.redis;
    BusSettings {
        url: redis.url.expose().to_owned(),
        tls: BusTls {
            ca_file: redis.ca_file.clone(),
            identity: redis.certificate_file.clone().zip(redis.key_file.clone()),
        },
        prefix: redis.prefix.clone(),
        partitions: redis.partitions,
        region: redis.region.clone(),
    }
}

/// The record, with what the fleet costs; it connects when it is first asked.
pub(crate) fn store(settings: &Settings, role: &str) -> anyhow::Result<Store> {
    let database = &settings.database;
    let store = Store::connect(&StoreSettings {
        url: database.url.expose().to_owned(),
        max_connections: database.max_connections,
        acquire_timeout: database.acquire_timeout,
        statement_timeout: Some(database.statement_timeout),
        schema: Some(database.schema.clone()),
        application_name: format!("millrace-{role}"),
    });
    let store = store.with_context(|| format!("cannot use the database {}", database.url))?;
    let prices = settings.cost.prices.iter().map(|(pool, price)| (pool.as_str().into(), *price));
    Ok(store.with_prices(Prices(prices.collect())))
}

/// The blobs.
pub(crate) fn blobs(settings: &Settings) -> anyhow::Result<Blobs> {
    let blobs = &settings.blobs;
    let opened = Blobs::open(&BlobsSettings {
        url: blobs.url.clone(),
        objects: settings.objects.clone(),
        max_blob_bytes: blobs.max_blob.bytes(),
        max_value_bytes: blobs.max_value.bytes(),
        cache_bytes: blobs.cache.bytes(),
        sync: blobs.sync,
    });
    opened.with_context(|| format!("cannot use the blob store {}", blobs.url))
}

/// ONNX Runtime's library: the one that is set, else the one that the set-up script fetched. An absolute path.
pub(crate) fn library(settings: &Settings, places: &Places) -> anyhow::Result<PathBuf> {
    let path = settings.models.ort_library.clone().unwrap_or_else(|| places.ort_library());
    path.canonicalize().with_context(|| {
        format!(
            "no ONNX Runtime at {}; run scripts/setup.sh, or set models.ort_library (ORT_DYLIB_PATH)",
            path.display()
        )
    })
}
