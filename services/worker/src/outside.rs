//! The world outside, as blocks may reach it: by guarded addresses, within bounds, with secrets by name.

use std::time::Duration;

use millrace_config::{BaseUrl, Io, Secret};
use millrace_contracts::{ErrorKind, JobError};
use millrace_fetch::{FetchError, FetchSettings, Fetcher};
use millrace_vectors::{Service, StoreSettings, VectorStores};

/// The way out. One per worker.
pub(crate) struct Outside {
    pub(crate) fetcher: Fetcher,
    /// The operator's own services: no guard stands between.
    pub(crate) vectors: VectorStores,
    settings: Io,
}

impl Outside {
    pub(crate) fn new(settings: Io) -> Self {
        let fetching = FetchSettings {
            allowed_hosts: settings.allowed_hosts.clone(),
            allow_private: settings.allow_private,
            ..FetchSettings::default()
        };
        Self { fetcher: Fetcher::new(fetching), vectors: VectorStores::new(vectors(&settings)), settings }
    }

    /// Largest picture that is fetched, bytes.
    pub(crate) fn max_picture_bytes(&self) -> u64 {
        self.settings.max_picture.bytes()
    }

    /// Longest that fetching one picture may take.
    pub(crate) fn picture_timeout(&self) -> Duration {
        self.settings.picture_timeout
    }

    /// Where others reach the api, if that is known.
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.settings.public_url.as_ref().map(BaseUrl::as_str)
    }

    /// Most of an answer that is read, bytes.
    pub(crate) fn max_answer_bytes(&self) -> u64 {
        self.settings.max_answer.bytes()
    }

    /// The secret of this name; `pointer` is where the workflow names it.
    pub(crate) fn secret(&self, name: &str, pointer: &str) -> Result<&str, JobError> {
        let secret = self.settings.secrets.get(name).map(|secret| secret.expose().as_str());
        secret.ok_or_else(|| {
            let message = format!("there is no secret {name:?}; an operator adds it to `io.secrets`");
            JobError::new(ErrorKind::InvalidConfig, message).at(pointer)
        })
    }
}

/// The vector stores that the settings name.
fn vectors(io: &Io) -> StoreSettings {
    let service = |url: &Option<String>, key: &Option<Secret<String>>| {
        let key = key.as_ref().map(|key| key.expose().clone());
        url.clone().map(|url| Service { url, key })
    };
    StoreSettings {
        collections: service(&io.collections_url, &io.collections_key),
        qdrant: service(&io.qdrant_url, &io.qdrant_key),
        timeout: io.search_timeout,
        max_answer_bytes: io.max_matches.bytes(),
    }
}

/// A fault of going out as a job's error. What only the other side can mend is of kind `NETWORK`.
pub(crate) fn of_fetch(error: &FetchError) -> JobError {
    let kind = match error {
        FetchError::Network { .. } | FetchError::Status { .. } | FetchError::Redirects { .. } => {
            ErrorKind::Network
        }
        FetchError::Disk(_) => ErrorKind::Internal,
        _ => ErrorKind::InvalidInput,
    };
    JobError { retryable: error.is_retryable(), ..JobError::new(kind, error.to_string()) }
}
