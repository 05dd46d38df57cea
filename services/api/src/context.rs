//! Who is asking, in which trace, under which request id. Made once per request, carried in its extensions.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use millrace_telemetry::Traceparent;
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// A request's identity.
#[derive(Debug, Clone)]
pub(crate) struct RequestContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    request_id: String,
    parent: Traceparent,
    trace: Traceparent,
}

/// The header a caller may name a request with, and finds the name in.
pub(crate) const REQUEST_ID: &str = "x-request-id";
/// The W3C trace context header.
pub(crate) const TRACEPARENT: &str = "traceparent";

impl RequestContext {
    /// Takes what the caller sent where it is sound, and makes the rest.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let parent = Traceparent::from_header(text(TRACEPARENT));
        let named = text(REQUEST_ID).filter(|id| is_sound(id)).map(str::to_owned);
        Self(Arc::new(Inner {
            request_id: named.unwrap_or_else(|| Uuid::now_v7().to_string()),
            trace: parent.child(),
            parent,
        }))
    }

    /// The one the outermost layer gave `request`.
    pub(crate) fn find(request: &Request) -> Result<Self, Problem> {
        let found = request.extensions().get::<Self>().cloned();
        found.ok_or_else(|| Problem::new(Code::Internal, "the request has no context"))
    }

    /// The request's name in logs and answers.
    pub(crate) fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// Where in its trace it came from: what the caller said, else the root of a trace of its own.
    pub(crate) fn parent(&self) -> &Traceparent {
        &self.0.parent
    }

    /// The trace it belongs to.
    pub(crate) fn trace(&self) -> &Traceparent {
        &self.0.trace
    }
}

/// Short, printable, and nothing a log could be forged with.
fn is_sound(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_request_id_is_kept_only_when_it_is_harmless() {
        let with = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, id.parse().unwrap());
            RequestContext::of(&headers).request_id().to_owned()
        };
        assert_eq!(with("build-7.a:b_c"), "build-7.a:b_c");
        assert_ne!(with("a b"), "a b");
        assert_ne!(with(&"x".repeat(65)), "x".repeat(65));
    }
}
