//! The parts of `millrace up`: what it starts, watches, and takes down again.

pub(crate) mod endpoints;
pub(crate) mod readiness;
pub(crate) mod first_key;
pub(crate) mod servers;
pub(crate) mod workers;

/// The settings that say which servers and folders an instance uses: what is private has its own.
pub(crate) const OF_ITS_OWN: [&str; 4] = ["redis.url", "database.url", "blobs.url", "models.downloads"];
