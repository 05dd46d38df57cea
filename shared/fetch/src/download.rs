//! A file from an address.

use std::path::Path;

use chrono::{DateTime, FixedOffset, TimeDelta};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use reqwest::header::{
    CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Response, StatusCode};

use crate::fetcher::{name_of, network, parse};
use crate::keep::{Downloaded, Expected, Opened, Source, keep_after};
use crate::{FetchError, Fetcher};

/// What was changed so long before it was sent had stopped changing, whatever the clocks of its host say (RFC 9110, 8.8.2.2).
const SETTLED: TimeDelta = TimeDelta::seconds(60);

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
                tag: resumed_by(&answer),
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
            // Whatever else comes of it, the download finds out.
            match condition_of(stamp) {
                Some((IF_NONE_MATCH, tag)) => {
                    let answer =
                        self.fetcher.get(self.url, HeaderMap::from_iter([(IF_NONE_MATCH, tag)])).await;
                    matches!(answer, Err(FetchError::Status { status: 304, .. }))
                }
                // Hosts may answer that nothing has changed since when an older file was put back. What they say of what is
                // there is compared; none of it is read.
                Some(_) => {
                    let answer = self.fetcher.get(self.url, HeaderMap::new()).await;
                    answer.is_ok_and(|answer| stamp_of(&answer).as_deref() == Some(stamp))
                }
                None => false,
            }
        }
        .boxed()
    }
}

impl Address<'_> {
    /// What follows the first so many bytes, if it is still what `tag` names; else, or where something else comes, all of it.
    async fn rest(&self, bytes: u64, tag: HeaderValue) -> Result<Response, FetchError> {
        let range = HeaderValue::try_from(format!("bytes={bytes}-")).expect("digits are a header");
        let headers = HeaderMap::from_iter([(IF_RANGE, tag.clone()), (RANGE, range)]);
        match self.fetcher.get(self.url, headers).await {
            Ok(answer) if answer.status() != StatusCode::PARTIAL_CONTENT || is_rest(&answer, bytes, &tag) => {
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

/// Whether an answer is what follows the first so many bytes of what `tag` names. A cache on the way may answer with another range
/// than it was asked for (RFC 9110, 15.3.7), and a host that does not know `If-Range` with the rest of something else.
fn is_rest(answer: &Response, bytes: u64, tag: &HeaderValue) -> bool {
    let name = if tag.as_bytes().starts_with(b"\"") { ETAG } else { LAST_MODIFIED };
    let says_other = answer.headers().get(name).is_some_and(|said| said != tag);
    begins_at(answer) == Some(bytes) && !says_other
}

/// The first byte of the range that an answer holds.
fn begins_at(answer: &Response) -> Option<u64> {
    let range = answer.headers().get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}

/// What a download can be resumed by (RFC 9110, 13.1.5): a strong tag; where there is no tag at all, the time of the last change, if
/// that names these very bytes.
fn resumed_by(answer: &Response) -> Option<String> {
    if answer.headers().contains_key(ETAG) {
        return tag_of(answer);
    }
    let changed = text_of(answer, LAST_MODIFIED)?;
    let (sent, since) = (time_of(text_of(answer, DATE)?)?, time_of(changed)?);
    (sent.signed_duration_since(since) >= SETTLED).then(|| changed.to_owned())
}

/// A tag that is strong: a weak one does not promise the same bytes.
fn tag_of(answer: &Response) -> Option<String> {
    let tag = text_of(answer, ETAG)?;
    (!tag.starts_with("W/")).then(|| tag.to_owned())
}

fn text_of(answer: &Response, name: HeaderName) -> Option<&str> {
    answer.headers().get(name)?.to_str().ok()
}

/// A time as it stands in a header; none in the forms that have been obsolete for long.
fn time_of(text: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc2822(text).ok()
}

/// What tells later whether the host has something else by then (RFC 9110, 13.1): a strong tag, which it is asked with, else the
/// time of the last change, which is compared.
fn stamp_of(answer: &Response) -> Option<String> {
    if let Some(tag) = tag_of(answer) {
        return Some(format!("{IF_NONE_MATCH}: {tag}"));
    }
    let changed = text_of(answer, LAST_MODIFIED)?;
    Some(format!("{IF_MODIFIED_SINCE}: {changed}"))
}

fn condition_of(stamp: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = stamp.split_once(": ")?;
    Some((name.parse().ok()?, value.parse().ok()?))
}
