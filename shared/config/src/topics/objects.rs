//! `[objects]`: how object stores are reached.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// How object stores are reached, where `blobs.url` or `models.dir` names one (`s3://bucket/prefix`). Without a key here, the
/// usual variables are read (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL`, …) and the machine's role is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Objects {
    /// Address of a store other than Amazon's.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Whether the bucket stands in the path of addresses, as most stores other than Amazon's want it, or before the host.
    pub path_style: bool,
    /// The key.
    pub access_key_id: Option<String>,
    /// The secret of the key.
    pub secret_access_key: Option<Secret<String>>,
    /// Longest wait for a connection.
    #[serde(with = "crate::span")]
    pub connect_timeout: Duration,
    /// Longest silence within an answer.
    #[serde(with = "crate::span")]
    pub read_timeout: Duration,
    /// How long a request that failed is tried again.
    #[serde(with = "crate::span")]
    pub retry_for: Duration,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            path_style: true,
            access_key_id: None,
            secret_access_key: None,
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(30),
            retry_for: Duration::from_secs(10),
        }
    }
}
