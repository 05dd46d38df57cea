//! One address, opened: resolved, checked, pinned, redirects by hand.

use std::net::{IpAddr, SocketAddr};

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{Client, Response, redirect};
use url::{Host, Url};

use crate::{FetchError, FetchSettings, is_public};

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

    /// Opens `url` with `headers`; the answer's status is a success. Its body is read by the caller, who bounds it.
    ///
    /// # Errors
    /// Everything of [`FetchError`] but what concerns bodies and disks.
    pub async fn get(&self, url: &str, headers: HeaderMap) -> Result<Response, FetchError> {
        let mut at = parse(url)?;
        for _ in 0..=self.settings.max_redirects {
            let host = name_of(&at);
            let answer = self.client(&at).await?.get(at.clone()).headers(headers.clone()).send().await;
            let answer = answer.map_err(|error| network(&host, error))?;
            let status = answer.status();
            if status.is_redirection() {
                at = next(&at, &answer, &host)?;
            } else if status.is_success() {
                return Ok(answer);
            } else {
                return Err(FetchError::Status { host, status: status.as_u16() });
            }
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
        let allowed = self.settings.allowed_hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host));
        match addresses.iter().find(|address| !allowed && !is_public(address.ip())) {
            Some(address) => Err(FetchError::Forbidden { host: host.to_owned(), address: address.ip() }),
            None => Ok(addresses),
        }
    }
}

/// The address that `text` is.
pub(crate) fn parse(text: &str) -> Result<Url, FetchError> {
    let shown: String = text.split('?').next().unwrap_or_default().chars().take(200).collect();
    let url =
        Url::parse(text).map_err(|error| FetchError::Address(format!("{shown:?} is no address: {error}")))?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !plain {
        return Err(FetchError::Address(format!("{shown:?} is not fetched")));
    }
    Ok(url)
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
