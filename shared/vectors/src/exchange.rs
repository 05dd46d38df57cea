//! One question to a service, and its answer within bounds.

use std::time::Duration;

use millrace_fetch::{FetchError, read};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;
use url::Url;

use crate::{Match, Service, VectorError};

/// Longest part of a service's own words that is handed on, characters.
const MOST_WORDS: usize = 300;

/// The means to ask.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a Client,
    pub(crate) service: &'a Service,
    pub(crate) timeout: Duration,
    pub(crate) max_answer_bytes: u64,
}

impl Exchange<'_> {
    /// A question to the service's `path`; the names in it are escaped.
    pub(crate) fn question(&self, path: &[&str], body: &Value) -> Result<RequestBuilder, VectorError> {
        let wrong = || VectorError::Unreachable("its address in the settings is none".to_owned());
        let mut url = Url::parse(&self.service.url).map_err(|_| wrong())?;
        url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend(path);
        Ok(self.client.post(url).json(body))
    }

    /// Asks; the answer's status and JSON, null where it is none. Who is too busy, or refuses the key, gives no answer.
    pub(crate) async fn ask(&self, question: RequestBuilder) -> Result<(StatusCode, Value), VectorError> {
        let asked = tokio::time::timeout(self.timeout, self.exchange(question)).await;
        let (status, body) = asked.map_err(|_| VectorError::TimedOut(self.timeout))??;
        match status.as_u16() {
            429 | 500.. => Err(VectorError::Unreachable(format!("it answered {status}"))),
            401 | 403 => Err(VectorError::Forbidden(status.as_u16())),
            _ => Ok((status, body)),
        }
    }

    async fn exchange(&self, question: RequestBuilder) -> Result<(StatusCode, Value), VectorError> {
        let answer = question.send().await;
        let answer = answer.map_err(|error| VectorError::Unreachable(chain(&error.without_url())))?;
        let status = answer.status();
        let body = read(answer, self.max_answer_bytes).await.map_err(|error| match error {
            FetchError::TooLarge { limit } => VectorError::TooLarge { limit },
            other => VectorError::Unreachable(other.to_string()),
        })?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

/// The matches that `found` holds.
pub(crate) fn matches(found: Value) -> Result<Vec<Match>, VectorError> {
    serde_json::from_value(found).map_err(|error| VectorError::Answer(error.to_string()))
}

/// What a service said, cut short.
pub(crate) fn words(text: Option<&str>) -> String {
    text.unwrap_or("without a word").chars().take(MOST_WORDS).collect()
}

/// An error with its causes, which say what happened.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}
