//! `[io]`: what workers do with the world outside: pictures by URL, and webhooks.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ByteSize, Secret};

/// What workers do with the world outside: pictures by URL, and webhooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Io {
    /// Jobs of the pool `io` in hand at once, beside `worker.concurrency`: they wait for others and hold no thread.
    pub concurrency: usize,
    /// Hosts that may be reached although their addresses are not public.
    pub allowed_hosts: Vec<String>,
    /// Whether every address may be reached, private ones too: for networks without strangers only.
    pub allow_private: bool,
    /// Largest picture that is fetched by URL.
    pub max_picture: ByteSize,
    /// Longest that fetching one picture may take.
    #[serde(with = "crate::span")]
    pub picture_timeout: Duration,
    /// Most of a webhook's answer that is read.
    pub max_answer: ByteSize,
    /// Secrets by name. Webhooks sign with them and send them as headers; a workflow only ever names them.
    pub secrets: BTreeMap<String, Secret<String>>,
}

impl Default for Io {
    fn default() -> Self {
        Self {
            concurrency: 64,
            allowed_hosts: Vec::new(),
            allow_private: false,
            max_picture: ByteSize::mib(32),
            picture_timeout: Duration::from_secs(20),
            max_answer: ByteSize::mib(1),
            secrets: BTreeMap::new(),
        }
    }
}
