//! Without keys the api trusts whoever reaches the loopback address, and a browser on the machine reaches it for any page it
//! shows. So pages of other sites are refused, and so are host names that a page could have pointed here (DNS rebinding).

use axum::http::{HeaderMap, Uri, header};

use crate::problem::{Code, Problem};

/// Refuses a request with a foreign page behind it; the pages of `allowed` origins are not foreign.
pub(super) fn check(headers: &HeaderMap, uri: &Uri, allowed: &[String]) -> Result<(), Problem> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    if host.is_some_and(|host| !is_loopback(host)) {
        let detail = "without api keys this server answers to localhost, 127.0.0.1 and [::1] only";
        return Err(Problem::new(Code::MisdirectedHost, detail));
    }
    if text(header::ORIGIN).is_some_and(|origin| allowed.iter().any(|allowed| allowed == origin)) {
        return Ok(());
    }
    let origin = text(header::ORIGIN).filter(|origin| *origin != "null");
    let foreign =
        origin.is_some_and(|origin| !is_loopback(origin.split_once("://").map_or(origin, |(_, rest)| rest)));
    let opaque = text(header::ORIGIN) == Some("null");
    let cross = headers.get("sec-fetch-site").is_some_and(|value| value == "cross-site");
    if foreign || opaque || cross {
        let detail = "without api keys this server does not take requests that a page of another site makes";
        return Err(Problem::new(Code::CrossSite, detail));
    }
    Ok(())
}

/// Whether `host[:port]` is this machine by one of its fixed names.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(pairs: &[(&str, &str)]) -> Option<Code> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(header::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        check(&headers, &Uri::from_static("/x"), &["https://ours.example".to_owned()])
            .err()
            .map(|problem| problem.code())
    }

    #[test]
    fn local_callers_pass() {
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:80", "LOCALHOST"] {
            assert_eq!(code(&[("host", host)]), None, "{host}");
        }
        assert_eq!(code(&[("host", "127.0.0.1:80"), ("origin", "http://localhost:3000")]), None);
        assert_eq!(code(&[("host", "127.0.0.1:80"), ("sec-fetch-site", "same-origin")]), None);
        assert_eq!(code(&[("host", "127.0.0.1:80"), ("origin", "https://ours.example")]), None);
        assert_eq!(code(&[]), None);
    }

    #[test]
    fn foreign_pages_and_names_do_not() {
        assert_eq!(code(&[("host", "evil.example")]), Some(Code::MisdirectedHost));
        assert_eq!(code(&[("host", "localhost.evil.example:80")]), Some(Code::MisdirectedHost));
        assert_eq!(code(&[("host", "localhost"), ("origin", "https://evil.example")]), Some(Code::CrossSite));
        assert_eq!(code(&[("host", "localhost"), ("origin", "null")]), Some(Code::CrossSite));
        assert_eq!(code(&[("host", "localhost"), ("sec-fetch-site", "cross-site")]), Some(Code::CrossSite));
    }
}
