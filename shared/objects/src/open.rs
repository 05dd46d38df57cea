//! From a bucket's URL and the settings to a store.

use std::sync::Arc;
use std::time::Duration;

use millrace_config::{BucketUrl, Objects};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig};

use reqwest as _;

use crate::ObjectsError;

/// The first pause before a request is sent again; later ones grow.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A large object takes as long as it takes, as long as some of it comes.
const LONGEST_REQUEST: Duration = Duration::from_secs(3600);
/// The time sets the bound, not the number.
const MOST_RETRIES: usize = 100;

/// What lies below `url`. Asks nobody.
///
/// # Errors
/// [`ObjectsError::Settings`] when the settings cannot be used.
pub fn open(url: &BucketUrl, settings: &Objects) -> Result<Arc<dyn ObjectStore>, ObjectsError> {
    // Variables of the environment must not be mixed with a key of the settings: a session's token belongs to another key.
    let mut builder = match (&settings.access_key_id, &settings.secret_access_key) {
        (Some(key), Some(secret)) => {
            AmazonS3Builder::new().with_access_key_id(key).with_secret_access_key(secret.expose())
        }
        _ => AmazonS3Builder::from_env(),
    };
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    let times = [
        (ClientConfigKey::ConnectTimeout, settings.connect_timeout),
        (ClientConfigKey::ReadTimeout, settings.read_timeout),
        (ClientConfigKey::Timeout, LONGEST_REQUEST),
    ];
    for (key, time) in times {
        // One by one: what the environment says of the client stays as it is.
        builder = builder.with_config(AmazonS3ConfigKey::Client(key), format!("{}ms", time.as_millis()));
    }
    let retry = RetryConfig {
        backoff: BackoffConfig { init_backoff: SHORTEST_PAUSE, max_backoff: LONGEST_PAUSE, base: 2.0 },
        max_retries: MOST_RETRIES,
        retry_timeout: settings.retry_for,
    };
    let store = builder
        .with_retry(retry)
        .with_virtual_hosted_style_request(!settings.path_style)
        .with_bucket_name(&url.bucket)
        .build()
        .map_err(|error| ObjectsError::Settings { address: url.to_string(), detail: error.to_string() })?;
    Ok(if url.prefix.is_empty() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, url.prefix.as_str()))
    })
}
