//! The world outside, as blocks may reach it: by guarded addresses, within bounds, with secrets by name.

use std::time::Duration;

use millrace_config::Io;
use millrace_contracts::{ErrorKind, JobError};
use millrace_fetch::{FetchError, FetchSettings, Fetcher};

/// The way out. One per worker.
pub(crate) struct Outside {
    pub(crate) fetcher: Fetcher,
    settings: Io,
}

impl Outside {
    pub(crate) fn new(settings: Io) -> Self {
        let fetching = FetchSettings {
            allowed_hosts: settings.allowed_hosts.clone(),
            allow_private: settings.allow_private,
            ..FetchSettings::default()
        };
        Self { fetcher: Fetcher::new(fetching), settings }
    }

    /// Largest picture that is fetched, bytes.
    pub(crate) fn max_picture_bytes(&self) -> u64 {
        self.settings.max_picture.bytes()
    }

    /// Longest that fetching one picture may take.
    pub(crate) fn picture_timeout(&self) -> Duration {
        self.settings.picture_timeout
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
