//! What a request says of who makes it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use millrace_store::KeySecret;
use uuid::Uuid;

use super::{Purpose, Signer};
use crate::problem::{Code, Problem};

/// The name of the session's cookie.
pub(crate) const COOKIE: &str = "millrace_session";

/// What a request says of who makes it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    /// Nothing.
    None,
    /// A key in `Authorization: Bearer`.
    Key(KeySecret),
    /// The key that a session or a stream token stands for; from a cookie, which a browser sends whoever asks it to.
    Signed {
        /// The key.
        key: Uuid,
        /// Whether a cookie said so.
        cookie: bool,
    },
}

impl Credential {
    /// The credential of a request. A header goes before a token, and a token before a cookie.
    pub(crate) fn read(parts: &Parts, signer: &Signer) -> Result<Self, Problem> {
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let text = value.to_str().unwrap_or_default();
            let bearer = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let key = bearer.and_then(|(_, key)| KeySecret::parse(key.trim()));
            return key.map(Self::Key).ok_or_else(|| {
                unauthenticated(
                    "the Authorization header holds no api key; send `Authorization: Bearer mr_…`",
                )
            });
        }
        if let Some(token) = stream_token(parts) {
            let key = signer.check(Purpose::Stream, token);
            return key.map(|key| Self::Signed { key, cookie: false }).ok_or_else(|| {
                unauthenticated("the token is not good any more; POST /api/v1/session/token gives another")
            });
        }
        let session = cookie(&parts.headers).and_then(|text| signer.check(Purpose::Session, text));
        Ok(session.map_or(Self::None, |key| Self::Signed { key, cookie: true }))
    }
}

/// The problem of a request that does not say who makes it.
pub(crate) fn unauthenticated(detail: &'static str) -> Problem {
    let challenge = header::HeaderValue::from_static("Bearer realm=\"millrace\"");
    Problem::new(Code::Unauthenticated, detail).header(header::WWW_AUTHENTICATE, challenge)
}

/// `?token=`, where an event stream is opened: addresses are logged on their way, so a token opens nothing else.
fn stream_token(parts: &Parts) -> Option<&str> {
    let is_stream = parts.method == axum::http::Method::GET && parts.uri.path().ends_with("/events");
    let query = parts.uri.query().filter(|_| is_stream)?;
    query.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::Request;
    use millrace_config::Auth;

    use super::*;

    fn read(signer: &Signer, uri: &str, headers: &[(&str, &str)]) -> Result<Credential, Code> {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Credential::read(&parts, signer).map_err(|problem| problem.code())
    }

    #[test]
    fn a_request_says_who_makes_it_in_one_of_three_ways() {
        let (signer, secret, id) = (Signer::new(&Auth::default()), KeySecret::generate(), Uuid::now_v7());
        let bearer = format!("bearer {}", secret.expose());
        assert_eq!(read(&signer, "/x", &[("authorization", &bearer)]), Ok(Credential::Key(secret)));
        let (token, _) = signer.sign(Purpose::Stream, id, Duration::from_secs(9));
        let signed = Ok(Credential::Signed { key: id, cookie: false });
        assert_eq!(read(&signer, &format!("/api/v1/events?types=a&token={token}"), &[]), signed);
        assert_eq!(read(&signer, &format!("/api/v1/executions?token={token}"), &[]), Ok(Credential::None));
        let (session, _) = signer.sign(Purpose::Session, id, Duration::from_secs(9));
        let cookies = format!("a=b; {COOKIE}={session}");
        let signed = Ok(Credential::Signed { key: id, cookie: true });
        assert_eq!(read(&signer, "/x", &[("cookie", &cookies)]), signed);
    }

    #[test]
    fn what_is_not_good_is_refused_and_a_stale_cookie_is_none() {
        let signer = Signer::new(&Auth::default());
        for value in ["mr_x", "Basic eDp5", "Bearer", "Bearer mr_short"] {
            assert_eq!(
                read(&signer, "/x", &[("authorization", value)]),
                Err(Code::Unauthenticated),
                "{value}"
            );
        }
        assert_eq!(read(&signer, "/api/v1/events?token=x", &[]), Err(Code::Unauthenticated));
        assert_eq!(read(&signer, "/x", &[("cookie", "millrace_session=x")]), Ok(Credential::None));
    }
}
