//! `[redis]`: the bus.

use serde::{Deserialize, Serialize};

use crate::SecretUrl;

/// The bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// Where Redis is. `REDIS_URL` is honoured. A password in it is never printed.
    pub url: SecretUrl,
    /// First part of every key.
    pub prefix: String,
    /// Shards that runs spread over; must be the same in every process and never change on live data.
    pub partitions: u16,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379/".parse().expect("the default URL is well-formed"),
            prefix: "mr".to_owned(),
            partitions: 16,
        }
    }
}
