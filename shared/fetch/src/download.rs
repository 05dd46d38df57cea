//! A file from an address.

use std::path::Path;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Response, StatusCode};

use crate::fetcher::{name_of, network, parse};
use crate::keep::{Downloaded, Expected, Opened, Source, keep};
use crate::{FetchError, Fetcher};

/// What is to be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is.
    pub url: String,
    /// What its SHA-256 must be, hex; whatever it is when none.
    pub sha256: Option<String>,
    /// The largest it may be, bytes.
    pub max_bytes: u64,
}

impl Fetcher {
    /// Downloads `wanted` to `file`, unless it is there, as [`keep`] does.
    ///
    /// # Errors
    /// Everything of [`FetchError`] but `Store`.
    pub async fn download(&self, wanted: &Wanted, file: &Path) -> Result<Downloaded, FetchError> {
        let expected = Expected {
            sha256: wanted.sha256.clone(),
            bytes: None,
            max_bytes: wanted.max_bytes,
            retries: self.settings.retries,
        };
        keep(&Address { fetcher: self, url: &wanted.url }, &expected, file).await
    }
}

/// An address as a source.
struct Address<'a> {
    fetcher: &'a Fetcher,
    url: &'a str,
}

impl Source for Address<'_> {
    fn open(&self, have: Option<(u64, String)>) -> BoxFuture<'_, Result<Opened, FetchError>> {
        async move {
            let mut headers = HeaderMap::new();
            if let Some((bytes, tag)) = have
                && let Ok(tag) = HeaderValue::try_from(tag)
            {
                headers.insert(IF_RANGE, tag);
                let range = HeaderValue::try_from(format!("bytes={bytes}-")).expect("digits are a header");
                headers.insert(RANGE, range);
            }
            let answer = match self.fetcher.get(self.url, headers).await {
                // What is there is all there is, or more: begin anew.
                Err(FetchError::Status { status: 416, .. }) => {
                    self.fetcher.get(self.url, HeaderMap::new()).await?
                }
                other => other?,
            };
            let host = name_of(&parse(self.url)?);
            Ok(Opened {
                resumed: answer.status() == StatusCode::PARTIAL_CONTENT,
                tag: tag_of(&answer),
                bytes: answer.content_length(),
                chunks: answer
                    .bytes_stream()
                    .map(move |chunk| chunk.map_err(|error| network(&host, error)))
                    .boxed(),
            })
        }
        .boxed()
    }
}

/// A weak tag does not promise the same bytes (RFC 9110, 13.1.5), so it cannot be resumed by.
fn tag_of(answer: &Response) -> Option<String> {
    let tag = answer.headers().get(ETAG)?.to_str().ok()?;
    (!tag.starts_with("W/")).then(|| tag.to_owned())
}
