//! The outermost layer: gives the request its identity, renders problems, counts, and logs. Nothing else logs a request.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::context::{REQUEST_ID, RequestContext, TRACEPARENT};
use crate::problem::{self, Problem};

/// Marks an answer whose status is what a workflow says, and no word of ours on how serving it went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnAnswer;

/// How a workflow's own answers are counted among the requests; `millrace_workflow_answers_total` has their statuses.
const ANSWERED: &str = "answered";

/// Serves a request and tells about it, once.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let context = RequestContext::of(request.headers());
    request.extensions_mut().insert(context.clone());
    let asked = Asked::of(&request);
    let span = tracing::info_span!(
        "request",
        http.method = %asked.method,
        http.route = %asked.route,
        request.id = context.request_id(),
        trace.id = %context.trace().trace_id(),
    );
    millrace_telemetry::follow(&span, Some(&context.parent().to_string()));
    let mut response = next.run(request).instrument(span.clone()).await;
    let problem = response.extensions_mut().remove::<Arc<Problem>>();
    if let Some(problem) = &problem {
        render(&mut response, problem, &asked.path, &context);
    }
    identify(&mut response, &context);
    let _entered = span.enter();
    asked.tell(&response, problem.as_deref(), begun);
    response
}

/// What was asked for, kept for the log.
struct Asked {
    method: Method,
    path: String,
    route: String,
}

impl Asked {
    fn of(request: &Request) -> Self {
        // The route and not the path: a label per id would be a label per run.
        let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: route.to_owned(),
        }
    }

    fn tell(&self, response: &Response, problem: Option<&Problem>, begun: Instant) {
        let elapsed = begun.elapsed();
        let status = response.status();
        let own = response.extensions().get::<OwnAnswer>().is_some();
        if own {
            metrics::counter!("millrace_workflow_answers_total", "status" => status.as_str().to_owned())
                .increment(1);
        }
        let labels = [
            ("method", self.method.to_string()),
            ("route", self.route.clone()),
            ("status", if own { ANSWERED } else { status.as_str() }.to_owned()),
        ];
        metrics::counter!("millrace_http_requests_total", &labels).increment(1);
        metrics::histogram!("millrace_http_request_seconds", &labels[..2]).record(elapsed.as_secs_f64());
        let line = Line {
            path: &self.path,
            status: status.as_u16(),
            elapsed_ms: elapsed.as_secs_f64() * 1000.0,
            code: problem.map_or("", |problem| problem.code().as_str()),
            cause: problem.and_then(Problem::cause).map(causes).unwrap_or_default(),
        };
        match status.as_u16() {
            _ if own => line.debug(),
            500 => line.error(),
            501.. => line.warn(),
            400.. => line.info(),
            _ => line.debug(),
        }
    }
}

/// The one log line of a request, at the level its outcome deserves.
struct Line<'a> {
    path: &'a str,
    status: u16,
    elapsed_ms: f64,
    code: &'a str,
    cause: String,
}

macro_rules! line {
    ($level:ident, $message:literal) => {
        fn $level(&self) {
            tracing::$level!(
                http.path = self.path,
                http.status = self.status,
                elapsed_ms = self.elapsed_ms,
                problem.code = self.code,
                problem.cause = self.cause,
                $message
            );
        }
    };
}

impl Line<'_> {
    line!(error, "request failed");
    line!(warn, "request turned away");
    line!(info, "request refused");
    line!(debug, "request served");
}

/// The error and what is behind it, on one line.
fn causes(error: &(dyn Error + Send + Sync)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

fn render(response: &mut Response, problem: &Problem, path: &str, context: &RequestContext) {
    let document = problem::document(problem, path, context.request_id(), &context.trace().trace_id());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(problem::MEDIA_TYPE));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(document);
}

/// Headers of every answer that does not bring its own: what is not a page must not act as one in a browser.
const PROTECTION: [(header::HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox"),
    ),
];

fn identify(response: &mut Response, context: &RequestContext) {
    let headers = response.headers_mut();
    for (name, value) in PROTECTION {
        headers.entry(name).or_insert(value);
    }
    for (name, value) in
        [(REQUEST_ID, context.request_id().to_owned()), (TRACEPARENT, context.trace().to_string())]
    {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}
