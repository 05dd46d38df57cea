//! Who may pass: with api keys, whoever shows a good one whose scope reaches; without, whoever sits at this machine. What the
//! operation asks for is in the rules.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::guard;
use crate::auth::{Caller, Credential, Rule, Rules};
use crate::problem::{Code, Problem};
use crate::state::App;

/// Lets a request pass, or says why not.
pub(crate) async fn authenticate(
    State(app): State<Arc<App>>,
    Extension(rules): Extension<Arc<Rules>>,
    request: Request,
    next: Next,
) -> Response {
    // Pages hold nothing of anybody's, and a preflight asks for nothing.
    let path = request.extensions().get::<MatchedPath>().cloned();
    let rule = path.as_ref().and_then(|path| rules.find(path.as_str(), request.method()));
    let Some(rule) = rule else { return next.run(request).await };
    let (mut parts, body) = request.into_parts();
    let caller = match pass(&app, rule, &parts).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    if let Some(caller) = caller {
        parts.extensions.insert(caller);
    }
    next.run(Request::from_parts(parts, body)).await
}

async fn pass(app: &App, rule: &Rule, parts: &axum::http::request::Parts) -> Result<Option<Caller>, Problem> {
    if !app.access.is_guarded().await? {
        guard::check(&parts.headers, &parts.uri, &app.auth.allowed_origins)?;
        return Ok(None);
    }
    // Logging in and out asks for no key, nor does the description of the api.
    let Some(scope) = rule.scope else { return Ok(None) };
    let credential = Credential::read(parts, &app.access.signer)?;
    if matches!(credential, Credential::Signed { cookie: true, .. }) {
        same_site(&parts.method, &parts.headers)?;
    }
    let caller = app.access.caller(&credential).await?;
    caller.may(scope)?;
    app.access.pace.request(caller.id)?;
    Ok(Some(caller))
}

/// A browser sends the session's cookie along whoever's page asks it to. So a change must come from a page of this server: the
/// browser says so itself, in a header that no page can write.
fn same_site(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = match (text("sec-fetch-site"), text(header::ORIGIN.as_str()), text(header::HOST.as_str())) {
        (Some(site), ..) => site == "same-origin",
        (None, Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, rest)| rest == host),
        _ => false,
    };
    if own {
        return Ok(());
    }
    let detail = "a session makes changes from pages of this server only; programs send an api key instead";
    Err(Problem::new(Code::CrossSite, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_changes_things_from_own_pages_only() {
        let ask = |method: &Method, pairs: &[(&'static str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()));
            same_site(method, &pairs.collect()).is_ok()
        };
        assert!(ask(&Method::GET, &[]));
        assert!(ask(&Method::POST, &[("sec-fetch-site", "same-origin")]));
        assert!(ask(&Method::POST, &[("origin", "https://a.example"), ("host", "a.example")]));
        for foreign in [
            &[][..],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://a.example"), ("host", "a.example")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://b.example"), ("host", "a.example")],
            &[("origin", "null"), ("host", "a.example")],
        ] {
            assert!(!ask(&Method::DELETE, foreign), "{foreign:?}");
        }
    }
}
