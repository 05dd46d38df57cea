//! What keeps a private instance, such as that of `millrace bench`, apart from others that the same file and environment name.

use millrace_config::{Loaded, Origin};

/// The settings that say which servers, folders and addresses an instance uses: what is private has its own.
pub(crate) const OF_ITS_OWN: [&str; 7] = [
    "redis.url",
    "database.url",
    "blobs.url",
    "models.downloads",
    "models.memory_facts",
    "worker.health_listen",
    "telemetry.otlp_endpoint",
];

/// What goes with `redis.url`, and is a fault beside that of a private Redis.
pub(crate) const OF_ITS_REDIS: [&str; 3] = ["redis.ca_file", "redis.certificate_file", "redis.key_file"];

/// Forgets what is shared with others, but for what a layer says whose word `is_meant`.
pub(crate) fn share_nothing(loaded: &mut Loaded, is_meant: fn(&Origin) -> bool) {
    for key in OF_ITS_OWN {
        if !loaded.origins.get(key).is_some_and(is_meant) {
            loaded.forget(key);
        }
    }
    if !loaded.is_set("redis.url") {
        OF_ITS_REDIS.iter().for_each(|key| loaded.forget(key));
    }
}
