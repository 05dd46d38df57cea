//! `[io]`: what workers do with the world outside: pictures by URL, webhooks, and vector stores.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{BaseUrl, ByteSize, Secret};

/// What workers do with the world outside: pictures by URL, webhooks, and vector stores.
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
    /// Where others reach the api: webhooks and call-backs give the addresses of pictures under it, relative ones when absent.
    pub public_url: Option<BaseUrl>,
    /// Most of a webhook's answer that is read.
    pub max_answer: ByteSize,
    /// Where similarity_search finds the collections: the address of an api. `millrace up` names its own.
    pub collections_url: Option<String>,
    /// The api key for it, with the scope `read`; wanted where the api asks for keys. `millrace up` makes one up.
    pub collections_key: Option<Secret<String>>,
    /// The Qdrant that similarity_search asks where its `backend` is qdrant.
    pub qdrant_url: Option<String>,
    /// The key that it asks for.
    pub qdrant_key: Option<Secret<String>>,
    /// Longest that a vector store may take to answer.
    #[serde(with = "crate::span")]
    pub search_timeout: Duration,
    /// Most of its answer that is read.
    pub max_matches: ByteSize,
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
            public_url: None,
            max_answer: ByteSize::mib(1),
            collections_url: None,
            collections_key: None,
            qdrant_url: None,
            qdrant_key: None,
            search_timeout: Duration::from_secs(10),
            max_matches: ByteSize::mib(32),
            secrets: BTreeMap::new(),
        }
    }
}
