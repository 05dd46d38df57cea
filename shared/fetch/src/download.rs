//! A file from an address.

use std::path::Path;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE,
};
use reqwest::{Response, StatusCode};

use crate::fetcher::{name_of, network, parse};
use crate::keep::{Downloaded, Expected, Opened, Source, keep_after};
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
    /// Downloads `wanted` to `file`, unless it is there, as [`keep`](crate::keep()) does.
    ///
    /// # Errors
    /// Everything of [`FetchError`] but `Store`.
    pub async fn download(&self, wanted: &Wanted, file: &Path) -> Result<Downloaded, FetchError> {
        self.download_after(wanted, file, None).await
    }

    /// The same, with the file that came of the address `before`: its host is asked whether that is still what it has (`ETag`, else
    /// `Last-Modified`), unless the digest says so.
    ///
    /// # Errors
    /// As [`Fetcher::download`].
    pub async fn download_after(
        &self,
        wanted: &Wanted,
        file: &Path,
        before: Option<&Path>,
    ) -> Result<Downloaded, FetchError> {
        let expected = Expected {
            sha256: wanted.sha256.clone(),
            bytes: None,
            max_bytes: wanted.max_bytes,
            retries: self.settings.retries,
        };
        keep_after(&Address { fetcher: self, url: &wanted.url }, &expected, file, before).await
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
                stamp: stamp_of(&answer),
                chunks: answer
                    .bytes_stream()
                    .map(move |chunk| chunk.map_err(|error| network(&host, error)))
                    .boxed(),
            })
        }
        .boxed()
    }

    fn still_has<'a>(&'a self, stamp: &'a str) -> BoxFuture<'a, bool> {
        async move {
            let Some(condition) = condition_of(stamp) else { return false };
            let answer = self.fetcher.get(self.url, HeaderMap::from_iter([condition])).await;
            // Whatever else comes of it, the download finds out.
            matches!(answer, Err(FetchError::Status { status: 304, .. }))
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

/// What a later request is sent with to hear whether the host has something else by then (RFC 9110, 13.1): a strong tag, else the
/// time of the last change.
fn stamp_of(answer: &Response) -> Option<String> {
    if let Some(tag) = tag_of(answer) {
        return Some(format!("{IF_NONE_MATCH}: {tag}"));
    }
    let changed = answer.headers().get(LAST_MODIFIED)?.to_str().ok()?;
    Some(format!("{IF_MODIFIED_SINCE}: {changed}"))
}

fn condition_of(stamp: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = stamp.split_once(": ")?;
    Some((name.parse().ok()?, value.parse().ok()?))
}
