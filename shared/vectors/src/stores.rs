//! Which stores there are, and what is asked of them.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::exchange::Exchange;
use crate::{VectorError, collections, qdrant};

/// Where a service is.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    /// Its address, `http://127.0.0.1:6333`.
    pub url: String,
    /// The key that it asks for.
    pub key: Option<String>,
}

/// Without the key.
impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The services that the operator has named, and their bounds.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Millrace's own collections: the api.
    pub collections: Option<Service>,
    /// Qdrant.
    pub qdrant: Option<Service>,
    /// Longest that an answer may take.
    pub timeout: Duration,
    /// Most of an answer that is read, bytes.
    pub max_answer_bytes: u64,
}

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Millrace's own collections.
    Collections,
    /// Qdrant.
    Qdrant,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Where.
    pub collection: String,
    /// The vector to be near to: finite numbers.
    pub vector: Vec<f64>,
    /// No more than so many.
    pub top_k: u32,
    /// Only those that are at least so near.
    pub min_score: Option<f64>,
    /// Only those whose payload has these values.
    pub filter: Map<String, Value>,
}

/// A point that is near.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// The point: a text, or a number where the store has numbers.
    pub id: Value,
    /// How near; larger is nearer.
    pub score: f64,
    /// What is known of it; null where that is nothing.
    #[serde(default)]
    pub payload: Value,
}

/// The stores. One per process.
#[derive(Debug)]
pub struct VectorStores {
    settings: StoreSettings,
    /// Made for the first question: a process that asks none needs no TLS provider.
    client: OnceLock<Client>,
}

impl VectorStores {
    /// These stores. The process installs a TLS provider of `rustls` before the first question.
    #[must_use]
    pub fn new(settings: StoreSettings) -> Self {
        Self { settings, client: OnceLock::new() }
    }

    /// The nearest points, the nearest first.
    ///
    /// # Errors
    /// Everything of [`VectorError`].
    pub async fn search(&self, backend: Backend, query: &Query) -> Result<Vec<Match>, VectorError> {
        let Self { settings, .. } = self;
        let (service, what, setting) = match backend {
            Backend::Collections => (&settings.collections, "api", "io.collections_url"),
            Backend::Qdrant => (&settings.qdrant, "Qdrant", "io.qdrant_url"),
        };
        let service = service.as_ref().ok_or(VectorError::NotConfigured { what, setting })?;
        let exchange = Exchange {
            client: self.client()?,
            service,
            timeout: settings.timeout,
            max_answer_bytes: settings.max_answer_bytes,
        };
        match backend {
            Backend::Collections => collections::search(&exchange, query).await,
            Backend::Qdrant => qdrant::search(&exchange, query).await,
        }
    }

    fn client(&self) -> Result<&Client, VectorError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // The operator has named the addresses: neither proxies of the environment nor redirects lead elsewhere.
        let client = Client::builder().no_proxy().redirect(Policy::none()).build();
        let client = client.map_err(|error| VectorError::Unreachable(error.to_string()))?;
        Ok(self.client.get_or_init(|| client))
    }
}
