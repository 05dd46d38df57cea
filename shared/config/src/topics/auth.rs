//! `[auth]`: who may call the api, from where, and how often.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// Who may call the api, from where, and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// How long an api key that was found good is taken for good without asking the database: a key revoked on another
    /// replica is good for so long.
    #[serde(with = "crate::span")]
    pub key_freshness: Duration,
    /// Requests per second of one key; more get 429 with Retry-After.
    pub requests_per_second: u32,
    /// Requests that a key may make at once after a pause.
    pub burst: u32,
    /// How long a browser stays logged in.
    #[serde(with = "crate::span")]
    pub session: Duration,
    /// How long a `?token=` may open an event stream; the stream itself may go on.
    #[serde(with = "crate::span")]
    pub stream_token: Duration,
    /// Signs sessions and stream tokens. The same text for all replicas, of 32 characters or more. When unset, each
    /// process makes one up: sessions end with it, and hold on that replica only.
    pub signing_secret: Option<Secret<String>>,
    /// Sites whose pages may call the api, such as `https://console.example.com`.
    pub allowed_origins: Vec<String>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            key_freshness: Duration::from_secs(5),
            requests_per_second: 1_000,
            burst: 2_000,
            session: Duration::from_secs(12 * 3_600),
            stream_token: Duration::from_secs(60),
            signing_secret: None,
            allowed_origins: Vec::new(),
        }
    }
}
