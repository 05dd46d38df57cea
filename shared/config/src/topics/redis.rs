//! `[redis]`: the bus.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::SecretUrl;

/// The bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// Where Redis is: `redis://`, `rediss://` for TLS, or `redis+unix://`. `REDIS_URL` is honoured. A password in it is never
    /// printed.
    pub url: SecretUrl,
    /// For a `rediss://` whose certificate none of the public authorities signed: the certificates of those who did, a PEM file.
    pub ca_file: Option<PathBuf>,
    /// What is shown to a `rediss://` that asks for certificates: the chain, a PEM file.
    pub certificate_file: Option<PathBuf>,
    /// The private key of that certificate, a PEM file.
    pub key_file: Option<PathBuf>,
    /// First part of every key.
    pub prefix: String,
    /// Shards that runs spread over; must be the same in every process and never change on live data.
    pub partitions: u16,
    /// What the region is called that this Redis serves, where there are several, each with a bus of its own and one record: runs
    /// that are accepted here say so, and so do their events.
    pub region: Option<String>,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379/".parse().expect("the default URL is well-formed"),
            ca_file: None,
            certificate_file: None,
            key_file: None,
            prefix: "mr".to_owned(),
            partitions: 16,
            region: None,
        }
    }
}
