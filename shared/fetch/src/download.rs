//! A file from an address.

use std::path::Path;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
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
            let have = have.and_then(|(bytes, tag)| Some((bytes, HeaderValue::try_from(tag).ok()?)));
            let answer = match have {
                Some((bytes, tag)) => self.rest(bytes, tag).await?,
                None => self.fetcher.get(self.url, HeaderMap::new()).await?,
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

impl Address<'_> {
    /// What follows the first so many bytes, if it is still what `tag` names; else, or where something else comes, all of it.
    async fn rest(&self, bytes: u64, tag: HeaderValue) -> Result<Response, FetchError> {
        let range = HeaderValue::try_from(format!("bytes={bytes}-")).expect("digits are a header");
        let headers = HeaderMap::from_iter([(IF_RANGE, tag), (RANGE, range)]);
        match self.fetcher.get(self.url, headers).await {
            // A cache on the way may answer with another range than it was asked for (RFC 9110, 15.3.7).
            Ok(answer)
                if answer.status() != StatusCode::PARTIAL_CONTENT || begins_at(&answer) == Some(bytes) =>
            {
                Ok(answer)
            }
            // What is there is all there is, or more: begin anew.
            Ok(_) | Err(FetchError::Status { status: 416, .. }) => {
                self.fetcher.get(self.url, HeaderMap::new()).await
            }
            Err(error) => Err(error),
        }
    }
}

/// The first byte of the range that an answer holds.
fn begins_at(answer: &Response) -> Option<u64> {
    let range = answer.headers().get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}

/// A weak tag does not promise the same bytes (RFC 9110, 13.1.5), so it cannot be resumed by.
fn tag_of(answer: &Response) -> Option<String> {
    let tag = answer.headers().get(ETAG)?.to_str().ok()?;
    (!tag.starts_with("W/")).then(|| tag.to_owned())
}
