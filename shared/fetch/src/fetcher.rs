//! One address, opened: resolved, checked, pinned, redirects by hand.

use std::net::{IpAddr, SocketAddr};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use url::{Host, Url};

use crate::{FetchError, FetchSettings, is_public};

/// What is said of who asks, where a request does not say it itself.
const USER_AGENT: &str = concat!("Millrace/", env!("CARGO_PKG_VERSION"));

/// Fetches addresses that users name. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fetcher {
    pub(crate) settings: FetchSettings,
}

impl Fetcher {
    /// A fetcher with these bounds.
    #[must_use]
    pub fn new(settings: FetchSettings) -> Self {
        Self { settings }
    }

    /// The same, which takes no download up again that broke off.
    #[must_use]
    pub fn at_once(&self) -> Self {
        Self { settings: FetchSettings { retries: 0, ..self.settings.clone() } }
    }

    /// Opens `url` with `headers`; the answer's status is a success. Its body is read by the caller, who bounds it.
    ///
    /// # Errors
    /// Everything of [`FetchError`] but what concerns bodies and disks.
    pub async fn get(&self, url: &str, headers: HeaderMap) -> Result<Response, FetchError> {
        let request = Outgoing { method: Method::GET, url: url.to_owned(), headers, body: Bytes::new() };
        let answer = self.send(&request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(FetchError::Status { host: name_of(answer.url()), status: answer.status().as_u16() })
    }

    /// Sends `request` and gives the answer, whatever its status. Redirects are followed where the method and the body
    /// stay as they are: those of a GET, and 307 and 308. Headers marked as sensitive stay with the first origin.
    ///
    /// # Errors
    /// Everything of [`FetchError`] but what concerns statuses, bodies and disks.
    pub async fn send(&self, request: &Outgoing) -> Result<Response, FetchError> {
        let mut at = parse(&request.url)?;
        let mut headers = request.headers.clone();
        for _ in 0..=self.settings.max_redirects {
            let host = name_of(&at);
            let mut sending =
                self.client(&at).await?.request(request.method.clone(), at.clone()).headers(headers.clone());
            if !request.body.is_empty() {
                sending = sending.body(request.body.clone());
            }
            let answer = sending.send().await.map_err(|error| network(&host, error))?;
            if !is_followed(&request.method, answer.status()) {
                return Ok(answer);
            }
            let target = next(&at, &answer, &host)?;
            if target.origin() != at.origin() {
                headers = public(&headers);
            }
            at = target;
        }
        Err(FetchError::Redirects { host: name_of(&at), most: self.settings.max_redirects })
    }

    /// A client that reaches nothing but the addresses that were checked.
    async fn client(&self, url: &Url) -> Result<Client, FetchError> {
        let host = name_of(url);
        let addresses = self.addresses(url, &host).await?;
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .user_agent(USER_AGENT)
            .connect_timeout(self.settings.connect_timeout)
            .read_timeout(self.settings.read_timeout);
        if let Some(Host::Domain(name)) = url.host() {
            builder = builder.resolve_to_addrs(name, &addresses);
        }
        builder.build().map_err(|error| network(&host, error))
    }

    /// The host's addresses, all of which may be reached: a name with one public and one private address is refused,
    /// since nobody knows which would be taken.
    async fn addresses(&self, url: &Url, host: &str) -> Result<Vec<SocketAddr>, FetchError> {
        let port = url.port_or_known_default().unwrap_or(443);
        let addresses: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![(IpAddr::V4(address), port).into()],
            Some(Host::Ipv6(address)) => vec![(IpAddr::V6(address), port).into()],
            _ => {
                let found = tokio::time::timeout(
                    self.settings.connect_timeout,
                    tokio::net::lookup_host((host, port)),
                );
                let unknown = |detail: String| FetchError::Network { host: host.to_owned(), detail };
                let found =
                    found.await.map_err(|_| unknown("its name could not be looked up in time".into()))?;
                found.map_err(|error| unknown(error.to_string()))?.collect()
            }
        };
        if addresses.is_empty() {
            let detail = "its name has no address".to_owned();
            return Err(FetchError::Network { host: host.to_owned(), detail });
        }
        let named = || self.settings.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host));
        let allowed = self.settings.allow_private || named();
        match addresses.iter().find(|address| !allowed && !is_public(address.ip())) {
            Some(address) => {
                let allowed_by = self.settings.allowed_by;
                Err(FetchError::Forbidden { host: host.to_owned(), address: address.ip(), allowed_by })
            }
            None => Ok(addresses),
        }
    }
}

/// What is sent out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub url: String,
    /// Its headers; those that are secrets marked as sensitive.
    pub headers: HeaderMap,
    /// Its body; none when empty.
    pub body: Bytes,
}

/// The whole body of an answer.
///
/// # Errors
/// More than `max_bytes`, or the answer broke off.
pub async fn read(answer: Response, max_bytes: u64) -> Result<Bytes, FetchError> {
    let too_large = FetchError::TooLarge { limit: max_bytes };
    if answer.content_length().is_some_and(|bytes| bytes > max_bytes) {
        return Err(too_large);
    }
    let host = name_of(answer.url());
    let (mut body, mut chunks) = (BytesMut::new(), answer.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| network(&host, error))?;
        if (body.len() + chunk.len()) as u64 > max_bytes {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Whether a redirect is followed by sending the same again.
fn is_followed(method: &Method, status: StatusCode) -> bool {
    let same = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    status.is_redirection() && (same || *method == Method::GET)
}

/// The headers that anybody may see.
fn public(headers: &HeaderMap) -> HeaderMap {
    let shown = headers.iter().filter(|(_, value)| !value.is_sensitive());
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The address that `text` is.
pub(crate) fn parse(text: &str) -> Result<Url, FetchError> {
    let url = Url::parse(text)
        .map_err(|error| FetchError::Address(format!("{:?} is no address: {error}", shown(text))))?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !plain {
        return Err(FetchError::Address(format!("{:?} is not fetched", shown(text))));
    }
    Ok(url)
}

/// As much of an address as anybody may see: neither its query nor its user and password.
fn shown(text: &str) -> String {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let shown = match path.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => path.to_owned(),
    };
    shown.chars().take(200).collect()
}

/// The host as it is shown and as it is allowed by.
pub(crate) fn name_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

pub(crate) fn network(host: &str, error: reqwest::Error) -> FetchError {
    // Without the address: its query may hold a signature.
    let error = error.without_url();
    let mut detail = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(deeper) = cause {
        detail = format!("{detail}: {deeper}");
        cause = deeper.source();
    }
    FetchError::Network { host: host.to_owned(), detail }
}

fn next(from: &Url, answer: &Response, host: &str) -> Result<Url, FetchError> {
    let location = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let status = answer.status().as_u16();
    let location = location.ok_or_else(|| FetchError::Status { host: host.to_owned(), status })?;
    let target =
        from.join(location).map_err(|error| FetchError::Address(format!("a redirect of {host}: {error}")))?;
    parse(target.as_str())
}
